"""What nodes print: by offset of stored bytes, bounded while it waits, durable when it was flushed."""

import gevent
import pytest

from gorchestrator.domain.records import LogChunk
from gorchestrator.store import Store, logs
from store_support import TASK, accept, eventually


def chunk(offset: int, data: bytes, node: int = 0, attempt: int = 1) -> LogChunk:
    return LogChunk(TASK, node, attempt, offset, data)


def test_a_log_is_read_by_offset(store: Store) -> None:
    whole = bytes(range(256)) * 4
    for offset in range(0, len(whole), 100):
        store.journal.append_log(chunk(offset, whole[offset : offset + 100]))
    store.journal.append_log(chunk(0, b"of another attempt", attempt=2))
    store.journal.append_log(chunk(0, b"of another node", node=1))
    store.journal.flush_logs(TASK, 0, 1)

    assert store.reader.log_size(TASK, 0, 1) == len(whole)
    for offset in (0, 1, 99, 100, 101, 250, 1000, 1023, 1024, 5000, 10**30):
        for limit in (0, 1, 100, 333, 10**6):
            data, after = store.reader.log(TASK, 0, 1, offset, limit)
            assert data == whole[offset : offset + limit]
            assert after == offset + len(data)
    assert store.reader.log(TASK, 0, 3, 0, 10) == (b"", 0)
    assert store.reader.log_size(TASK, 0, 3) == 0


def test_a_piece_that_two_owners_have_read_is_stored_once(store: Store) -> None:
    for offset, data in ((0, b"0123"), (0, b"0123"), (2, b"2345"), (3, b"34"), (6, b"67"), (4, b"4567")):
        store.journal.append_log(chunk(offset, data))
    store.journal.flush_logs(TASK, 0, 1)
    assert store.reader.log(TASK, 0, 1, 0, 100) == (b"01234567", 8)
    assert store.reader.log_size(TASK, 0, 1) == 8


def test_a_hole_is_skipped(store: Store) -> None:
    store.journal.append_log(chunk(0, b"head"))
    store.journal.append_log(chunk(100, b"tail"))
    store.journal.flush_logs(TASK, 0, 1)
    assert store.reader.log(TASK, 0, 1, 2, 50) == (b"ad", 4)
    assert store.reader.log(TASK, 0, 1, 2, 1000) == (b"adtail", 104)
    assert store.reader.log(TASK, 0, 1, 50, 1000) == (b"tail", 104)


def test_a_flush_of_what_is_durable_returns_at_once(store: Store) -> None:
    store.journal.flush_logs(TASK, 0, 1)
    store.journal.append_log(chunk(0, b"x"))
    store.journal.flush_logs(TASK, 0, 1)
    store.journal.flush_logs(TASK, 0, 1)
    assert store.reader.last_seq() == 0


def test_who_prints_too_much_waits(monkeypatch: pytest.MonkeyPatch, store: Store) -> None:
    accept(store)
    monkeypatch.setattr(store.journal, "_gate", logs.Gate(1000))
    inside = []

    def append() -> None:
        for number in range(50):
            store.journal.append_log(chunk(number * 300, b"x" * 300))
            inside.append(store.journal._gate._bytes)

    gevent.joinall([gevent.spawn(append)], raise_error=True)
    assert max(inside) <= 1000 + 300
    store.journal.flush_logs(TASK, 0, 1)
    assert store.reader.log_size(TASK, 0, 1) == 15_000


def test_much_is_written_in_several_batches(store: Store) -> None:
    for number in range(40):
        store.journal.append_log(chunk(number * 100_000, bytes([number]) * 100_000))
    eventually(lambda: store.reader.log_size(TASK, 0, 1) == 4_000_000)
    data, after = store.reader.log(TASK, 0, 1, 1_950_000, 100_000)
    assert data == b"\x13" * 50_000 + b"\x14" * 50_000
    assert after == 2_050_000
