"""A log beyond its limit keeps head and tail, and takes no more of the disk."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import gevent
import pytest

from executor import capped, trimmer
from executor.outputs import collect
from executor.trimmer import Trimmer

LIMIT = 256 * 1024
HALF = LIMIT // 2
BLOCKS = 64 * 1024  # more than what is kept because holes begin and end with blocks


def written(path: Path, size: int) -> bytes:
    data = os.urandom(size)
    path.write_bytes(data)
    return data


def test_head_and_tail_stay_and_the_middle_is_freed(tmp_path: Path) -> None:
    path = tmp_path / "log"
    data = written(path, 10 * LIMIT)
    assert capped.punch(str(path), LIMIT) is None
    assert path.stat().st_size == len(data)
    assert path.stat().st_blocks * 512 <= LIMIT + BLOCKS
    head, start, size = capped.read(str(path), 0, len(data), LIMIT)
    assert (start, size) == (0, len(data))
    assert HALF <= len(head) <= HALF + BLOCKS
    assert data.startswith(head)
    tail, start, _ = capped.read(str(path), len(head), len(data), LIMIT)
    assert HALF <= len(tail) <= HALF + BLOCKS
    assert start == len(data) - len(tail)
    assert data.endswith(tail)
    assert capped.read(str(path), len(data) - 10, 100, LIMIT) == (data[-10:], len(data) - 10, len(data))


def test_what_is_within_the_limit_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "log"
    data = written(path, LIMIT)
    assert capped.punch(str(path), LIMIT) is None
    assert capped.read(str(path), 0, LIMIT, LIMIT) == (data, 0, LIMIT)
    assert path.read_bytes() == data


def test_what_stands_in_for_a_log_is_not_written_to(tmp_path: Path) -> None:
    data = written(tmp_path / "other", 10 * LIMIT)
    (tmp_path / "log").symlink_to("other")
    fault = capped.punch(str(tmp_path / "log"), LIMIT)
    assert fault
    assert fault.errno == errno.ELOOP
    assert (tmp_path / "other").read_bytes() == data


def test_a_line_that_was_cut_is_no_output(tmp_path: Path) -> None:
    path = tmp_path / "log"
    line = b"a=" + b"x" * 4093 + b"\n"
    path.write_bytes(b"b=1\n\n" + line * 1000 + b"c=2\n")
    assert capped.punch(str(path), LIMIT) is None
    found = collect(str(path), LIMIT, ["a", "b", "c"], str(tmp_path / "none"))
    assert found == {"a": "x" * 4093, "b": "1", "c": "2"}


@pytest.fixture
def growing(tmp_path: Path) -> Iterator[tuple[Path, Trimmer]]:
    path = tmp_path / "log"
    path.touch()
    subject = Trimmer(LIMIT)
    keeper = gevent.spawn(subject.keep_trimming, lambda: [str(path)])
    yield path, subject
    keeper.kill()


def test_a_growing_log_is_trimmed_again_and_again(growing: tuple[Path, Trimmer], monkeypatch) -> None:
    monkeypatch.setattr(trimmer, "LOOK", 0.001)
    monkeypatch.setattr(trimmer, "QUICK", 0.001)
    path, _ = growing
    with path.open("ab", buffering=0) as file:
        for _ in range(20):
            file.write(os.urandom(LIMIT))
            _trimmed(path)


def _trimmed(path: Path) -> None:
    with gevent.Timeout(5):
        while path.stat().st_blocks * 512 > LIMIT * 9 // 8 + BLOCKS:
            gevent.sleep(0.002)


def test_a_file_system_that_cannot_is_told_of_once(tmp_path: Path, monkeypatch, caplog) -> None:
    monkeypatch.setattr(capped, "punch", lambda *_: OSError(errno.EOPNOTSUPP, "not supported"))
    path = tmp_path / "log"
    written(path, 2 * LIMIT)
    subject = Trimmer(LIMIT)
    for _ in range(3):
        subject.trim(str(path))
    assert [record.__dict__["event"] for record in caplog.records] == ["log_not_trimmed"]
