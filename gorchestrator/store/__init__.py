"""The journal and its tables: whatever happened, durably, and whatever anybody reads."""

from pathlib import Path
from typing import Self

from gorchestrator.store import schema
from gorchestrator.store.journal import PATIENCE, Journal
from gorchestrator.store.reader import Reader
from gorchestrator.store.tailer import Tailer

__all__ = ["Journal", "Reader", "Store", "Tailer"]


class Store:
    """One process's access to the database: ``journal`` writes, ``reader`` reads, ``tailer`` tells what is new.

    Open it in the process that uses it, after a fork, and use it from the thread that has opened it.
    """

    def __init__(self, path: Path, patience: float = PATIENCE) -> None:
        self.path = path
        self.reader = Reader(path)
        self.tailer = Tailer(path, self.reader)
        self.journal = Journal(path, committed=self.tailer.kick, patience=patience)

    @classmethod
    def open(cls, path: Path, *, patience: float = PATIENCE) -> Self:
        """Open a database file, made if it is not there; ``patience``: seconds a write waits for a faulty database.

        Raises SchemaMismatch if the file needs `gorch db upgrade`, StoreError if it cannot be used.
        """
        schema.ensure(path)
        return cls(path, patience)

    def close(self) -> None:
        """Write what is queued, then end all threads and greenlets. Blocked calls raise StoreUnavailable."""
        self.journal.close()
        self.tailer.close()
        self.reader.close()
