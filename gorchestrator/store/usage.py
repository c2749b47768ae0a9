"""Who uses a database: a lock on its directory, shared by all who work with the file and exclusive for who replaces it.

The directory is locked and not a file in it, because files that belong to a database may be moved away by hand.
"""

import fcntl
import os
from pathlib import Path

from gorchestrator.domain.errors import StoreError
from gorchestrator.store import connection as connections
from gorchestrator.store import workers

_IN_USE = "The database {path} is in use: stop the service (all its processes) and try again."
_REPLACED = "The database {path} is being replaced or upgraded: try again when that is done."


class Usage:
    """Held from its making until :meth:`end`, or until the process ends, however it does."""

    def __init__(self, path: Path, *, alone: bool = False) -> None:
        """Make sure that nobody replaces the database; with ``alone``, that nobody uses it. Raises StoreError."""
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise StoreError(connections.explain(error, path)) from error
        try:
            fcntl.flock(self._folder, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except BlockingIOError:
            self.end()
            raise StoreError((_IN_USE if alone else _REPLACED).format(path=path) + _by(path.parent)) from None

    def end(self) -> None:
        """Let go."""
        folder, self._folder = self._folder, -1
        if folder >= 0:
            fcntl.flock(folder, fcntl.LOCK_UN)  # gevent puts the close off
            os.close(folder)

    def __enter__(self) -> "Usage":
        return self

    def __exit__(self, *_: object) -> None:
        self.end()


def _by(folder: Path) -> str:
    """Return who uses the database, for people; empty if the kernel does not tell."""
    found = [pid for pid in workers.holding(folder) if pid != os.getpid()]
    return f" It is used by: {', '.join(f'process {pid}' for pid in found)}." if found else ""
