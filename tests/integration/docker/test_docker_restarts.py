"""Executors and daemons that die at any moment: a container runs once, and how it ended is known."""

import base64
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import requests

from docker_support import IMAGE, Dockerd, node
from executor_support import Executor, new_id
from support import wait_until

RUNNING, SUCCESS, FAILURE, CANCELED = 2, 3, 4, 11
COUNT = "i=0; while [ ! -e /tmp/gate ]; do echo $i; i=$((i+1)); sleep 0.01; done"
WAIT = "while [ ! -e /tmp/gate ]; do sleep 0.05; done"


@contextmanager
def stopped(daemon: Dockerd) -> Iterator[None]:
    """Have a daemon that takes calls and does not answer them."""
    assert daemon.process
    daemon.process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        daemon.process.send_signal(signal.SIGCONT)


def restart(executor: Executor) -> None:
    executor.server.kill()
    executor.start_server()


def log_of(executor: Executor, job_id: str) -> bytes:
    return base64.b64decode(executor.get(job_id, log_from=0)["log"])


def has_ended(daemon: Dockerd, job_id: str) -> bool:
    return [each["State"] for each in daemon.named(f"gorch-{job_id}")] == ["exited"]


def open_gate(daemon: Dockerd, job_id: str) -> None:
    client = daemon.client()
    client.exec_start(client.exec_create(f"gorch-{job_id}", ["touch", "/tmp/gate"]))
    client.close()


def test_an_executor_dies_while_a_container_is_created(executor: Executor, daemon: Dockerd) -> None:
    job_id = new_id()
    executor.run(node("true"))  # it knows the daemon
    with stopped(daemon):
        executor.put(job_id, node("echo once"), wait=None)
        wait_until((executor.data / "jobs/live" / job_id / "output").exists)  # made just before the call
        executor.server.kill()
    executor.start_server()
    job = executor.end(job_id)
    assert (job["state"], log_of(executor, job_id)) == (SUCCESS, b"once\n")


def test_an_executor_dies_between_creation_and_start(executor: Executor, daemon: Dockerd) -> None:
    job_id = new_id()
    client = daemon.client()
    about = {"command": ["/bin/sh", "-c", "echo mine"], "name": f"gorch-{job_id}"}
    client.create_container(IMAGE, **about, labels={"gorchestrator.job": job_id})
    client.close()
    executor.put(job_id, node("echo another"), wait=None)
    assert executor.end(job_id)["state"] == SUCCESS
    assert log_of(executor, job_id) == b"mine\n"


def test_a_container_of_somebody_else_is_left_alone(executor: Executor, daemon: Dockerd) -> None:
    job_id = new_id()
    client = daemon.client()
    client.create_container(IMAGE, ["true"], name=f"gorch-{job_id}")
    executor.put(job_id, node("true"), wait=None)
    job = executor.end(job_id)
    assert (job["state"], job["reason_code"]) == (FAILURE, "engine")
    assert "somebody else has made it" in job["reason"]
    assert daemon.named(f"gorch-{job_id}")
    client.remove_container(f"gorch-{job_id}")
    client.close()


def test_an_executor_dies_while_a_container_prints(executor: Executor, daemon: Dockerd) -> None:
    job_id = executor.start(node(COUNT, "exit 5"))
    for _ in range(2):
        size = executor.get(job_id)["log_size"]
        wait_until(lambda size=size: executor.get(job_id)["log_size"] > size)
        restart(executor)
    open_gate(daemon, job_id)
    assert executor.end(job_id)["exit_code"] == 5
    lines = log_of(executor, job_id).split(b"\n")
    assert lines == [*(b"%d" % number for number in range(len(lines) - 1)), b""]


def test_a_container_ends_while_the_executor_is_away(executor: Executor, daemon: Dockerd) -> None:
    job_id = executor.start(
        node("echo begun", WAIT, 'echo colour=blue; echo size=3 >> "$GORCH_OUTPUT"', output={"colour": ""})
    )
    executor.server.kill()
    open_gate(daemon, job_id)
    wait_until(lambda: has_ended(daemon, job_id))
    executor.start_server()
    job = executor.end(job_id)
    assert (job["state"], job["output"]) == (SUCCESS, {"colour": "blue", "size": "3"})
    assert log_of(executor, job_id) == b"begun\ncolour=blue\n"
    wait_until(lambda: not daemon.named(f"gorch-{job_id}"))


def test_an_executor_dies_between_the_removal_and_the_result(executor: Executor, daemon: Dockerd) -> None:
    job_id = new_id()
    executor.put(job_id, node("echo once; exit 4"))
    before = executor.end(job_id)
    wait_until(lambda: not daemon.named(f"gorch-{job_id}"))
    executor.server.kill()
    (executor.data / "jobs/live" / job_id / "result.json").unlink()
    executor.start_server()
    assert executor.end(job_id) == before
    assert log_of(executor, job_id) == b"once\n"


def test_a_container_that_somebody_removed_is_lost(executor: Executor, daemon: Dockerd) -> None:
    job_id = executor.start(node("echo begun; sleep 600"))
    executor.server.kill()
    client = daemon.client()
    client.remove_container(f"gorch-{job_id}", force=True)
    client.close()
    executor.start_server()
    job = executor.end(job_id)
    assert (job["state"], job["reason_code"]) == (FAILURE, "lost")
    assert f"container gorch-{job_id} was removed by somebody" in job["reason"]


def test_orphans_are_removed_and_nothing_else(executor: Executor, daemon: Dockerd) -> None:
    instance = executor.call("GET", "ping").json()["instance"]
    running = executor.start(node("echo begun; sleep 600"))
    executor.server.kill()
    client = daemon.client()
    for name, labels in {
        "unknown": {"gorchestrator.executor": instance, "gorchestrator.job": new_id()},
        "nothing": {"gorchestrator.executor": instance},
        "of-another": {"gorchestrator.executor": "another", "gorchestrator.job": new_id()},
    }.items():
        client.create_container(IMAGE, ["sleep", "600"], name=name, labels=labels, network_disabled=True)
        client.start(name)
    executor.start_server()
    assert executor.call("GET", "ping").json()["engines"]["docker"]["ok"]
    wait_until(lambda: not daemon.named("unknown") and not daemon.named("nothing"))
    assert daemon.named("of-another")
    assert executor.get(running)["state"] == RUNNING
    assert "docker_orphan_removed" in executor.server.log
    client.remove_container("of-another", force=True)
    client.close()
    assert executor.delete(running).json()["state"] == CANCELED


def test_a_daemon_that_does_not_answer_is_waited_for(executor: Executor, daemon: Dockerd) -> None:
    job_id = executor.start(node("echo begun; sleep 600"))
    with stopped(daemon):
        engine = executor.call("GET", "ping").json()["engines"]["docker"]
        assert not engine["ok"]
        assert "(no answer)" in engine["reason"]
        with pytest.raises(requests.ReadTimeout):
            executor.session.delete(f"{executor.server.url}/v1/tasks/{job_id}", timeout=1)
        assert executor.get(job_id)["state"] == RUNNING
    assert executor.end(job_id)["state"] == CANCELED
    assert not daemon.named(f"gorch-{job_id}")


POLITE = ("trap 'echo bye; exit 9' TERM", "echo begun", "while :; do sleep 0.05; done")


def test_a_daemon_is_restarted_while_a_container_runs(executor: Executor, daemon: Dockerd) -> None:
    job_id = executor.start(node(*POLITE))
    told = executor.server.log.count("docker_unreachable")
    daemon.stop()
    wait_until(lambda: executor.server.log.count("docker_unreachable") > told)
    assert executor.get(job_id)["state"] == RUNNING
    job = executor.run(node("true"))
    assert (job["state"], job["reason_code"]) == (FAILURE, "engine")
    daemon.start()
    job = executor.end(job_id)
    assert (job["state"], job["exit_code"]) == (FAILURE, 9)
    assert log_of(executor, job_id) == b"begun\nbye\n"
    assert executor.run(node("true"))["state"] == SUCCESS


def test_a_daemon_and_the_executor_die_while_a_container_runs(executor: Executor, daemon: Dockerd) -> None:
    job_id = executor.start(node(*POLITE))
    daemon.kill()
    told = executor.server.log.count("docker_unreachable")
    restart(executor)
    wait_until(lambda: executor.server.log.count("docker_unreachable") > told)
    assert executor.get(job_id)["state"] == RUNNING
    daemon.start()
    job = executor.end(job_id)
    assert (job["state"], job["exit_code"]) == (FAILURE, 9)
