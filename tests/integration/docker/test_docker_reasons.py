"""What goes wrong with a container has a reason of its own each time."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from docker_support import IMAGE, Dockerd, node
from executor_support import Executor, new_id
from registry_support import registry
from support import wait_until

SUCCESS, FAILURE, CANCELED = 3, 4, 11
NO_REGISTRY = "127.0.0.1:1/none:1"


def test_no_daemon(new_executor: Callable[..., Executor], tmp_path: Path) -> None:
    executor = new_executor(docker_host=f"unix://{tmp_path}/none.sock")
    job = executor.run(node("true"))
    assert (job["state"], job["reason_code"]) == (FAILURE, "engine")
    told = f"no Docker daemon answers at unix://{tmp_path}/none.sock (No such file or directory): start it"
    assert job["reason"].startswith(told)
    assert "docker_host" in job["reason"]
    engine = executor.call("GET", "ping").json()["engines"]["docker"]
    assert (engine["ok"], engine["reason"]) == (False, job["reason"])


def test_an_image_that_cannot_be_pulled(executor: Executor) -> None:
    job = executor.run(node("true") | {"artifact": NO_REGISTRY})
    assert (job["state"], job["reason_code"]) == (FAILURE, "artifact")
    assert f"image '{NO_REGISTRY}' is not on this executor's machine: it cannot be pulled" in job["reason"]


def test_an_image_is_pulled_when_it_is_missing_or_always(executor: Executor) -> None:
    with registry() as server:
        assert executor.run(node("echo pulled") | {"artifact": server.image})["log"] == b"pulled\n"
        assert server.manifests > 0
        before = server.manifests
        assert executor.run(node("true") | {"artifact": server.image})["state"] == SUCCESS
        assert server.manifests == before
        assert executor.run(node("true", options={"pull": "always"}) | {"artifact": server.image})["state"] == SUCCESS
        assert server.manifests > before


def test_a_pull_that_hangs_is_cancelled(executor: Executor) -> None:
    with registry(hanging=True) as server:
        job_id = new_id()
        executor.put(job_id, node("true") | {"artifact": server.image}, wait=None)
        wait_until(lambda: server.manifests)
        assert executor.delete(job_id).json()["state"] == CANCELED


def test_more_memory_than_it_may_have(executor: Executor) -> None:
    greedy = "echo begun; a=$(tr '\\0' x </dev/zero)"
    job = executor.run(node(greedy, options={"memory": "16M"}))
    assert (job["state"], job["reason_code"], job["exit_code"]) == (FAILURE, "memory", 137)
    assert "more than the memory that it may have (exit status 137" in job["reason"]
    assert job["log"] == b"begun\n"


@pytest.mark.parametrize(("command", "code", "why"), [("nope", 127, "not found"), ("/tmp", 126, "permission denied")])
def test_a_command_that_cannot_be_started(
    executor: Executor, daemon: Dockerd, command: str, code: int, why: str
) -> None:
    job_id = new_id()
    executor.put(job_id, node() | {"args": [command]})
    job = executor.end(job_id)
    assert (job["state"], job["reason_code"], job["exit_code"]) == (FAILURE, "artifact", code)
    assert job["reason"].startswith(f"cannot start a container of {IMAGE}: ")
    assert why in job["reason"]
    assert not daemon.named(f"gorch-{job_id}")


def test_no_image_and_no_sound_one(executor: Executor) -> None:
    job = executor.run({"name": "n", "engine": "docker", "args": ["true"]})
    assert (job["state"], job["reason_code"], job["reason"]) == (
        FAILURE,
        "artifact",
        "the node has no artifact: it names the image",
    )
    job = executor.run(node("true") | {"artifact": "NOT an image"})
    assert (job["state"], job["reason_code"]) == (FAILURE, "argument")
    assert "the daemon refuses the container: invalid reference format" in job["reason"]


def mount(source: str, **more: Any) -> dict[str, Any]:
    return {"mounts": [{"source": source, "target": "/m", **more}]}


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (
            {"network": "host"},
            "network 'host' is not allowed on this executor; its setting docker_networks allows none",
        ),
        (mount("/etc"), "a mount of /etc is not allowed on this executor; its setting docker_mounts allows "),
        ({"capabilities": ["CHOWN", "SYS_ADMIN"]}, "capability SYS_ADMIN is not allowed on this executor; its setting"),
        ({"memory": "65M"}, "memory 68157440 is more than this executor's setting docker_memory allows: 67108864"),
        ({"cpus": 2}, "cpus 2.0 is more than this executor's setting docker_cpus allows: 1.5"),
        ({"pids": 101}, "pids 101 is more than this executor's setting docker_pids allows: 100"),
    ],
)
def test_an_option_beyond_the_settings(executor: Executor, options: dict[str, Any], told: str) -> None:
    job = executor.run(node("true", options=options))
    assert (job["state"], job["reason_code"]) == (FAILURE, "argument")
    assert job["reason"].startswith(told)


def test_mounts_that_lead_elsewhere(executor: Executor, shared: Path) -> None:
    (shared / "away").symlink_to("/etc")
    for path in (f"{shared}/away", f"{shared}/../../etc", f"{shared}-not"):
        job = executor.run(node("true", options=mount(path)))
        assert "docker_mounts" in job["reason"], path
    job = executor.run(node("true", options=mount(f"{shared}/none")))
    assert job["reason"].endswith("/none: there is no such file or directory on this executor's machine")


def test_a_mount_that_leads_elsewhere_after_it_was_allowed(executor: Executor, daemon: Dockerd, shared: Path) -> None:
    """Its check and its use are far apart if an image has to be fetched."""
    link, folder, job_ids = shared / "link", shared / "folder", [new_id(), new_id()]
    for path in (shared / "one", folder):
        path.mkdir()
    link.symlink_to(shared / "one")
    with registry(hanging=True) as server:
        for job_id, path in zip(job_ids, (link, folder), strict=True):
            document = node("ls /m", options=mount(str(path))) | {"artifact": server.image}
            executor.put(job_id, document, wait=None)
        wait_until(lambda: server.manifests)
        link.unlink()
        link.symlink_to("/etc")
        folder.rmdir()
        folder.symlink_to("/etc")
        server.go_on.set()
        for job_id, path, was in zip(job_ids, (link, folder), (shared / "one", folder), strict=True):
            job = executor.end(job_id)
            assert (job["state"], job["reason_code"], job["log_size"]) == (FAILURE, "argument", 0)
            assert f"a mount of {path}: what it leads to has changed after it was allowed as {was};" in job["reason"]
            assert not daemon.named(f"gorch-{job_id}")


def test_a_mount_of_a_container_that_was_found(executor: Executor, daemon: Dockerd, shared: Path) -> None:
    """It was made by an executor before this one, when the path led elsewhere."""
    job_id = new_id()
    (shared / "now").mkdir()
    client = daemon.client()
    host = client.create_host_config(binds=["/etc:/m:ro"])
    about = {"name": f"gorch-{job_id}", "labels": {"gorchestrator.job": job_id}}
    client.create_container(IMAGE, ["/bin/ls", "/m"], host_config=host, **about)
    client.close()
    executor.put(job_id, node("ls /m", options=mount(f"{shared}/now")), wait=None)
    job = executor.end(job_id)
    assert (job["state"], job["reason_code"], job["log_size"]) == (FAILURE, "argument", 0)
    assert "has changed after it was allowed" in job["reason"]
    assert not daemon.named(f"gorch-{job_id}")


@pytest.mark.parametrize(
    ("options", "where"),
    [
        ({"pull": "sometimes"}, "/options/pull"),
        ({"memory": "much"}, "/options/memory"),
        ({"cpus": 0}, "/options/cpus"),
        ({"pids": 0}, "/options/pids"),
        ({"read_only": "yes"}, "/options/read_only"),
        ({"labels": {"gorchestrator.job": "x"}}, "/options/labels/gorchestrator.job"),
        ({"mounts": [{"source": "here", "target": "/gorch/output"}]}, "/options/mounts/0/source"),
        ({"capabilities": ["ALL; "]}, "/options/capabilities/0"),
        ({"workdir": "work"}, "/options/workdir"),
    ],
)
def test_an_option_that_says_nothing_sensible(executor: Executor, options: dict[str, Any], where: str) -> None:
    answer = executor.put(new_id(), node("true", options=options))
    assert answer.status_code == 422
    assert where in [fault["pointer"] for fault in answer.json()["errors"]]
