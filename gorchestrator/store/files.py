"""The files of a database, and what makes a change of their names outlive a loss of power."""

import os
from pathlib import Path

#: What SQLite puts beside a database that is in use, or was when its processes died. The first one is part of it.
BESIDE = ("-wal", "-shm")


def beside(path: Path, suffix: str) -> Path:
    """Return the file whose name is that of the database with a suffix."""
    return path.with_name(path.name + suffix)


def size(path: Path) -> int:
    """Return the size of a file, 0 if it is not there."""
    return path.stat().st_size if path.exists() else 0


def remove(path: Path) -> None:
    """Remove a database with what is beside it."""
    for suffix in ("", *BESIDE):
        beside(path, suffix).unlink(missing_ok=True)


def sync(path: Path) -> None:
    """Make a file, or the names in a folder, durable."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
