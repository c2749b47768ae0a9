"""A database that is locked or full: who waits is told, nothing given up comes back, all heals by itself."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import gevent
import pytest

from gorchestrator.common.states import State
from gorchestrator.domain.errors import StoreError, StoreUnavailable
from gorchestrator.domain.records import LogChunk
from gorchestrator.store import Store, batch, connection
from store_support import OTHER, TASK, accept, eventually, locked, node_change, node_states, task_change
from support import PATIENCE


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    store = Store.open(path, patience=0.4)
    accept(store)
    yield store
    store.close()


def test_a_lock_that_goes_soon_is_waited_for(path: Path) -> None:
    store = Store.open(path, patience=PATIENCE)
    accept(store)
    with locked(path):
        writing = gevent.spawn(store.journal.write, node_change(0))
        gevent.sleep(0.05)
        assert not writing.ready()
    writing.get(timeout=PATIENCE)
    assert node_states(store)[0] is State.RUNNING
    store.close()


def test_what_was_given_up_is_never_written_and_what_was_posted_is(
    store: Store, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    refused: list[BaseException] = []
    with locked(path):
        store.journal.post(node_change(0), refused.append)
        store.journal.append_log(LogChunk(TASK, 0, 1, 0, b"printed"))
        writing = gevent.spawn(store.journal.write, node_change(1))
        accepting = gevent.spawn(accept, store, OTHER)
        flushing = gevent.spawn(store.journal.flush_logs, TASK, 0, 1)
        for greenlet in (writing, accepting, flushing):
            with pytest.raises(StoreUnavailable, match="locked by another process"):
                greenlet.get(timeout=PATIENCE)
        assert node_states(store) == [State.TORUN] * 3  # it can be read all the time
        # The fault is known now, so that the next one need not wait as long.
        with pytest.raises(StoreUnavailable):
            store.journal.write(node_change(1))

    store.journal.write(node_change(2))
    assert node_states(store) == [State.RUNNING, State.TORUN, State.RUNNING]
    assert store.reader.task(OTHER) is None
    assert store.reader.log(TASK, 0, 1, 0, 100).data == b"printed"
    assert refused == []
    assert [event.seq for event in store.reader.events(0, 10)] == [1, 2, 3]
    assert caplog.text.count("the store is unavailable") == 1


def test_a_full_disk_is_named_and_heals(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    pages = [10_000]
    real = connection.writing

    def small(file: Path) -> sqlite3.Connection:
        opened = real(file)
        opened.execute(f"PRAGMA max_page_count={pages[0]}")
        return opened

    monkeypatch.setattr(connection, "writing", small)
    caplog.set_level("INFO")
    store = Store.open(path, patience=0.3)
    accept(store)
    pages[0] = 1  # SQLite takes the size of the file instead: it cannot grow any more
    store.journal._mail._writer._connection = None
    store.journal.post(node_change(0, reason="x" * 1_000_000))
    with pytest.raises(StoreUnavailable, match="disk is full"):
        accept(store, OTHER, size=1000)
    assert node_states(store) == [State.TORUN] * 3
    pages[0] = 10_000
    store.journal.write(node_change(1))
    assert node_states(store) == [State.RUNNING, State.RUNNING, State.TORUN]
    eventually(lambda: "works again" in caplog.text)
    store.close()


def test_a_fault_of_ours_ends_neither_the_thread_nor_the_others(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(batch.Transaction, "__init__", lambda *_: 1 / 0)
        with pytest.raises(StoreError, match="ZeroDivisionError"):
            store.journal.write(node_change(0))
    store.journal.write(node_change(1))
    assert node_states(store) == [State.TORUN, State.RUNNING, State.TORUN]


def test_a_thread_that_ends_leaves_nobody_waiting(
    store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(store.journal._mail._writer, "_batch", lambda: 1 / 0)
    for _ in range(2):
        with pytest.raises(StoreUnavailable, match="restart the service"):
            store.journal.write(node_change(0))
    assert "ZeroDivisionError" in caplog.text


def test_closing_writes_what_is_queued(store: Store, path: Path) -> None:
    for number in range(2500):  # more than a batch
        store.journal.post(node_change(number % 3, exit_code=number))
    store.journal.append_log(LogChunk(TASK, 0, 1, 0, b"last words"))
    store.close()
    store.close()
    for use in (
        lambda: store.journal.post(node_change(0)),
        lambda: store.journal.write(node_change(0)),
        lambda: store.journal.append_log(LogChunk(TASK, 0, 1, 10, b"x")),
        lambda: store.reader.task(TASK),
    ):
        with pytest.raises(StoreUnavailable, match="closed"):
            use()
    again = Store.open(path)
    assert [row.exit_code for row, _ in again.reader.nodes(TASK)] == [2499, 2497, 2498]
    assert again.reader.log(TASK, 0, 1, 0, 100).data == b"last words"
    again.close()


def test_closing_during_a_fault_gives_up_in_the_end_and_says_so(store: Store, path: Path) -> None:
    refused: list[BaseException] = []
    with locked(path):
        store.journal.post(node_change(0), refused.append)
        store.close()
    assert [type(error) for error in refused] == [StoreUnavailable]


def test_who_is_interrupted_is_no_trouble_to_the_others(store: Store, path: Path) -> None:
    with locked(path):
        writing = gevent.spawn(store.journal.write, node_change(0))
        gevent.sleep(0)
        writing.kill()
    store.journal.write(task_change(State.RUNNING))
    assert store.reader.last_seq() in {2, 3}
