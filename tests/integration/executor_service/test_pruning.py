"""A real executor keeps its directory of ended jobs to its limits."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from executor_support import Executor, body, new_id, script
from support import run_gorch, wait_until

JOBS = 6


@pytest.fixture
def executor(new_executor: Callable[..., Executor]) -> Executor:
    return new_executor(keep_done_count="2")


def done(executor: Executor) -> list[str]:
    return sorted(path.name for path in (executor.data / "jobs" / "done").glob("*/*"))


def gc(executor: Executor, *arguments: str) -> dict:
    answer = run_gorch("--json", "gc", "--executor", "--data", executor.data, *arguments)
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)


def pruned(executor: Executor) -> list[dict[str, Any]]:
    """Return the lines of the log about what was removed."""
    lines = executor.server.log.splitlines()
    return [json.loads(line) for line in lines if "jobs_pruned" in line and line.endswith("}")]


def test_ended_jobs_go_and_nothing_else_does(executor: Executor) -> None:
    running = executor.start(body(script("echo here", "sleep 600")))
    unread = new_id()
    executor.put(unread, body("/bin/echo", "unread"))
    executor.end(unread)
    ids = [new_id() for _ in range(JOBS)]
    for job_id in ids:
        executor.put(job_id, body(script("echo x > large; mkdir -p a/b; : > a/b/c; chmod 0 a")))
        executor.end(job_id)
        assert executor.call("POST", f"tasks/{job_id}/ack").status_code == 204
    wait_until(lambda: len(done(executor)) == 2, what="the oldest are dropped")
    assert done(executor) == sorted(ids[-2:])
    wait_until(lambda: sum(line["count"] for line in pruned(executor)) == JOBS - 2, what="the log says so")
    assert all(line["bytes"] > 0 for line in pruned(executor))
    gone = executor.put(ids[0], body(script("echo again")))
    assert (gone.status_code, gone.json()["type"].rpartition(":")[2]) == (410, "job-gone")
    assert executor.get(ids[-1])["state"] == 3
    assert executor.log_of(unread) == "unread\n"
    assert executor.log_of(running) == "here\n"

    found = gc(executor, "--dry-run", "--count", "1")
    assert (found["jobs"], found["kept"], len(done(executor))) == (1, 2, 2)
    (told,) = found["directories"]
    assert Path(told["path"]).name == told["id"] == ids[-2]
    text = run_gorch("gc", "--executor", "--data", executor.data, "--dry-run", "--count", "1").stdout
    assert f"{told['path']}: ended 0.0 hours ago, {told['size']} bytes\nwould remove 1 jobs" in text
    assert gc(executor, "--count", "1") == {
        "dry_run": False,
        "jobs": 1,
        "bytes": told["size"],
        "faults": [],
        "kept": 1,
        "kept_bytes": found["kept_bytes"] - told["size"],
    }
    assert executor.call("GET", f"tasks/{ids[-2]}").status_code == 410  # who runs beside knows it too
    assert executor.log_of(unread) == "unread\n"
    assert executor.get(running)["state"] == 2
