"""The verb by which a graph comes in: all of it in one transaction, and once however often it is sent."""

import sqlite3
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import bindparam, delete, literal_column, select

from gorchestrator.common.states import State
from gorchestrator.domain.errors import KeyReused
from gorchestrator.domain.records import ENGINE, Kind, NodeRow, Quota, Request, TaskRow
from gorchestrator.store import rows, tables
from gorchestrator.store.audit import Note
from gorchestrator.store.projection import Transaction
from gorchestrator.store.rates import spend
from gorchestrator.store.sql import OPEN, inserting, named

_TASKS = inserting(tables.tasks)
_SPECS = inserting(tables.specs)
_DOCUMENTS = inserting(tables.documents)
_LABELS = inserting(tables.labels)
_NODES = inserting(tables.nodes)
_TRACES = inserting(tables.traces)
_REQUESTS = inserting(tables.requests)
_request = select(tables.requests.c.digest, tables.requests.c.task)
_REQUEST = named(_request.where(tables.requests.c.key == bindparam("by"), tables.requests.c.at >= bindparam("since")))
_OLD_REQUESTS = named(delete(tables.requests).where(tables.requests.c.at < bindparam("before")))
_REQUESTS_KEPT = 86_400.0  # seconds
_IS_FULL = named(select(tables.tasks.c.id).where(OPEN).limit(literal_column("1")).offset(bindparam("last")))


class Accept:
    """Insert a task with its document and nodes, owned from the start.

    ``most``: how many open tasks there may be. ``reused``: the nodes that have ended already. ``request``: what is
    to be taken once, however often it comes. ``context``: None unless it is traced; then the trace context that it was
    submitted in, or nothing. ``note`` writes the line of the audit. ``quota``: who
    submits, and how much they may.
    """

    def __init__(
        self,
        task: TaskRow,
        digraph: str | None,
        nodes: Sequence[tuple[int, str, str]],
        owner: str,
        most: int | None = None,
        reused: Sequence[NodeRow] = (),
        request: Request | None = None,
        context: str | None = None,
        note: Note | None = None,
        quota: Quota | None = None,
    ) -> None:
        self._task, self._digraph, self._nodes, self._owner, self._most = task, digraph, nodes, owner, most
        self._reused, self._request, self._context, self._note = reused, request, context, note
        self._quota = quota

    def __call__(self, transaction: Transaction) -> str | None:
        """Write it unless there are too many, in all processes; return the id of its task, None if it is not written.

        The task may be that of an earlier request. Raises KeyReused if that asked for something else, and TooManyTasks.
        """
        task, connection = self._task, transaction.connection
        if self._request is not None and (earlier := same_request(connection, self._request, task.accepted_at)):
            return earlier
        if self._most is not None and connection.execute(_IS_FULL, {"last": self._most - 1}).fetchone():
            return None
        if self._quota is not None:
            spend(connection, self._quota, task.accepted_at)
        counts = Counter(row.state for row in self._reused)
        counts[State.TORUN] = task.size - len(self._reused)
        row = rows.from_task(replace(task, owner=self._owner, fence=1, seen_at=task.accepted_at, counts=counts))
        digraph = None if self._digraph is None else zlib.compress(self._digraph.encode(), level=1)
        _TASKS.run(connection, [row])
        _DOCUMENTS.run(connection, [(task.id, digraph)])
        _SPECS.run(connection, [(task.id, *node) for node in self._nodes])
        at = rows.to_micro(task.accepted_at)
        _LABELS.run(connection, [(key, value, at, task.id) for key, value in task.labels.items()])
        _NODES.run(connection, [rows.from_node(node) for node in self._reused])
        if self._context is not None:
            _TRACES.run(connection, [(task.id, self._context)])
        if self._request is not None:
            connection.execute(_OLD_REQUESTS, {"before": rows.to_micro(task.accepted_at - _REQUESTS_KEPT)})
            _REQUESTS.run(connection, [(self._request.key, self._request.digest, task.id, at)])
        transaction.forget(task.id)
        data = {"name": task.name, "state": int(task.state), "size": task.size, "owner": self._owner}
        if task.rerun_of is not None:
            data["rerun_of"] = task.rerun_of
        transaction.event(Kind.TASK_ACCEPTED, task.id, task.accepted_at, ENGINE, data)
        if self._note is not None:
            self._note(connection)
        return task.id


def same_request(connection: sqlite3.Connection, request: Request, now: float) -> str | None:
    """Return the task that an earlier request with this key made, within the time for which it is kept.

    ``now``: seconds since the epoch. Raises KeyReused if it asked for something else.
    """
    wanted = {"by": request.key, "since": rows.to_micro(now - _REQUESTS_KEPT)}
    found = connection.execute(_REQUEST, wanted).fetchone()
    if found is None:
        return None
    digest, task = found
    if digest != request.digest:
        raise KeyReused(task=task)
    return str(task)
