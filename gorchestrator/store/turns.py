"""Work on a database that one process at a time does: a lock that ends with its process, however that ends."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gorchestrator.domain.errors import StoreError
from gorchestrator.store import connection as connections
from gorchestrator.store.files import beside

REMOVING, TRACES = ".gc", ".traces"  # ends of the names of empty files beside the database


@contextmanager
def turn(path: Path, work: str = REMOVING) -> Iterator[bool]:
    """Hold the turn to remove what is not kept, or to send traces; False: another process has it.

    Raises StoreError if there cannot be one.
    """
    try:
        handle = os.open(beside(path, work), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StoreError(connections.explain(error, path)) from error
    try:
        yield _taken(handle)
    finally:
        fcntl.flock(handle, fcntl.LOCK_UN)  # gevent puts the close off
        os.close(handle)


def _taken(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
