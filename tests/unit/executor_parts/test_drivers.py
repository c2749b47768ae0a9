"""Finding drivers, and what becomes of those that are broken. The runner is real; its drivers are the test's."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import ClassVar

import pytest

from executor import engines, refusals, unread
from executor.archive import Archive
from executor.attempt import Attempt
from executor.config import Config
from executor.drivers.base import Driver, Job
from executor.drivers.shell import Shell
from executor.fences import Fences
from executor.job import Surroundings
from executor.kept import Keep
from executor.outcome import Outcome
from executor.runner import Limits, Runner
from executor.secrets import Secrets
from executor.supervisor import Supervisor
from gorchestrator.common.states import State
from support import PATIENCE

ID = "0123456789abcdef0123456789abcdef.0.1"


class Echo(Driver):
    """A driver without any process."""

    fields = frozenset({"args"})
    fault: ClassVar[Exception | None] = None

    def check(self) -> str | None:
        return "echo needs: a mountain"

    def run(self, job: Job) -> Outcome:
        if self.fault:
            raise self.fault
        return Outcome(State.SUCCESS, output={"said": " ".join(job.attempt.args)})


def attempt(**fields: object) -> Attempt:
    document = {
        "name": "n",
        "engine": "echo",
        "artifact": "",
        "args": ["a", "b"],
        "target": "t",
        "env": {},
        "output": {},
    }
    return Attempt.from_wire(document | {"timeout": None} | fields)


@pytest.fixture
def make_runner(tmp_path: Path) -> Iterator[Callable[..., Runner]]:
    runners: list[Runner] = []

    def make(drivers: Mapping[str, Driver]) -> Runner:
        (tmp_path / "data").mkdir(exist_ok=True)
        around = Surroundings(Supervisor(tmp_path / "data"), {}, [], 0.1, 2**20, Secrets(tmp_path / "secrets", {}))
        archive = Archive(tmp_path / "data", 1)
        runners.append(Runner(Limits(1, 1), archive, Fences(tmp_path / "fences"), drivers, around))
        return runners[-1]

    yield make
    for runner in runners:
        runner.drain()
        runner.archive.close()


def test_a_driver_is_two_methods_and_its_fields(make_runner: Callable[..., Runner]) -> None:
    runner = make_runner({"echo": Echo(Config())})
    job = runner.submit(ID, attempt())
    assert job.ended.wait(PATIENCE)
    assert job.result
    assert (job.result.state, job.result.output) == (State.SUCCESS, {"said": "a b"})


def test_a_field_that_is_not_honoured_is_refused(make_runner: Callable[..., Runner]) -> None:
    with pytest.raises(refusals.FieldNotHonoured, match="Engine echo cannot honour: env, timeout"):
        make_runner({"echo": Echo(Config())}).submit(ID, attempt(env={"A": "b"}, timeout=3.0))


def test_a_fault_of_a_driver_is_a_failure_of_the_node(
    make_runner: Callable[..., Runner], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(Echo, "fault", ZeroDivisionError("oops"))
    job = make_runner({"echo": Echo(Config())}).submit(ID, attempt())
    assert job.ended.wait(PATIENCE)
    assert job.result
    assert (job.result.reason_code, job.result.reason) == (
        "internal",
        "a fault of engine echo: ZeroDivisionError: oops",
    )
    assert [record.__dict__["event"] for record in caplog.records if record.exc_info] == ["driver_failed"]


def test_an_engine_that_is_gone_after_a_restart(make_runner: Callable[..., Runner]) -> None:
    runner = make_runner({"echo": Echo(Config())})
    runner.limits = Limits(0, 1)
    runner.submit(ID, attempt())
    runner.drain()
    runner = make_runner({})
    runner.recover()
    job = runner.jobs[ID]
    assert job.ended.wait(PATIENCE)
    assert job.result
    assert (job.result.reason_code, job.result.reason) == ("engine", "this executor has no engine 'echo' any more")


def test_what_nobody_fetches_goes_as_if_somebody_had(
    make_runner: Callable[..., Runner], caplog: pytest.LogCaptureFixture
) -> None:
    runner = make_runner({"echo": Echo(Config())})
    old, new, waits = (f"{ID[:-1]}{number}" for number in (1, 2, 3))
    for each in (old, new):
        assert runner.submit(each, attempt()).ended.wait(PATIENCE)
    runner.limits = Limits(0, 1)
    runner.submit(waits, attempt()).created_at = 0.0
    job = runner.jobs[old]
    assert job.result
    job.result = replace(job.result, stopped_at=time.time() - 7200)
    unread.forget(runner, 0)
    unread.forget(runner, 3)
    assert runner.jobs.keys() == {old, new, waits}
    unread.forget(runner, 1)
    assert runner.jobs.keys() == {new, waits}
    found = runner.find(old)  # it is there as long as others that were fetched
    assert found
    assert found.result
    assert runner.archive.restless
    assert [each.__dict__["count"] for each in caplog.records if each.__dict__.get("event") == "jobs_unread"] == [1]


def test_a_dropped_job_is_not_run_again(make_runner: Callable[..., Runner]) -> None:
    runner = make_runner({"echo": Echo(Config())})
    assert runner.submit(ID, attempt()).ended.wait(PATIENCE)
    runner.acknowledge(ID)
    runner.archive.keep = Keep(-2)
    assert runner.archive.prune().count == 1
    for call in (runner.find, runner.cancel, runner.acknowledge):
        with pytest.raises(refusals.JobGone):
            call(ID)
    with pytest.raises(refusals.JobGone):
        runner.submit(ID, attempt())


def test_ours_are_found_without_installation() -> None:
    assert isinstance(engines.load(Config())["shell"], Shell)


def test_a_foreign_driver_is_found_and_a_broken_one_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    here = __name__
    entries = [
        EntryPoint("echo", f"{here}:Echo", engines.GROUP),
        EntryPoint("absent", "no_such_module:Driver", engines.GROUP),
        EntryPoint("odd", "builtins:dict", engines.GROUP),
    ]
    monkeypatch.setattr(engines, "entry_points", lambda group: entries)
    found = engines.describe(engines.load(Config()))
    assert list(found) == sorted(found)
    assert {"absent", "echo", "odd", "shell"} <= found.keys()
    assert found["echo"] == {"ok": False, "reason": "echo needs: a mountain", "fields": ["args"]}
    assert found["absent"]["reason"] == "no_such_module:Driver cannot be loaded: No module named 'no_such_module'"
    assert found["odd"]["reason"] == "builtins:dict is not a Driver"
    assert found["shell"]["ok"]


def test_a_broken_engine_fails_the_node(make_runner: Callable[..., Runner]) -> None:
    job = make_runner({"echo": engines.Broken(Config(), "it is broken")}).submit(ID, attempt())
    assert job.ended.wait(PATIENCE)
    assert job.result
    assert (job.result.reason_code, job.result.reason) == ("engine", "engine echo cannot work here: it is broken")
