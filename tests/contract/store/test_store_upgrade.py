"""An upgrade while somebody works with the database: refused, whoever it is and of whatever version, and told who."""

import os
import re
import socket
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from gorchestrator.common import processes as of_machine
from gorchestrator.domain.errors import StoreError
from gorchestrator.store import Store, migrations, schema, workers
from store_support import TASK, accept, processes

OLD = schema.REVISIONS[0]


@pytest.fixture
def old(path: Path) -> Path:
    """A database of the first version."""
    path.parent.mkdir()
    migrations.run(path, OLD)
    return path


def own(path: Path, host: str, pid: int, start: float = 0.0, beat: int = 0) -> None:
    """Enter a worker as it enters itself."""
    with closing(sqlite3.connect(path)) as opened, opened:
        opened.execute("INSERT OR REPLACE INTO owners VALUES ('w', ?, ?, ?, ?)", (host, pid, start, beat))


def here() -> str:
    return f"{socket.gethostname()} {of_machine.boot()}"


def test_workers_are_named_by_their_processes(path: Path) -> None:
    store = Store.open(path)
    accept(store)
    store.close()
    with processes(path, ("write", TASK, 1_000_000)) as (writer,):
        assert writer.line()
        with pytest.raises(StoreError, match="is in use: stop the service") as caught:
            schema.upgrade(path)
        named = re.search(r"It is used by: process (\d+)\.$", str(caught.value))
        assert named
        assert f"{path.parent}" in (Path("/proc") / named[1] / "cmdline").read_text()
        writer.kill()
    assert schema.upgrade(path) == (schema.HEAD, schema.HEAD)


def test_a_worker_of_a_version_without_locks(old: Path) -> None:
    start = float(of_machine.start_ticks(os.getpid()) or 0)
    own(old, here(), os.getpid(), start)
    with old.open("rb"):
        assert workers.living(old) == [os.getpid()]
        with pytest.raises(StoreError, match=rf"is in use: .* It is used by: process {os.getpid()}\.$"):
            schema.upgrade(old)
    assert schema.revision(old) == OLD
    assert workers.living(old) == []  # a copy: it is another file that this process works with
    own(old, here(), os.getpid(), start - 1)  # an earlier process of this pid
    with old.open("rb"):
        assert schema.upgrade(old) == (OLD, schema.HEAD)


def test_a_worker_on_another_machine(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "_LOOK", 1.0)
    own(old, "other.example 1234", 17)
    stop = threading.Event()

    def beat() -> None:
        number = 0
        while not stop.wait(0.05):
            number += 1
            own(old, "other.example 1234", 17, beat=number)

    thread = threading.Thread(target=beat)
    thread.start()
    try:
        with pytest.raises(StoreError, match=r"It is used by: host other\.example\.$"):
            schema.upgrade(old)
    finally:
        stop.set()
        thread.join()
    assert schema.revision(old) == OLD
    assert schema.upgrade(old) == (OLD, schema.HEAD)  # it has ended


def test_who_holds_a_directory(tmp_path: Path) -> None:
    assert workers.holding(tmp_path) == []
