"""One transaction of the writer: events get their numbers, and changes are folded into few statements.

Rows are whole snapshots, so of a node that changes three times in a batch only the last row is written, while each
change keeps its event. What is folded is written by :meth:`Transaction.flush`.
"""

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from sqlalchemy import bindparam, column, func, select, update

from gorchestrator.common.states import State
from gorchestrator.domain.errors import Fenced
from gorchestrator.domain.records import Change, Kind
from gorchestrator.store import rows, tables
from gorchestrator.store.sql import fetch_json, inserting, json_rows, named, upserting

_EVENTS = inserting(tables.events)
_NODES = upserting(tables.nodes)
_ATTEMPTS = upserting(tables.attempts)
_READ_SEQ = named(select(tables.counter.c.seq))
_WRITE_SEQ = named(update(tables.counter).values(seq=bindparam("last")))
_HEADS = json_rows(
    select(tables.tasks.c.id, tables.tasks.c.fence, tables.tasks.c.state).where(
        tables.tasks.c.id.in_(
            select(column("value")).select_from(func.json_each(bindparam("ids")).table_valued("value"))
        )
    )
)
_UPDATE_COUNTS = "UPDATE tasks SET counts=? WHERE id=?"
_UPDATE_TASK = "UPDATE tasks SET state=?, reason=?, reason_code=?, started_at=?, stopped_at=? WHERE id=?"


class Head(NamedTuple):
    """What decides whether a change of a task is taken."""

    fence: int
    final: bool


@dataclass(slots=True)
class Folded:
    """What is not written yet."""

    events: list[tuple[object, ...]] = field(default_factory=list)
    tasks: dict[str, tuple[object, ...]] = field(default_factory=dict)
    counts: dict[str, Mapping[State, int]] = field(default_factory=dict)
    nodes: dict[tuple[str, int], tuple[object, ...]] = field(default_factory=dict)
    attempts: dict[tuple[str, int, int], tuple[object, ...]] = field(default_factory=dict)


class Transaction:
    """What has happened since BEGIN IMMEDIATE."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self.seq: int = connection.execute(_READ_SEQ).fetchone()[0]
        self._heads: dict[str, Head | None] = {}
        self._folded = Folded()

    def know(self, tasks: Iterable[str]) -> None:
        """Look up who may write of these tasks, all at once."""
        unknown = {task for task in tasks if task not in self._heads}
        if unknown:
            self._heads.update(dict.fromkeys(unknown))
            for task, fence, state in fetch_json(self.connection, _HEADS, {"ids": rows.encode(sorted(unknown))}):
                self._heads[task] = Head(fence, State(state).final)

    def forget(self, task: str) -> None:
        """Look again who may write of the task: a claim has changed it."""
        self._heads.pop(task, None)

    def event(
        self,
        kind: Kind,
        task: str,
        at: float,
        actor: str,
        data: Mapping[str, object],
        node: int | None = None,
        attempt: int | None = None,
    ) -> None:
        """Append a line to the journal."""
        line = (task, node, attempt, str(kind), rows.to_micro(at), actor, rows.encode(data))
        self.seq += 1
        self._folded.events.append((self.seq, *line))

    def change(self, change: Change) -> None:
        """Take a change. Raises Fenced if its sender does not own the run any more, or if the run has ended."""
        self._check(change)
        folded = self._folded
        node, attempt = rows.event_subject(change)
        if change.task_row is not None:
            folded.tasks[change.task] = rows.task_update(change.task_row)
            self._heads[change.task] = Head(change.fence, change.task_row.state.final)
        if change.node_row is not None:
            folded.nodes[change.task, change.node_row.node] = rows.from_node(change.node_row)
        if change.counts is not None:
            folded.counts[change.task] = change.counts
        if change.attempt_row is not None:
            key = (change.task, change.attempt_row.node, change.attempt_row.attempt)
            folded.attempts[key] = rows.from_attempt(change.attempt_row)
        self.event(change.kind, change.task, change.at, change.actor, rows.event_data(change), node, attempt)

    def _check(self, change: Change) -> None:
        self.know((change.task,))
        head = self._heads[change.task]
        if head is None:
            raise Fenced("The task is not in the store any more.")
        if head.fence != change.fence:
            raise Fenced(task=change.task, fence=change.fence, current=head.fence)
        if head.final:
            raise Fenced("The run has ended already.")

    def flush(self) -> None:
        """Write what is folded."""
        folded, self._folded = self._folded, Folded()
        if not folded.events:
            return
        _NODES.run(self.connection, list(folded.nodes.values()))
        _ATTEMPTS.run(self.connection, list(folded.attempts.values()))
        for row in folded.tasks.values():
            self.connection.execute(_UPDATE_TASK, row)
        for task, counts in folded.counts.items():
            self.connection.execute(_UPDATE_COUNTS, (rows.from_counts(counts), task))
        _EVENTS.run(self.connection, folded.events)
        self.connection.execute(_WRITE_SEQ, {"last": self.seq})

    def go_back(self, seq: int) -> None:
        """Forget what was taken after ``seq``, which was rolled back."""
        self.seq = seq
        self._heads.clear()
        self._folded = Folded()
