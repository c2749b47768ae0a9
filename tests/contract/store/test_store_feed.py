"""Followers of the journal: every event once and in order, from memory or from the database, at anybody's pace."""

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import gevent
import pytest

from gorchestrator.common.states import State
from gorchestrator.domain.errors import StoreUnavailable
from gorchestrator.domain.records import EventRow
from gorchestrator.store import Store, feed
from store_support import OTHER, TASK, accept, eventually, node_change, task_change

LONG = 60.0  # seconds without an event that no test waits for


class Follower:
    """Gathers what a stream yields, in a greenlet of its own."""

    def __init__(self, stream: Iterator[Sequence[EventRow]]) -> None:
        self.heard: list[EventRow] = []
        self.greenlet = gevent.spawn(self._follow, stream)

    def _follow(self, stream: Iterator[Sequence[EventRow]]) -> None:
        for events in stream:
            self.heard.extend(events)

    @property
    def seqs(self) -> list[int]:
        return [event.seq for event in self.heard]


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the memory small, so that its edges are met."""
    monkeypatch.setattr(feed, "_KEPT", 50)
    monkeypatch.setattr(feed, "_SLICE", 7)
    monkeypatch.setattr(feed, "_PAUSE", 0.0)


def write(store: Store, count: int, task: str = TASK) -> None:
    for number in range(count):
        store.journal.post(node_change(number % 3, task=task))
    store.journal.sync()


@pytest.mark.parametrize("after", [0, 3, 150])
def test_every_event_comes_once_and_in_order(store: Store, after: int) -> None:
    accept(store)
    write(store, 149)
    follower = Follower(store.feed.follow(after, None, LONG))
    for _ in range(5):
        write(store, 40)
        gevent.sleep(0)
    eventually(lambda: len(follower.heard) >= 350 - after)
    assert follower.seqs == list(range(after + 1, 351))
    assert follower.heard == store.reader.events(after, 1000)


def test_who_is_slow_misses_nothing_and_holds_nobody_up(store: Store) -> None:
    accept(store)
    slow = store.feed.follow(0, None, LONG)
    heard = list(next(slow))
    quick = Follower(store.feed.follow(store.reader.last_seq(), None, LONG))
    write(store, 400)
    eventually(lambda: len(quick.heard) == 400)
    assert len(heard) == 1
    while len(heard) < 401:
        heard.extend(next(slow))
    assert [event.seq for event in heard] == list(range(1, 402))


def test_a_follower_of_a_task_hears_of_it_alone_and_to_its_end(store: Store) -> None:
    accept(store)
    accept(store, OTHER)
    follower = Follower(store.feed.follow(0, TASK, LONG))
    for _ in range(20):
        write(store, 9)
        write(store, 11, OTHER)
    store.journal.write(task_change(State.SUCCESS))
    write(store, 30, OTHER)
    eventually(follower.greenlet.ready)
    assert follower.heard == store.reader.events(0, 10_000, TASK)
    assert len(follower.heard) == 1 + 20 * 9 + 1


def test_other_processes_are_heard(store: Store, path: Path) -> None:
    other = Store.open(path)
    follower = Follower(store.feed.follow(0, None, LONG))
    accept(other)
    eventually(lambda: follower.seqs == [1])
    other.close()


def test_silence_is_told(store: Store) -> None:
    accept(store)
    stream = store.feed.follow(1, TASK, 0.05)
    assert [list(each) for each in islice(stream, 3)] == [[], [], []]
    busy = gevent.spawn(lambda: [(accept(store, f"{n:032x}"), gevent.sleep(0.01)) for n in range(30)])
    assert list(next(stream)) == []  # what happens to other tasks is silence, too
    busy.join()


def test_events_of_other_kinds_are_silence(store: Store) -> None:
    accept(store)
    stream = store.feed.follow(1, None, LONG, {"task_final"})
    heard = gevent.spawn(next, stream)
    eventually(lambda: len(store.tailer._callbacks) == 1)
    write(store, 50)
    eventually(lambda: len(store.feed._kept) > 0)
    gevent.sleep(0.1)
    assert not heard.ready()
    store.journal.write(task_change(State.SUCCESS))
    assert [event.kind for event in heard.get(timeout=20)] == ["task_final"]


def test_many_who_begin_at_once_listen_once_and_let_go(store: Store) -> None:
    accept(store)
    followers = [Follower(store.feed.follow(0, None, LONG)) for _ in range(5)]
    eventually(lambda: all(follower.heard for follower in followers))
    assert len(store.tailer._callbacks) == 1
    for follower in followers:
        follower.greenlet.kill()
    assert not store.tailer._callbacks


def test_who_cannot_begin_leaves_nothing_behind(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(task: str | None = None) -> int:
        raise StoreUnavailable("The disk is away.")

    with monkeypatch.context() as patch:
        patch.setattr(store.reader, "last_seq", fail)
        with pytest.raises(StoreUnavailable):
            next(store.feed.follow(0, None, LONG))
    assert store.feed._followers == set()


def test_the_memory_is_bounded_and_let_go(store: Store) -> None:
    accept(store)
    followers = [Follower(store.feed.follow(0, None, LONG)) for _ in range(3)]
    write(store, 500)
    eventually(lambda: all(len(follower.heard) == 501 for follower in followers))
    assert len(store.feed._kept) <= 50
    for follower in followers:
        follower.greenlet.kill()
    assert store.feed._kept == []
    write(store, 5)
    late = Follower(store.feed.follow(501, None, LONG))
    eventually(lambda: late.seqs == [502, 503, 504, 505, 506])


def test_the_end_of_the_store_ends_all(store: Store) -> None:
    accept(store)
    followers = [Follower(store.feed.follow(0, task, LONG)) for task in (None, TASK)]
    eventually(lambda: all(follower.heard for follower in followers))
    store.end_waiting()
    eventually(lambda: all(follower.greenlet.ready() for follower in followers))
    assert list(store.feed.follow(0, None, LONG)) == []
