"""What has ended and waits for a receipt is listed; an orchestrator makes up for receipts that a crash swallowed."""

from collections.abc import Callable
from pathlib import Path

import pytest

from api_support import Orchestrator
from executor_support import Executor, body, new_id
from support import wait_until


def listed(executor: Executor, **query: str) -> list[str]:
    found: list[str] = executor.call("GET", "tasks", params={"state": "final", **query}).json()["ids"]
    return found


def test_what_has_ended_is_listed_until_it_is_acknowledged(new_executor: Callable[..., Executor]) -> None:
    executor = new_executor()
    executor.start(body("#!/bin/sh\necho started; sleep 60"))
    executor.call("POST", "tasks", json=body("true"))
    ids = sorted(executor.run(body("true"))["id"] for _ in range(3))
    executor.delete(new_id())
    assert listed(executor) == ids
    assert listed(executor, after=ids[0]) == ids[1:]
    executor.call("POST", f"tasks/{ids[1]}/ack")
    assert listed(executor) == [ids[0], ids[2]]


@pytest.mark.parametrize("query", [{}, {"state": "running"}])
def test_nothing_else_is_listed(executor: Executor, query: dict[str, str]) -> None:
    answer = executor.call("GET", "tasks", params=query)
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:gorchestrator:problem:bad-query")


def test_a_lost_receipt_is_made_up_for(new_executor: Callable[..., Executor], tmp_path: Path, certs: Path) -> None:
    executor = new_executor()
    foreign = executor.run(body("true"))["id"]
    (tmp_path / "front").mkdir()
    orchestrator = Orchestrator(tmp_path / "front", certs, f"executor={executor.server.url}", workers=1)
    orchestrator.start()
    try:
        node = {"name": "a", "engine": "shell", "artifact": "true"}
        job_id = f"{orchestrator.api.submit({'name': 'x', 'nodes': [node]})}.0.1"
        wait_until(lambda: list(executor.data.glob(f"jobs/done/*/{job_id}")))
        orchestrator.kill()
        executor.server.stop()
        (done,) = executor.data.glob(f"jobs/done/*/{job_id}")
        done.rename(executor.data / "jobs" / "live" / job_id)  # as if the receipt had never been sent
        executor.start_server()
        assert listed(executor) == sorted([foreign, job_id])
        orchestrator.start()
        wait_until(lambda: listed(executor) == [foreign], 60)
    finally:
        orchestrator.stop()
