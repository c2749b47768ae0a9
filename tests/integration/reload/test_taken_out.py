"""An executor is moved, or taken out of the settings, while something runs there: whoever goes on follows it."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from api_support import Api
from executor_support import Executor, script
from proxy_support import Proxy
from reload_support import Reloaded, running
from support import Server, wait_until

SUCCESS, CANCELED = 3, 11


@pytest.fixture(scope="module")
def executor(tmp_path_factory: pytest.TempPathFactory, certs: Path) -> Iterator[Executor]:
    found = Executor(tmp_path_factory.mktemp("executor"), certs)
    try:
        found.start_server()
        yield found
    finally:
        found.server.stop()


@pytest.fixture
def house(tmp_path: Path, certs: Path, executor: Executor) -> Iterator[Reloaded]:
    url = executor.server.url
    base = {
        "data": str(tmp_path / "data"),
        "certs": str(certs),
        "workers": 1,
        "lease": 1,
        "executors": {"stays": url, "goes": url},
    }
    file = tmp_path / "orchestrator.toml"
    server = Server(["serve"], {"GORCH_CONFIG": str(file)}, tmp_path)
    with running(Reloaded(server, file, base, by_signal=True)) as found:
        wait_until(lambda: found.events("ready"), what="the worker is ready")
        yield found


def api(house: Reloaded) -> Api:
    return Api(int(house.server.url.rpartition(":")[2]))


def begin(house: Reloaded, gate: Path, tasks: int = 1, after: dict[str, str] | None = None) -> list[str]:
    """Have nodes run on the executor that is taken out then; ``after``: the executors that there are then."""
    text = script("echo begun", f"while [ ! -e {gate} ]; do sleep 0.05; done", "echo done")
    nodes = [{"name": "node", "engine": "shell", "artifact": text, "target": "goes"}]
    found = [api(house).submit({"nodes": nodes}) for _ in range(tasks)]
    for task in found:
        api(house).wait_for_node(task, "node", state=2)
    house.change(executors=after or {"stays": house.base["executors"]["stays"]})
    return found


def end(house: Reloaded, task: str) -> dict[str, Any]:
    """Return the node as it has ended."""
    api(house).end(task)
    (found,) = api(house).task(task)["nodes"]
    return found


def followed(house: Reloaded, task: str) -> None:
    found = end(house, task)
    assert (found["state"], found["attempt"], found["executor"]) == (SUCCESS, 1, "goes")
    assert api(house).call("GET", f"/v1/tasks/{task}/nodes/node/log").data == b"begun\ndone\n"


def test_what_runs_is_followed_where_the_executor_is_called_from_then_on(
    house: Reloaded, tmp_path: Path, executor: Executor
) -> None:
    direct = executor.server.url
    host, _, port = direct.rpartition(":")
    with closing(Proxy(int(port))) as proxy:
        before = {"stays": direct, "goes": f"{host}:{proxy.port}"}
        house.change(executors=before)
        (task,) = begin(house, tmp_path / "gate", after=before | {"goes": direct})
    (tmp_path / "gate").touch()
    followed(house, task)


def test_a_worker_that_comes_later_follows_what_runs_there(house: Reloaded, tmp_path: Path) -> None:
    (task,) = begin(house, tmp_path / "gate")
    (worker,) = house.workers().values()
    worker.kill()
    wait_until(lambda: worker.pid not in house.workers() and house.workers(), what="another worker has come")
    (tmp_path / "gate").touch()
    followed(house, task)


def test_a_service_that_starts_without_it_follows_what_runs_there(
    house: Reloaded, tmp_path: Path, executor: Executor
) -> None:
    goes_on, unwanted = begin(house, tmp_path / "gate", tasks=2)
    house.server.kill()
    house.server.start()
    api(house).call("DELETE", f"/v1/tasks/{unwanted}")
    assert end(house, unwanted)["state"] == CANCELED
    new = {"name": "node", "engine": "shell", "artifact": "/bin/true", "target": "goes"}
    assert end(house, api(house).submit({"nodes": [new]}))["executor"] == "stays"
    (tmp_path / "gate").touch()
    followed(house, goes_on)
    live = [executor.data / "jobs" / "live" / f"{task}.0.1" for task in (goes_on, unwanted)]
    wait_until(lambda: not any(folder.exists() for folder in live), what="their ends are acknowledged")
