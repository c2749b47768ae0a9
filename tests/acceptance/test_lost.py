"""An executor that stays away: attempts are given up after ``lost_after``, kills are not."""

from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from gorchestrator.remote import Unreachable
from support import Services, start_services, wait_until

SLEEPER = """#!/bin/sh
echo $$ > "$PIDFILE"
exec sleep 600
"""


@pytest.fixture
def services(tmp_path: Path, certs: Path) -> Iterator[Services]:
    yield from start_services(tmp_path, certs, {"GORCH_LOST_AFTER": "1.5", "GORCH_LEASE": "1"})


def begin(services: Services, pidfile: Path) -> tuple[str, psutil.Process]:
    """Start a node and return its task and its process."""
    node = {"name": "a", "engine": "shell", "artifact": SLEEPER, "env": {"PIDFILE": str(pidfile)}}
    task = services.remote.submit({"name": "sleeper", "nodes": [node]})
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


def test_an_attempt_that_a_restart_cannot_find_is_given_up_too(services: Services, tmp_path: Path) -> None:
    task, process = begin(services, tmp_path / "pid")
    services.executor.kill()
    services.orchestrator.kill()
    services.orchestrator.start()
    wait_until(lambda: answers(services))
    ended = services.remote.wait(task)
    node = ended["nodes"][0]
    assert (ended["state"], node["state"], node["reason_code"]) == (4, 4, "lost")
    assert "death not verified" in node["reason"]
    process.kill()


def test_a_cancel_waits_for_an_executor_that_is_away_for_long(services: Services, tmp_path: Path) -> None:
    task, process = begin(services, tmp_path / "pid")
    services.executor.kill()
    services.remote.cancel(task)
    wait_until(lambda: "cannot be reached" in str(node_of(services, task)["reason"]))
    asked = services.remote.task(task, wait=3)  # longer than lost_after
    assert (asked["nodes"][0]["state"], asked["nodes"][0]["reason_code"]) == (2, "canceling")
    services.executor.start()
    assert services.remote.wait(task)["state"] == 11
    assert not process.is_running()
