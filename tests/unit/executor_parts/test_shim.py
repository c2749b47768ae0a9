"""Keeper and shims without an executor: what they promise whoever talks to them."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from executor import names, proc
from executor.shim import Shim
from support import PATIENCE, ROOT, wait_until


class Peer:
    """A connection to a shim."""

    def __init__(self, sock: socket.socket, folder: Path) -> None:
        self.sock = sock
        self.folder = folder
        self.file = sock.makefile("rb")

    def start(self, *argv: str, job: str = "job", **fields: Any) -> None:
        path = self.folder / names.LIVE / job
        path.mkdir(parents=True, exist_ok=True)
        order = {"argv": argv, "env": {}, "cwd": str(path), "timeout": None, "grace": 0.2}
        self.say("start", job=job, folder=str(path), **order | fields)

    def say(self, what: str, job: str = "job", **fields: Any) -> None:
        self.sock.sendall(json.dumps({"do": what, "job": job, **fields}).encode() + b"\n")

    def hear(self) -> dict[str, Any] | None:
        line = self.file.readline()
        return json.loads(line) if line else None

    def close(self) -> None:
        self.file.close()
        self.sock.close()


class Keeper:
    """A keeper as the executor starts it."""

    def __init__(self, folder: Path, patches: str = "") -> None:
        """``patches``: Python that it runs first."""
        self.folder = folder
        (folder / names.SHIMS).mkdir()
        self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        os.set_inheritable(theirs.fileno(), True)
        code = f"{patches}\nimport os; os.dup2({theirs.fileno()}, 3); from executor.keeper import main; main()"
        env = {**os.environ, "PYTHONPATH": str(ROOT)}
        self.process = subprocess.Popen(
            [sys.executable, "-c", code, str(folder)], env=env, pass_fds=[theirs.fileno()], start_new_session=True
        )
        theirs.close()
        self.peers: list[Peer] = []

    def shim(self) -> Peer:
        ours, theirs = socket.socketpair()
        socket.send_fds(self.control, [b"f"], [theirs.fileno()])
        theirs.close()
        self.peers.append(Peer(ours, self.folder))
        return self.peers[-1]

    def sockets(self) -> list[Path]:
        return list((self.folder / names.SHIMS).iterdir())

    def attach(self, job: str = "job") -> Peer:
        peer = socket.socket(socket.AF_UNIX)
        (path,) = self.sockets()
        peer.connect(str(path))
        self.peers.append(Peer(peer, self.folder))
        self.peers[-1].say("attach", job=job)
        return self.peers[-1]


@contextmanager
def kept(folder: Path, patches: str = "") -> Iterator[Keeper]:
    """Return a keeper that has ended by itself afterwards."""
    keeper = Keeper(folder, patches)
    yield keeper
    for peer in keeper.peers:
        peer.close()
    keeper.control.close()
    assert keeper.process.wait(PATIENCE) == 0


@pytest.fixture
def keeper(tmp_path: Path) -> Iterator[Keeper]:
    with kept(tmp_path) as keeper:
        yield keeper


def test_one_shim_serves_one_job_after_another(keeper: Keeper) -> None:
    shim = keeper.shim()
    for number in range(3):
        shim.start("/bin/sh", "-c", f"exit {number}", job=f"job{number}")
        news = shim.hear()
        assert news
        assert os.waitstatus_to_exitcode(news["status"]) == number
        assert json.loads((keeper.folder / names.LIVE / f"job{number}" / names.EXIT).read_text()) == news
    assert len(keeper.sockets()) == 1


def test_a_job_starts_once(keeper: Keeper) -> None:
    first, second = keeper.shim(), keeper.shim()
    first.start("/bin/sh", "-c", "echo run")
    assert first.hear()
    second.start("/bin/sh", "-c", "echo run")
    refusal = second.hear()
    assert refusal
    assert "File exists" in refusal["refused"]
    assert (keeper.folder / names.LIVE / "job" / names.LOG).read_text() == "run\n"


def test_a_command_that_cannot_be_started(keeper: Keeper) -> None:
    shim = keeper.shim()
    shim.start("/no/such/program")
    news = shim.hear()
    assert news
    assert (news["error"], news["status"], news["left"]) == ("No such file or directory", None, False)
    shim.start("/bin/true", job="other", cwd="/no/such/folder")
    news = shim.hear()
    assert news
    assert news["error"] == "No such file or directory"


def test_signals_are_as_usual_in_a_job(keeper: Keeper) -> None:
    shim = keeper.shim()
    shim.start("/bin/sh", "-c", "grep -E 'SigIgn|SigBlk' /proc/self/status")
    shim.hear()
    lines = (keeper.folder / names.LIVE / "job" / names.LOG).read_text().splitlines()
    standard = 2**31 - 1  # the C library keeps some of the others for itself
    assert [int(line.split()[1], 16) & standard for line in lines] == [0, 0]


def test_failure_kills_what_is_left_before_it_is_told(keeper: Keeper) -> None:
    shim = keeper.shim()
    shim.start("/bin/sh", "-c", "setsid sleep 60 & echo $!; exit 1")
    news = shim.hear()
    assert news
    assert (os.waitstatus_to_exitcode(news["status"]), news["left"]) == (1, False)
    pid = int((keeper.folder / names.LIVE / "job" / names.LOG).read_text())
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_what_success_left_waits_for_a_verdict(keeper: Keeper) -> None:
    shim = keeper.shim()
    shim.start("/bin/sh", "-c", "sleep 60 & echo $!")
    news = shim.hear()
    assert news
    assert (news["status"], news["left"]) == (0, True)
    pid = int((keeper.folder / names.LIVE / "job" / names.LOG).read_text())
    shim.close()  # the executor dies without a verdict
    again = keeper.attach()
    assert again.hear() == {"serving": {"started_at": news["started_at"], "survivors": []}}
    assert again.hear() == news
    again.say("release")
    assert again.hear() is None
    os.kill(pid, 0)
    os.kill(pid, signal.SIGKILL)


def test_what_success_left_can_be_killed(keeper: Keeper) -> None:
    shim = keeper.shim()
    shim.start("/bin/sh", "-c", "sleep 60 & echo $!")
    assert shim.hear()
    shim.say("kill", grace=0.2)
    news = shim.hear()
    assert news
    assert (news["status"], news["cause"], news["left"]) == (0, "exit", False)
    shim.start("/bin/true", job="next")
    assert shim.hear()


def test_a_job_goes_on_without_executor_and_keeper(keeper: Keeper) -> None:
    shim = keeper.shim()
    shim.start("/bin/sh", "-c", "while [ ! -e go ]; do sleep 0.01; done; exit 3")
    wait_until((keeper.folder / names.LIVE / "job" / names.LOG).exists)
    shim.close()
    again = keeper.attach()
    assert again.hear()
    again.close()
    (keeper.folder / names.LIVE / "job" / "go").touch()
    record = keeper.folder / names.LIVE / "job" / names.EXIT
    wait_until(record.exists)
    assert os.waitstatus_to_exitcode(json.loads(record.read_text())["status"]) == 3
    wait_until(lambda: not keeper.sockets())


def test_a_shim_does_not_serve_a_job_that_it_does_not_have(keeper: Keeper) -> None:
    shim = keeper.shim()
    shim.start("/bin/true")
    assert shim.hear()
    assert keeper.attach("other").hear() == {"serving": None}


def test_a_killed_shim_leaves_no_socket(keeper: Keeper) -> None:
    shim = keeper.shim()
    shim.start("/bin/true")
    assert shim.hear()
    (path,) = keeper.sockets()
    os.kill(int(path.stem), signal.SIGKILL)
    wait_until(lambda: not keeper.sockets())
    assert shim.hear() is None


def test_descendants_are_found_both_ways() -> None:
    with subprocess.Popen(["/bin/sh", "-c", "sh -c 'sleep 60; :' & wait"]) as parent:
        found = wait_until(lambda: below if len(below := proc.everything_below(parent.pid)) == 2 else None)
        assert proc.seen_below(parent.pid) == found
        proc.send([parent.pid, *found, 2**22], signal.SIGKILL)
    wait_until(lambda: not proc.everything_below(parent.pid))
    assert proc.seen_below(parent.pid) == []


def test_what_cannot_be_killed_is_reported(tmp_path: Path) -> None:
    """A process that does not die is played by a kill that does nothing until a file is there."""
    mortal = tmp_path / "mortal"
    patches = f"""
import os
from executor import supervised
kill = os.kill
os.kill = lambda *order: os.path.exists({str(mortal)!r}) and kill(*order)
supervised.PATIENCE = 0.1
"""
    with kept(tmp_path, patches) as keeper:
        shim = keeper.shim()
        shim.start("/bin/sleep", "60")
        shim.say("kill", grace=0.0)
        news = shim.hear()
        assert news
        (pid,) = news["survivors"]
        assert Path(f"/proc/{pid}/comm").read_text() == "sleep\n"
        mortal.touch()
        news = shim.hear()
        assert news
        assert (news["cause"], os.waitstatus_to_exitcode(news["status"])) == ("cancel", -9)


def test_a_full_disk_delays_the_end_but_does_not_lose_it(tmp_path: Path) -> None:
    """A full disk is played by a rename that fails until a file is there."""
    room, tried = tmp_path / "room", tmp_path / "tried"
    patches = f"""
import os
rename = os.rename
def full(old, new):
    if new.endswith("/exit") and not os.path.exists({str(room)!r}):
        open({str(tried)!r}, "w").close()
        raise OSError(28, "No space left on device")
    rename(old, new)
os.rename = full
"""
    with kept(tmp_path, patches) as keeper:
        shim = keeper.shim()
        shim.start("/bin/sh", "-c", "exit 5")
        wait_until(tried.exists)
        record = tmp_path / names.LIVE / "job" / names.EXIT
        assert not record.exists()
        room.touch()
        news = shim.hear()
        assert news
        assert os.waitstatus_to_exitcode(news["status"]) == 5
        assert json.loads(record.read_text()) == news


def test_the_claim_is_on_the_disk_before_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[str] = []
    job = tmp_path / "job"
    job.mkdir()

    def fsync(number: int) -> None:
        assert (job / names.CLAIM).is_symlink()
        steps.append(os.readlink(f"/proc/self/fd/{number}"))

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr("executor.shim.Supervised", lambda order: steps.append(f"start {order['job']}"))
    shim = Shim.__new__(Shim)
    shim.job = None
    shim._start({"job": "a", "folder": str(job)}, Mock())
    assert steps == [str(job), str(tmp_path), "start a"]
