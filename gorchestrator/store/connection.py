"""Connections to the SQLite file, and what its faults mean to people."""

import random
import shlex
import sqlite3
from pathlib import Path
from time import monotonic

from gevent import monkey

from gorchestrator.domain.errors import StoreDamaged, StoreUnavailable

_sleep = monkey.get_original("time", "sleep")

_FAULTS = {
    "BUSY": "The database {path} is locked by another process. Look for an open sqlite3 shell or a backup.",
    "LOCKED": "The database {path} is locked by another process. Look for an open sqlite3 shell or a backup.",
    "FULL": "The disk is full: free some space on the file system of {path}.",
    "READONLY": "The database {path} cannot be written: check its permissions and its file system.",
    "CANTOPEN": "The database {path} cannot be opened: check its directory and permissions.",
    "IOERR": "The disk fails under the database {path}: look at the system's log.",
}

_DAMAGE = {"CORRUPT", "NOTADB"}

#: A refused statement, not a broken database: the one who asked is told, and the others go on.
ITEM_ERRORS = (sqlite3.IntegrityError, sqlite3.ProgrammingError, sqlite3.DataError)


def is_fault(error: BaseException) -> bool:
    """Whether the database or the machine is at fault, and not the item that was to be written."""
    return isinstance(error, (sqlite3.DatabaseError, OSError, MemoryError)) and not isinstance(error, ITEM_ERRORS)


def is_busy(error: sqlite3.Error) -> bool:
    """Whether somebody else holds the lock."""
    return _name(error) in {"BUSY", "LOCKED"}


def is_damage(error: BaseException) -> bool:
    """Whether the file does not hold what was written to it."""
    return _name(error) in _DAMAGE


def damaged(path: Path, fault: str) -> str:
    """Return what to do about a file that is damaged in this way."""
    command = f"gorch restore FILE --data {shlex.quote(str(path.parent))}"
    return f"The database {path} is damaged ({fault}). With the service stopped, restore a backup: {command}"


def is_full(error: BaseException) -> bool:
    """Whether there is no room on the disk."""
    return _name(error) == "FULL"


def _name(error: BaseException) -> str:
    """Return ``BUSY`` for ``SQLITE_BUSY`` and for ``SQLITE_BUSY_SNAPSHOT``."""
    return getattr(error, "sqlite_errorname", "SQLITE_").split("_")[1]


def explain(error: BaseException, path: Path) -> str:
    """Return what is wrong and what to do."""
    if is_damage(error):
        return damaged(path, str(error))
    advice = _FAULTS.get(_name(error), "The database {path} cannot be used.")
    return f"{advice.format(path=path)} ({error})"


def unavailable(error: BaseException, path: Path) -> StoreUnavailable:
    """Return the error that says what is wrong and what to do."""
    kind = StoreDamaged if is_damage(error) else StoreUnavailable
    return kind(explain(error, path))


def writing(path: Path) -> sqlite3.Connection:
    """Return a connection of the writer: whatever it commits survives a power cut.

    It never waits for a lock inside of SQLite, whose polling has no fairness; the writer does that.
    """
    connection = _connect(f"{path.absolute().as_uri()}?mode=rw", wait=0)
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA journal_size_limit=67108864")
    return connection


def begin(connection: sqlite3.Connection, wait: float) -> None:
    """Take the write lock, asked for every millisecond or so, at random: that gives all processes the same chance.

    Raises what SQLite says when it was not to be had for ``wait`` seconds.
    """
    give_up = monotonic() + wait
    longest = 0.0002
    while True:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if not is_busy(error) or monotonic() > give_up:
                raise
        else:
            return
        _sleep(random.uniform(0.0, longest))  # noqa: S311  (no secret)
        longest = min(longest * 1.5, 0.003)


def reading(path: Path, wait: float = 2.0) -> sqlite3.Connection:
    """Return a connection that cannot write. ``wait``: seconds to wait for a lock (readers hardly ever need one)."""
    connection = _connect(f"{path.absolute().as_uri()}?mode=rw", wait)
    connection.execute("PRAGMA query_only=ON")
    return connection


def checkpoint(connection: sqlite3.Connection) -> bool:
    """Bring the write-ahead log into the file, as far as nobody reads what it was before; return whether that was all.

    Only then does the file get smaller.
    """
    busy, pages, done = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    return bool(not busy and pages == done)


def _connect(uri: str, wait: float) -> sqlite3.Connection:
    # Without isolation level, so that a transaction begins where the code says BEGIN. A connection goes from one
    # native thread to the next, never used by two at once.
    return sqlite3.connect(uri, timeout=wait, isolation_level=None, check_same_thread=False, uri=True)
