"""All steps of removing, one after the other: in a service through its journal, or by a command with its own hands."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from gorchestrator.domain.errors import StoreError
from gorchestrator.domain.retention import Due, Limits, Room
from gorchestrator.store import connection as connections
from gorchestrator.store import removing, schema
from gorchestrator.store.batch import Verb
from gorchestrator.store.projection import Transaction
from gorchestrator.store.turns import turn
from gorchestrator.store.usage import Usage

PAUSE = 0.02  # seconds between two steps, several times as long as one
_WAIT = 10.0  # seconds for a lock


class Sweep:
    """Removes what lies beyond limits. ``tasks`` and ``size`` count what was removed so far, in bytes roughly."""

    def __init__(
        self, due: Callable[[], Due], take: Callable[[Verb], Any], pause: Callable[[float], object] = time.sleep
    ) -> None:
        """``due`` tells what to do next, ``take`` does a step as a transaction, ``pause`` waits for some seconds."""
        self._due, self._take, self._pause = due, take, pause
        self.tasks = self.size = self.steps = 0

    def run(self) -> None:
        """Remove until there is nothing more to do."""
        while (due := self._due()).anything:
            self._step(due)
            self.steps += 1
            self._pause(PAUSE)

    def _step(self, due: Due) -> None:
        if due.remains:
            self._take(removing.Clear())
        elif due.surplus.tasks:
            self.tasks += self._take(removing.Remove([task for task, _ in due.surplus.tasks]))
            self.size += due.surplus.size
        else:
            self._take(removing.Shrink())


def preview(path: Path, limits: Limits) -> tuple[int, int, Room]:
    """Return how many tasks lie beyond limits, about how many bytes they take, and how large all is. Writes nothing."""
    with _used(path), closing(connections.reading(path, _WAIT)) as connection:
        found = [size for _, size in removing.beyond(connection, limits, time.time())]
        return len(found), sum(found), removing.room(connection)


def sweep(path: Path, limits: Limits) -> tuple[Sweep, Room]:
    """Remove what lies beyond limits, whether a service uses the database or not; return what was done, and what is.

    Raises StoreError if the database cannot be used, or if another process is about it.
    """
    with _used(path), turn(path) as mine, closing(connections.reading(path, _WAIT)) as reader:
        if not mine:
            raise StoreError(f"Another process removes tasks from {path} just now: try again later.")
        with closing(connections.writing(path)) as writer:
            done = Sweep(lambda: removing.due(reader, limits), lambda step: _alone(writer, step))
            done.run()
            writer.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        return done, removing.room(reader)


def _alone(connection: sqlite3.Connection, step: Verb) -> object:
    """Take a step as a transaction of its own."""
    connections.begin(connection, _WAIT)
    try:
        done = step(Transaction(connection))
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    return done


@contextmanager
def _used(path: Path) -> Iterator[None]:
    """Keep a database from being replaced meanwhile. Raises StoreError if it cannot be used."""
    if not path.exists():
        raise StoreError(f"There is no database {path}; is this the data directory of the service (--data)?")
    try:
        with Usage(path):
            schema.check(path)
            yield
    except (OSError, sqlite3.Error) as error:
        raise StoreError(connections.explain(error, path)) from error
