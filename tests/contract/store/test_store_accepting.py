"""Accepting a graph: once for each request, with nodes that have ended already, counted by state, found by label."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import gevent
import pytest

from gorchestrator.common.states import State
from gorchestrator.domain.errors import KeyReused, TooManyRuns
from gorchestrator.domain.records import Acceptance, Change, NodeRow, Request, TaskRow
from gorchestrator.store import Store
from store_support import ME, OTHER, TASK, accept, node_change

NODES = [(0, "n0", "{}"), (1, "n1", "{}")]
ASKED = Request("key", "digest")


def taken(store: Store, task: str, request: Request | None = ASKED, at: float = 1.0, most: int | None = None) -> str:
    return store.journal.accept(
        Acceptance(TaskRow(task, "x", size=2, accepted_at=at), None, NODES, ME, most, request=request)
    )


def test_a_request_is_taken_once(store: Store) -> None:
    assert taken(store, TASK) == TASK
    assert taken(store, OTHER, at=2.0) == TASK
    assert store.reader.task(OTHER) is None
    assert store.reader.nodes(OTHER) == []
    assert store.reader.same_request(ASKED, 1.0) == TASK
    assert store.reader.same_request(Request("another", "digest"), 1.0) is None
    assert [event.task for event in store.reader.events(0, 10)] == [TASK]


def test_a_key_is_for_one_request_alone(store: Store) -> None:
    taken(store, TASK)
    with pytest.raises(KeyReused) as caught:
        taken(store, OTHER, Request("key", "something else"))
    assert caught.value.data == {"task": TASK}
    assert store.reader.task(OTHER) is None


def test_a_key_is_forgotten_after_a_day(store: Store) -> None:
    taken(store, TASK, at=1000.0)
    assert store.reader.same_request(ASKED, 1000.0 + 86_399) == TASK
    assert store.reader.same_request(ASKED, 1000.0 + 86_401) is None  # though nobody has come since then
    taken(store, OTHER, Request("later", "digest"), at=1000.0 + 86_401)
    assert store.reader.same_request(ASKED, 1000.0 + 86_401) is None
    assert taken(store, "c" * 32, at=1000.0 + 86_402) == "c" * 32
    assert taken(store, "d" * 32, Request("key", "something else"), at=1000.0 + 2 * 86_403) == "d" * 32


def test_of_many_at_once_one_is_taken(store: Store) -> None:
    greenlets = [gevent.spawn(taken, store, f"{number:032x}") for number in range(10)]
    gevent.joinall(greenlets, raise_error=True)
    assert len({greenlet.value for greenlet in greenlets}) == 1
    assert len(store.reader.open_tasks()) == 1


def test_what_was_taken_is_told_even_where_no_more_is_taken(store: Store) -> None:
    assert taken(store, TASK, most=1) == TASK
    assert taken(store, OTHER, most=1) == TASK
    with pytest.raises(TooManyRuns):
        taken(store, OTHER, None, most=1)


def test_nodes_are_counted_by_state(store: Store) -> None:
    accept(store)
    assert _task(store).counts == {State.TORUN: 3}
    change = node_change(0)
    store.journal.write(change)  # one that leaves the state as it is
    assert _task(store).counts == {State.TORUN: 3}
    counts = {State.TORUN: 2, State.RUNNING: 1, State.FAILURE: 0}
    store.journal.write(_counted(counts))
    assert _task(store).counts == {State.TORUN: 2, State.RUNNING: 1}
    assert store.reader.events(2, 10)[0].data["from"] == State.TORUN


def test_nodes_that_have_ended_already_are_there_from_the_start(store: Store) -> None:
    reused = NodeRow(TASK, 1, State.SUCCESS, "reused", "reused", output={"a": "b"}, stopped_at=3.0)
    row = TaskRow(TASK, "x", size=2, accepted_at=5.0, rerun_of=OTHER)
    store.journal.accept(Acceptance(row, None, NODES, ME, reused=[reused]))
    assert [node for node, _ in store.reader.nodes(TASK)] == [NodeRow(TASK, 0), reused]
    task = _task(store)
    assert (task.counts, task.rerun_of) == ({State.TORUN: 1, State.SUCCESS: 1}, OTHER)
    assert store.reader.events(0, 1)[0].data["rerun_of"] == OTHER


def test_labels_are_stored_to_be_looked_for(store: Store, path: Path) -> None:
    accept(store, labels={"team": "a", "größe": "xl"})
    with closing(sqlite3.connect(path)) as connection:
        found = connection.execute("SELECT key, value, accepted_at, task FROM labels ORDER BY key").fetchall()
    assert found == [("größe", "xl", 1000_500_000, TASK), ("team", "a", 1000_500_000, TASK)]


def _task(store: Store) -> TaskRow:
    found = store.reader.task(TASK)
    assert found is not None
    return found


def _counted(counts: dict[State, int]) -> Change:
    return replace(node_change(0), before=State.TORUN, counts=counts)
