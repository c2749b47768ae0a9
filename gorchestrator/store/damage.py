"""A damaged database: who finds it first lets nobody write to it any more, and leaves a note for the next start.

SQLite tells of damage only when it comes across it, so a service that is started again might go on until then. The
note makes the next start read the whole file, which is too slow for each start.
"""

import logging
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

from gorchestrator.domain.errors import StoreDamaged
from gorchestrator.store import connection as connections
from gorchestrator.store.files import beside, size

_SHOWN = 3  # faults of a file that are told

log = logging.getLogger(__name__)


class Damage:
    """What the parts of one process's store know of damage. ``tell`` is called once; used in the hub's thread."""

    def __init__(self, path: Path, tell: Callable[[], None]) -> None:
        self._path = path
        self._tell = tell
        self._text: str | None = None

    def check(self) -> None:
        """Raise StoreDamaged once damage was found."""
        if self._text is not None:
            raise StoreDamaged(self._text)

    def found(self, text: str) -> None:
        """Take note of what somebody has found."""
        if self._text is not None:
            return
        self._text = text
        with suppress(OSError):  # the next start may find it out again
            note(self._path).write_text(f"{text}\n", "utf-8")
        log.critical("%s", text, extra={"event": "store_damaged"})
        self._tell()


def note(path: Path) -> Path:
    """Return the file beside a database that says that it was found damaged."""
    return beside(path, ".damaged")


def refuse(path: Path) -> None:
    """Raise StoreDamaged if a database cannot be what was left, or was found damaged and is not sound after all."""
    log_size = size(beside(path, "-wal"))
    if path.exists() and not size(path):
        raise StoreDamaged(connections.damaged(path, "the file is empty"))
    if log_size and not path.exists():
        raise StoreDamaged(connections.damaged(path, "the file is gone, only its -wal is there"))
    if note(path).exists():
        if path.exists() and (fault := faults(path)):
            raise StoreDamaged(connections.damaged(path, fault))
        note(path).unlink(missing_ok=True)
        log.warning("%s was said to be damaged, and is sound", path, extra={"event": "store_sound"})


def faults(path: Path) -> str | None:
    """Read a whole database; return what is wrong with it, None if it is sound."""
    try:
        with closing(connections.reading(path, wait=10)) as connection:
            found = [text for (text,) in connection.execute(f"PRAGMA integrity_check({_SHOWN})")]
    except sqlite3.DatabaseError as error:
        if not connections.is_damage(error):
            raise
        return str(error)
    return None if found == ["ok"] else "; ".join(" ".join(text.split()) for text in found)
