"""An executor on a full disk: nothing half-written stays, and what was accepted waits until there is room."""

import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar
from unittest.mock import Mock

import pytest

from executor import fences, folder, names, refusals
from executor.archive import Archive
from executor.attempt import Attempt
from executor.command import Command
from executor.config import Config
from executor.drivers.base import Driver, Job
from executor.fences import Fences
from executor.folder import Folder
from executor.job import Surroundings
from executor.outcome import Outcome
from executor.runner import Limits, Runner
from executor.secrets import Secrets
from executor.shim import Shim
from executor.supervisor import Supervisor
from gorchestrator.common.states import State
from support import PATIENCE, ROOT, wait_until

ID = "0123456789abcdef0123456789abcdef.0.1"
WANTED = {"name": "n", "engine": "late", "artifact": "", "args": [], "target": "", "env": {}, "output": {}}
ATTEMPT = Attempt.from_wire(WANTED | {"timeout": None})


def full(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


class Late(Driver):
    """A driver that meets a full disk some times."""

    fields = frozenset()
    times: ClassVar[int] = 0

    def run(self, job: Job) -> Outcome:
        if type(self).times:
            type(self).times -= 1
            full()
        return Outcome(State.SUCCESS)


@pytest.fixture
def runner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Runner]:
    monkeypatch.setattr("executor.driving.RETRY", 0.01)
    (tmp_path / "data").mkdir()
    around = Surroundings(Supervisor(tmp_path / "data"), {}, [], 0.1, 2**20, Secrets(tmp_path / "secrets", {}))
    archive = Archive(tmp_path / "data", 1)
    found = Runner(Limits(1, 5), archive, Fences(tmp_path / "fences"), {"late": Late(Config())}, around)
    yield found
    found.drain()
    archive.close()


def test_a_file_that_does_not_fit_is_not_there(tmp_path: Path) -> None:
    """The first part of it is taken without a word, which is no success."""
    code = f"""
import resource
from executor.files import write_atomically
resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))
write_atomically({str(tmp_path / "file")!r}, b"x" * 10)
write_atomically({str(tmp_path / "file")!r}, b"y" * 11)
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert "File too large" in done.stderr
    assert (tmp_path / "file").read_bytes() == b"x" * 10


def test_nothing_half_written_stays_but_what_was_there_before_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder, "write_atomically", full)
    for name in ("new", "old"):
        if name == "old":
            (tmp_path / name).mkdir()
            (tmp_path / name / names.CLAIM).symlink_to("123")
        with pytest.raises(OSError, match="No space"):
            Folder.create(str(tmp_path / name), {})
    assert [path.name for path in tmp_path.iterdir()] == ["old"]
    assert Folder(str(tmp_path / "old")).claimed_by() == "123"


def test_what_cannot_be_stored_is_refused_and_told_once(
    runner: Runner, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    with monkeypatch.context() as patch:
        patch.setattr(folder, "write_atomically", full)
        for ask in (lambda: runner.submit(ID, ATTEMPT), lambda: runner.cancel(ID)):
            with pytest.raises(refusals.StorageFull, match=r"No room in .*: free some space"):
                ask()
    assert runner.jobs == {}
    assert list(runner.archive.folders()) == []
    assert runner.submit(ID, ATTEMPT).ended.wait(PATIENCE)
    told = [record.getMessage() for record in caplog.records if "oom in" in record.getMessage()]
    assert [text[:8] for text in told] == ["No room ", "there is"]


def test_an_accepted_job_waits_for_room(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Late, "times", 3)
    job = runner.submit(ID, ATTEMPT)
    assert job.ended.wait(PATIENCE)
    assert job.result
    assert job.result.state == State.SUCCESS


def test_a_job_that_waits_for_room_can_be_canceled(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Late, "times", 10**9)
    job = runner.submit(ID, ATTEMPT)
    wait_until(lambda: runner.storage.full or job.ended.wait(0.01))
    with monkeypatch.context() as patch:
        patch.setattr(os, "symlink", full)
        runner.cancel(ID)
        assert not job.ended.wait(0.1)
    assert job.ended.wait(PATIENCE)
    assert job.result
    assert job.result.state == State.CANCELED
    assert job.folder.claimed_by() == names.NOBODY


def test_a_queued_job_that_cannot_be_canceled_now_keeps_its_place(
    runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Late, "times", 10**9)
    first = runner.submit(ID, ATTEMPT)
    second = runner.submit(ID.replace(".0.", ".1."), ATTEMPT)
    with monkeypatch.context() as patch:
        patch.setattr(os, "symlink", full)
        with pytest.raises(refusals.StorageFull):
            runner.cancel(second.id)
    assert list(runner.waiting) == [second]
    runner.cancel(second.id)
    assert second.ended.is_set()
    runner.cancel(first.id)
    assert first.ended.wait(PATIENCE)


def test_a_receipt_that_finds_no_room_is_refused_and_comes_again(
    runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = runner.submit(ID, ATTEMPT)
    assert job.ended.wait(PATIENCE)
    with monkeypatch.context() as patch:
        patch.setattr(os, "makedirs", full)
        with pytest.raises(refusals.StorageFull):
            runner.acknowledge(ID)
    assert runner.jobs == {ID: job}
    runner.acknowledge(ID)
    assert runner.jobs == {}


def test_a_fence_that_was_not_stored_is_not_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = Fences(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(fences, "write_atomically", full)
        with pytest.raises(OSError, match="No space"):
            known.admit("a", 3)
    assert known.admit("a", 3) is None
    assert Fences(tmp_path).admit("a", 2) == 3


def test_a_shim_that_finds_no_room_leaves_the_job_to_be_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[dict[str, object]] = []
    monkeypatch.setattr(os, "symlink", full)
    shim = Shim.__new__(Shim)
    shim.job = None
    shim._start({"job": "a", "folder": str(tmp_path)}, Mock(write=said.append))
    supervisor, link = Mock(), Mock(receive=lambda: said[0])
    supervisor.acquire.return_value = link
    command = Command(ID, Folder(str(tmp_path)), supervisor, 0.1, Mock())
    with pytest.raises(OSError, match="No space") as caught:
        command.run({"env": {}})
    assert caught.value.errno == errno.ENOSPC
    assert (command.shim, command.started_at) == (None, None)
    supervisor.give_back.assert_called_once_with(link)
