"""News of the journal: every event, once, in order, to whoever asks for it."""

import sqlite3
from pathlib import Path

import gevent
import pytest

from gorchestrator.domain.errors import StoreUnavailable
from gorchestrator.domain.records import EventRow
from gorchestrator.store import Store, tailer
from store_support import OTHER, TASK, accept, eventually, node_change
from support import PATIENCE


def test_a_listener_hears_every_event_once_and_in_order(store: Store) -> None:
    accept(store, size=100)
    heard: list[EventRow] = []
    stop = store.tailer.listen(heard.extend)
    for number in range(1000):
        store.journal.post(node_change(number % 100, exit_code=number))
    eventually(lambda: len(heard) >= 1000)
    assert [event.data["exit_code"] for event in heard] == list(range(1000))
    assert heard == store.reader.events(1, 2000)

    stop()
    stop()
    store.journal.write(node_change(0))
    late: list[EventRow] = []
    store.tailer.listen(late.extend)
    store.journal.write(node_change(1))
    eventually(lambda: late)
    assert [event.seq for event in late] == [1003]
    assert len(heard) == 1000


def test_a_listener_hears_other_processes(store: Store, path: Path) -> None:
    other = Store.open(path)
    heard: list[EventRow] = []
    store.tailer.listen(heard.extend)
    accept(other)
    eventually(lambda: heard)
    other.close()


def test_who_is_in_no_hurry_lets_it_rest_until_somebody_is(
    store: Store, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tailer, "_LOOK_AT_REST", 600.0)
    other = Store.open(path)
    hurry = False
    heard: list[EventRow] = []
    store.tailer.listen(heard.extend, lambda: hurry)
    accept(other)
    gevent.sleep(5 * tailer._LOOK)
    assert not heard
    assert store.tailer.wait(TASK, 0, PATIENCE) == 1
    eventually(lambda: len(heard) == 1)

    gevent.sleep(5 * tailer._LOOK)  # at rest again
    hurry = True
    store.journal.write(node_change(0))
    other.journal.write(node_change(1))
    eventually(lambda: len(heard) == 3)
    other.close()


def test_a_listener_that_fails_harms_nobody(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    heard: list[EventRow] = []

    def fail(_: object) -> None:
        raise RuntimeError("a listener's own fault")

    store.tailer.listen(fail)
    store.tailer.listen(heard.extend)
    accept(store)
    store.journal.write(node_change(0))
    eventually(lambda: len(heard) == 2)
    assert "a listener's own fault" in caplog.text


def test_a_wait_ends_with_news_of_its_task_only(store: Store) -> None:
    accept(store)
    accept(store, OTHER)
    assert store.tailer.wait(TASK, 0, 20.0) == 1  # it is there already
    waiting = gevent.spawn(store.tailer.wait, TASK, 1, 20.0)
    store.journal.write(node_change(0, task=OTHER))
    assert store.tailer.wait(OTHER, 2, 20.0) == 3
    assert not waiting.ready()
    store.journal.write(node_change(0))
    assert waiting.get(timeout=PATIENCE) == 4
    assert store.tailer.wait(TASK, 4, 0.01) == 4
    assert store.tailer._waiters == {}


def test_waiters_of_one_task_are_all_woken(store: Store) -> None:
    accept(store)
    waiting = [gevent.spawn(store.tailer.wait, TASK, 1, 20.0) for _ in range(50)]
    eventually(lambda: len(store.tailer._waiters.get(TASK, ())) == 50)
    store.journal.write(node_change(0))
    gevent.joinall(waiting, timeout=PATIENCE, raise_error=True)
    assert {greenlet.value for greenlet in waiting} == {2}


def test_a_wait_ends_when_the_store_is_closed(path: Path) -> None:
    store = Store.open(path)
    waiting = gevent.spawn(store.tailer.wait, TASK, 0, 60.0)
    eventually(lambda: store.tailer._waiters)
    gevent.idle()
    store.close()
    assert waiting.get(timeout=PATIENCE) == 0


def test_the_tailer_goes_on_after_a_fault(
    store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(tailer, "_RETRY", 0.01)
    heard: list[EventRow] = []
    store.tailer.listen(heard.extend)
    with monkeypatch.context() as patch:
        calls = []

        def fail(after: int, limit: int) -> list[EventRow]:
            calls.append(after)
            raise StoreUnavailable("the disk is away")

        patch.setattr(store.reader, "events", fail)
        accept(store)
        eventually(lambda: len(calls) > 2)
    eventually(lambda: heard)
    assert caplog.text.count("the disk is away") == 1


def test_the_tailer_looks_with_the_reader_when_its_own_look_fails(store: Store) -> None:
    heard: list[EventRow] = []
    store.tailer.listen(heard.extend)
    store.tailer._connection.close()
    accept(store)
    eventually(lambda: heard)
    with pytest.raises(sqlite3.ProgrammingError):
        store.tailer._connection.execute("SELECT 1")
