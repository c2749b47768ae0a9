"""Containers, and the daemon that has them: it dies, they are removed, they need more memory than there is."""

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import failures_support
from docker_support import WAIT, Dockerd, dockerd
from docker_support import node as in_container
from executor_support import alive
from failures_support import FAILURE, PATIENCE, RUNNING, SUCCESS, House
from support import wait_until

ONCE = 'echo "$GORCH_TASK_ID $GORCH_NODE" >> /ledger'


@pytest.fixture(scope="module")
def daemon() -> Iterator[Dockerd]:
    with dockerd() as found:
        yield found


@pytest.fixture(scope="module")
def docks(tmp_path_factory: pytest.TempPathFactory, certs: Path, daemon: Dockerd) -> Iterator[House]:
    """Return a house whose executor uses the daemon."""
    folder = tmp_path_factory.mktemp("docks")
    back = {"docker_host": daemon.host, "docker_networks": "none", "docker_mounts": str(folder)}
    with failures_support.house(folder, certs, back=back) as found:
        yield found


def container(house: House, *lines: str, **options: object) -> dict[str, object]:
    """Return a node that writes itself into the ledger, and goes on in its container."""
    options |= {"mounts": [{"source": str(house.ledger), "target": "/ledger"}]}
    return in_container(ONCE, "echo started", *lines, options=options) | {"name": "node"}


def name_of(task: str) -> str:
    return f"gorch-{task}.0.1"


def runs(house: House, daemon: Dockerd, task: str) -> None:
    """Return when a container runs, and its daemon has that on its disk."""
    house.has_run(task)
    wait_until(lambda: [each["State"] for each in daemon.named(name_of(task))] == ["running"], PATIENCE)
    house.shows(task, state=RUNNING)


def executor_says(house: House, task: str, part: str) -> bool:
    """Return whether the job's reason on the executor has a text."""
    reason = house.executor.get(f"{task}.0.1")["reason"]
    return part in (reason or "")


@contextmanager
def living_on(daemon: Dockerd) -> Iterator[None]:
    """Have a daemon whose containers go on without it."""
    daemon.live_restore = True
    daemon.stop()
    daemon.start()
    try:
        yield
    finally:
        daemon.live_restore = False
        daemon.stop()
        daemon.start()


def test_docker_daemon_killed_while_a_container_runs(docks, daemon):
    """Its container is killed by the daemon that comes after it."""
    task = docks.submit(container(docks, WAIT), {**docks.node("after"), "needs": ["node"]})
    runs(docks, daemon, task)
    daemon.kill()
    wait_until(lambda: executor_says(docks, task, f"Docker daemon at {daemon.host} unreachable since"), PATIENCE)
    docks.shows(task, state=RUNNING)
    daemon.start()
    node = docks.once(task, FAILURE)
    assert (node["reason_code"], node["exit_code"] in (137, 143, 255)) == ("exit", True), node
    assert docks.log(task) == b"started\n"
    wait_until(lambda: not daemon.named(name_of(task)))
    assert docks.end(docks.submit(container(docks)))["node"]["state"] == SUCCESS


def test_docker_daemon_with_live_restore_killed_while_a_container_runs(docks, daemon):
    with living_on(daemon):
        task = docks.submit(container(docks, WAIT, "echo ended", "exit 7"))
        runs(docks, daemon, task)
        daemon.kill()
        wait_until(lambda: executor_says(docks, task, "unreachable since"), PATIENCE)
        docks.shows(task, state=RUNNING)
        daemon.start()
        daemon.open_gate(name_of(task))
        node = docks.once(task, FAILURE)
        assert (node["reason_code"], node["exit_code"], docks.log(task)) == ("exit", 7, b"started\nended\n")


def test_docker_daemon_killed_while_it_starts_a_container(docks, daemon):
    """It does not know afterwards that it has started it; nobody starts it again, and nothing of it is left."""
    before, mark = docks.ledger.read_text(), uuid.uuid4().hex
    task = docks.submit(container(docks, f": {mark}", WAIT))
    end = time.monotonic() + PATIENCE
    while docks.ledger.read_text() == before:  # without a pause: there are some milliseconds
        assert time.monotonic() < end
    daemon.kill()
    daemon.start()
    node = docks.once(task, FAILURE)
    assert node["reason_code"] in ("lost", "exit"), node  # it may have been too late: then it is as above
    assert not alive(mark)


def test_docker_container_removed_by_somebody(docks, daemon):
    task = docks.submit(container(docks, WAIT))
    runs(docks, daemon, task)
    daemon.remove(name_of(task))
    node = docks.once(task, FAILURE)
    assert (node["reason_code"], node["exit_code"]) == ("lost", None)
    assert f"container {name_of(task)} was removed by somebody" in node["reason"]


def test_docker_container_out_of_memory(docks):
    task = docks.submit(container(docks, "a=$(tr '\\0' x </dev/zero)", memory="16M"))
    node = docks.once(task, FAILURE)
    assert (node["reason_code"], node["exit_code"]) == ("memory", 137)
    assert "more than the memory that it may have" in node["reason"]
