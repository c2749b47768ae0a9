"""Pages of the list of tasks. The text of a query depends on which filters there are, and is made once for each kind.

Which tasks belong to a page is found in the index ``tasks_list`` alone, or along the index of a label; whole rows are
read only of those.
"""

import sqlite3
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnClause,
    ColumnElement,
    FromClause,
    Select,
    and_,
    bindparam,
    exists,
    func,
    literal_column,
    select,
    tuple_,
)

from gorchestrator.domain.listing import Place, Sort, Wanted
from gorchestrator.domain.records import TaskRow
from gorchestrator.store import rows
from gorchestrator.store.sql import fetch_json, json_rows, limited
from gorchestrator.store.tables import labels, tasks

_NEVER: ColumnClause[int] = literal_column("-1")
_KEYS: Mapping[Sort, ColumnElement[Any]] = {
    Sort.ACCEPTED: tasks.c.accepted_at,
    Sort.STARTED: func.coalesce(tasks.c.started_at, _NEVER),
    Sort.DURATION: func.coalesce(func.coalesce(tasks.c.stopped_at, bindparam("now")) - tasks.c.started_at, _NEVER),
    Sort.NAME: tasks.c.name,
    Sort.STATE: tasks.c.state,
}


class Page(NamedTuple):
    """Some tasks of a list, and where the next ones begin, if there are any."""

    tasks: list[TaskRow]
    next: Place | None


class Shape(NamedTuple):
    """What the text of a query depends on. ``labels``: for each whether its value is given."""

    sort: Sort
    descending: bool
    states: bool
    name: bool
    since: bool
    until: bool
    after: bool
    labels: tuple[bool, ...]


def read(connection: sqlite3.Connection, wanted: Wanted) -> Page:
    """Return a page."""
    found = fetch_json(connection, _query(_shape(wanted)), _parameters(wanted))
    more = len(found) > wanted.limit
    found = found[: wanted.limit]
    last = found[-1] if found else None
    after = Place(last[-1], last[0]) if more and last else None
    return Page([rows.to_task(row) for row in found], after)


def _shape(wanted: Wanted) -> Shape:
    return Shape(
        wanted.sort,
        wanted.descending,
        bool(wanted.states),
        bool(wanted.name),
        wanted.since is not None,
        wanted.until is not None,
        wanted.after is not None,
        tuple(value is not None for _, value in wanted.labels),
    )


def _parameters(wanted: Wanted) -> dict[str, object]:
    found: dict[str, object] = {
        "now": rows.to_micro(wanted.now),
        "limit": wanted.limit + 1,
        "states": rows.encode(sorted(wanted.states)),
        "name": _pattern(wanted.name),
        "since": rows.to_micro(wanted.since),
        "until": rows.to_micro(wanted.until),
    }
    if wanted.after is not None:
        found |= {"value": wanted.after.value, "task": wanted.after.task}
    for number, (key, value) in enumerate(wanted.labels):
        found |= {f"key{number}": key, f"value{number}": value}
    return found


def _pattern(name: str) -> str:
    """Return the pattern of LIKE for names that contain ``name``."""
    return "%" + name.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"


@lru_cache(maxsize=256)
def _query(shape: Shape) -> str:
    order, task = _KEYS[shape.sort], tasks.c.id
    page = select(tasks.c.id).with_hint(tasks, "INDEXED BY tasks_list", "sqlite")
    if shape.labels:  # along the first label, whose index has the times
        page = page.select_from(labels.join(tasks, _of_task(labels))).where(
            _has_label(labels, 0, given=shape.labels[0])
        )
        task = labels.c.task
        order = labels.c.accepted_at if shape.sort is Sort.ACCEPTED else order
    page = page.add_columns(order.label("key")).where(*_filters(shape, order, task))
    page = limited(_ordered(page, order, task, shape), bindparam("limit"))
    found = page.subquery("page")
    whole = select(tasks, found.c.key).join_from(found, tasks, tasks.c.id == found.c.id)
    return json_rows(_ordered(whole, found.c.key, found.c.id, shape))


def _ordered(query: Select[Any], key: ColumnElement[Any], task: ColumnElement[Any], shape: Shape) -> Select[Any]:
    return query.order_by(*[each.desc() if shape.descending else each.asc() for each in (key, task)])


def _filters(shape: Shape, order: ColumnElement[Any], task: ColumnElement[Any]) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if shape.states:
        each = func.json_each(bindparam("states")).table_valued("value")
        found.append(tasks.c.state.in_(select(each.c.value)))
    if shape.name:
        found.append(tasks.c.name.like(bindparam("name"), escape="\\"))
    if shape.since:
        found.append(tasks.c.accepted_at >= bindparam("since"))
    if shape.until:
        found.append(tasks.c.accepted_at < bindparam("until"))
    if shape.after:
        here, there = tuple_(order, task), tuple_(bindparam("value"), bindparam("task"))
        found.append(here < there if shape.descending else here > there)
    return found + [_also(number, given=given) for number, given in enumerate(shape.labels) if number > 0]


def _has_label(table: FromClause, number: int, *, given: bool) -> ColumnElement[bool]:
    same = table.c.key == bindparam(f"key{number}")
    return and_(same, table.c.value == bindparam(f"value{number}")) if given else same


def _also(number: int, *, given: bool) -> ColumnElement[bool]:
    """Return the filter by a further label."""
    other = labels.alias(f"label{number}")
    return exists().where(_has_label(other, number, given=given), _of_task(other))


def _of_task(table: FromClause) -> ColumnElement[bool]:
    """Return whether a label is one of the task; the time is in the index of either before the task."""
    return and_(table.c.accepted_at == tasks.c.accepted_at, table.c.task == tasks.c.id)
