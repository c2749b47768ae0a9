"""The data directory of ``gorch demo``: one demo at a time, its certificates, the servers of one that was killed."""

import fcntl
import json
import os
import sqlite3
from collections.abc import Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import IO

import psutil

from gorchestrator import certificates
from gorchestrator.cli.failure import Failure
from gorchestrator.common import processes, serving

LEFTOVER_TIMEOUT = 30.0  # seconds in which the servers of a demo that was killed have to end
KEEPERS_TIMEOUT = 5.0  # seconds; they end by themselves when no executor and no job is left
RENEW = timedelta(days=1)  # certificates that end sooner are made anew


class Workplace:
    """A demo's data directory."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.certs = root / "certs"
        self.orchestrator = root / "orchestrator"
        self.executor = root / "executor"
        self.logs = root / "logs"
        self._servers = root / "servers.json"
        self._examples = root / "examples.json"
        self._lock: IO[str] | None = None

    def open(self) -> None:
        """Take the directory for this demo alone; wait for the servers of a killed one to end."""
        try:
            for folder in (self.root, self.logs):
                serving.make_directory(folder)
            self._lock = _locked(self.root / "demo.lock")
        except serving.ServingError as error:
            raise Failure(str(error)) from error
        except BlockingIOError as error:
            raise Failure(f"another demo runs on {self.root}; stop it, or give this one another --data") from error
        except OSError as error:
            raise Failure(f"cannot use {self.root}: {error.strerror}; give another --data") from error
        _, alive = psutil.wait_procs(self._leftovers(), LEFTOVER_TIMEOUT)
        if alive:
            pids = ", ".join(str(process.pid) for process in alive)
            raise Failure(f"servers of an earlier demo do not end; end these processes: {pids}")

    def close(self) -> None:
        """Give the directory free again, if it was taken; its servers have ended."""
        if self._lock:
            self._lock.close()
            self._lock = None

    def remember(self, pids: Iterable[int]) -> None:
        """Note the servers that run, for the demo after one that is killed."""
        known = [(pid, processes.started(pid)) for pid in pids]
        _note(self._servers, [[pid, started] for pid, started in known if started])

    def posted(self) -> dict[str, str]:
        """Return the tasks that demos here have posted last, each with the file of its example."""
        try:
            return {str(task): str(file) for task, file in json.loads(self._examples.read_text()).items()}
        except (OSError, ValueError, AttributeError):
            return {}

    def remember_posted(self, tasks: Mapping[str, str]) -> None:
        """Note which tasks are examples: their names may be those of graphs of the user's own, too."""
        _note(self._examples, tasks)

    def wait_for_keepers(self) -> list[int]:
        """Return when what the executors have started has ended, or, after a while, the pids of what lives on."""
        keepers = [process for process in psutil.process_iter(["cmdline"]) if _works_on(process, self.executor)]
        _, alive = psutil.wait_procs(keepers, KEEPERS_TIMEOUT)
        return [process.pid for process in alive]

    def make_certificates(self) -> bool:
        """Make the demo's certificates unless usable ones are there; returns whether they are new."""
        if certificates.usable(self.certs, RENEW):
            return False
        certificates.write(self.certs, force=True)
        return True

    def upgrade(self) -> bool:
        """Bring the journal of an earlier version's demo to this one's schema; returns whether that was needed.

        A user would back it up first: here are examples.
        """
        file = self.orchestrator / "gorchestrator.db"
        if not file.exists():
            return False
        from gorchestrator.domain.errors import StoreError  # noqa: PLC0415  (the first demo does without the store)
        from gorchestrator.store import schema  # noqa: PLC0415

        try:
            if schema.revision(file) == schema.HEAD:
                return False
            schema.upgrade(file)
        except StoreError as error:
            raise Failure(f"{error} Or give this demo another --data.") from error
        except sqlite3.Error:  # a damaged file is told of by the service
            return False
        return True

    def new_log(self, name: str) -> Path:
        """Return the path of a server's log; the one of the last demo is kept beside it."""
        path = self.logs / f"{name}.log"
        if path.exists():
            path.replace(path.with_suffix(".log.1"))
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
        return path

    def _leftovers(self) -> list[psutil.Process]:
        try:
            known = json.loads(self._servers.read_text())
            return [process for pid, started in known if (process := _same(pid, started))]
        except (OSError, ValueError, TypeError):
            return []


def _note(path: Path, value: object) -> None:
    temporary = path.with_suffix(".new")
    temporary.write_text(json.dumps(value))
    temporary.replace(path)


def _locked(path: Path) -> IO[str]:
    """Return the file, locked until it is closed or this process ends; BlockingIOError if another has it."""
    file = path.open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise
    return file


def _works_on(process: psutil.Process, folder: Path) -> bool:
    return str(folder) in (process.info["cmdline"] or ())


def _same(pid: int, started: str) -> psutil.Process | None:
    try:
        process = psutil.Process(pid)  # before the look: what comes later under this pid is another one for psutil too
        return process if processes.started(pid) == started else None
    except psutil.NoSuchProcess:
        return None
