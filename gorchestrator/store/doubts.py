"""The verb by which somebody's word on how an attempt counts is taken. It runs inside a transaction."""

from dataclasses import replace

from sqlalchemy import bindparam, literal_column, select

from gorchestrator.common.states import State
from gorchestrator.domain.errors import NotInDoubt
from gorchestrator.domain.records import Kind, NodeRow, Resolution
from gorchestrator.domain.resolving import refusal
from gorchestrator.store import rows, tables
from gorchestrator.store.audit import Note
from gorchestrator.store.projection import Transaction
from gorchestrator.store.sql import inserting, named
from gorchestrator.store.verbs import TASK

_RESOLUTIONS = inserting(tables.resolutions)
_NODE = named(
    select(tables.nodes).where(tables.nodes.c.task == bindparam("task"), tables.nodes.c.node == bindparam("node"))
)
_RUNS = named(
    select(tables.attempts.c.attempt).where(
        tables.attempts.c.task == bindparam("task"),
        tables.attempts.c.node == bindparam("node"),
        tables.attempts.c.attempt == bindparam("attempt"),
        tables.attempts.c.state < literal_column(str(int(State.SUCCESS))),
    )
)
_RESOLUTION = named(
    select(tables.resolutions).where(
        tables.resolutions.c.task == bindparam("task"),
        tables.resolutions.c.node == bindparam("node"),
        tables.resolutions.c.attempt == bindparam("attempt"),
    )
)


class Resolve:
    """Take somebody's word on how an attempt counts of which nobody knows how it ended."""

    def __init__(self, said: Resolution, note: Note | None = None) -> None:
        self._said, self._note = said, note

    def __call__(self, transaction: Transaction) -> Resolution:
        """Write it, once; the attempt is the node's current one, whatever was said. Raises NotInDoubt."""
        connection, said = transaction.connection, self._said
        task = rows.to_task(connection.execute(TASK, {"task": said.task}).fetchone())
        key: dict[str, object] = {"task": said.task, "node": said.node}
        found = connection.execute(_NODE, key).fetchone()
        row = NodeRow(said.task, said.node) if found is None else rows.to_node(said.task, found[1:])
        said = replace(said, attempt=row.attempt)
        key["attempt"] = said.attempt
        if known := connection.execute(_RESOLUTION, key).fetchone():
            return _again(said, rows.to_resolution(known))
        running = connection.execute(_RUNS, key).fetchone() is not None
        if why := refusal(task, row, said.answer, running=running):
            raise NotInDoubt(why)
        _RESOLUTIONS.run(connection, [rows.from_resolution(said)])
        data = {"state": int(row.state), "answer": str(said.answer)}
        transaction.event(Kind.NODE_RESOLVE, said.task, said.at, said.actor, data, said.node, said.attempt)
        if self._note is not None:
            self._note(connection)
        return said


def _again(said: Resolution, before: Resolution) -> Resolution:
    if (before.answer, before.output) != (said.answer, said.output):
        raise NotInDoubt(f"Its attempt {said.attempt} was resolved as {before.answer} by {before.actor} before.")
    return before
