"""The book of ended jobs: what each that is kept takes on the disk, and the ids of those that were dropped.

It has a module of its own for its SQL. All but :meth:`Book.was_dropped` is for native threads: it waits for the disk.
"""

import json
import sqlite3
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from io import FileIO
from pathlib import Path
from typing import TypeVar

from executor.files import private
from executor.kept import HOUR, Keep, Kept, beyond

REMEMBERED = 30 * 24 * HOUR  # seconds that the ids of dropped jobs, and fences, are kept
_TABLES = """
create table if not exists tombs (id text primary key, at real) without rowid;
create table if not exists kept (hour text, at real, id text, size integer, primary key (hour, id)) without rowid;
create index if not exists kept_in_order on kept (hour, at, id);
"""

T = TypeVar("T")


def slices(found: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Yield what was found in parts of at most so many."""
    for start in range(0, len(found), size):
        yield found[start : start + size]


class Book:
    """A small database. Each method that is for threads opens it anew."""

    def __init__(self, path: Path) -> None:
        self._path = path
        FileIO(path, "a", opener=private).close()  # else SQLite makes one that others can read
        self._lookup = self._connection()
        self._lookup.executescript(_TABLES)

    def was_dropped(self, job_id: str) -> bool:
        """Whether there was a job of this id, of which only that is left. For the hub: it takes some microseconds."""
        return self._lookup.execute("select 1 from tombs where id = ?", (job_id,)).fetchone() is not None

    def hours(self) -> list[str]:
        """Return the hours of which it knows jobs."""
        with self._opened() as database:
            return [hour for (hour,) in database.execute("select distinct hour from kept")]

    def ids(self, hour: str) -> set[str]:
        """Return the jobs of an hour."""
        with self._opened() as database:
            return {name for (name,) in database.execute("select id from kept where hour = ?", (hour,))}

    def add(self, found: Iterable[Kept]) -> None:
        """Write down ended jobs."""
        rows = ((each.hour, each.at, each.id, each.size) for each in found)
        with self._opened() as database:
            database.executemany("insert or replace into kept values (?, ?, ?, ?)", rows)

    def strike(self, hour: str, ids: Collection[str]) -> None:
        """Forget jobs of which nothing is left."""
        with self._opened() as database:
            database.executemany("delete from kept where hour = ? and id = ?", ((hour, each) for each in ids))

    def drop(self, hour: str, ids: Sequence[str]) -> int:
        """Note jobs of an hour as dropped, before they are; return how many bytes they take as far as it knows."""
        now = time.time()
        which, asked = "from kept where hour = ? and id in (select value from json_each(?))", (hour, json.dumps(ids))
        with self._opened() as database:
            database.executemany("insert or ignore into tombs values (?, ?)", ((each, now) for each in ids))
            database.execute("delete from tombs where at < ?", (now - REMEMBERED,))
            size: int = database.execute(f"select coalesce(sum(size), 0) {which}", asked).fetchone()[0]
            database.execute(f"delete {which}", asked)
        return size

    def surplus(self, keep: Keep, now: float) -> tuple[list[Kept], bool]:
        """Return the jobs beyond the limits, and whether more will be as soon as they are settled."""
        with self._opened() as database:
            count, size = database.execute("select count(*), coalesce(sum(size), 0) from kept").fetchone()
            rows = database.execute("select hour, at, id, size from kept order by hour, at, id")
            found = list(beyond((Kept(*row) for row in rows), count, size, keep, now))
        count -= len(found)
        size -= sum(each.size for each in found)
        return found, bool((keep.count and count > keep.count) or (keep.size and size > keep.size))

    def close(self) -> None:
        """Let go of it."""
        self._lookup.close()

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        """Open it for a transaction."""
        with closing(self._connection()) as database, database:
            yield database

    def _connection(self) -> sqlite3.Connection:
        database = sqlite3.connect(self._path, timeout=30)
        database.execute("pragma journal_mode=wal")
        database.execute("pragma synchronous=normal")
        return database
