"""Changes of one transaction become few statements, and every change keeps its event."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from itertools import groupby
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gorchestrator.common.states import State
from gorchestrator.domain.errors import Fenced
from gorchestrator.domain.records import Acceptance, AttemptRow, Change, Kind, TaskRow
from gorchestrator.store import schema
from gorchestrator.store.accepting import Accept
from gorchestrator.store.connection import writing
from gorchestrator.store.projection import Transaction
from store_support import ME, OTHER, TASK, node_change, task_change


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    path: Path = tmp_path_factory.mktemp("folding") / "db"
    schema.ensure(path)
    with closing(writing(path)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        transaction = Transaction(connection)
        for task in (TASK, OTHER):
            Accept(Acceptance(TaskRow(task, "t", size=9), None, [(i, f"n{i}", "{}") for i in range(9)], ME))(
                transaction
            )
        transaction.flush()
        connection.execute("COMMIT")
        yield connection


@pytest.fixture
def transaction(connection: sqlite3.Connection) -> Iterator[Transaction]:
    connection.execute("BEGIN IMMEDIATE")
    yield Transaction(connection)
    connection.execute("ROLLBACK")


def attempt_change(state: State) -> Change:
    return Change(Kind.NODE_RUNNING, TASK, 1, 1.0, attempt_row=AttemptRow(TASK, 0, 1, "ex", "instance", state=state))


def test_the_last_row_wins_and_is_written_once(transaction: Transaction) -> None:
    statements: list[str] = []
    transaction.connection.set_trace_callback(statements.append)
    for state in (State.RUNNING, State.RUNNING, State.SUCCESS):
        transaction.change(node_change(0, state))
        transaction.change(attempt_change(state))
        transaction.change(task_change(State.RUNNING, reason=state.label))
    transaction.flush()
    transaction.connection.set_trace_callback(None)

    # SQLite tells a statement again for each step of the triggers that it sets off.
    told = [text for text, _ in groupby(statements) if "SELECT" not in text]
    writes = [text.split()[2 if text.startswith("INSERT") else 1] for text in told]
    assert {table: writes.count(table) for table in writes} == {
        "nodes": 1,
        "attempts": 1,
        "tasks": 1,
        "events": 3,  # nine rows: 4 + 4 + 1
        "counter": 1,
    }
    query = transaction.connection.execute
    assert query("SELECT state FROM nodes").fetchall() == [(3,)]
    assert query("SELECT state FROM attempts").fetchall() == [(3,)]
    assert query("SELECT state, reason FROM tasks WHERE id = ?", (TASK,)).fetchall() == [(2, "success")]
    assert [seq for (seq,) in query("SELECT seq FROM events ORDER BY seq")] == list(range(1, 12))
    assert query("SELECT seq FROM counter").fetchall() == [(11,)]


def test_what_was_flushed_is_not_written_again(transaction: Transaction) -> None:
    transaction.change(node_change(0))
    transaction.flush()
    transaction.flush()
    transaction.change(node_change(1))
    transaction.flush()
    assert transaction.connection.execute("SELECT node FROM nodes ORDER BY node").fetchall() == [(0,), (1,)]
    assert transaction.connection.execute("SELECT seq FROM counter").fetchone() == (4,)


def test_a_refused_change_leaves_no_trace(transaction: Transaction) -> None:
    transaction.change(task_change(State.SUCCESS))
    for refused in (node_change(0), node_change(0, fence=2), node_change(0, task="c" * 32)):
        with pytest.raises(Fenced):
            transaction.change(refused)
    transaction.flush()
    assert transaction.seq == 3
    assert transaction.connection.execute("SELECT count(*) FROM nodes").fetchone() == (0,)


def test_going_back_forgets_what_was_not_written(transaction: Transaction) -> None:
    transaction.change(task_change(State.SUCCESS))
    transaction.go_back(2)
    transaction.change(node_change(0))  # the task is open again
    transaction.flush()
    assert transaction.connection.execute("SELECT seq, kind FROM events WHERE seq > 2").fetchall() == [
        (3, "node_running")
    ]


steps = st.lists(st.tuples(st.sampled_from([TASK, OTHER]), st.integers(0, 3), st.integers(0, 9), st.booleans()))


@settings(max_examples=60, deadline=None)
@given(steps)
def test_folding_equals_writing_one_by_one(
    connection: sqlite3.Connection, steps: list[tuple[str, int, int, bool]]
) -> None:
    def outcome(one_by_one: bool) -> list[object]:
        connection.execute("BEGIN IMMEDIATE")
        transaction = Transaction(connection)
        for task, node, code, flush in steps:
            transaction.change(node_change(node, task=task, exit_code=code))
            if flush or one_by_one:
                transaction.flush()
        transaction.flush()
        found = [connection.execute(f"SELECT * FROM {table}").fetchall() for table in ("nodes", "events", "counter")]
        connection.execute("ROLLBACK")
        return list(found)

    assert outcome(one_by_one=False) == outcome(one_by_one=True)
