"""Which traces are still to be sent, and what the store tells of the nodes."""

import sqlite3
from contextlib import closing
from pathlib import Path

from gorchestrator.common.states import State
from gorchestrator.domain.records import Acceptance, AttemptRow, Change, Kind, NodeRow, TaskRow
from gorchestrator.domain.retention import Limits
from gorchestrator.store import Store, removing
from gorchestrator.store.traces import Forget
from store_support import ME, OTHER, TASK, node_change, task_change

CONTEXT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
THIRD = "c" * 32


def accept(store: Store, task: str, context: str | None, size: int = 2) -> None:
    row = TaskRow(task, "test", size=size, accepted_at=1000.5)
    specs = [(i, f"n{i}", f'{{"name":"n{i}","engine":"shell","artifact":"secret"}}') for i in range(size)]
    store.journal.accept(Acceptance(row, None, specs, ME, context=context))


def end(store: Store, *tasks: str) -> None:
    for task in tasks:
        store.journal.write(task_change(State.SUCCESS, task, stopped_at=2001.0))


def test_a_trace_is_due_from_the_end_of_its_task_until_it_is_forgotten(store: Store) -> None:
    accept(store, TASK, CONTEXT)
    accept(store, OTHER, "")
    accept(store, THIRD, None)
    assert store.reader.due_traces(10) == []
    end(store, TASK, OTHER, THIRD)
    assert sorted(store.reader.due_traces(10)) == [(TASK, CONTEXT), (OTHER, "")]
    assert len(store.reader.due_traces(1)) == 1
    store.journal.maintain(Forget([TASK]))
    assert store.reader.due_traces(10) == [(OTHER, "")]


def test_nodes_come_in_parts_with_all_their_attempts(store: Store) -> None:
    accept(store, TASK, "", size=300)
    ended = AttemptRow(TASK, 7, 1, "executor", "i", ("hush",), State.FAILURE, "no", "exit", 1001.5, 1002.5, 7)
    again = AttemptRow(TASK, 7, 2, "executor", "i", (), State.SUCCESS, None, None, 1003.5, 1004.5, 0)
    for row in (ended, again):
        node = NodeRow(TASK, 7, State.RUNNING, attempt=row.attempt)
        store.journal.write(Change(Kind.NODE_RUNNING, TASK, 1, 1.0, node_row=node, attempt_row=row))
    store.journal.write(node_change(7, State.SUCCESS, attempt=2, started_at=1003.5, stopped_at=1004.5, exit_code=0))
    found = []
    while part := store.reader.traced_nodes(TASK, len(found)):
        found += part
    assert [each.row.node for each in found] == [*range(300)]
    assert {each.engine for each in found} == {"shell"}
    seven = found[7]
    assert (seven.name, seven.row.state, seven.row.stopped_at) == ("n7", State.SUCCESS, 1004.5)
    assert [(each.attempt, each.state, each.reason, each.exit_code) for each in seven.attempts] == [
        (1, State.FAILURE, "no", 7),
        (2, State.SUCCESS, None, 0),
    ]
    assert seven.attempts[0].args == ()
    assert found[8].row == NodeRow(TASK, 8)
    assert not found[8].attempts


def test_what_is_removed_is_not_sent_and_leaves_nothing(store: Store, path: Path) -> None:
    accept(store, TASK, CONTEXT)
    end(store, TASK)
    assert store.journal.maintain(removing.Remove([TASK])) == 1
    assert store.reader.due_traces(10) == []
    while store.reader.due(Limits()).remains:
        store.journal.maintain(removing.Clear())
    with closing(sqlite3.connect(path)) as opened:
        assert opened.execute("SELECT count(*) FROM traces").fetchone() == (0,)
