"""A real orchestrator takes new settings into use while graphs run: by signals, by itself under gunicorn by hand."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from api_support import Api
from audit_support import grow_old
from executor_support import Executor, script
from gorchestrator.common.reload import live
from gorchestrator.config import Config
from gorchestrator.domain.retention import SETTLED
from reload_logs_support import TAKEN as LOGS
from reload_support import ByHand, Reloaded, running
from sinks_support import Receiver, having, receiver
from support import Server, wait_until

SUCCESS = 3
WORKERS = 2
TWO = {"nodes": [{"name": "a", "engine": "nil"}, {"name": "b", "engine": "nil"}]}
ONE_EDGE: dict[str, Any] = {"nodes": [{"name": "a"}, {"name": "b", "needs": ["a"]}]}
NOTICED = 2.0  # seconds within which gunicorn by hand notices a changed file
BUSY = 3.0  # seconds that a busy machine may take longer


@dataclass
class House:
    """The service under test, and a logstash that is told which of its processes says what."""

    service: Reloaded
    logstash: Receiver
    executor: Executor
    ended: tuple[str, float] = ("", 0)

    @property
    def api(self) -> Api:
        return Api(int(self.service.server.url.rpartition(":")[2]))

    def ask(self, path: str) -> None:
        assert self.api.call("GET", path).status == 404

    def end_one(self) -> None:
        """Have a task that has ended: its id, and when it may be removed."""
        task = self.api.submit(TWO)
        assert self.api.end(task)["state"] == SUCCESS
        assert self.api.end(self.api.submit(TWO))["state"] == SUCCESS  # one that ended later
        self.ended = task, time.monotonic() + SETTLED

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
            found = House(service, logstash, executor)
            found.end_one()
            yield found


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


def test_the_audit_has_each_reload_once(house: House) -> None:
    def told() -> list[dict[str, Any]]:
        return house.api.call("GET", "/v1/audit?action=settings.reload").json["lines"]

    details = {"settings": house.service.change(max_nodes=3)["settings"]}
    found = wait_until(lambda: (lines := told()) and lines[0]["details"] == details and lines)
    house.service.refused("max_nodes = 0\n")
    refused, *others = wait_until(lambda: len(lines := told()) > len(found) and lines)
    (fault,) = refused["details"]["refused"]
    assert "max_nodes" in fault
    assert others == found
    assert (refused["actor"], refused["source"]) == ("engine", "local")
    assert refused["subject"] == str(house.service.file)
    house.service.change()


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


# -- each setting that can change


def body_limit(house: House) -> None:
    house.service.change(body_limit=1024)
    assert house.api.call("POST", "/v1/validate", {"name": "x" * 1024, "nodes": []}).status == 413


def max_nodes(house: House) -> None:
    house.service.change(max_nodes=1)
    assert not house.takes(TWO)


def open_runs(house: House) -> None:
    house.service.change(open_runs=1)
    task = house.api.submit({"nodes": [{"name": "a", "engine": "sleep", "args": ["600"]}]})
    assert house.api.call("POST", "/v1/tasks", TWO).status == 429
    house.api.cancel(task)


def max_edges(house: House) -> None:
    house.service.change(max_edges=1)
    assert house.takes(ONE_EDGE)
    assert not house.takes({"nodes": [*ONE_EDGE["nodes"], {"name": "c", "needs": ["a"]}]})


def submit_rate(house: House) -> None:
    house.service.change(submit_rate=1)
    statuses = [house.api.call("POST", "/v1/tasks", TWO).status for _ in range(2)]
    assert statuses == [202, 429]
    house.service.change()
    assert house.api.call("POST", "/v1/tasks", TWO).status == 202


def streams_per_client(house: House) -> None:
    house.service.change(streams_per_client=1)
    with ExitStack() as stack:
        statuses = set()
        for _ in range(WORKERS + 1):
            connection = stack.enter_context(closing(house.api.connect()))
            connection.request("GET", "/v1/events")
            statuses.add(connection.getresponse().status)
    assert 429 in statuses


def allowed_hosts(house: House) -> None:
    headers = {"Host": "other.example"}
    assert house.api.call("GET", "/v1/ping", headers=headers).status == 421
    house.service.change(allowed_hosts=["127.0.0.1", "other.example"])
    assert house.api.call("GET", "/v1/ping", headers=headers).status == 200


def cors_origins(house: House) -> None:
    headers = {"Origin": "https://console.example"}
    assert "access-control-allow-origin" not in house.api.call("GET", "/v1/ping", headers=headers).headers
    house.service.change(cors_origins=["https://console.example"])
    assert "access-control-allow-origin" in house.api.call("GET", "/v1/ping", headers=headers).headers


def trusted_proxies(house: House) -> None:
    house.service.change(trusted_proxies=["127.0.0.1"])
    house.api.call("GET", "/v1/proxied", headers={"X-Forwarded-For": "203.0.113.9"})
    line = house.logstash.wait_for(house.logstash.lines, event="request", path="/v1/proxied")
    assert line["peer"] == "203.0.113.9"


def executors(house: House) -> None:
    """One goes while it has work, and another one comes."""
    go = Path(house.service.base["data"]) / "go"
    waits = script(f"while [ ! -e {go} ]; do sleep 0.05; done")
    runs = house.api.submit({"nodes": [{"name": "runs", "engine": "shell", "artifact": waits}]})
    house.api.wait_for_node(runs, "runs", state=2)
    url = house.service.base["executors"]["executor"]
    house.service.change(executors={"other": {"url": url, "labels": ["some.host"]}})
    follows = {"name": "a", "engine": "shell", "artifact": "true", "target": "some.host"}
    assert house.api.end(house.api.submit({"nodes": [follows]}))["nodes"][0]["executor"] == "other"
    (shown,) = house.api.call("GET", "/v1/ping").json["executors"]
    assert (shown["name"], shown["labels"], shown["reachable"]) == ("other", ["some.host"], True)
    go.touch()
    (node,) = house.api.end(runs)["nodes"]
    assert (node["state"], node["executor"], node["attempt"]) == (SUCCESS, "executor", 1)


def keep_age(house: House) -> None:
    _removes(house, keep_age=0.1)


def keep_count(house: House) -> None:
    _removes(house, keep_count=1)


def keep_bytes(house: House) -> None:
    _removes(house, keep_bytes=1)


def keep_audit(house: House) -> None:
    pruned = "/v1/audit?action=audit.prune"
    assert house.api.call("GET", pruned).json["lines"] == []
    grow_old(Path(house.service.base["data"]) / "gorchestrator.db", 1, days=3)
    house.service.change(keep_audit=1.5 * 86_400)
    wait_until(lambda: house.api.call("GET", pruned).json["lines"], what="it is pruned")


def log_limit(house: House) -> None:
    house.service.change(log_limit=2048)
    many = script("head -c 100000 /dev/zero | tr '\\0' x")
    task = house.api.submit({"nodes": [{"name": "a", "engine": "shell", "artifact": many}]})
    assert house.api.end(task)["state"] == SUCCESS
    assert len(house.api.call("GET", f"/v1/tasks/{task}/nodes/0/log").data) < 10_000


def lost_after(house: House) -> None:
    """Of an attempt that runs already."""
    task = house.api.submit({"nodes": [{"name": "a", "engine": "shell", "artifact": "/bin/sleep", "args": ["600"]}]})
    house.api.wait_for_node(task, "a", state=2)
    house.executor.server.stop()
    try:
        house.service.change(lost_after=0.5)
        assert house.api.end(task)["nodes"][0]["reason_code"] == "lost"
    finally:
        house.service.change()
        house.executor.start_server()
        house.executor.kill_everything()


def _removes(house: House, **setting: float) -> None:
    task, settled = house.ended
    wait_until(lambda: time.monotonic() > settled, what="it may be removed")
    assert house.api.call("GET", f"/v1/tasks/{task}").status == 200
    house.service.change(**setting)
    wait_until(lambda: house.api.call("GET", f"/v1/tasks/{task}").status == 404, what="it is removed")
    house.service.change()
    house.end_one()


OURS: dict[str, Callable[[House], None]] = {
    each.__name__: each
    for each in (
        body_limit,
        max_nodes,
        open_runs,
        max_edges,
        submit_rate,
        streams_per_client,
        allowed_hosts,
        trusted_proxies,
        cors_origins,
        executors,
        log_limit,
        lost_after,
        keep_age,
        keep_count,
        keep_bytes,
        keep_audit,
    )
}
ELSEWHERE = {"client_roles"}  # it is about client certificates: tests/integration/api/test_client_certificates.py


@pytest.mark.parametrize("house", [True], indirect=True, ids=["gorch"])
# Sorted by their ends: those of retention are apart.
@pytest.mark.parametrize("name", sorted(live(Config) - ELSEWHERE, key=lambda name: name[::-1]))
def test_each_setting_that_can_change_is_taken_into_use(house: House, name: str, certs: Path) -> None:
    if name in LOGS:
        LOGS[name](house.service, house.ask, certs)
    else:
        OURS[name](house)


def test_nothing_is_shown_that_cannot_change() -> None:
    assert LOGS.keys() | OURS.keys() | ELSEWHERE == live(Config)
