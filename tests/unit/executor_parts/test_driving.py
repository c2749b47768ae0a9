"""After a fault of a driver nothing of its job is left, wherever it was begun."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import gevent
import psutil
import pytest

from executor import engines
from executor.attempt import Attempt
from executor.config import Config
from executor.drivers.base import Driver, NoOptions
from executor.driving import drive
from executor.folder import Folder
from executor.inside import Interrupted
from executor.job import Job, Surroundings
from executor.outcome import Outcome
from executor.secrets import Secrets
from executor.storage import Storage
from executor.supervisor import Supervisor
from gorchestrator.common.reasons import ReasonCode
from gorchestrator.common.states import State

JOB = f"{'0' * 32}.0.1"


class Faulty(Driver):
    """Begins its work elsewhere, and fails; ends it, when it is interrupted, as ``end`` does."""

    fields = frozenset({"artifact"})

    def __init__(self, end: Callable[[], None] = lambda: None) -> None:
        super().__init__(Config())
        self.end = end
        self.ended: list[str] = []

    def run(self, job: Any) -> Outcome:
        if job.begin():
            raise RuntimeError("out of order")
        try:
            with job.interruptible():
                raise AssertionError("it went on")
        except Interrupted as stop:
            self.end()
            self.ended.append(stop.cause)
            raise


class Careless(Driver):
    """Starts a command, and fails before that has ended, or before it has started one."""

    fields = frozenset({"artifact"})

    def run(self, job: Any) -> Outcome:
        if job.attempt.artifact:
            command = gevent.spawn(job.command, ["/bin/sh", "-c", job.attempt.artifact])
            until(lambda: job.folder.process() and job.log_size)
            command.kill()
        raise RuntimeError("out of order")


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., Job]]:
    data = tmp_path / "data"
    data.mkdir()
    supervisor = Supervisor(data)
    around = Surroundings(supervisor, {}, (), 0.5, 2**20, Secrets(tmp_path / "secrets", {}))

    def made(artifact: str = "", **fields: Any) -> Job:
        attempt = Attempt("n", "engine", artifact, (), "", {}, (), None, **fields)
        path = tmp_path / JOB
        folder = Folder(str(path)) if path.exists() else Folder.create(str(path), {})
        return Job(JOB, attempt, folder, time.time(), around)

    yield made
    supervisor.close()


def driven(driver: Driver | None, job: Job, storage: Storage) -> Outcome:
    with gevent.Timeout(60):
        return drive(driver, job, storage)


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return Storage(tmp_path)


def until(condition: Callable[[], object]) -> None:
    """Wait, and let greenlets run meanwhile."""
    with gevent.Timeout(60):
        while not condition():
            gevent.sleep(0.01)


def main_process(job: Job) -> psutil.Process:
    return psutil.Process(int((job.folder.process() or "").partition(".")[0]))


def test_a_fault_that_tells_a_secret_is_logged_without_it(
    make: Callable[..., Job], storage: Storage, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "key").touch(0o600)
    (tmp_path / "secrets" / "key").write_text('so "secret"')
    job = make()
    job.attempt = replace(job.attempt, env={"KEY": {"secret": "key"}})

    class Telling(Driver):
        fields = frozenset({"env"})

        def run(self, job: Any) -> Outcome:
            assert job.begin()
            raise RuntimeError(f"{dict(job.node_env)}")

    outcome = driven(Telling(Config()), job, storage)
    assert outcome.reason is not None
    for told in (caplog.text, outcome.reason):
        assert "RuntimeError: {'KEY': '***'}" in told
        assert 'secret"' not in told
    assert "Traceback" in caplog.text


def test_the_driver_ends_what_it_has_begun_elsewhere(make: Callable[..., Job], storage: Storage) -> None:
    driver = Faulty()
    outcome = driven(driver, make(), storage)
    assert (outcome.state, outcome.reason_code) == (State.FAILURE, ReasonCode.INTERNAL)
    assert outcome.reason == "a fault of engine engine: RuntimeError: out of order"
    assert driver.ended == ["cancel"]


def test_what_cannot_be_ended_is_lost_and_said_to_run_perhaps(make: Callable[..., Job], storage: Storage) -> None:
    def fail() -> None:
        raise OSError("gone")

    outcome = driven(Faulty(fail), make(), storage)
    assert (outcome.state, outcome.reason_code) == (State.FAILURE, ReasonCode.LOST)
    assert outcome.reason == (
        "a fault of engine engine: RuntimeError: out of order; what it has begun cannot be ended, and may still run:"
        " OSError: gone"
    )


def test_a_command_is_dead_whatever_its_driver_did(make: Callable[..., Job], storage: Storage) -> None:
    mark = f"6{time.time_ns() % 10**9}"
    job = make(f"trap '' TERM; echo runs; sleep {mark} & sleep {mark}")
    outcome = driven(Careless(Config()), job, storage)
    job.supervised.settle(succeeded=False)
    assert (outcome.reason_code, outcome.reason) == (
        ReasonCode.INTERNAL,
        "a fault of engine engine: RuntimeError: out of order",
    )
    assert not [each for each in psutil.process_iter(["cmdline"]) if mark in (each.info["cmdline"] or ())]


def test_what_was_not_started_before_a_fault_never_is(make: Callable[..., Job], storage: Storage) -> None:
    job = make()
    assert driven(Careless(Config()), job, storage).reason_code == ReasonCode.INTERNAL
    assert job.folder.claim() is False


def test_options_that_are_not_understood_any_more_leave_nothing_running(
    make: Callable[..., Job], storage: Storage
) -> None:
    class Strict(Faulty):
        options = NoOptions

    job = make(options={"gone": 1})
    assert job.begin()
    driver = Strict()
    assert driven(driver, make(options={"gone": 1}), storage).reason_code == ReasonCode.INTERNAL
    assert driver.ended == ["cancel"]


def test_without_its_driver_a_command_is_followed_to_its_end(make: Callable[..., Job], storage: Storage) -> None:
    job = make("echo runs; read line < fifo; exit 7")
    os.mkfifo(f"{job.folder.workplace()}/fifo")
    command = gevent.spawn(job.command, ["/bin/sh", "-c", job.attempt.artifact])
    until(lambda: job.folder.process() and job.log_size)
    command.kill()
    job.supervised.detach()
    found = gevent.spawn(driven, None, make(), storage)
    Path(job.folder.workplace(), "fifo").write_text("go on\n")
    outcome = found.get(timeout=60)
    assert (outcome.state, outcome.exit_code) == (State.FAILURE, 7)


def test_without_its_driver_what_was_begun_elsewhere_is_lost(make: Callable[..., Job], storage: Storage) -> None:
    broken = engines.Broken(Config(), "no library")
    assert driven(broken, make(), storage).reason_code == ReasonCode.ENGINE
    assert make().begin()
    outcome = driven(broken, make(), storage)
    assert (outcome.reason_code, outcome.reason) == (
        ReasonCode.LOST,
        "engine engine cannot work here: no library; what was begun may still run",
    )


def test_a_shim_keeps_no_directory_of_its_job(make: Callable[..., Job]) -> None:
    """Else no file system could be unmounted that a job has once worked in."""
    job = make()
    command = gevent.spawn(job.command, ["/bin/sleep", "600"])
    until(job.folder.process)
    main = main_process(job)
    shim = psutil.Process(int(job.folder.claimed_by() or ""))
    keeper = shim.parent()
    assert keeper is not None
    assert main.cwd() == job.folder.workplace()
    assert [shim.cwd(), keeper.cwd()] == ["/", "/"]
    main.send_signal(signal.SIGKILL)
    assert command.get(timeout=60).signal == "SIGKILL"
    assert shim.cwd() == "/"


def test_a_command_that_ends_while_it_is_looked_for_is_found(
    make: Callable[..., Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its shim tells all its connections of the end, also one that has not said yet what it wants."""
    monkeypatch.setattr("executor.supervisor.SILENCE", 0.1)
    job = make()
    command = gevent.spawn(job.command, ["/bin/sleep", "600"])
    until(job.folder.process)
    command.kill()
    job.supervised.detach()
    shim = psutil.Process(int(job.folder.claimed_by() or ""))
    shim.suspend()
    main_process(job).kill()
    again = make()
    found = gevent.spawn(again.command, [])
    until(lambda: again.supervised.silent)  # it has connected, and asked
    shim.resume()
    assert found.get(timeout=60).signal == "SIGKILL"
