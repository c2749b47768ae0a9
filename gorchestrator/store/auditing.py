"""The audit as it is read: a page for who asks, all of it for who verifies."""

import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, bindparam, select

from gorchestrator.domain.audit import Fault, Line, Verdict, Wanted, verify
from gorchestrator.store import connection as connections
from gorchestrator.store import rows
from gorchestrator.store.audit import end_of
from gorchestrator.store.seal import end_file, read_end, read_key
from gorchestrator.store.sql import fetch_json, json_rows, limited, named
from gorchestrator.store.tables import audit
from gorchestrator.store.threads import snapshot
from gorchestrator.store.visiting import WAIT, used

_ALL = named(select(audit).order_by(audit.c.number))
_FILTERS: Mapping[str, ColumnElement[bool]] = {
    "actor": audit.c.actor == bindparam("actor"),
    "action": audit.c.action == bindparam("action"),
    "subject": audit.c.subject == bindparam("subject"),
    "since": audit.c.at >= bindparam("since"),
    "until": audit.c.at < bindparam("until"),
    "before": audit.c.number < bindparam("before"),
}


def page(connection: sqlite3.Connection, wanted: Wanted) -> tuple[list[Line], bool]:
    """Return lines, the newest first, and whether there are more like them."""
    given: dict[str, Any] = {name: value for name in _FILTERS if (value := getattr(wanted, name)) is not None}
    for name in given.keys() & {"since", "until"}:
        given[name] = rows.to_micro(given[name])
    found = fetch_json(connection, _query(tuple(given)), given | {"limit": wanted.limit + 1})
    return [Line(*row) for row in found[: wanted.limit]], len(found) > wanted.limit


@lru_cache(maxsize=64)
def _query(names: tuple[str, ...]) -> str:
    query = select(audit).where(*[_FILTERS[name] for name in names]).order_by(audit.c.number.desc())
    return json_rows(limited(query, bindparam("limit")))


def check(path: Path, key_file: Path, old: Iterable[Path] = ()) -> Verdict:
    """Verify the audit of a database, whether a service uses it or not. ``old``: the files of keys of before.

    Raises StoreError if it cannot be read.
    """
    key = read_key(key_file)
    keys = {each.name: each for each in (key, *map(read_key, old)) if each is not None}
    with used(path):
        outside = read_end(end_file(key_file))  # before the lines, to which others come meanwhile
        with closing(connections.reading(path, WAIT)) as connection, snapshot(connection):
            end = end_of(connection)
            if key is None and (end is not None or outside is not None):
                return Verdict(0, 0, Fault(None, f"the key {key_file} is missing, without which nothing can be said"))
            return verify((Line(*row) for row in connection.execute(_ALL)), end, outside, keys)
