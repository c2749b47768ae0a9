"""What nodes print: a queue of its own, bounded in bytes, and rows addressed by the offset of stored bytes."""

import sqlite3
from collections import Counter

from gevent.event import Event

from gorchestrator.domain.records import LogChunk
from gorchestrator.store import tables
from gorchestrator.store.queries import LOG_END
from gorchestrator.store.sql import inserting

LIMIT = 8 * 1024 * 1024  # bytes that may wait to be written

Key = tuple[str, int, int]

_CHUNKS = inserting(tables.log_chunks)


def store(connection: sqlite3.Connection, chunk: LogChunk) -> None:
    """Write a chunk but for what is stored already: two owners of a run may have read the same piece of a log."""
    key = {"task": chunk.task, "node": chunk.node, "attempt": chunk.attempt}
    found = connection.execute(LOG_END, key).fetchone()
    known = max(0, found[0] - chunk.offset) if found else 0
    if known < len(chunk.data):
        row = (chunk.task, chunk.node, chunk.attempt, chunk.offset + known, chunk.data[known:])
        _CHUNKS.run(connection, [row])


class Gate:
    """Counts in the hub what waits to be written, and lets greenlets through while it is not too much."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._bytes = 0
        self._chunks: Counter[Key] = Counter()
        self._room = Event()
        self._room.set()

    def enter(self, chunk: LogChunk) -> None:
        """Count a chunk in; blocks while there is no room."""
        while self._bytes >= self._limit:
            self._room.clear()
            self._room.wait()
        self._bytes += len(chunk.data)
        self._chunks[_key(chunk)] += 1

    def leave(self, chunk: LogChunk) -> None:
        """Count a chunk out: it is durable, or refused."""
        key = _key(chunk)
        self._bytes -= len(chunk.data)
        self._chunks[key] -= 1
        if not self._chunks[key]:
            del self._chunks[key]
        if self._bytes < self._limit:
            self._room.set()

    def holds(self, key: Key) -> bool:
        """Whether a piece of this attempt's log waits to be written."""
        return key in self._chunks


def _key(chunk: LogChunk) -> Key:
    return chunk.task, chunk.node, chunk.attempt
