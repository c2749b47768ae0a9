"""What a container is given and what it may do, and what comes out of it."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from docker_support import IMAGE, Dockerd, node
from executor_support import Executor, new_id, started
from support import wait_until

SUCCESS, FAILURE, CANCELED = 3, 4, 11


def test_a_container_is_bounded_as_asked_for_and_as_the_settings_say(executor: Executor, daemon: Dockerd) -> None:
    options = {"memory": "32M", "cpus": 0.5, "pids": 20, "labels": {"team": "blue"}, "network": "none"}
    found = running(executor, daemon, node("sleep 600", options=options))
    host = found["HostConfig"]
    assert (host["Memory"], host["MemorySwap"]) == (32 * 2**20, 32 * 2**20)
    assert (host["NanoCpus"], host["PidsLimit"]) == (500_000_000, 20)
    assert (host["NetworkMode"], host["Privileged"], host["CapDrop"]) == ("none", False, ["ALL"])
    assert found["Config"]["Labels"]["team"] == "blue"
    host = running(executor, daemon, node("sleep 600"))["HostConfig"]
    assert (host["Memory"], host["NanoCpus"], host["PidsLimit"]) == (64 * 2**20, 1_500_000_000, 100)


def test_a_container_has_a_bound_of_processes_by_default(new_executor: Callable[..., Executor]) -> None:
    executor = new_executor()
    show = "cat /sys/fs/cgroup/pids.max /sys/fs/cgroup/pids/pids.max 2>/dev/null || true"
    assert executor.run(node(show))["log"] == b"4096\n"
    fork = "i=0; while [ $i -lt 50 ]; do sleep 600 & i=$((i+1)); done; echo all"
    job = executor.run(node(fork, options={"pids": 20}))
    assert (job["state"], job["log"].endswith(b"all\n")) == (FAILURE, False)


def test_users_that_are_allowed(new_executor: Callable[..., Executor]) -> None:
    executor = new_executor(docker_users="1000:1001,2000:2000")
    show = "echo $(id -u) $(id -g)"
    assert executor.run(node(show))["log"] == b"1000 1001\n"
    assert executor.run(node(show, options={"user": "2000:2000"}))["log"] == b"2000 2000\n"
    for other in ("0", "0:0", "1000", "root"):
        job = executor.run(node(show, options={"user": other}))
        assert (job["state"], job["reason_code"]) == (FAILURE, "argument")
        told = f"user '{other}' is not allowed on this executor; its setting docker_users allows 1000:1001, 2000:2000"
        assert job["reason"] == told


def test_a_data_directory_with_a_colon_in_its_path(tmp_path: Path, certs: Path, daemon: Dockerd) -> None:
    settings = {"GORCH_EXECUTOR_DOCKER_HOST": daemon.host, "GORCH_EXECUTOR_DOCKER_NETWORKS": "none"}
    with started(Executor(tmp_path / "a:b", certs, settings)) as executor:
        job = executor.run(node('echo size=12 >> "$GORCH_OUTPUT"'))
        assert (job["state"], job["output"]) == (SUCCESS, {"size": "12"})


def running(executor: Executor, daemon: Dockerd, document: dict[str, Any]) -> dict[str, Any]:
    """Return what the daemon knows of a node's container, and cancel it."""
    job_id = new_id()
    executor.put(job_id, document, wait=None)
    wait_until(lambda: [each for each in daemon.named(f"gorch-{job_id}") if each["State"] == "running"])
    client = daemon.client()
    found: dict[str, Any] = client.inspect_container(f"gorch-{job_id}")
    client.close()
    assert executor.delete(job_id).json()["state"] == CANCELED
    assert not daemon.named(f"gorch-{job_id}")
    return found


def test_it_has_no_capabilities_but_those_that_are_allowed(executor: Executor) -> None:
    show = "grep -E 'CapBnd|CapEff|NoNewPrivs' /proc/self/status; ip -o link | grep -vc ' lo:'; id -u"
    nothing = ["CapEff:0000000000000000", "CapBnd:0000000000000000", "NoNewPrivs:1", "0", "0"]
    assert words(executor.run(node(show))) == nothing
    job = executor.run(node(show, options={"capabilities": ["CHOWN"]}))
    assert words(job) == ["CapEff:0000000000000001", "CapBnd:0000000000000001", *nothing[2:]]


def words(job: dict[str, Any]) -> list[str]:
    return ["".join(line.split()) for line in job["log"].decode().splitlines()]


def test_a_read_only_root_another_user_and_a_directory(executor: Executor) -> None:
    options = {"read_only": True, "user": "1234:1235", "workdir": "/tmp"}
    lines = ("id -u; id -g; pwd", "touch /tmp/x 2>/dev/null && echo written", 'echo size=12 >> "$GORCH_OUTPUT"')
    job = executor.run(node(*lines, options=options))
    assert (job["state"], job["log"]) == (SUCCESS, b"1234\n1235\n/tmp\n")
    assert job["output"] == {"size": "12"}


def test_an_entrypoint_takes_the_place_of_that_of_the_image(executor: Executor) -> None:
    document = {"name": "n", "engine": "docker", "artifact": IMAGE, "args": ["a", "b"]}
    assert executor.run(document | {"options": {"entrypoint": ["/bin/echo", "-n", "said"]}})["log"] == b"said a b"


def test_the_environment_is_that_of_the_node_alone(executor: Executor) -> None:
    job_id = new_id(7, 2)
    context = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    document = node("env | grep -v -E '^(HOSTNAME|HOME|PATH|SHLVL|PWD)='", env={"COLOUR": "dark  blue"})
    executor.put_in(context, job_id, document)
    assert sorted(executor.log_of(job_id).splitlines()) == [
        "COLOUR=dark  blue",
        "GORCH_ATTEMPT=2",
        "GORCH_NODE=n",
        "GORCH_OUTPUT=/gorch/output",
        f"GORCH_TASK_ID={job_id.partition('.')[0]}",
        f"TRACEPARENT={context}",
    ]


def test_a_secret_is_hidden_in_what_it_prints(executor: Executor) -> None:
    folder = executor.data / "secrets"
    folder.mkdir(exist_ok=True)
    with open(folder / "token", "x", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
        file.write("quite-secret")
    job = executor.run(node("echo token=$TOKEN; exit 3", env={"TOKEN": {"secret": "token"}}))
    assert job["log"] == b"token=************\n"
    assert "quite-secret" not in job["reason"]


def test_mounts(executor: Executor, shared: Path) -> None:
    (shared / "data").mkdir()
    (shared / "data/in").write_text("hello")
    where = {"source": f"{shared}/data", "target": "/m"}
    job = executor.run(node("cat /m/in; echo x > /m/out", options={"mounts": [where | {"read_only": True}]}))
    assert job["exit_code"] == 1
    assert b"hello" in job["log"]
    assert b"Read-only" in job["log"]
    assert executor.run(node("echo x > /m/out", options={"mounts": [where]}))["state"] == SUCCESS
    assert (shared / "data/out").read_text() == "x\n"


def test_a_long_log_of_both_streams_is_complete_and_each_in_order(executor: Executor) -> None:
    count = (
        "while [ $i -lt 14000 ]; do echo $i is what this line says, and it is of stdout; echo $i >&2; i=$((i+1)); done"
    )
    job_id = new_id()
    executor.put(job_id, node("i=0", count, "echo end"))
    executor.end(job_id)
    expected = "".join(f"{i} is what this line says, and it is of stdout\n{i}\n" for i in range(14000)) + "end\n"
    data = (executor.data / "jobs/live" / job_id / "output.log").read_bytes()
    assert len(expected) > 700_000
    assert sorted(data.split(b"\n")) == sorted(expected.encode().split(b"\n"))
    assert executor.get(job_id)["log_size"] == len(expected)
    own = [line for line in data.split(b"\n") if b" is " in line]
    assert own == sorted(own, key=lambda line: int(line.split()[0]))


def test_a_megabyte_without_a_line_end(executor: Executor) -> None:
    job_id = new_id()
    executor.put(job_id, node("head -c 1048576 /dev/zero | tr '\\0' x"))
    assert executor.end(job_id)["state"] == SUCCESS
    data = (executor.data / "jobs/live" / job_id / "output.log").read_bytes()
    assert hashlib.sha256(data).digest() == hashlib.sha256(b"x" * 2**20).digest()


def test_what_it_says_while_it_is_stopped_is_in_the_log(executor: Executor) -> None:
    job_id = executor.start(node("trap 'echo stopped; exit 0' TERM", "echo begun", "while :; do sleep 0.05; done"))
    job = executor.delete(job_id).json()
    assert (job["state"], job["exit_code"]) == (CANCELED, None)
    assert executor.log_of(job_id) == "begun\nstopped\n"


def test_a_container_that_somebody_has_paused_is_cancelled(executor: Executor, daemon: Dockerd) -> None:
    job_id = executor.start(node("echo begun; sleep 600"))
    client = daemon.client()
    client.pause(f"gorch-{job_id}")
    client.close()
    assert executor.delete(job_id).json()["state"] == CANCELED
    assert not daemon.named(f"gorch-{job_id}")


def test_containers_do_not_stay(executor: Executor, daemon: Dockerd) -> None:
    executor.run(node("true"))
    executor.run(node("false"))
    wait_until(lambda: not daemon.containers(), what="all containers are removed")
