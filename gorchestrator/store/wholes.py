"""Reading a task with all that belongs to it, as of one moment."""

import sqlite3
import zlib

from gorchestrator.domain.records import NodeRow, Whole
from gorchestrator.store import queries, rows
from gorchestrator.store.sql import fetch_json
from gorchestrator.store.threads import snapshot

_SLICE = 256  # rows parsed at once: about 1 ms of the GIL


def whole(connection: sqlite3.Connection, task: str, *, with_digraph: bool) -> Whole | None:
    """Return a task with its nodes, and its matrix if asked for; None if it is unknown."""
    with snapshot(connection):
        found = connection.execute(queries.TASK, {"task": task}).fetchone()
        if found is None:
            return None
        matrix = digraph(connection, task) if with_digraph else None
        seq, at = connection.execute(queries.NEWEST_OF_TASK, {"task": task}).fetchone() or (0, 0)
        return Whole(rows.to_task(found), _nodes(connection, task), matrix, seq, rows.from_micro(at) or 0.0)


def edges(connection: sqlite3.Connection, task: str) -> str | None:
    """Return the JSON object of a task's edges: ``size`` with ``digraph`` or ``needs``; None if it is unknown."""
    with snapshot(connection):
        found = connection.execute(queries.TASK, {"task": task}).fetchone()
        if found is None:
            return None
        matrix, key = digraph(connection, task), "digraph"
        if matrix is None:
            matrix, key = connection.execute(queries.NEEDS, {"task": task}).fetchone()[0], "needs"
        return f'{{"size":{rows.to_task(found).size},"{key}":{matrix}}}'


def digraph(connection: sqlite3.Connection, task: str) -> str | None:
    """Return the matrix as it was submitted; None if edges were given by ``needs``."""
    found = connection.execute(queries.DIGRAPH, {"task": task}).fetchone()
    return None if found is None or found[0] is None else zlib.decompress(found[0]).decode()


def nodes(connection: sqlite3.Connection, task: str) -> list[tuple[NodeRow, str]]:
    """Return all nodes of a task with their JSON as accepted, by number."""
    with snapshot(connection):
        return _nodes(connection, task)


def _nodes(connection: sqlite3.Connection, task: str) -> list[tuple[NodeRow, str]]:
    found: list[tuple[NodeRow, str]] = []
    while True:
        first = found[-1][0].node + 1 if found else 0
        part = fetch_json(connection, queries.NODES, {"task": task, "first": first, "limit": _SLICE})
        found.extend((rows.to_node(task, row[1:]), row[0]) for row in part)
        if len(part) < _SLICE:
            return found
