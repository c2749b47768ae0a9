"""Executors and daemons that die at any moment: a container runs once, and how it ended is known."""

import base64
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import requests

from docker_support import GATE, IMAGE, WAIT, Dockerd, node
from executor.drivers.docker.daemon import PING
from executor.drivers.docker.health import SOON
from executor_support import Executor, new_id
from registry_support import registry
from support import wait_until

RUNNING, SUCCESS, FAILURE, TIMEOUT, CANCELED = 2, 3, 4, 10, 11
COUNT = f"i=0; while [ ! -e {GATE} ]; do echo $i; i=$((i+1)); sleep 0.01; done"


def restart(executor: Executor) -> None:
    executor.server.kill()
    executor.start_server()


def log_of(executor: Executor, job_id: str) -> bytes:
    return base64.b64decode(executor.get(job_id, log_from=0)["log"])


def has_ended(daemon: Dockerd, job_id: str) -> bool:
    return [each["State"] for each in daemon.named(f"gorch-{job_id}")] == ["exited"]


def test_an_executor_dies_while_a_container_is_created(executor: Executor, daemon: Dockerd) -> None:
    job_id = new_id()
    executor.run(node("true"))  # it knows the daemon
    with daemon.frozen():
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
    daemon.open_gate(f"gorch-{job_id}")
    assert executor.end(job_id)["exit_code"] == 5
    lines = log_of(executor, job_id).split(b"\n")
    assert lines == [*(b"%d" % number for number in range(len(lines) - 1)), b""]


def test_a_container_ends_while_the_executor_is_away(executor: Executor, daemon: Dockerd) -> None:
    job_id = executor.start(
        node("echo begun", WAIT, 'echo colour=blue; echo size=3 >> "$GORCH_OUTPUT"', output={"colour": ""})
    )
    executor.server.kill()
    daemon.open_gate(f"gorch-{job_id}")
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
    daemon.remove(f"gorch-{job_id}")
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
    with daemon.frozen():
        engine = wait_until(lambda: None if (found := asked(executor))["ok"] else found, what="it is seen")
        assert "(no answer)" in engine["reason"]
        with pytest.raises(requests.ReadTimeout):
            executor.session.delete(f"{executor.server.url}/v1/tasks/{job_id}", timeout=1)
        told = wait_until(lambda: executor.get(job_id)["reason"])
        assert told.startswith(f"Docker daemon at {daemon.host} unreachable since ")
        assert executor.get(job_id)["state"] == RUNNING
    assert executor.end(job_id)["state"] == CANCELED
    assert not daemon.named(f"gorch-{job_id}")


def asked(executor: Executor) -> dict[str, object]:
    """Return what a ping says of the engine."""
    found: dict[str, object] = executor.call("GET", "ping").json()["engines"]["docker"]
    return found


def test_pings_are_quick_whatever_the_daemon_does(executor: Executor, daemon: Dockerd) -> None:
    wait_until(lambda: asked(executor)["ok"])
    with daemon.frozen():
        taken: list[float] = []

        def seen() -> bool:
            begin = time.monotonic()
            found = asked(executor)
            taken.append(time.monotonic() - begin)
            return not found["ok"]

        wait_until(seen, 30, "it is seen that it hangs")
        known = time.monotonic()
        while time.monotonic() < known + 2:  # it stays known
            assert seen()
        assert max(taken) < PING  # else it has waited for the daemon
        assert sorted(taken)[len(taken) // 2] < SOON
    wait_until(lambda: asked(executor)["ok"], what="it is seen that the daemon is back")


def test_a_container_goes_on_while_its_daemon_is_away(executor: Executor, daemon: Dockerd) -> None:
    daemon.stop()
    daemon.live_restore = True
    daemon.start()
    job_id = executor.start(node(COUNT, "exit 5"))
    daemon.kill()
    told = wait_until(lambda: executor.get(job_id)["reason"], what="it is told what is wrong")
    assert told.startswith(f"Docker daemon at {daemon.host} unreachable since 20")
    assert executor.get(job_id)["state"] == RUNNING
    daemon.start()
    wait_until(lambda: executor.get(job_id)["reason"] is None, what="that is taken back")
    size = executor.get(job_id)["log_size"]
    wait_until(lambda: executor.get(job_id)["log_size"] > size, what="it goes on")
    daemon.open_gate(f"gorch-{job_id}")
    assert executor.end(job_id)["exit_code"] == 5
    lines = log_of(executor, job_id).split(b"\n")
    assert lines == [*(b"%d" % number for number in range(len(lines) - 1)), b""]
    daemon.stop()
    daemon.live_restore = False
    daemon.start()


def test_orphans_are_removed_when_a_daemon_is_back(executor: Executor, daemon: Dockerd) -> None:
    labels = {"gorchestrator.executor": executor.call("GET", "ping").json()["instance"]}
    job_id = executor.start(node("echo begun", WAIT))
    client = daemon.client()
    client.create_container(IMAGE, ["true"], name="left", labels=labels)
    client.close()
    daemon.stop()
    wait_until(lambda: executor.get(job_id)["reason"] or executor.get(job_id)["state"] > RUNNING)
    daemon.start()
    executor.end(job_id)
    wait_until(lambda: not daemon.named("left"))


def started_long_ago(executor: Executor, job_id: str) -> None:
    """Have a job wait for its timeout as if the executor had been away for the time of it."""
    claim = executor.data / "jobs/live" / job_id / "shim"
    assert claim.is_symlink()
    os.utime(claim, (0, claim.lstat().st_mtime - 600), follow_symlinks=False)


def test_a_timeout_that_passes_while_the_executor_is_away(executor: Executor, daemon: Dockerd) -> None:
    still, ended, within = (executor.start(node("echo begun", WAIT, timeout=300)) for _ in range(3))
    executor.server.kill()
    for job_id in (ended, within):
        daemon.open_gate(f"gorch-{job_id}")
        wait_until(lambda job_id=job_id: has_ended(daemon, job_id))
    for job_id in (still, ended):
        started_long_ago(executor, job_id)
    executor.start_server()
    for job_id in (still, ended):
        job = executor.end(job_id)
        assert (job["state"], job["reason"]) == (TIMEOUT, "killed after its timeout of 300 s")
        wait_until(lambda job_id=job_id: not daemon.named(f"gorch-{job_id}"))
    assert executor.end(within)["state"] == SUCCESS


def test_a_container_is_not_started_after_its_time(executor: Executor, daemon: Dockerd, shared: Path) -> None:
    job_id = new_id()
    with registry(hanging=True) as server:
        where = {"source": str(shared), "target": "/m"}
        late = node("touch /m/started", timeout=300, options={"mounts": [where]}) | {"artifact": server.image}
        executor.put(job_id, late, wait=None)
        wait_until(lambda: server.manifests)
        executor.server.kill()
        daemon.tag(*server.image.rsplit(":", 1))
        started_long_ago(executor, job_id)
        executor.start_server()
        assert executor.end(job_id)["state"] == TIMEOUT
    assert not (shared / "started").exists()
    assert not daemon.named(f"gorch-{job_id}")


def test_a_kill_that_was_begun_is_brought_to_its_end(new_executor: Callable[..., Executor], daemon: Dockerd) -> None:
    """An executor that dies meanwhile does not make a failure of it."""
    executor = new_executor(kill_grace="60")
    job_id = executor.start(
        node(f"trap 'echo told; {WAIT}; exit 9' TERM", "echo begun", "while :; do sleep 0.05; done")
    )
    assert executor.call("DELETE", f"tasks/{job_id}", wait=1).status_code == 202
    wait_until(lambda: b"told" in daemon.printed(f"gorch-{job_id}"), what="it has got the signal")
    executor.server.kill()
    daemon.open_gate(f"gorch-{job_id}")
    wait_until(lambda: has_ended(daemon, job_id))
    executor.start_server()
    assert executor.end(job_id)["state"] == CANCELED
    wait_until(lambda: not daemon.named(f"gorch-{job_id}"))


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
