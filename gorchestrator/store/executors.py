"""Where executors are, as texts of whoever keeps them here.

The settings name those that get something. One that they name no more is known here as long as an attempt runs there,
so that whoever goes on with its run, perhaps after a restart, can follow it to its end.
"""

import json
import sqlite3
from collections.abc import Mapping

from sqlalchemy import bindparam, delete, func, literal_column, select

from gorchestrator.common.states import State
from gorchestrator.store import tables
from gorchestrator.store.projection import Transaction
from gorchestrator.store.sql import OPEN, named, upserting

_columns, _attempts = tables.executors.c, tables.attempts.c
_ENDPOINT = named(select(_columns.endpoint).where(_columns.name == bindparam("wanted")))
_KEEP = upserting(tables.executors)
_given = func.json_each(bindparam("given")).table_valued("value", name="given")
_running = (
    select(_attempts.executor)
    .select_from(tables.tasks.join(tables.attempts, _attempts.task == tables.tasks.c.id))
    .where(OPEN, _attempts.state < literal_column(str(int(State.SUCCESS))))
)
_FORGET = named(
    delete(tables.executors).where(_columns.name.not_in(select(_given.c.value)), _columns.name.not_in(_running))
)


class Remember:
    """Keep where the executors of the settings are, by their names, and forget others on which nothing runs."""

    def __init__(self, endpoints: Mapping[str, str]) -> None:
        self._endpoints = endpoints

    def __call__(self, transaction: Transaction) -> None:
        """Write it."""
        transaction.connection.execute(_FORGET, {"given": json.dumps([*self._endpoints])})
        _KEEP.run(transaction.connection, [*self._endpoints.items()])


def endpoint(connection: sqlite3.Connection, name: str) -> str | None:
    """Return where an executor is, as it was kept; None if nobody has."""
    found = connection.execute(_ENDPOINT, {"wanted": name}).fetchone()
    return None if found is None else str(found[0])
