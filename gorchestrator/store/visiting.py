"""What commands do with a database that work beside the services, or without them: see that they may, and write."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gorchestrator.domain.errors import StoreError
from gorchestrator.store import connection as connections
from gorchestrator.store import schema
from gorchestrator.store.usage import Usage

WAIT = 10.0  # seconds for a lock


@contextmanager
def used(path: Path) -> Iterator[None]:
    """Keep a database from being replaced meanwhile. Raises StoreError if it cannot be used."""
    if not path.exists():
        raise StoreError(f"There is no database {path}; is this the data directory of the service (--data)?")
    try:
        with Usage(path):
            schema.check(path)
            yield
    except (OSError, sqlite3.Error) as error:
        raise StoreError(connections.explain(error, path)) from error


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Hold the write lock for what is done inside, and commit that unless it raises."""
    connections.begin(connection, WAIT)
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
