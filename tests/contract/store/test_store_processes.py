"""Several processes, patched by gevent as the services are, on one database."""

import sqlite3
from contextlib import closing
from pathlib import Path

from gorchestrator.store import Store
from store_support import OTHER, TASK, accept, processes

WRITERS = 4
CHANGES = 300


def test_four_processes_write_and_a_fifth_hears_every_event_once_in_order(store: Store, path: Path) -> None:
    tasks = [f"{number:032x}" for number in range(WRITERS)]
    for task in tasks:
        accept(store, task, size=1)
    last = WRITERS + WRITERS * CHANGES
    with processes(path, ("tail", last)) as (tail,):
        assert tail.line() == "listening"
        with processes(path, *[("write", task, CHANGES) for task in tasks]) as writers:
            written = [process.end() for process in writers]
            assert [process.status for process in writers] == [0] * WRITERS
        heard = tail.end()
        assert tail.status == 0

    assert [sorted(map(int, lines)) for lines in written] == [list(range(CHANGES))] * WRITERS
    assert heard == [str(seq) for seq in range(WRITERS + 1, last + 1)]
    assert [event.seq for event in store.reader.events(0, 10_000)] == list(range(1, last + 1))
    for task in tasks:
        events = store.reader.events(0, 10_000, task)[1:]
        assert sorted(event.data["exit_code"] for event in events) == list(range(CHANGES))  # type: ignore[type-var]
        found = store.reader.node(task, 0)
        assert found is not None
        assert found[0].exit_code == events[-1].data["exit_code"]


def test_what_was_acknowledged_is_there_after_kill_9(store: Store, path: Path) -> None:
    acknowledged = {TASK: set[int](), OTHER: set[int]()}
    for task in acknowledged:
        accept(store, task)
    with processes(path, *[("write", task, 1_000_000) for task in acknowledged]) as writers:
        for process, numbers in zip(writers, acknowledged.values(), strict=True):
            numbers.update(int(process.line()) for _ in range(200))
        for process, numbers in zip(writers, acknowledged.values(), strict=True):
            numbers.update(int(line) for line in process.kill()[:-1])  # the last line may be torn
    store.close()

    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    again = Store.open(path)
    events = again.reader.events(2, 1_000_000)
    assert [event.seq for event in events] == list(range(3, len(events) + 3))
    for task, numbers in acknowledged.items():
        assert numbers <= {event.data["exit_code"] for event in events if event.task == task}
    again.close()
