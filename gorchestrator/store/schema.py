"""The schema of a database file: made where there is none, checked where there is one, upgraded on request."""

import fcntl
import logging
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from gorchestrator.domain.errors import SchemaMismatch, StoreError
from gorchestrator.store import damage, workers
from gorchestrator.store.connection import explain
from gorchestrator.store.files import beside, remove, sync
from gorchestrator.store.usage import Usage

#: All versions of the schema, oldest first: the modules in ``migrations/versions``. Known here so that Alembic, which
#: is slow to import, is needed only where there is something to change.
REVISIONS = ("0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008", "0009", "0010", "0011")
HEAD = REVISIONS[-1]

log = logging.getLogger(__name__)


def ensure(path: Path) -> None:
    """Make an empty database, or check that an existing one has the schema of this version.

    Raises SchemaMismatch if it has not, and StoreError if the file cannot be used.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        damage.refuse(path)
        if revision(path) is None:
            with _exclusive(path):
                if revision(path) is None:  # else another process was faster
                    _make(path)
        _check(path, revision(path))
        _write_ahead(path)
    except (OSError, sqlite3.Error) as error:
        raise StoreError(explain(error, path)) from error


def _make(path: Path) -> None:
    """Make a database under another name first: so an empty file is never one that was just begun."""
    if path.exists():  # with no table in it
        _migrate(path)
    else:
        new = beside(path, ".new")
        remove(new)
        _migrate(new)
        new.rename(path)
        sync(path.parent)
    log.info("the database %s has the schema %s now", path, HEAD, extra={"event": "schema_migrated"})


def _write_ahead(path: Path) -> None:
    """Turn on the write-ahead log where a restored backup came without it."""
    with closing(sqlite3.connect(path, timeout=10)) as connection:
        if connection.execute("PRAGMA journal_mode").fetchone() != ("wal",):
            with _exclusive(path):
                connection.execute("PRAGMA journal_mode=WAL")


def upgrade(path: Path) -> tuple[str | None, str]:
    """Bring a database to the schema of this version; return the revisions before and after. Stop the service first."""
    try:
        damage.refuse(path)
        if not path.exists():
            raise StoreError(f"There is no database {path}; `gorch serve` makes one.")
        with Usage(path, alone=True), _exclusive(path):
            before = revision(path)
            if before not in (None, *REVISIONS):
                _check(path, before)
            _refuse_while_used(path)
            _migrate(path)
    except (OSError, sqlite3.Error) as error:
        raise StoreError(explain(error, path)) from error
    log.info("the database %s has the schema %s now", path, HEAD, extra={"event": "schema_migrated"})
    return before, HEAD


def _refuse_while_used(path: Path) -> None:
    """Raise StoreError while there are workers that hold no lock: of a version without one, or on another machine."""
    found = [f"process {pid}" for pid in workers.living(path)] or [f"host {name}" for name in workers.elsewhere(path)]
    if found:
        raise StoreError(
            f"The database {path} is in use: stop the service (all its processes) and try again. It is used by: "
            f"{', '.join(found)}."
        )


def check(path: Path) -> None:
    """Raise SchemaMismatch if a database has not the schema of this version, StoreDamaged if it was found damaged."""
    damage.refuse(path)
    _check(path, revision(path))


def known(path: Path, name: Path) -> str:
    """Return the revision of a file that may become the database. Raises StoreError, with its ``name``, if it may not.

    An older schema than this version's may: it can be upgraded.
    """
    try:
        found = revision(path)
    except StoreError:
        found = None
    if found is None:
        raise StoreError(f"{name} is no backup of gorchestrator: it has none of its tables.")
    if found not in REVISIONS:
        raise SchemaMismatch(
            f"The backup {name} has the schema {found} of a newer version, this one knows {HEAD}. "
            f"Restore it with the version of gorchestrator that made it.",
            found=found,
            needed=HEAD,
        )
    return found


def revision(path: Path) -> str | None:
    """Return the revision of the database's schema; None if it is empty or not there."""
    if not path.exists():
        return None
    with closing(sqlite3.connect(path, timeout=10)) as connection:
        found = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if not found:
            return None
        if "alembic_version" not in found:
            raise StoreError(f"The database {path} is not one of gorchestrator's; choose another file.")
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        return str(row[0]) if row else None


def _check(path: Path, found: str | None) -> None:
    if found == HEAD:
        return
    if found in REVISIONS:
        raise SchemaMismatch(
            f"The database {path} has the schema {found} of an older version, this one needs {HEAD}. "
            f"Stop the service, back the file up and run `gorch db upgrade`.",
            found=found,
            needed=HEAD,
        )
    raise SchemaMismatch(
        f"The database {path} has the schema {found} of a newer version, this one knows {HEAD}. "
        f"Run the version of gorchestrator that made it, or restore a backup from before it was upgraded.",
        found=found,
        needed=HEAD,
    )


@contextmanager
def _exclusive(path: Path) -> Iterator[None]:
    """Hold the lock of all who make or change the schema. The file beside the database stays: it is empty."""
    handle = os.open(beside(path, ".lock"), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        fcntl.flock(handle, fcntl.LOCK_UN)  # gevent puts the close off
        os.close(handle)


def _migrate(path: Path) -> None:
    """Run the migrations that are missing, in one transaction."""
    logging.getLogger("alembic").setLevel(logging.WARNING)  # it tells of its plug-ins when it is imported
    from gorchestrator.store import migrations  # noqa: PLC0415  (Alembic takes 0.2 s to import)

    # Made here and not by SQLite, so that only the owner can read what users submit.
    os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
    migrations.run(path)
