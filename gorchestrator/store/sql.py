"""SQL text out of SQLAlchemy Core, made once; and the two ways to move many rows in one step.

SQLAlchemy's connections are not used in the service: their pools and caches take locks that gevent has patched, which
native threads must not wait for. The driver is called directly with the text that is compiled here.

``sqlite3`` lets the GIL go and takes it again at every step of a statement, that is for every row read or written.
Beside a busy hub each of these waits for the interpreter's switch interval (5 ms): to write 10,000 rows took 26 s, to
read them 5 s. So many rows are written by statements with many VALUES (0.4 s), and read as one JSON text a slice
(0.2 s).
"""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

from sqlalchemy import ClauseElement, ColumnElement, Insert, Select, Table, func, literal_column, select
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.sqlite import insert

from gorchestrator.common.states import State
from gorchestrator.store import tables

_NAMED = sqlite.dialect(paramstyle="named")
_QMARK = sqlite.dialect(paramstyle="qmark")
_SIZES = (256, 64, 16, 4, 1)  # of statements with many VALUES; few sizes, so that each is prepared once

#: The task is not final. A literal, so that SQLite sees that the partial index on open tasks serves.
OPEN = tables.tasks.c.state < literal_column(str(int(State.SUCCESS)))


def named(statement: ClauseElement) -> str:
    """Return the text of a statement whose parameters are all given by name with ``bindparam``."""
    return str(statement.compile(dialect=_NAMED))


def limited(statement: Select[Any], limit: ColumnElement[int]) -> Select[Any]:
    """Return the statement with a limit; without an offset of its own SQLAlchemy would add a nameless parameter."""
    return statement.limit(limit).offset(literal_column("0"))


def json_rows(statement: Select[Any]) -> str:
    """Return the text of a query that answers all rows of ``statement``, in its order, as one JSON array of arrays."""
    rows = statement.subquery("found")
    return named(select(func.json_group_array(func.json_array(*rows.c))))


def fetch_json(connection: sqlite3.Connection, sql: str, parameters: Mapping[str, object]) -> list[list[Any]]:
    """Run a query made by :func:`json_rows`."""
    (text,) = connection.execute(sql, parameters).fetchone()
    found: list[list[Any]] = json.loads(text)
    return found


def int64(number: int) -> int:
    """Return the number as SQLite takes it; nothing is stored under so large a one."""
    return min(number, 2**63 - 1)


class Bulk:
    """An insertion of any number of rows, with all columns in the order of the table."""

    def __init__(self, statement: Insert) -> None:
        one = str(statement.compile(dialect=_QMARK))
        values = "(" + ", ".join("?" * len(statement.table.c)) + ")"
        head, found, tail = one.partition(values)
        if not found:
            raise ValueError(f"not an insertion of whole rows: {one}")
        self._texts = {size: head + ", ".join([values] * size) + tail for size in _SIZES}

    def run(self, connection: sqlite3.Connection, rows: Sequence[Sequence[object]]) -> None:
        """Write the rows."""
        at = 0
        for size in _SIZES:
            while len(rows) - at >= size:
                connection.execute(self._texts[size], tuple(chain.from_iterable(rows[at : at + size])))
                at += size


def inserting(table: Table) -> Bulk:
    """Return the insertion of new rows."""
    return Bulk(insert(table))


def upserting(table: Table) -> Bulk:
    """Return the insertion of rows that take the place of those with the same primary key."""
    statement = insert(table)
    key = list(table.primary_key.columns)
    changed = {column.name: statement.excluded[column.name] for column in table.c if column not in set(key)}
    return Bulk(statement.on_conflict_do_update(index_elements=key, set_=changed))
