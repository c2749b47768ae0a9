"""Native threads that read the database, each with a connection of its own, so that the hub goes on meanwhile."""

import sqlite3
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import gevent
from gevent.threadpool import ThreadPool

from gorchestrator.domain.errors import StoreDamaged, StoreUnavailable
from gorchestrator.store import connection as connections
from gorchestrator.store.damage import Damage

_THREADS = 3  # as many as can hinder the hub: each of them may hold the GIL for a switch interval

T = TypeVar("T")


class Threads:
    """Runs queries; whoever asks is blocked, the hub is not."""

    def __init__(self, path: Path, damage: Damage) -> None:
        self._path = path
        self._damage = damage
        self._pool = ThreadPool(_THREADS, hub=gevent.get_hub())
        self._free: deque[sqlite3.Connection] = deque()
        self._closed = False

    def call(self, query: Callable[[sqlite3.Connection], T]) -> T:
        """Return what a query finds. Raises what it raises; StoreUnavailable if the database cannot be read."""
        if self._closed:
            raise StoreUnavailable("The store is closed: this process is about to end.")
        found: T | Exception = self._pool.apply(self._in_thread, (query,))
        if not isinstance(found, Exception):
            return found
        if connections.is_fault(found):
            fault = connections.unavailable(found, self._path)
            if isinstance(fault, StoreDamaged):
                self._damage.found(fault.detail)
            raise fault from found
        raise found

    def close(self) -> None:
        """End the threads and close the connections."""
        self._closed = True
        self._pool.kill()
        while self._free:
            self._free.pop().close()

    def _in_thread(self, query: Callable[[sqlite3.Connection], T]) -> T | Exception:
        """Run a query. An error is returned: what a thread raises, gevent prints."""
        connection = None
        try:
            connection = self._free.pop() if self._free else connections.reading(self._path)
            found = query(connection)
        except Exception as error:
            if connection is not None:
                connection.close()
            return error
        self._free.append(connection)
        return found


@contextmanager
def snapshot(connection: sqlite3.Connection) -> Iterator[None]:
    """Let several queries see the same state of the database."""
    connection.execute("BEGIN")
    try:
        yield
    finally:
        connection.execute("COMMIT")
