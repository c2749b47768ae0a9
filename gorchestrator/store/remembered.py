"""The settings that the service ran with last, as digests of their values, which are nobody's business here."""

import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path

from sqlalchemy import delete, select

from gorchestrator.domain.audit import Act
from gorchestrator.store import tables
from gorchestrator.store.audit import Auditor
from gorchestrator.store.sql import inserting, named
from gorchestrator.store.visiting import audited

_ALL = named(select(tables.settings))
_FORGET = named(delete(tables.settings))
_KEEP = inserting(tables.settings)


def note(path: Path, audit_key: Path, digests: Mapping[str, str], act: Callable[[list[str]], Act | None]) -> None:
    """Remember the settings of a service, and write the line that ``act`` makes of those that have changed, if any.

    None has where nothing was remembered; one that is new here, as after an upgrade, has not. Raises StoreError.
    """

    def write(connection: sqlite3.Connection, auditor: Auditor) -> None:
        before: dict[str, str] = dict(connection.execute(_ALL).fetchall())
        changed = sorted(name for name, digest in digests.items() if before.get(name, digest) != digest)
        line = act(changed)
        if line is not None:
            auditor.append(connection, line)
        if before != digests:
            connection.execute(_FORGET)
            _KEEP.run(connection, [*digests.items()])

    audited(path, audit_key, write)
