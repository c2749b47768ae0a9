"""A real orchestrator takes new settings into use while graphs run: by signals, by itself under gunicorn by hand."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from api_support import Api
from executor_support import Executor, script
from reload_support import ByHand, Reloaded, running
from sinks_support import Receiver, having, receiver
from support import Server, wait_until

SUCCESS = 3
WORKERS = 2
TWO = {"nodes": [{"name": "a", "engine": "nil"}, {"name": "b", "engine": "nil"}]}
NOTICED = 2.0  # seconds within which gunicorn by hand notices a changed file
BUSY = 3.0  # seconds that a busy machine may take longer


@dataclass
class House:
    """The service under test, and a logstash that is told which of its processes says what."""

    service: Reloaded
    logstash: Receiver

    @property
    def api(self) -> Api:
        return Api(int(self.service.server.url.rpartition(":")[2]))

    def takes(self, document: dict[str, Any]) -> bool:
        """Whether a worker finds no fault with a gorch."""
        return self.api.call("POST", "/v1/validate", document).status == 200


@pytest.fixture(scope="module")
def executor(tmp_path_factory: pytest.TempPathFactory, certs: Path) -> Iterator[Executor]:
    found = Executor(tmp_path_factory.mktemp("executor"), certs)
    try:
        found.start_server()
        yield found
    finally:
        found.server.stop()


@pytest.fixture(scope="module", params=[True, False], ids=["gorch", "by-hand"])
def house(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, certs: Path, executor: Executor
) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("house")
    with receiver() as logstash:
        base = {
            "data": str(folder / "data"),
            "certs": str(certs),
            "workers": WORKERS,
            "executors": {"executor": executor.server.url},
            "logstash": f"tcp://127.0.0.1:{logstash.port}",
        }
        file = folder / "orchestrator.toml"
        kind = Server if request.param else ByHand
        service = Reloaded(kind(["serve"], {"GORCH_CONFIG": str(file)}, folder), file, base, by_signal=request.param)
        with running(service):
            wait_until(lambda: len(service.events("ready")) == WORKERS, what="both workers are ready")
            yield House(service, logstash)


def test_a_run_goes_on_through_reloads_in_the_same_workers(house: House, tmp_path: Path) -> None:
    pids = house.service.workers().keys()
    go = tmp_path / "go"
    waits = script(f"while [ ! -e {go} ]; do sleep 0.05; done", "echo done")
    nodes = [
        {"name": "waits", "engine": "shell", "artifact": waits},
        {"name": "beside", "engine": "sleep", "args": ["0.5"]},
        {"name": "after", "engine": "shell", "artifact": "/bin/true", "needs": ["waits", "beside"]},
    ]
    task = house.api.submit({"nodes": nodes})
    house.api.wait_for_node(task, "waits", state=2)
    for most in (1001, 1002, 1003):
        assert house.service.change(open_runs=most)["settings"] == ["open_runs"]
    go.touch()
    found = house.api.end(task)
    assert found["state"] == SUCCESS
    assert {node["attempt"] for node in found["nodes"] if node["engine"] == "shell"} == {1}
    assert house.service.workers().keys() == pids


def test_a_faulty_file_changes_nothing_for_workers_that_begin_later_too(house: House) -> None:
    house.service.change(max_nodes=1)
    told = len(house.service.events("settings_reloaded")), len(house.service.events("settings_refused"))
    refused = house.service.refused('max_nodes = 0\nopen_rums = 4\nbody_limit = "1"\n')
    for name, fault in zip(("max_nodes", "open_rums", "body_limit"), refused["faults"], strict=True):
        assert name in fault
    ready = len(house.service.events("ready"))
    next(iter(house.service.workers().values())).kill()
    wait_until(lambda: len(house.service.events("ready")) > ready, what="another worker is ready")
    assert not any(house.takes(TWO) for _ in range(2 * WORKERS))
    assert told == (len(house.service.events("settings_reloaded")), len(house.service.events("settings_refused")) - 1)
    house.service.change()
    assert all(house.takes(TWO) for _ in range(2 * WORKERS))


def test_a_changed_file_is_noticed_in_time(house: House) -> None:
    begun = time.monotonic()
    house.service.change(max_nodes=1)
    assert time.monotonic() - begun < NOTICED + BUSY
    assert not any(house.takes(TWO) for _ in range(2 * WORKERS))
    house.service.change()


def test_what_needs_a_restart_is_told_and_stays(house: House) -> None:
    data = house.service.base["data"]
    line = house.service.change(data=f"{data}-other", port=1, max_nodes=1)
    assert line["settings"] == ["max_nodes"]
    assert set(house.service.events("settings_need_restart")[-1]["settings"]) >= {"data"}
    workers, ready = house.service.workers(), len(house.service.events("ready"))
    for worker in workers.values():
        worker.terminate()
    wait_until(lambda: len(house.service.events("ready")) == ready + WORKERS, what="other workers are ready")
    wait_until(lambda: house.service.workers().keys().isdisjoint(workers), what="those of before are gone")
    assert not any(house.takes(TWO) for _ in range(2 * WORKERS))
    assert not Path(f"{data}-other").exists()
    house.service.change()


def test_levels_change_in_all_workers(house: House) -> None:
    house.service.change(logstash_level="error")
    for _ in range(2 * WORKERS):
        assert house.api.call("GET", "/v1/unwanted").status == 404
    house.service.change(logstash_level="info")

    def told() -> set[int]:
        assert house.api.call("GET", "/v1/wanted").status == 404
        return {line["pid"] for line in having(house.logstash.lines(), event="request", path="/v1/wanted")}

    wait_until(lambda: told() == house.service.workers().keys(), what="both workers tell of requests")
    assert not having(house.logstash.lines(), path="/v1/unwanted")
