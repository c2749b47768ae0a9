"""Death is proven: cancel, failure and timeout leave nothing; success leaves what it started."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from executor_support import Executor, alive, body, new_id, script
from gorchestrator.client.api import Certificates, ExecutorApi
from gorchestrator.common import wire
from gorchestrator.common.states import State
from support import PATIENCE, wait_until

LONG = 40  # seconds of grace that nobody has to wait for
STUBBORN = (  # ignores TERM; its children escape by double forks, sessions and empty environments
    "trap '' TERM",
    "env -i setsid sh -c \"trap '' TERM; sleep {mark} & sleep {mark} & wait\" &",
    "(setsid sleep {mark} &)",
    "setsid --fork sleep {mark}",
    "echo started",
)


def stubborn(mark: str, *end: str) -> str:
    return script(*(line.replace("{mark}", mark) for line in STUBBORN), *end)


@pytest.fixture
def mark(request: pytest.FixtureRequest) -> str:
    """The seconds of a sleep that no other test sleeps."""
    return f"98{abs(hash(request.node.nodeid)) % 10**6}.{time.time_ns() % 10**6}"


def test_cancel_kills_a_tree_that_escapes_and_ignores_term(executor: Executor, mark: str) -> None:
    job_id = executor.start(body(stubborn(mark, "wait", "sleep 100")))
    wait_until(lambda: len(alive(f"sleep {mark}")) >= 4)
    begin = time.monotonic()
    answer = executor.delete(job_id)
    assert not alive(mark)
    assert 0.5 <= time.monotonic() - begin < PATIENCE
    job = answer.json()
    assert (answer.status_code, job["state"], job["reason_code"], job["signal"]) == (200, 11, "canceled", "SIGKILL")
    assert executor.delete(job_id).json() == job
    assert executor.run(body("/bin/true"))["state"] == 3


def test_cancel_lets_a_process_end_by_itself_in_the_grace(executor: Executor) -> None:
    job_id = executor.start(
        body(script("trap 'echo bye; exit 0' TERM", "echo started", "while :; do sleep 0.01 & wait; done"))
    )
    job = executor.delete(job_id).json()
    assert (job["state"], job["exit_code"]) == (11, 0)
    assert executor.log_of(job_id) == "started\nbye\n"


def test_cancel_wakes_a_stopped_process(new_executor: Callable[..., Executor]) -> None:
    executor = new_executor(kill_grace=str(LONG))
    job_id = executor.start(body(script("echo started", "kill -STOP $$")))
    begin = time.monotonic()
    assert executor.delete(job_id).json()["signal"] == "SIGTERM"
    assert time.monotonic() - begin < LONG / 2


def test_cancel_catches_what_forks_all_the_time(executor: Executor) -> None:
    lines = [
        "import os, signal, time",
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)",
        "if os.fork():",
        "    print('started', flush=True)",
        "    time.sleep(600)",
        "while True:",  # each lives only as long as it takes to start the next
        "    if os.fork(): os._exit(0)",
        "    os.setsid()",
    ]
    job_id = executor.start(body(script(*lines, interpreter="/usr/bin/env python3")))
    assert alive(job_id)
    assert executor.delete(job_id).json()["state"] == 11
    assert not alive(job_id)


def test_failure_kills_what_the_node_started(executor: Executor, mark: str) -> None:
    job = executor.run(body(stubborn(mark, "exit 3")))
    assert not alive(mark)
    assert (job["state"], job["exit_code"], job["reason"]) == (4, 3, "exit status 3: started")


def test_timeout_kills_what_the_node_started(executor: Executor, mark: str) -> None:
    job = executor.run(body(stubborn(mark, "sleep 100"), timeout=0.5))
    assert not alive(mark)
    assert (job["state"], job["signal"]) == (10, "SIGKILL")


def test_success_leaves_a_daemon_that_holds_the_output(executor: Executor, mark: str) -> None:
    job = executor.run(body(script(f"sleep {mark} &", "echo done")))
    assert (job["state"], job["log"]) == (3, b"done\n")
    (daemon,) = wait_until(lambda: alive(f"sleep {mark}"))  # it may be just about to become that
    for _ in range(20):
        assert executor.run(body("/bin/true"))["state"] == 3
    assert alive(f"sleep {mark}") == [daemon]
    assert executor.delete(job["id"]).json()["state"] == 3
    assert alive(f"sleep {mark}") == [daemon]
    os.kill(daemon, 9)


def test_cancel_of_a_waiting_job_never_starts_it(new_executor: Callable[..., Executor]) -> None:
    executor = new_executor(capacity="1")
    first = executor.start(body(script("echo started", "sleep 60")))
    second = new_id()
    waiting = executor.put(second, body(), wait=None).json()
    assert (waiting["state"], waiting["queued"], waiting["reason"]) == (1, True, "waits for a free place")
    dead = executor.delete(second).json()
    assert (dead["state"], dead["started_at"], dead["reason"]) == (11, None, "canceled before it was started")
    assert executor.delete(first).json()["state"] == 11
    assert not (executor.data / "jobs" / "live" / second / "exit").exists()


def test_unknown_id_leaves_a_tombstone_that_a_late_put_meets(executor: Executor) -> None:
    job_id = new_id()
    assert executor.delete(job_id).json()["state"] == 11
    late = executor.put(job_id, body("echo", "hello"))
    assert (late.status_code, late.json()["state"], late.json()["started_at"]) == (200, 11, None)


def test_a_long_grace_is_not_waited_for_longer_than_one_wants(
    new_executor: Callable[..., Executor], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the client's patience ends first, and it takes an executor for lost that just waits for a grace."""
    executor = new_executor(kill_grace="3600")
    end = tmp_path / "end"
    job_id = executor.start(body(script("trap '' TERM", "echo started", f"until [ -e {end} ]; do sleep 0.02; done")))
    monkeypatch.setattr(wire, "KILL_WAIT", 1.0)
    certificates = Certificates(*(executor.certs / name for name in ("ca.pem", "orchestrator.pem", "orchestrator.key")))
    client = ExecutorApi("executor", executor.server.url, certificates)
    begin = time.monotonic()
    view = client.delete(job_id, 1)
    assert 1 <= time.monotonic() - begin < LONG
    assert (view.state, view.survivors) == (State.RUNNING, [])
    end.touch()
    assert wait_until(lambda: found if (found := client.delete(job_id, 1)).state.final else None).exit_code == 0
    client.close()
    asked = executor.call("DELETE", f"tasks/{job_id}", wait=7)
    assert (asked.status_code, asked.headers["Preference-Applied"]) == (200, "wait=7")
