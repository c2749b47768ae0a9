"""Which traces are still to be sent, and what they are made of.

A task that is traced has a row from its acceptance until its trace was sent: so that is not forgotten, whichever
process accepts the task, ends it or sends the trace, and whenever one of them is killed.
"""

import sqlite3
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnClause, bindparam, delete, func, literal_column, select

from gorchestrator.common.states import State
from gorchestrator.domain.records import AttemptRow, NodeRow, TracedNode
from gorchestrator.store import rows
from gorchestrator.store.projection import Transaction
from gorchestrator.store.sql import fetch_json, json_rows, limited, named
from gorchestrator.store.tables import attempts, nodes, specs, tasks, traces
from gorchestrator.store.threads import snapshot

_SLICE = 128  # nodes that are read at once

_final: ColumnClause[int] = literal_column(str(int(State.SUCCESS)))
_due = select(traces.c.task, traces.c.context).join(tasks, tasks.c.id == traces.c.task).where(tasks.c.state >= _final)
_DUE = named(limited(_due, bindparam("limit")))

_of_task = bindparam("task", type_=specs.c.task.type)
_first = bindparam("first", type_=specs.c.node.type)
_node = (
    select(
        specs.c.node,
        specs.c.name,
        func.json_extract(specs.c.spec, literal_column("'$.engine'")).label("engine"),
        nodes.c.state,
        nodes.c.reason,
        nodes.c.reason_code,
        nodes.c.attempt,
        nodes.c.executor,
        nodes.c.started_at,
        nodes.c.stopped_at,
        nodes.c.exit_code,
    )
    .select_from(specs.outerjoin(nodes, (nodes.c.task == specs.c.task) & (nodes.c.node == specs.c.node)))
    .where(specs.c.task == _of_task, specs.c.node >= _first)
    .order_by(specs.c.node)
)
_NODES = json_rows(limited(_node, literal_column(str(_SLICE))))
_attempt = select(
    attempts.c.node,
    attempts.c.attempt,
    attempts.c.executor,
    attempts.c.state,
    attempts.c.reason,
    attempts.c.reason_code,
    attempts.c.started_at,
    attempts.c.stopped_at,
    attempts.c.exit_code,
)
_attempt = _attempt.where(attempts.c.task == _of_task, attempts.c.node.between(_first, bindparam("last")))
_ATTEMPTS = json_rows(_attempt.order_by(attempts.c.node, attempts.c.attempt))
_wanted = func.json_each(bindparam("ids")).table_valued("value")
_FORGET = named(delete(traces).where(traces.c.task.in_(select(_wanted.c.value))))


def due(connection: sqlite3.Connection, limit: int) -> list[tuple[str, str]]:
    """Return tasks that have ended and whose traces are to be sent, each with the context that it was submitted in."""
    return connection.execute(_DUE, {"limit": limit}).fetchall()


def part(connection: sqlite3.Connection, task: str, first: int) -> list[TracedNode]:
    """Return some nodes of a task from number ``first`` on, with their attempts; none: there are no more."""
    with snapshot(connection):
        found = fetch_json(connection, _NODES, {"task": task, "first": first})
        if not found:
            return []
        tries: dict[int, list[AttemptRow]] = defaultdict(list)
        for row in fetch_json(connection, _ATTEMPTS, {"task": task, "first": first, "last": found[-1][0]}):
            tries[row[0]].append(_to_attempt(task, row))
    return [TracedNode(row[1], row[2], _to_node(task, row), tries.get(row[0], ())) for row in found]


class Forget:
    """Remember no more that traces are to be sent."""

    def __init__(self, tasks: Sequence[str]) -> None:
        self._tasks = tasks

    def __call__(self, transaction: Transaction) -> None:
        """Write it."""
        transaction.connection.execute(_FORGET, {"ids": rows.encode(list(self._tasks))})


def _to_node(task: str, row: Sequence[Any]) -> NodeRow:
    number, state, reason, code, attempt, executor, started, stopped, exit_code = row[0], *row[3:]
    if state is None:  # it has not changed since the graph was accepted
        return NodeRow(task, number)
    times = rows.from_micro(started), rows.from_micro(stopped)
    return NodeRow(task, number, State(state), reason, code, attempt, executor, *times, exit_code)


def _to_attempt(task: str, row: Sequence[Any]) -> AttemptRow:
    node, attempt, executor, state, reason, code, started, stopped, exit_code = row
    times = rows.from_micro(started), rows.from_micro(stopped)
    return AttemptRow(task, node, attempt, executor, "", (), State(state), reason, code, *times, exit_code)
