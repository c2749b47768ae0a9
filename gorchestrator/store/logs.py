"""What nodes print: a queue of its own, bounded in bytes, and rows addressed by the offset of what was printed.

Of a long log the middle is not stored. That is written down nowhere: there are just no rows between two offsets, and
whoever reads finds the gap there. So it does not matter how often, or by whom, or up to which byte a log was stored
before a crash: each byte has one place.
"""

import sqlite3
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from gevent.event import Event

from gorchestrator.domain.records import LogChunk
from gorchestrator.store import queries, tables
from gorchestrator.store.sql import fetch_json, inserting, int64

LIMIT = 8 * 1024 * 1024  # bytes that may wait to be written

Key = tuple[str, int, int]

_CHUNKS = inserting(tables.log_chunks)


def store(connection: sqlite3.Connection, chunk: LogChunk) -> None:
    """Write a chunk but for what is stored already: two owners of a run may have read the same piece of a log."""
    key = {"task": chunk.task, "node": chunk.node, "attempt": chunk.attempt}
    found = connection.execute(queries.LOG_END, key).fetchone()
    known = max(0, found[0] - chunk.offset) if found else 0
    if known < len(chunk.data):
        row = (chunk.task, chunk.node, chunk.attempt, chunk.offset + known, chunk.data[known:])
        _CHUNKS.run(connection, [row])


@dataclass(frozen=True, slots=True)
class Gap:
    """What was left out of a log: ``length`` bytes from ``offset`` on."""

    offset: int
    length: int

    @property
    def marker(self) -> bytes:
        """The line that stands for it where people read the log."""
        return b"\n[... %d bytes left out from byte %d on ...]\n" % (self.length, self.offset)


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a log: the bytes before its gap, if there is one, and those behind it.

    ``next``: the offset of the next piece; ``more``: whether something may be stored from there on.
    """

    data: bytes
    next: int
    more: bool
    gap: Gap | None = None
    behind: bytes = b""


def read(connection: sqlite3.Connection, key: Mapping[str, object], offset: int, limit: int) -> Piece:
    """Return at most ``limit`` bytes of the log of ``key`` from ``offset`` on, over one gap at the most.

    Within a gap the piece begins with the whole of it. For a transaction, so that all of it is of one moment.
    """
    data = _window(connection, key, offset, limit)
    after = offset + len(data)
    if len(data) == limit:
        return Piece(data, after, more=True)
    start = _next(connection, key, after)
    if start is None:
        return Piece(data, after, more=False)
    found = connection.execute(queries.LOG_END_BEFORE, {**key, "before": start}).fetchone()
    end = int(found[0]) if found else 0
    behind = _window(connection, key, start, limit - len(data))
    after = start + len(behind)
    more = len(data) + len(behind) == limit or _next(connection, key, after) is not None
    return Piece(data, after, more, Gap(end, start - end), behind)


def _window(connection: sqlite3.Connection, key: Mapping[str, object], offset: int, limit: int) -> bytes:
    """Return what is stored without a gap from ``offset`` on, at most ``limit`` bytes."""
    stop = offset + limit
    parts = []
    at = offset
    for start, text in fetch_json(connection, queries.LOG, {**key, "first": int64(offset), "stop": int64(stop)}):
        if start > at:
            break
        part = bytes.fromhex(text)[at - start : stop - start]
        parts.append(part)
        at += len(part)
    return b"".join(parts)


def _next(connection: sqlite3.Connection, key: Mapping[str, object], after: int) -> int | None:
    """Return the offset of the first row that begins at or behind ``after``."""
    (start,) = connection.execute(queries.LOG_NEXT, {**key, "after": int64(after)}).fetchone()
    return None if start is None else int(start)


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
