"""Stopping processes and waking them again, for tests in which a worker hangs and others take over."""

import signal
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

import psutil

from support import wait_until


@contextmanager
def stopped(*processes: psutil.Process) -> Iterator[None]:
    """Keep processes from running: none of their threads does when this begins."""
    with ExitStack() as stack:
        for process in processes:
            stack.callback(_go_on, process)
            process.send_signal(signal.SIGSTOP)
        wait_until(lambda: all(map(_is_stopped, processes)), what="all their threads are stopped")
        yield


@contextmanager
def stopped_outside_of_transactions(process: psutil.Process, database: Path) -> Iterator[None]:
    """Keep a process from running, which holds no lock of the database: nobody else could write any more."""

    def asleep() -> ExitStack | None:
        with (
            ExitStack() as stack,
            closing(sqlite3.connect(database, isolation_level=None)) as connection,
            suppress(sqlite3.OperationalError),
        ):
            stack.enter_context(stopped(process))
            connection.execute("PRAGMA busy_timeout = 200")  # ms, in which others are done with it
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
            return stack.pop_all()
        return None

    with wait_until(asleep, what="it is stopped outside of a transaction"):
        yield


def _is_stopped(process: psutil.Process) -> bool:
    """Tell whether no thread runs any more: the signal reaches one of them, which others outrun on a busy machine."""
    tasks = Path(f"/proc/{process.pid}/task").iterdir()
    return all((task / "stat").read_text().rpartition(")")[2].split()[0] in "TtXZ" for task in tasks)


def _go_on(process: psutil.Process) -> None:
    with suppress(psutil.NoSuchProcess):
        process.send_signal(signal.SIGCONT)
