"""Outputs out of logs and files of any size."""

import time
import tracemalloc
from collections.abc import Set
from pathlib import Path

import pytest

from executor import outputs
from executor.outputs import OutputTooLarge, Scanner, collect
from gorchestrator.common.wire import VALUE_LIMIT


def scan(*pieces: bytes, keys: Set[bytes] | None = frozenset({b"a", b"b"})) -> dict[str, str]:
    scanner = Scanner(keys)
    for piece in pieces:
        scanner.feed(piece)
    return scanner.close()


def test_lines_across_pieces() -> None:
    assert scan(b"x\na", b"=", b"1\nb=2", b"3") == {"a": "1", "b": "23"}


def test_the_last_one_wins_and_only_whole_keys_count() -> None:
    assert scan(b"a=1\nxa=2\na =3\n a=4\nab=5\na=6\r\n=7\n") == {"a": "6"}


def test_a_line_of_any_length_is_skipped() -> None:
    noise = [b"y" * 100_000] * 5
    assert scan(b"a=1\n", *noise, b"a=no\nb=2\n", *noise) == {"a": "1", "b": "2"}


@pytest.mark.parametrize("end", [b"", b"\n"])
def test_a_value_may_be_just_as_large_as_the_limit(end: bytes) -> None:
    assert len(scan(b"a=" + b"v" * VALUE_LIMIT + end)["a"]) == VALUE_LIMIT
    with pytest.raises(OutputTooLarge, match="output 'a' is larger than 65536 bytes"):
        scan(b"a=" + b"v" * VALUE_LIMIT, b"v" + end)


def test_without_end_a_large_value_is_noticed_early() -> None:
    with pytest.raises(OutputTooLarge):
        scan(b"key=", b"v" * 60_000, b"v" * 60_000, keys=None)


def test_all_together() -> None:
    lines = [b"k%d=%s\n" % (number, b"v" * 60_000) for number in range(18)]
    with pytest.raises(OutputTooLarge, match="together"):
        scan(*lines, keys=None)


def test_a_changed_value_counts_once() -> None:
    assert list(scan(*[b"a=" + b"v" * 60_000 + b"\n"] * 30)) == ["a"]


def test_invalid_utf8_is_replaced() -> None:
    assert scan(b"a=\xff\n") == {"a": "\ufffd"}


def test_keys_are_no_patterns(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("a.b=1\naxb=2\n(=3\n")
    assert collect(str(log), 2**20, ["a.b", "("], str(tmp_path / "none")) == {"a.b": "1", "(": "3"}


def test_a_huge_log_uses_no_memory_and_is_not_read_without_need(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with log.open("wb") as file:
        file.write(b"a=early\n")
        file.truncate(200 * 2**20)  # a line of 200 MiB without end
    tracemalloc.start()
    assert collect(str(log), 2**20, ["a"], str(tmp_path / "none")) == {"a": "early"}
    assert tracemalloc.get_traced_memory()[1] < 4 * 2**20
    tracemalloc.stop()
    log.chmod(0)
    assert collect(str(log), 2**20, [], str(tmp_path / "none")) == {}


def test_what_is_written_while_it_is_read_does_not_keep_it_reading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"x" * 600_000 + b"\na=1\n")
    feed = Scanner.feed

    def feed_and_write(scanner: Scanner, piece: bytes) -> None:
        feed(scanner, piece)
        with log.open("ab") as file:
            file.write(b"y" * outputs.PIECE)

    monkeypatch.setattr(Scanner, "feed", feed_and_write)
    assert collect(str(log), 2**20, ["a"], str(tmp_path / "none")) == {"a": "1"}


def test_many_declared_outputs_cost_nothing(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"".join(b"name%d=%d\n" % (number, number) for number in range(0, 20_000, 10)))
    begin = time.process_time()
    found = collect(str(log), 2**20, [f"name{number}" for number in range(20_000)], str(tmp_path / "none"))
    assert time.process_time() - begin < 0.5  # as one pattern of all names it takes a second and more
    assert len(found) == 2000
