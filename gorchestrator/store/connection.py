"""Connections to the SQLite file, and what its faults mean to people."""

import sqlite3
from pathlib import Path

from gorchestrator.domain.errors import StoreUnavailable

_FAULTS = {
    "BUSY": "The database {path} is locked by another process. Look for an open sqlite3 shell or a backup.",
    "LOCKED": "The database {path} is locked by another process. Look for an open sqlite3 shell or a backup.",
    "FULL": "The disk is full: free some space on the file system of {path}.",
    "CORRUPT": "The database {path} is damaged: stop the service, put the file aside and restore a backup.",
    "NOTADB": "The file {path} is not an SQLite database: stop the service, put it aside and restore a backup.",
    "READONLY": "The database {path} cannot be written: check its permissions and its file system.",
    "CANTOPEN": "The database {path} cannot be opened: check its directory and permissions.",
    "IOERR": "The disk fails under the database {path}: look at the system's log.",
}

#: A refused statement, not a broken database: the one who asked is told, and the others go on.
ITEM_ERRORS = (sqlite3.IntegrityError, sqlite3.ProgrammingError, sqlite3.DataError)


def is_fault(error: BaseException) -> bool:
    """Whether the database or the machine is at fault, and not the item that was to be written."""
    return isinstance(error, (sqlite3.DatabaseError, OSError, MemoryError)) and not isinstance(error, ITEM_ERRORS)


def is_busy(error: sqlite3.Error) -> bool:
    """Whether somebody else holds the lock."""
    return _name(error) in {"BUSY", "LOCKED"}


def _name(error: BaseException) -> str:
    """Return ``BUSY`` for ``SQLITE_BUSY`` and for ``SQLITE_BUSY_SNAPSHOT``."""
    return getattr(error, "sqlite_errorname", "SQLITE_").split("_")[1]


def explain(error: BaseException, path: Path) -> str:
    """Return what is wrong and what to do."""
    advice = _FAULTS.get(_name(error), "The database {path} cannot be used.")
    return f"{advice.format(path=path)} ({error})"


def unavailable(error: BaseException, path: Path) -> StoreUnavailable:
    """Return the error that says what is wrong and what to do."""
    return StoreUnavailable(explain(error, path))


def writing(path: Path) -> sqlite3.Connection:
    """Return a connection of the writer: whatever it commits survives a power cut.

    It never waits for a lock inside of SQLite, whose polling has no fairness; the writer does that.
    """
    connection = _connect(f"{path.absolute().as_uri()}?mode=rw", wait=0)
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA journal_size_limit=67108864")
    return connection


def reading(path: Path, wait: float = 2.0) -> sqlite3.Connection:
    """Return a connection that cannot write. ``wait``: seconds to wait for a lock (readers hardly ever need one)."""
    connection = _connect(f"{path.absolute().as_uri()}?mode=rw", wait)
    connection.execute("PRAGMA query_only=ON")
    return connection


def _connect(uri: str, wait: float) -> sqlite3.Connection:
    # Without isolation level, so that a transaction begins where the code says BEGIN. A connection goes from one
    # native thread to the next, never used by two at once.
    return sqlite3.connect(uri, timeout=wait, isolation_level=None, check_same_thread=False, uri=True)
