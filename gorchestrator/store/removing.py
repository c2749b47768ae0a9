"""Tasks that have ended are removed: found, taken out at once, and cleared away in small steps.

Each step is a transaction of a few milliseconds, or a part of one, so that what runs need not wait. The first of them
takes a task out of the lists with all that leads to it; from then on nobody finds the rest, which ``remains`` names. So
a crash between two steps leaves nothing that anybody sees, and whoever comes next goes on.
"""

import sqlite3
import time
from collections.abc import Iterator, Sequence
from itertools import islice

from sqlalchemy import ColumnClause, Table, bindparam, delete, func, insert, literal_column, select, tuple_, update

from gorchestrator.common.states import State
from gorchestrator.domain.retention import SETTLED, Due, Limits, Room, Surplus
from gorchestrator.store import rows, tables
from gorchestrator.store.projection import Transaction
from gorchestrator.store.sql import limited, named
from gorchestrator.store.threads import snapshot

_TASKS = 16  # that are removed at once
_ROWS = 400  # that are removed in one statement
_LOG_BYTES = 2**20  # the same for logs
_ENOUGH = 0.004  # s after which a step ends
_PAGES = 128  # of the file that are given back in a step
_SPARE = 1024  # free pages that stay in the file for what comes next
_INCREMENTAL = 2  # of PRAGMA auto_vacuum

# -- what is to be done

_final: ColumnClause[int] = literal_column(
    str(int(State.SUCCESS))
)  # a literal, so that SQLite sees that the partial index serves
_ended = tables.tasks.c.state >= _final
_ENDED = named(
    select(tables.tasks.c.id, func.coalesce(tables.tasks.c.stopped_at, literal_column("0")))
    .where(_ended)
    .order_by(tables.tasks.c.stopped_at, tables.tasks.c.id)
)
_COUNT = named(
    select(func.coalesce(func.sum(tables.totals.c.n), literal_column("0"))).where(tables.totals.c.state >= _final)
)
_REMAINS = named(select(func.count()).select_from(tables.remains))
# What a row takes beside its texts: its keys in the table and in the index, its numbers and times.
_SIZE = """
SELECT 400
    + (SELECT coalesce(sum(length(data) + 60), 0) FROM log_chunks WHERE task = :task)
    + (SELECT coalesce(sum(length(spec) + 60), 0) FROM specs WHERE task = :task)
    + (SELECT coalesce(sum(length(output) + 80), 0) FROM nodes WHERE task = :task)
    + (SELECT coalesce(sum(length(args) + 140), 0) FROM attempts WHERE task = :task)
    + (SELECT coalesce(sum(length(data) + 130), 0) FROM events WHERE task = :task)
    + (SELECT coalesce(sum(length(digraph)), 0) FROM documents WHERE task = :task)
    + (SELECT coalesce(sum(length(layout)), 0) FROM layouts WHERE task = :task)
"""


def room(connection: sqlite3.Connection) -> Room:
    """Return how large a database is, and how many tasks in it have ended."""
    size, pages, free = (_pragma(connection, name) for name in ("page_size", "page_count", "freelist_count"))
    return Room((pages - free) * size, pages * size, int(connection.execute(_COUNT).fetchone()[0]))


def beyond(connection: sqlite3.Connection, limits: Limits, now: float) -> Iterator[tuple[str, int]]:
    """Yield the tasks beyond the limits, oldest end first: id, and about how many bytes it takes. ``now``: seconds."""
    if not limits.any:
        return
    found = room(connection)
    too_many = found.ended - limits.count if limits.count else 0
    too_much = found.used - limits.size if limits.size else 0
    too_old = rows.to_micro(now - limits.age) if limits.age else None
    settled = rows.to_micro(now - SETTLED)
    for place, (task, ended) in enumerate(connection.execute(_ENDED)):
        old = too_old is not None and ended < too_old
        if ended >= settled or not (old or place < too_many or too_much > 0):
            return
        size = int(connection.execute(_SIZE, {"task": task}).fetchone()[0])
        too_much -= size
        yield task, size


def due(connection: sqlite3.Connection, limits: Limits) -> Due:
    """Return what the next step is to do. For a native thread."""
    with snapshot(connection):
        remains = connection.execute(_REMAINS).fetchone()[0] > 0
        found = () if remains else tuple(islice(beyond(connection, limits, time.time()), _TASKS))
        return Due(remains, Surplus(found), _shrinkable(connection) > 0)


def _shrinkable(connection: sqlite3.Connection) -> int:
    """Return how many pages the file can give back."""
    if _pragma(connection, "auto_vacuum") != _INCREMENTAL:
        return 0
    return max(0, _pragma(connection, "freelist_count") - _SPARE)


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])


# -- the steps

_wanted = select(func.json_each(bindparam("ids")).table_valued("value").c.value)
_FOUND = named(select(tables.tasks.c.id).where(tables.tasks.c.id.in_(_wanted), _ended))
_last = select(func.coalesce(func.max(tables.events.c.seq), literal_column("0"))).where(
    tables.events.c.task.in_(_wanted)
)
_each = func.json_each(tables.tasks.c.labels).table_valued("key", "value", name="each")
_labels = (
    select(_each.c.key, _each.c.value, tables.tasks.c.accepted_at, tables.tasks.c.id)
    .select_from(tables.tasks.join(_each, literal_column("1")))
    .where(tables.tasks.c.id.in_(_wanted))
)
_REMOVE = [
    named(statement)
    for statement in (
        insert(tables.remains).prefix_with("OR IGNORE").from_select(["task"], _wanted),
        update(tables.counter).values(pruned=func.max(tables.counter.c.pruned, _last.scalar_subquery())),
        delete(tables.labels).where(tuple_(*tables.labels.primary_key.columns).in_(_labels)),
        delete(tables.layouts).where(tables.layouts.c.task.in_(_wanted)),
        delete(tables.tasks).where(tables.tasks.c.id.in_(_wanted)),
    )
]


class Remove:
    """Take tasks out that have ended; others are left as they are. The number of the last event that goes is kept."""

    def __init__(self, tasks: Sequence[str]) -> None:
        self._tasks = tasks

    def __call__(self, transaction: Transaction) -> int:
        """Write it; return how many there were."""
        connection, asked = transaction.connection, {"ids": rows.encode(list(self._tasks))}
        found = [task for (task,) in connection.execute(_FOUND, asked).fetchall()]
        if found:
            for statement in _REMOVE:
                connection.execute(statement, {"ids": rows.encode(found)})
            for task in found:
                transaction.forget(task)
        return len(found)


_next = limited(select(tables.remains.c.task).order_by(tables.remains.c.task), literal_column(str(_TASKS)))
_FORGET = named(delete(tables.remains).where(tables.remains.c.task.in_(_next)))


def _clearing(table: Table) -> str:
    key = tuple(table.primary_key.columns)
    some = limited(select(*key).where(table.c.task.in_(_next)), literal_column(str(_ROWS)))
    return named(delete(table).where(tuple_(*key).in_(some)))


def _clearing_logs() -> str:
    """Return the statement that removes rows up to a certain size: one may have some bytes, or a lot."""
    place: ColumnClause[int] = literal_column("rowid")
    chunk = select(place.label("place"), func.length(tables.log_chunks.c.data).label("size"))
    some = limited(chunk.where(tables.log_chunks.c.task.in_(_next)), literal_column(str(_ROWS))).subquery("some")
    before = (func.sum(some.c.size).over(order_by=some.c.place) - some.c.size).label("before")
    found = select(some.c.place, before).subquery("found")
    wanted = select(found.c.place).where(found.c.before < literal_column(str(_LOG_BYTES)))
    return named(delete(tables.log_chunks).where(place.in_(wanted)))


_OTHERS = (
    tables.events,
    tables.attempts,
    tables.nodes,
    tables.specs,
    tables.resolutions,
    tables.documents,
    tables.traces,
)
_CLEAR = (_clearing_logs(), *map(_clearing, _OTHERS))


class Clear:
    """Go on with what is left of tasks that were taken out."""

    def __call__(self, transaction: Transaction) -> None:
        """Write a step."""
        connection, end = transaction.connection, time.monotonic() + _ENOUGH
        for statement in _CLEAR:
            while connection.execute(statement).rowcount:
                if time.monotonic() > end:
                    return
        connection.execute(_FORGET)


class Shrink:
    """Give some of the file's free pages back to the disk: it gets smaller with the next checkpoint."""

    def __call__(self, transaction: Transaction) -> None:
        """Write a step."""
        connection, end = transaction.connection, time.monotonic() + _ENOUGH
        for _ in range(min(_PAGES, _shrinkable(connection))):
            # Page by page: SQLite gives one back each time that it is stepped, and Python steps such a statement once.
            connection.execute("PRAGMA incremental_vacuum(1)").fetchall()
            if time.monotonic() > end:
                return
