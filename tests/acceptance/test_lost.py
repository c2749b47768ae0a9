"""An executor that stays away: attempts are given up after ``lost_after`` or on somebody's word, kills are not."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from gorchestrator.common.timestamps import from_wire
from gorchestrator.remote import Refused, Unreachable
from support import Services, run_gorch, start_services, wait_until

SLEEPER = """#!/bin/sh
echo $$ > "$PIDFILE"
exec sleep 600
"""


Begun = tuple[str, psutil.Process]


def started(factory: pytest.TempPathFactory, certs: Path, lost_after: str) -> Iterator[Services]:
    """Services that the tests of this module share: each leaves both working, and nothing that runs."""
    yield from start_services(factory.mktemp("lost"), certs, {"GORCH_LOST_AFTER": lost_after, "GORCH_LEASE": "1"})


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory, certs: Path) -> Iterator[Services]:
    """Services that take an attempt for lost after 1.5 s."""
    yield from started(tmp_path_factory, certs, "1.5")


@pytest.fixture
def slower(tmp_path_factory: pytest.TempPathFactory, certs: Path) -> Iterator[Services]:
    """Services that take an attempt for lost after 5 s, in which a cancel has to come."""
    yield from started(tmp_path_factory, certs, "5")


@pytest.fixture(scope="module")
def patient(tmp_path_factory: pytest.TempPathFactory, certs: Path) -> Iterator[Services]:
    """Services that never take an attempt for lost."""
    yield from started(tmp_path_factory, certs, "0")


def begin(services: Services, pidfile: Path, *others: Any, deadline: float | None = None, **fields: Any) -> Begun:
    """Start a node and return its task and its process."""
    node = {"name": "a", "engine": "shell", "artifact": SLEEPER, "env": {"PIDFILE": str(pidfile)}, **fields}
    task = services.remote.submit({"name": "sleeper", "deadline": deadline, "nodes": [node, *others]})
    wait_until(lambda: pidfile.exists() and pidfile.read_text().strip())
    return task, psutil.Process(int(pidfile.read_text()))


def answers(services: Services) -> bool:
    try:
        return bool(services.remote.ping())
    except Unreachable:
        return False


def node_of(services: Services, task: str) -> dict[str, object]:
    found: dict[str, object] = services.remote.task(task)["nodes"][0]
    return found


def test_an_attempt_that_a_restart_cannot_find_is_given_up_too_and_killed_when_its_executor_is_back(
    services: Services, tmp_path: Path
) -> None:
    task, process = begin(services, tmp_path / "pid")
    services.executor.kill()
    services.orchestrator.kill()
    services.orchestrator.start()
    wait_until(lambda: answers(services))
    ended = services.remote.wait(task)
    node = ended["nodes"][0]
    assert (ended["state"], node["state"], node["reason_code"]) == (4, 4, "lost")
    assert "death not verified" in node["reason"]
    assert process.is_running()
    # The kill waits for the executor, whatever happens to the orchestrator meanwhile.
    services.orchestrator.kill()
    services.executor.start()
    services.orchestrator.start()
    wait_until(lambda: not process.is_running(), what="what was given up is killed")
    wait_until(lambda: answers(services))
    assert node_of(services, task) == node


def test_a_cancel_waits_for_an_executor_that_is_away_for_long(slower: Services, tmp_path: Path) -> None:
    task, process = begin(slower, tmp_path / "pid")
    slower.executor.kill()
    slower.remote.cancel(task)
    wait_until(lambda: "cannot be reached" in str(node_of(slower, task)["reason"]))
    asked = slower.remote.task(task, wait=6)  # longer than lost_after
    assert (asked["nodes"][0]["state"], asked["nodes"][0]["reason_code"]) == (2, "canceling")
    slower.executor.start()
    assert slower.remote.wait(task)["state"] == 11
    assert not process.is_running()


def test_a_person_says_how_a_lost_attempt_counts(services: Services, tmp_path: Path) -> None:
    after = {"name": "b", "engine": "shell", "artifact": "echo", "args": ["get_attribute a:colour"], "needs": ["a"]}
    task, process = begin(services, tmp_path / "pid", after, output={"colour": ""}, on_lost="ask")
    services.executor.kill()
    wait_until(lambda: node_of(services, task)["reason_code"] == "ask", 30)
    node = node_of(services, task)
    assert (node["state"], node["attempt"]) == (1, 1)
    assert f"`gorch resolve --as success|failure|retry {task} a`" in str(node["reason"])
    waits = services.remote.why(task, "a")["waits_for"]
    assert (waits["kind"], waits["attempt"]) == ("answer", 1)
    assert waits["how"] in node["reason"]
    services.orchestrator.kill()
    services.orchestrator.start()
    wait_until(lambda: answers(services))
    assert node_of(services, task)["reason_code"] == "ask"
    said = run_gorch("--url", services.url, "resolve", task, "a", "--as", "success", "--output", "colour=blue")
    assert (said.returncode, said.stdout) == (0, "attempt 1 counts as success\n")
    services.executor.start()
    ended = services.remote.wait(task)
    assert [node["state"] for node in ended["nodes"]] == [3, 3]
    assert ended["nodes"][0]["reason"] == "resolved as success by 127.0.0.1; death not verified"
    assert services.remote.log(task, "b").data == b"blue\n"
    line, *_ = services.remote.audit(subject=task)["lines"]
    assert (line["action"], line["details"]) == ("node.resolve", {"node": 0, "answer": "success"})
    wait_until(lambda: not process.is_running(), what="what was left of it is killed")
    again = run_gorch("--url", services.url, "resolve", task, "a", "--as", "failure")
    assert again.returncode == 2
    assert "was resolved as success by 127.0.0.1 before" in again.stderr


@pytest.mark.parametrize("canceled", [False, True])
def test_nobody_has_to_wait_for_an_executor_that_never_comes_back(
    patient: Services, tmp_path: Path, canceled: bool
) -> None:
    task, process = begin(patient, tmp_path / "pid")
    with pytest.raises(Refused, match="Only a node that asks") as refused:
        patient.remote.resolve(task, "a", "failure")
    assert (refused.value.status, refused.value.type) == (409, "not-in-doubt")
    patient.executor.kill()
    wait_until(lambda: node_of(patient, task)["reason_code"] == "executor_unreachable", 30)
    if canceled:
        patient.remote.cancel(task)
        wait_until(lambda: node_of(patient, task)["reason_code"] == "canceling")
        with pytest.raises(Refused, match="is being stopped"):
            patient.remote.resolve(task, "a", "retry")
    patient.remote.resolve(task, "a", "failure")
    node = patient.remote.wait(task)["nodes"][0]
    assert (node["state"], node["reason_code"]) == (4, "resolved")
    assert node["reason"] == "resolved as failure by 127.0.0.1; death not verified"
    assert process.is_running()
    patient.executor.start()
    wait_until(lambda: not process.is_running(), what="it is killed when the executor is back")


def test_a_deadline_goes_on_while_nobody_is_there(patient: Services, tmp_path: Path) -> None:
    task, process = begin(patient, tmp_path / "pid", {"name": "b", "needs": ["a"]}, deadline=10)
    accepted = from_wire(patient.remote.task(task)["accepted_date"])
    assert accepted is not None
    patient.orchestrator.kill()
    wait_until(lambda: time.time() >= accepted + 10, what="the deadline has passed")
    patient.orchestrator.start()
    wait_until(lambda: answers(patient))
    ended = patient.remote.wait(task)
    assert (ended["state"], ended["reason_code"], ended["deadline"]) == (10, "deadline", 10)
    assert [(node["state"], node["reason_code"]) for node in ended["nodes"]] == [(10, "deadline")] * 2
    assert not process.is_running()
    stopped = from_wire(ended["stop_date"])
    lines = map(json.loads, patient.orchestrator.log.splitlines())
    ready = from_wire([line["time"] for line in lines if line["event"] == "ready"][-1])
    assert ready is not None
    assert stopped is not None
    assert stopped < ready + 9  # it does not begin anew
