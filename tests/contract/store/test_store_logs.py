"""What nodes print: by offset of what was printed, bounded while it waits, durable when it was flushed."""

import gevent
import pytest

from gorchestrator.domain.records import LogChunk
from gorchestrator.store import Store, logs
from gorchestrator.store.logs import Gap, Piece
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
            found = whole[offset : offset + limit]
            more = len(found) == limit
            assert store.reader.log(TASK, 0, 1, offset, limit) == Piece(found, offset + len(found), more)
    assert store.reader.log(TASK, 0, 3, 0, 10) == Piece(b"", 0, more=False)
    assert store.reader.log_size(TASK, 0, 3) == 0


def test_a_piece_that_two_owners_have_read_is_stored_once(store: Store) -> None:
    pieces = ((0, b"0123"), (0, b"0123"), (2, b"2345"), (3, b"34"), (6, b"67"), (4, b"4567"), (0, b"0123456789"))
    for offset, data in pieces:
        store.journal.append_log(chunk(offset, data))
    store.journal.flush_logs(TASK, 0, 1)
    assert store.reader.log(TASK, 0, 1, 0, 100) == Piece(b"0123456789", 10, more=False)
    assert store.reader.log_size(TASK, 0, 1) == 10


def test_what_was_left_out_is_told(store: Store) -> None:
    for offset, data in ((0, b"he"), (2, b"ad"), (100, b"ta"), (102, b"il")):
        store.journal.append_log(chunk(offset, data))
    store.journal.flush_logs(TASK, 0, 1)
    gap = Gap(4, 96)

    def read(offset: int, limit: int = 1000) -> Piece:
        return store.reader.log(TASK, 0, 1, offset, limit)

    assert read(2) == Piece(b"ad", 104, False, gap, b"tail")
    assert read(2, 2) == Piece(b"ad", 4, True)
    assert read(2, 3) == Piece(b"ad", 101, True, gap, b"t")
    assert read(0, 7) == Piece(b"head", 103, True, gap, b"tai")
    for within in (4, 50, 99):
        assert read(within) == Piece(b"", 104, False, gap, b"tail")
        assert read(within, 1) == Piece(b"", 101, True, gap, b"t")
    assert read(100) == Piece(b"tail", 104, False)
    assert read(103) == Piece(b"l", 104, False)
    assert read(104) == Piece(b"", 104, False)
    assert store.reader.log_size(TASK, 0, 1) == 104
    assert gap.marker == b"\n[... 96 bytes left out from byte 4 on ...]\n"


def test_a_piece_goes_over_one_gap(store: Store) -> None:
    for offset in (10, 20, 30):
        store.journal.append_log(chunk(offset, b"abc"))
    store.journal.flush_logs(TASK, 0, 1)
    assert store.reader.log(TASK, 0, 1, 0, 100) == Piece(b"", 13, True, Gap(0, 10), b"abc")
    assert store.reader.log(TASK, 0, 1, 13, 100) == Piece(b"", 23, True, Gap(13, 7), b"abc")
    assert store.reader.log(TASK, 0, 1, 23, 100) == Piece(b"", 33, False, Gap(23, 7), b"abc")


def test_a_flush_of_what_is_durable_returns_at_once(store: Store) -> None:
    store.journal.flush_logs(TASK, 0, 1)
    store.journal.append_log(chunk(0, b"x"))
    store.journal.flush_logs(TASK, 0, 1)
    store.journal.flush_logs(TASK, 0, 1)
    assert store.reader.last_seq() == 0


def test_who_prints_too_much_waits(monkeypatch: pytest.MonkeyPatch, store: Store) -> None:
    accept(store)
    monkeypatch.setattr(store.journal._mail, "gate", logs.Gate(1000))
    inside = []

    def append() -> None:
        for number in range(50):
            store.journal.append_log(chunk(number * 300, b"x" * 300))
            inside.append(store.journal._mail.gate._bytes)

    gevent.joinall([gevent.spawn(append)], raise_error=True)
    assert max(inside) <= 1000 + 300
    store.journal.flush_logs(TASK, 0, 1)
    assert store.reader.log_size(TASK, 0, 1) == 15_000


def test_much_is_written_in_several_batches(store: Store) -> None:
    for number in range(40):
        store.journal.append_log(chunk(number * 100_000, bytes([number]) * 100_000))
    eventually(lambda: store.reader.log_size(TASK, 0, 1) == 4_000_000)
    expected = b"\x13" * 50_000 + b"\x14" * 50_000
    assert store.reader.log(TASK, 0, 1, 1_950_000, 100_000) == Piece(expected, 2_050_000, more=True)
