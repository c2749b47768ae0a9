"""A damaged database: it is told with what to do, nothing is written to it any more, and the next start knows it."""

import shlex
from collections.abc import Callable, Iterator
from pathlib import Path

import gevent
import pytest

from gorchestrator.common.states import State
from gorchestrator.domain.errors import StoreDamaged, StoreError
from gorchestrator.domain.records import LogChunk
from gorchestrator.store import Store, damage, schema
from store_support import TASK, accept, eventually, node_change, node_states

PAGE = 4096


@pytest.fixture
def told() -> list[str]:
    """How often the service was told to end."""
    return []


@pytest.fixture
def store(path: Path, told: list[str]) -> Iterator[Store]:
    """A database of many pages, all of them in the file."""
    Store.open(path).close()
    full = Store.open(path)
    accept(full, size=500)
    full.close()
    store = Store.open(path, damaged=lambda: told.append("end"))
    yield store
    store.close()


def spoil(path: Path) -> None:
    """Overwrite all pages but the first one."""
    with path.open("r+b") as file:
        file.seek(PAGE)
        file.write(b"\xff" * (path.stat().st_size - PAGE))


def advice(path: Path) -> str:
    return rf"The database {path} is damaged \(.+\)\. .* gorch restore FILE --data {shlex.quote(str(path.parent))}$"


def test_a_writer_that_finds_damage_gives_everything_up_at_once_and_writes_no_more(
    store: Store, path: Path, told: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    refused: list[BaseException] = []
    spoil(path)
    store.journal.post(node_change(0), refused.append)
    store.journal.append_log(LogChunk(TASK, 0, 1, 0, b"printed"))
    with gevent.Timeout(4), pytest.raises(StoreDamaged, match=advice(path)):  # sooner than it waits for other faults
        store.journal.write(node_change(1))
    assert [type(error) for error in refused] == [StoreDamaged]
    before = path.read_bytes()
    for use in (lambda: store.journal.write(node_change(2)), lambda: store.journal.post(node_change(2))):
        with pytest.raises(StoreDamaged, match=advice(path)):
            use()
    store.close()
    assert path.read_bytes() == before
    assert told == ["end"]
    assert [record.levelname for record in caplog.records] == ["CRITICAL"]


def test_a_reader_that_finds_damage_stops_the_writer(store: Store, path: Path, told: list[str]) -> None:
    spoil(path)
    with pytest.raises(StoreDamaged, match=advice(path)):
        store.reader.nodes(TASK)
    with pytest.raises(StoreDamaged, match=advice(path)):
        store.journal.write(node_change(1))
    assert told == ["end"]


def test_the_next_start_reads_the_whole_file_and_refuses_it(store: Store, path: Path) -> None:
    """Its first pages are sound, so that nothing else would tell before somebody reads the rest."""
    sound = path.read_bytes()
    with path.open("r+b") as file:
        file.seek(-2 * PAGE, 2)
        file.write(b"\xff" * 2 * PAGE)
    Store.open(path).close()
    damage.note(path).write_text("found damaged")
    with pytest.raises(StoreDamaged, match=advice(path)):
        Store.open(path)
    assert damage.note(path).exists()
    path.write_bytes(sound)


def test_what_turns_out_to_be_sound_is_used_again(store: Store, path: Path, caplog: pytest.LogCaptureFixture) -> None:
    damage.note(path).write_text("found damaged, by memory that fails now and then")
    store.close()
    again = Store.open(path)
    again.journal.write(node_change(0))
    again.close()
    assert not damage.note(path).exists()
    assert "is sound" in caplog.text


def garbage(path: Path) -> None:
    path.write_bytes(b"\x00\xff garbage" * 1000 + path.read_bytes()[9000:])


def cut(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)


def cut_within_a_page(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(1000)


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def spoiled_schema(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(100)
        file.write(b"\xff" * (PAGE - 100))


def lost(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))
    path.with_name(path.name + "-wal").write_bytes(b"what was committed last")


@pytest.mark.parametrize("break_it", [garbage, cut, cut_within_a_page, emptied, spoil, spoiled_schema, lost])
def test_a_damaged_file_is_refused_at_the_start(path: Path, break_it: Callable[[Path], None]) -> None:
    made = Store.open(path)
    accept(made, size=500)
    made.close()
    break_it(path)
    for _ in range(2):
        with pytest.raises(StoreError, match=advice(path)):
            Store.open(path).close()
    with pytest.raises(StoreError, match=advice(path)):
        schema.upgrade(path)


def test_what_was_answered_outlives_a_torn_end_of_the_log(store: Store, path: Path, tmp_path: Path) -> None:
    """As after a loss of power: of what was being written last only a part is there, down to the last byte answered."""
    answered = []  # how long the -wal was when the n-th change was durable
    log = path.with_name(path.name + "-wal")
    for number in range(20):
        store.journal.write(node_change(number, exit_code=number))
        eventually(lambda: log.stat().st_size > (answered or [0])[-1])
        answered.append(log.stat().st_size)
    database, content = path.read_bytes(), log.read_bytes()
    for length in [*answered[9:11], answered[9] + 1, answered[9] + PAGE, answered[10] - 1, answered[18] - PAGE]:
        torn = tmp_path / str(length) / path.name
        torn.parent.mkdir()
        torn.write_bytes(database)
        torn.with_name(log.name).write_bytes(content[:length])
        again = Store.open(torn)
        known = sum(size <= length for size in answered)
        states = node_states(again)
        events = again.reader.events(0, 100)
        again.journal.write(node_change(40))
        again.close()
        assert states == [State.RUNNING] * known + [State.TORUN] * (500 - known), length
        assert [event.seq for event in events] == list(range(1, known + 2))
        assert damage.faults(torn) is None
