"""What the executor remembers of jobs and runs, on disk."""

import errno
import os
import shutil
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from executor import names
from executor.archive import Archive
from executor.data import Data, DataInUse
from executor.fences import Fences
from executor.outcome import Exit, Outcome, of
from gorchestrator.common.reasons import ReasonCode
from gorchestrator.common.states import State

ID = "0123456789abcdef0123456789abcdef.0.1"


def test_fences_only_grow(tmp_path: Path) -> None:
    fences = Fences(tmp_path / "fences")
    assert [fences.admit("a", fence) for fence in (1, 3, 3, 2, 0, 4)] == [None, None, None, 3, 3, None]
    assert fences.admit("b", 0) is None


def test_fences_survive_a_restart_and_are_forgotten_at_last(tmp_path: Path) -> None:
    Fences(tmp_path / "fences").admit("a", 3)
    Fences(tmp_path / "fences").admit("b", 1)
    again = Fences(tmp_path / "fences")
    assert (again.admit("a", 2), again.admit("b", 0)) == (3, None)
    assert [path.name for path in (tmp_path / "fences").iterdir()] == ["a"]
    again.prune(60)
    assert Fences(tmp_path / "fences").admit("a", 2) == 3
    os.utime(tmp_path / "fences" / "a", (0, 0))
    again.prune(60)
    assert Fences(tmp_path / "fences").admit("a", 2) is None


def test_the_cache_of_fences_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("executor.fences.CACHED", 2)
    fences = Fences(tmp_path / "fences")
    for run in ("a", "b", "c"):
        fences.admit(run, 5)
    assert list(fences.seen) == ["b", "c"]
    assert fences.admit("a", 4) == 5


def test_ended_jobs_are_dropped_by_the_hour_but_not_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = Archive(tmp_path, keep_done=2)
    begin = 1_800_000_000.0
    assert begin % 3600 == 0
    monkeypatch.setattr(time, "time", lambda: begin + 1800)
    monkeypatch.setattr(time, "gmtime", lambda at=begin + 1800, gmtime=time.gmtime: gmtime(at))
    folder = archive.create(ID, {"some": "thing"})
    assert [job_id for job_id, _ in archive.folders()] == [ID]
    archive.put_away(folder)
    assert list(archive.folders()) == []
    found = archive.find_done(ID)
    assert found
    assert found.path == folder.path
    assert found.read(names.NODE) == {"some": "thing"}
    monkeypatch.setattr(time, "time", lambda: begin + 3 * 3600 - 1)
    assert archive.prune().count == 0
    monkeypatch.setattr(time, "time", lambda: begin + 3 * 3600)
    assert archive.prune().count == 1
    assert archive.find_done(ID) is None
    assert archive.was_dropped(ID)
    assert not archive.was_dropped(ID.replace(".1", ".2"))
    archive.close()
    again = Archive(tmp_path, keep_done=2)
    assert again.was_dropped(ID)
    again.close()


def test_what_is_read_only_is_dropped_and_what_cannot_be_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = Archive(tmp_path, keep_done=-2)
    for number in range(3):
        archive.put_away(archive.create(f"{ID}{number}", {}))
    (hour,) = archive.done.iterdir()
    cache = hour / f"{ID}1" / "work" / "cache" / "module"
    cache.mkdir(parents=True)
    (cache / "link").symlink_to(tmp_path)
    (cache / "file").touch()
    for folder in (cache, cache.parent, hour / f"{ID}1"):
        folder.chmod(0o500)
    (archive.done / "2000-01-01T00").touch()  # no directory
    monkeypatch.setattr(shutil, "rmtree", partial(_busy, shutil.rmtree, f"{ID}2"))
    faults: list[str] = []
    assert archive.prune(faults).count == 2
    assert [fault.partition("] ")[2][:15] for fault in sorted(faults)] == ["Not a directory", "Device or resou"]
    monkeypatch.undo()
    assert archive.prune().count == 1
    assert list(hour.iterdir()) == []
    assert archive.was_dropped(f"{ID}1")
    assert tmp_path.exists()
    archive.close()


def _busy(rmtree: Callable[[Path], None], name: str, path: Path) -> None:
    if path.name == name:
        raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))
    rmtree(path)


def test_the_data_directory_belongs_to_one(tmp_path: Path) -> None:
    first = Data(tmp_path / "data")
    instance = first.instance()
    with pytest.raises(DataInUse, match=rf"data is in use by another executor \(pid {os.getpid()}\)"):
        Data(tmp_path / "data", wait=0.2)
    first.close()
    second = Data(tmp_path / "data")
    assert second.instance() == instance
    second.close()
    other = Data(tmp_path / "other")
    assert other.instance() != instance
    other.close()


UNSEEN = "its supervisor is gone and has not told how it ended; all is dead"


@pytest.mark.parametrize(
    ("exit", "state", "code", "reason"),
    [
        (Exit(status=0), State.SUCCESS, None, None),
        (Exit(status=256), State.FAILURE, ReasonCode.EXIT, "exit status 1: end"),
        (Exit(status=11), State.FAILURE, ReasonCode.SIGNAL, "killed by SIGSEGV: end"),
        (Exit(status=40), State.FAILURE, ReasonCode.SIGNAL, "killed by SIG40: end"),
        (Exit(status=9, cause="timeout"), State.TIMEOUT, ReasonCode.TIMEOUT, "killed after its timeout of 2.5 s"),
        (Exit(status=0, cause="cancel"), State.CANCELED, ReasonCode.CANCELED, "canceled"),
        (Exit(cause="lost", error="all is dead"), State.FAILURE, ReasonCode.LOST, UNSEEN),
        (Exit(error="No such file"), State.FAILURE, ReasonCode.ARTIFACT, "cannot start tool: No such file"),
    ],
)
def test_what_an_exit_means(exit: Exit, state: State, code: ReasonCode | None, reason: str | None) -> None:
    outcome = of(exit, "tool", "end", 2.5)
    assert (outcome.state, outcome.reason_code, outcome.reason) == (state, code, reason)
    assert Outcome.from_json(outcome.to_json()) == outcome
