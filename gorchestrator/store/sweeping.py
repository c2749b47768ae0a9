"""All steps of removing, one after the other: in a service through its journal, or by a command with its own hands."""

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from gorchestrator.domain.errors import StoreError
from gorchestrator.domain.retention import Due, Limits, Room
from gorchestrator.store import connection as connections
from gorchestrator.store import removing
from gorchestrator.store.batch import Verb
from gorchestrator.store.projection import Transaction
from gorchestrator.store.turns import turn
from gorchestrator.store.visiting import WAIT, transaction, used

PAUSE = 0.02  # seconds between two steps, several times as long as one
_SHRUNK = 5.0  # seconds for the file to get smaller: it does not while somebody reads what it was before


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
    with used(path), closing(connections.reading(path, WAIT)) as connection:
        found = [size for _, size in removing.beyond(connection, limits, time.time())]
        return len(found), sum(found), removing.room(connection)


def sweep(path: Path, limits: Limits) -> tuple[Sweep, Room]:
    """Remove what lies beyond limits, whether a service uses the database or not; return what was done, and what is.

    Raises StoreError if the database cannot be used, or if another process is about it.
    """
    with used(path), turn(path) as mine, closing(connections.reading(path, WAIT)) as reader:
        if not mine:
            raise StoreError(f"Another process removes tasks from {path} just now: try again later.")
        with closing(connections.writing(path)) as writer:
            done = Sweep(lambda: removing.due(reader, limits), lambda step: _alone(writer, step))
            done.run()
            end = time.monotonic() + _SHRUNK
            while not connections.checkpoint(writer) and time.monotonic() < end:
                time.sleep(PAUSE)
        return done, removing.room(reader)


def _alone(connection: sqlite3.Connection, step: Verb) -> object:
    """Take a step as a transaction of its own."""
    with transaction(connection):
        return step(Transaction(connection))
