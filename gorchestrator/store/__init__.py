"""The journal and its tables: whatever happened, durably, and whatever anybody reads."""

from collections.abc import Callable
from pathlib import Path
from typing import Self

from gorchestrator.domain.measures import Measures
from gorchestrator.store import schema
from gorchestrator.store.damage import Damage
from gorchestrator.store.feed import Feed
from gorchestrator.store.journal import PATIENCE, Journal
from gorchestrator.store.reader import Reader
from gorchestrator.store.seal import Seal, beside_database
from gorchestrator.store.tailer import Tailer
from gorchestrator.store.usage import Usage

__all__ = ["Feed", "Journal", "Reader", "Store", "Tailer"]


class Store:
    """One process's access to the database.

    ``journal`` writes, ``reader`` reads, ``tailer`` tells what is new, ``feed`` all that happens.
    Open it in the process that uses it, after a fork, and use it from the thread that has opened it.
    """

    def __init__(
        self,
        path: Path,
        usage: Usage,
        patience: float,
        damaged: Callable[[], None],
        measures: Measures | None,
        seal: Seal,
    ) -> None:
        self.path = path
        self._usage = usage
        damage = Damage(path, damaged)
        self.reader = Reader(path, damage)
        self.tailer = Tailer(path, self.reader)
        self.feed = Feed(self.reader, self.tailer)
        self.journal = Journal(
            path, committed=self.tailer.kick, damage=damage, patience=patience, measures=measures, seal=seal
        )

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        patience: float = PATIENCE,
        damaged: Callable[[], None] = lambda: None,
        measures: Measures | None = None,
        audit_key: Path | None = None,
    ) -> Self:
        """Open a database file, made if it is not there; ``patience``: seconds a write waits for a faulty database.

        ``damaged`` is called once when the file turns out to be damaged: nothing can be written from then on.
        ``audit_key``: the file of the key that signs the audit, made if it is not there; beside the database. Raises
        SchemaMismatch if the file needs `gorch db upgrade`, StoreError if it cannot be used.
        """
        usage = Usage(path)
        try:
            schema.ensure(path)
            return cls(path, usage, patience, damaged, measures, Seal(audit_key or beside_database(path)))
        except BaseException:
            usage.end()
            raise

    def close(self) -> None:
        """Write what is queued, then end all threads and greenlets. Blocked calls raise StoreUnavailable."""
        self.journal.close()
        self.end_waiting()
        self.reader.close()
        self._usage.end()

    def end_waiting(self) -> None:
        """End all who wait for news, at once: this process is about to stop."""
        self.feed.close()
        self.tailer.close()
