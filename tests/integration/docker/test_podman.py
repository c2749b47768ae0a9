"""What Podman does in another way than Docker."""

from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread

import pytest

from docker_support import Dockerd, node, podman
from executor_support import Executor
from support import wait_until

RUNNING, FAILURE = 2, 4


@pytest.fixture(scope="module")
def daemon() -> Iterator[Dockerd]:
    with podman() as found:
        yield found


def test_a_container_that_somebody_stops_has_not_ended_before_it_is_dead(
    new_executor: Callable[..., Executor], daemon: Dockerd, tmp_path: Path
) -> None:
    """Meanwhile it is in a state of its own, in which it is said not to run, and to have the exit status 0."""
    executor = new_executor(docker_mounts=str(tmp_path))
    options = {"mounts": [{"source": str(tmp_path), "target": "/m"}]}
    wait = "while [ ! -e /m/gate ]; do sleep 0.05; done"
    job_id = executor.start(
        node(f"trap '{wait}; exit 9' TERM", "echo begun; while :; do sleep 0.05; done", options=options)
    )
    executor.server.kill()
    client = daemon.client()
    stopping = Thread(target=client.stop, args=(f"gorch-{job_id}", 50))
    stopping.start()
    wait_until(lambda: [each["State"] for each in daemon.named(f"gorch-{job_id}")] == ["stopping"])
    executor.start_server()
    assert executor.get(job_id, wait=1)["state"] == RUNNING
    (tmp_path / "gate").touch()
    job = executor.end(job_id)
    assert (job["state"], job["exit_code"]) == (FAILURE, 9)
    wait_until(lambda: not daemon.named(f"gorch-{job_id}"))
    stopping.join()
    client.close()
