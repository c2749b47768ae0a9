"""Which of the ended jobs are kept, and how an executor keeps to that."""

import os
import shutil
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import gevent
import pytest

from executor import collecting, kept, names, pruning
from executor.archive import Archive, Dropped
from executor.fences import Fences
from executor.kept import Keep, Kept, beyond
from support import wait_until

RUN = "0123456789abcdef0123456789abcdef"
BLOCK = 4096


@pytest.fixture(autouse=True)
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """What has just ended may go."""
    monkeypatch.setattr(kept, "SETTLED", -1.0)


@pytest.fixture
def archives(tmp_path: Path) -> Iterator["Archives"]:
    made = Archives(tmp_path)
    yield made
    made.close()


class Archives:
    """Archives of one directory, one after the other, as executors have them that are started again."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.made: list[Archive] = []

    def start(self, hours: float = 24, count: int = 0, size: int = 0) -> Archive:
        self.close()
        self.made.append(Archive(self.data, hours, count, size))
        return self.made[-1]

    def close(self) -> None:
        while self.made:
            self.made.pop().close()


def name(number: int) -> str:
    return f"{RUN}.{number}.1"


def end(archive: Archive, number: int, blocks: int = 0) -> None:
    """Let a job end that has written so many blocks, some of them far below its working directory."""
    folder = archive.create(name(number), {"n": number})
    if blocks:
        place = Path(folder.path) / names.WORK / "a" / "b"
        place.mkdir(parents=True)
        for part in range(blocks // 2):
            (place / str(part)).write_bytes(b"x" * BLOCK)
        Path(folder.log).write_bytes(b"x" * BLOCK * (blocks - blocks // 2))
    archive.put_away(folder)


def there(archive: Archive) -> list[int]:
    return sorted(int(path.name.split(".")[1]) for path in archive.done.glob("*/*"))


def test_so_many_are_kept_as_the_limit_says_and_those_ended_last(archives: Archives) -> None:
    archive = archives.start(count=3)
    for number in (3, 1, 4, 0, 5):
        end(archive, number)
    live = archive.create(name(9), {})
    assert archive.restless
    assert archive.trim([]).count == 2
    assert there(archive) == [0, 4, 5]
    assert [archive.was_dropped(name(number)) for number in (3, 1, 4)] == [True, True, False]
    assert not archive.restless
    assert archive.trim([]) == Dropped()
    assert live.read(names.NODE) == {}
    end(archive, 6)
    assert archive.trim([]).count == 1
    assert there(archive) == [0, 5, 6]


def test_by_size_the_oldest_go_until_the_rest_fits(archives: Archives) -> None:
    archive = archives.start(size=2**20)
    for number in range(4):
        end(archive, number, blocks=100)
    done = archive.trim([])
    assert there(archive) == [2, 3]
    assert 2 * 100 * BLOCK <= done.size <= 2 * 120 * BLOCK
    assert done.count == 2


def test_without_limits_nothing_goes(archives: Archives) -> None:
    archive = archives.start()
    for number in range(5):
        end(archive, number, blocks=4)
    assert archive.trim([]) == archive.prune() == Dropped()
    assert there(archive) == [0, 1, 2, 3, 4]


def test_what_has_just_ended_stays_for_who_waits_for_it(archives: Archives, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "SETTLED", 60.0)
    archive = archives.start(count=1)
    for number in range(3):
        end(archive, number)
    assert archive.trim([]).count == 0
    assert archive.restless  # it looks again, without anything new
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 61)
    assert archive.trim([]).count == 2


def test_a_look_measures_only_what_is_new_also_after_a_restart(
    archives: Archives, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []
    size = kept._size

    def counted(path: str) -> int:
        looked.append(os.path.basename(path))
        return size(path)

    monkeypatch.setattr(kept, "_size", counted)
    archive = archives.start(count=10)
    for number in range(3):
        end(archive, number)
    archive.trim([])
    end(archive, 3)
    archive.trim([])
    assert looked == [name(number) for number in range(4)]
    end(archive, 4)  # and the executor dies before it looks
    again = archives.start(count=2)
    assert again.restless
    assert again.trim([]).count == 3
    assert looked[4:] == [name(4)]
    assert there(again) == [3, 4]


def test_directories_that_are_damaged_or_gone_are_no_obstacle(archives: Archives) -> None:
    archive = archives.start(count=1)
    for number in range(5):
        end(archive, number, blocks=2)
    archive.trim([])
    archive = archives.start()
    for number in range(10, 15):
        end(archive, number, blocks=2)
    archive.trim([])
    (hour,) = archive.done.iterdir()
    shutil.rmtree(hour / name(10))
    (hour / name(11) / names.NODE).unlink()
    (hour / name(12) / names.WORK / "a").chmod(0)
    (hour / name(13)).chmod(0)
    (hour / "no-job").write_text("left by somebody")
    (archive.done / "lost+found").mkdir()
    (archive.done / "2001-01-01T00").write_text("no directory")
    again = archives.start(count=1)
    assert again.trim([]).count == 5
    assert there(again) == [14] or [path.name for path in hour.iterdir()] == ["no-job"]
    assert (archive.done / "lost+found").is_dir()


def test_the_record_goes_first_so_that_half_a_directory_is_none(
    archives: Archives, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = archives.start(count=1)
    end(archive, 0)
    end(archive, 1)

    def killed(path: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(shutil, "rmtree", killed)
    with pytest.raises(KeyboardInterrupt):
        archive.trim([])
    monkeypatch.undo()
    half = archive.find_done(name(0))
    assert half
    assert half.read(names.NODE) is None
    assert archive.was_dropped(name(0))
    again = archives.start(count=1)
    monkeypatch.setattr(kept, "SETTLED", -1.0)
    assert again.trim([]).count == 1
    assert there(again) == [1]


def test_a_book_that_was_lost_is_written_again(archives: Archives) -> None:
    archive = archives.start()
    for number in range(4):
        end(archive, number)
    archive.trim([])
    archives.close()
    for path in archives.data.glob("jobs/tombs.db*"):
        path.unlink()
    again = archives.start(count=2)
    assert again.trim([]).count == 2
    assert len(there(again)) == 2


def test_a_fault_of_the_book_loses_nothing(archives: Archives, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = archives.start(count=1)
    for number in range(3):
        end(archive, number)

    def broken(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(archive.book, "add", broken)
    with pytest.raises(sqlite3.OperationalError):
        archive.trim([])
    monkeypatch.undo()
    monkeypatch.setattr(kept, "SETTLED", -1.0)
    assert archive.restless
    assert archive.trim([]).count == 2


def test_what_is_beyond_the_limits() -> None:
    now = 1_800_000_000.0
    hours = [time.strftime(kept.HOUR_FORMAT, time.gmtime(now - back * 3600)) for back in (5, 3, 1, 0)]
    found = [Kept(hour, now - 9, str(number), 10) for number, hour in enumerate(hours)]

    def ids(keep: Keep) -> str:
        return "".join(each.id for each in beyond(found, 4, 40, keep, now))

    assert ids(Keep(24)) == ""
    assert ids(Keep(2)) == "01"
    assert ids(Keep(24, count=1)) == "012"
    assert ids(Keep(24, size=25)) == "01"
    assert ids(Keep(2, count=1, size=39)) == "012"


def test_a_preview_tells_each_directory_and_changes_nothing(archives: Archives) -> None:
    archive = archives.start()
    for number in range(3):
        end(archive, number, blocks=number)
    before = sorted(archives.data.rglob("*"))
    found = collecting.preview(archives.data, Keep(24, count=1))
    assert sorted(archives.data.rglob("*")) == before
    assert (found["jobs"], found["kept"]) == (2, 3)
    assert [each["id"] for each in found["directories"]] == [name(0), name(1)]
    for each in found["directories"]:
        assert Path(each["path"]).is_dir()
        assert 0 <= each["age"] < 60
    assert found["bytes"] == sum(each["size"] for each in found["directories"]) < found["kept_bytes"]
    done = collecting.collect(archives.data, Keep(24, count=1))
    assert (done["jobs"], done["bytes"], done["kept"], done["faults"]) == (2, found["bytes"], 1, [])
    assert archive.was_dropped(name(0))  # told to the executor that works beside


def test_where_no_executor_works_nothing_is_made(tmp_path: Path) -> None:
    found = collecting.collect(tmp_path / "data", Keep(24))
    assert (found["jobs"], found["kept"]) == (0, 0)
    assert not (tmp_path / "data").exists()


def test_the_pruner_goes_on_after_a_fault_and_tells_it_once(
    archives: Archives, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    archive = archives.start(count=1)
    end(archive, 0)
    end(archive, 1)
    calls: list[list[str]] = []
    trim = archive.trim

    def faulty(faults: list[str]) -> Dropped:
        calls.append(faults)
        if len(calls) < 3:
            raise sqlite3.OperationalError("disk I/O error")
        return trim(faults)

    monkeypatch.setattr(archive, "trim", faulty)
    monkeypatch.setattr(pruning, "LOOK", 0.01)
    pruner = gevent.spawn(pruning.Pruner(archive, Fences(tmp_path / "fences")).keep_pruning)
    wait_until(lambda: gevent.sleep(0.01) or there(archive) == [1])
    wait_until(lambda: gevent.sleep(0.01) or len(caplog.records) > 1)
    pruner.kill()
    assert [record.__dict__["event"] for record in caplog.records] == ["prune_failed", "jobs_pruned"]
    assert caplog.records[1].__dict__["count"] == 1
    assert caplog.records[1].__dict__["bytes"] > 0
    assert len(calls) == 3  # and then it is at rest


def test_pruning_says_what_it_dropped_and_what_it_could_not(
    archives: Archives, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    archive = archives.start(hours=-2)
    end(archive, 0)
    (archive.done / "2000-01-01T00").touch()
    pruning.Pruner(archive, Fences(tmp_path / "fences")).prune()
    assert [record.__dict__["event"] for record in caplog.records] == ["jobs_pruned", "prune_failed"]


def test_many_files_are_removed_without_holding_up_who_serves(archives: Archives, tmp_path: Path) -> None:
    archive = archives.start(count=1)
    for number in range(3):
        folder = archive.create(name(number), {})
        work = Path(folder.path) / names.WORK
        work.mkdir()
        for part in range(1000):
            (work / str(part)).touch()
        archive.put_away(folder)
    pruner = gevent.spawn(pruning.Pruner(archive, Fences(tmp_path / "fences")).trim)
    turns = 0
    while not pruner.dead:
        gevent.sleep(0.001)
        turns += 1
    assert there(archive) == [2]
    assert turns > 3  # held up, there would be one
