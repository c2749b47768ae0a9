"""Tasks and their owners: accept, list, cancel, claim, release."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import gevent
import pytest

from gorchestrator.common.states import State
from gorchestrator.domain.errors import StoreError, TooManyRuns
from gorchestrator.domain.records import Acceptance, Kind, NodeRow, OwnerRow, TaskRow
from gorchestrator.store import Store, accepting
from store_support import ME, OTHER, TASK, accept, locked, node_change, task_change
from support import PATIENCE

OWNER = OwnerRow(ME, host="here", pid=17, pid_start=1234.567890123)


def test_an_accepted_task_is_read_as_it_was_given(store: Store) -> None:
    row = TaskRow(TASK, "größe\0", labels={"a": "b"}, size=2, accepted_at=1700000000.123456, deadline=2.5)
    store.journal.accept(Acceptance(row, "[0,1,0,0]", [(0, "x", '{"name":"x"}'), (1, "y", '{"name":"\\u0000y"}')], ME))

    found = store.reader.task(TASK)
    counts = {State.TORUN: 2}
    assert found == replace(row, owner=ME, fence=1, seen_at=1700000000.123456, counts=counts)
    assert store.reader.digraph(TASK) == "[0,1,0,0]"
    assert store.reader.nodes(TASK) == [
        (NodeRow(TASK, 0), '{"name":"x"}'),
        (NodeRow(TASK, 1), '{"name":"\\u0000y"}'),
    ]
    assert store.reader.node(TASK, 1) == store.reader.node(TASK, "y") == (NodeRow(TASK, 1), '{"name":"\\u0000y"}')
    (event,) = store.reader.events(0, 10)
    assert (event.seq, event.task, event.kind, event.at) == (1, TASK, Kind.TASK_ACCEPTED, 1700000000.123456)
    assert event.data == {"name": "größe\0", "state": 0, "size": 2, "owner": ME}


def test_what_is_not_there_is_none_or_empty(store: Store) -> None:
    accept(store)
    assert store.reader.task(OTHER) is None
    assert store.reader.digraph(OTHER) is None
    assert store.reader.digraph(TASK) is None  # edges were given by needs
    assert store.reader.nodes(OTHER) == []
    assert store.reader.node(TASK, 3) is None
    assert store.reader.node(TASK, 10**30) is None
    assert store.reader.node(TASK, "other") is None
    assert store.reader.last_seq(OTHER) == 0


def test_an_id_is_accepted_once(store: Store) -> None:
    accept(store)
    with pytest.raises(StoreError, match="UNIQUE"):
        accept(store, size=5)
    assert len(store.reader.nodes(TASK)) == 3
    assert store.reader.last_seq() == 1


def test_a_task_that_cannot_be_stored_leaves_nothing_behind(store: Store, path: Path) -> None:
    twice = [(0, "x", "{}"), (0, "x", "{}")]
    with locked(path):  # so that all become one batch
        faulty = gevent.spawn(store.journal.accept, Acceptance(TaskRow(TASK, "faulty", size=2), None, twice, ME))
        good = gevent.spawn(accept, store, OTHER)
        gevent.sleep(0)
    good.get(timeout=PATIENCE)
    with pytest.raises(StoreError, match="UNIQUE"):
        faulty.get(timeout=PATIENCE)
    assert store.reader.task(TASK) is None
    assert store.reader.nodes(TASK) == []
    assert len(store.reader.nodes(OTHER)) == 3
    assert [(event.seq, event.task) for event in store.reader.events(0, 10)] == [(1, OTHER)]


def test_open_tasks_are_those_that_are_not_final(store: Store) -> None:
    accept(store, at=2.0)
    accept(store, OTHER, at=1.0)
    assert [row.id for row in store.reader.open_tasks()] == [OTHER, TASK]
    store.journal.write(task_change(State.SUCCESS))
    assert [row.id for row in store.reader.open_tasks()] == [OTHER]


def test_a_cancel_is_remembered_once(store: Store) -> None:
    accept(store)
    first = store.journal.request_cancel(TASK, "joe", 5.25)
    assert first is not None
    assert (first.cancel_at, first.cancel_actor, first.state) == (5.25, "joe", State.INITIAL)
    assert store.journal.request_cancel(TASK, "ann", 6.0) == first == store.reader.task(TASK)
    assert [event.kind for event in store.reader.events(1, 10)] == [Kind.TASK_CANCEL]
    assert store.reader.events(1, 10)[0].actor == "joe"

    store.journal.write(task_change(State.RUNNING))  # the engine's rows do not know of the cancel
    running = store.reader.task(TASK)
    assert running is not None
    assert (running.state, running.cancel_at, running.owner) == (State.RUNNING, 5.25, ME)


def test_a_cancel_changes_nothing_where_there_is_nothing_to_stop(store: Store) -> None:
    assert store.journal.request_cancel(TASK, "joe", 5.0) is None
    accept(store)
    store.journal.write(task_change(State.SUCCESS))
    final = store.journal.request_cancel(TASK, "joe", 5.0)
    assert final is not None
    assert (final.state, final.cancel_at) == (State.SUCCESS, None)
    assert store.reader.last_seq() == 2


def test_a_claim_succeeds_for_one_and_fences_the_old_owner_off(store: Store) -> None:
    accept(store)
    assert store.journal.claim(TASK, "you", ME, 0) is None
    assert store.journal.claim(TASK, "you", "nobody", 1) is None
    assert store.journal.claim(TASK, "you", None, 1) is None
    assert store.journal.claim(TASK, "you", ME, 1) == 2
    assert store.journal.claim(TASK, "she", ME, 1) is None
    found = store.reader.task(TASK)
    assert found is not None
    assert (found.owner, found.fence) == ("you", 2)
    (event,) = store.reader.events(1, 10)
    assert (event.kind, event.data) == (Kind.TASK_CLAIMED, {"owner": "you", "from": ME, "fence": 2})
    with pytest.raises(StoreError):
        store.journal.write(node_change(0, fence=1))
    store.journal.write(node_change(0, fence=2))


def test_a_final_or_unknown_task_cannot_be_claimed(store: Store) -> None:
    accept(store)
    store.journal.write(task_change(State.FAILURE))
    assert store.journal.claim(TASK, "you", ME, 1) is None
    assert store.journal.claim(OTHER, "you", None, 0) is None


def test_released_tasks_can_be_claimed_at_once(store: Store) -> None:
    store.journal.register(OWNER)
    accept(store)
    accept(store, OTHER)
    store.journal.write(task_change(State.SUCCESS, OTHER))
    store.journal.release(ME)

    assert store.reader.owners() == []
    found, final = store.reader.task(TASK), store.reader.task(OTHER)
    assert found is not None
    assert final is not None
    assert (found.owner, found.fence, final.owner) == (None, 1, ME)
    assert [event.kind for event in store.reader.events(0, 10, TASK)] == [Kind.TASK_ACCEPTED, Kind.TASK_RELEASED]
    assert store.journal.claim(TASK, "you", None, 1) == 2


def test_the_beat_of_a_known_owner_grows(store: Store) -> None:
    assert store.journal.beat(ME, {}) is False
    store.journal.register(OWNER)
    assert store.journal.beat(ME, {}) is True
    assert store.journal.beat(ME, {}) is True
    assert store.reader.owners() == [OwnerRow(ME, host="here", pid=17, pid_start=1234.567890123, beat=2)]


def test_no_more_are_open_than_may_be(store: Store, path: Path) -> None:
    """Whichever process accepts them; what has ended does not count."""
    other = Store.open(path)
    ids = [f"{number:032x}" for number in range(40)]

    def submit(number: int) -> bool:
        journal = (store if number % 2 else other).journal
        try:
            journal.accept(
                Acceptance(TaskRow(ids[number], "test", size=1, accepted_at=1.0), None, [(0, "n0", "{}")], ME, most=10)
            )
        except TooManyRuns:
            return False
        return True

    greenlets = [gevent.spawn(submit, number) for number in range(len(ids))]
    gevent.joinall(greenlets, raise_error=True)
    taken = [task for task, greenlet in zip(ids, greenlets, strict=True) if greenlet.value]
    assert len(taken) == 10
    assert sorted(row.id for row in store.reader.open_tasks()) == taken
    refused = next(number for number, task in enumerate(ids) if task not in taken)
    assert store.reader.nodes(ids[refused]) == []
    assert not submit(refused)
    store.journal.write(task_change(State.SUCCESS, taken[0]))
    assert submit(refused)
    other.close()


def test_how_many_are_open_is_looked_up_in_an_index(store: Store, path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        plan = connection.execute(f"explain query plan {accepting._IS_FULL}", {"last": 9}).fetchall()
    assert [row[3] for row in plan] == ["SCAN tasks USING COVERING INDEX tasks_open"]
