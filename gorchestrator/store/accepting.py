"""The verb by which a graph comes in: all of it in one transaction, and once however often it is sent."""

import sqlite3
import zlib
from collections import Counter
from dataclasses import replace

from sqlalchemy import bindparam, delete, literal_column, select

from gorchestrator.common.states import State
from gorchestrator.domain.errors import KeyReused
from gorchestrator.domain.records import ENGINE, Acceptance, Kind, Request
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
    """Insert a task with its document and nodes, owned from the start. ``note`` writes the line of the audit."""

    def __init__(self, accepted: Acceptance, note: Note | None = None) -> None:
        self._accepted, self._note = accepted, note

    def __call__(self, transaction: Transaction) -> str | None:
        """Write it unless there are too many, in all processes; return the id of its task, None if it is not written.

        The task may be that of an earlier request. Raises KeyReused if that asked for something else, and TooManyTasks.
        """
        came, connection = self._accepted, transaction.connection
        task = came.task
        if came.request is not None and (earlier := same_request(connection, came.request, task.accepted_at)):
            return earlier
        if came.most is not None and connection.execute(_IS_FULL, {"last": came.most - 1}).fetchone():
            return None
        if came.quota is not None:
            spend(connection, came.quota, task.accepted_at)
        counts = Counter(row.state for row in came.reused)
        counts[State.TORUN] = task.size - len(came.reused)
        row = rows.from_task(replace(task, owner=came.owner, fence=1, seen_at=task.accepted_at, counts=counts))
        digraph = None if came.digraph is None else zlib.compress(came.digraph.encode(), level=1)
        _TASKS.run(connection, [row])
        _DOCUMENTS.run(connection, [(task.id, digraph)])
        _SPECS.run(connection, [(task.id, *node) for node in came.nodes])
        at = rows.to_micro(task.accepted_at)
        _LABELS.run(connection, [(key, value, at, task.id) for key, value in task.labels.items()])
        _NODES.run(connection, [rows.from_node(node) for node in came.reused])
        if came.context is not None:
            _TRACES.run(connection, [(task.id, came.context)])
        if came.request is not None:
            connection.execute(_OLD_REQUESTS, {"before": rows.to_micro(task.accepted_at - _REQUESTS_KEPT)})
            _REQUESTS.run(connection, [(came.request.key, came.request.digest, task.id, at)])
        transaction.forget(task.id)
        data = {"name": task.name, "state": int(task.state), "size": task.size, "owner": came.owner}
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
