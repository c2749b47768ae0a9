"""A real executor takes new settings into use while jobs run: by signals, and under gunicorn by hand by itself."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from beds import needs
from executor.config import Config
from executor_support import Executor, body, new_id, script, started
from gorchestrator.common.reload import live
from reload_logs_support import TAKEN as LOGS
from reload_support import ByHand, Reloaded
from support import Server, wait_until
from web_support import Web, node, serving

SUCCESS, CANCELED = 3, 11
NEVER = 600.0  # seconds that nobody waits here
GO = ("echo started", "while [ ! -e go ]; do sleep 0.05; done")
GIGABYTE = 2**30


@dataclass
class House:
    """The executor, and its file."""

    executor: Executor
    service: Reloaded
    certs: Path
    folder: Path

    def ask(self, path: str) -> None:
        assert self.executor.session.get(self.executor.server.url + path, timeout=60).status_code == 404

    def ping(self) -> dict[str, Any]:
        found: dict[str, Any] = self.executor.call("GET", "ping").json()
        return found

    def let_go(self, job_id: str) -> None:
        (self.executor.data / "jobs" / "live" / job_id / "work" / "go").touch()

    def end(self) -> None:
        """Have a job that has ended, and whose result is acknowledged."""
        job_id = new_id()
        assert self.executor.put(job_id, body(), wait=60).json()["state"] == SUCCESS
        assert self.executor.call("POST", f"tasks/{job_id}/ack").ok

    def docker(self, **options: Any) -> str:
        """Return why a container is refused; the daemon is not asked for that."""
        job = self.executor.run({"name": "x", "engine": "docker", "artifact": "none", "options": options})
        return str(job["reason"])


def by_hand(arguments: list[str], settings: dict[str, str], folder: Path) -> Server:
    return ByHand(arguments, settings, folder, scheme="https")


@pytest.fixture(scope="module", params=[True, False], ids=["gorch", "by-hand"])
def house(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, certs: Path) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("house")
    file = folder / "executor.toml"
    executor = Executor(folder, certs, {"GORCH_EXECUTOR_CONFIG": str(file)}, Server if request.param else by_hand)
    # Without a certificate of its own `allowed_hosts` counts.
    service = Reloaded(executor.server, file, {"kill_grace": NEVER, "insecure": True}, by_signal=request.param)
    with started(executor):
        yield House(executor, service, certs, folder)


# -- each setting that can change


def capacity(house: House) -> None:
    house.service.change(capacity=1, queue=5)
    first, second = house.executor.start(body(script(*GO))), new_id()
    assert house.executor.put(second, body(script(*GO)), wait=None).json()["queued"]
    house.service.change(capacity=2)
    wait_until(lambda: house.executor.get(second)["log_size"], what="it runs beside the first one")
    for each in (first, second):
        house.let_go(each)
        assert house.executor.end(each)["state"] == SUCCESS


def queue(house: House) -> None:
    house.service.change(capacity=1, queue=0)
    runs = house.executor.start(body(script(*GO)))
    assert house.executor.put(new_id(), body()).status_code == 503
    house.let_go(runs)
    house.executor.end(runs)


def artifact_dirs(house: House) -> None:
    folder = house.folder / "artifacts"
    folder.mkdir()
    (folder / "hello").write_text(script("echo hello"))
    (folder / "hello").chmod(0o755)
    house.service.change(artifact_dirs=[str(folder)])
    assert house.executor.run(body("hello"))["log"] == b"hello\n"


def env_allow(house: House) -> None:
    house.service.change(env_allow=["PATH", "GORCH_EXECUTOR_DATA"])
    found = house.executor.run(body(script("echo $GORCH_EXECUTOR_DATA $HOME")))
    assert found["log"].decode() == f"{house.executor.data}\n"


def ansible_inventory(house: House) -> None:
    house.service.change(ansible_inventory=["/none"])
    assert "ansible_inventory: cannot read /none" in house.ping()["engines"]["ansible"]["reason"]


def docker_networks(house: House) -> None:
    house.service.change(docker_networks=["none"])
    assert "docker_networks allows none" in house.docker(network="bridge")


def docker_mounts(house: House) -> None:
    house.service.change(docker_mounts=["/srv/mine"])
    mount = {"source": "/srv/yours", "target": "/x"}
    assert "docker_mounts allows /srv/mine" in house.docker(mounts=[mount])


def docker_capabilities(house: House) -> None:
    house.service.change(docker_capabilities=["CHOWN"])
    assert "docker_capabilities allows CHOWN" in house.docker(capabilities=["NET_ADMIN"])


def docker_memory(house: House) -> None:
    house.service.change(docker_memory=GIGABYTE)
    assert f"docker_memory allows: {GIGABYTE}" in house.docker(memory=2 * GIGABYTE)


def docker_cpus(house: House) -> None:
    house.service.change(docker_cpus=2)
    assert "docker_cpus allows: 2" in house.docker(cpus=3)


def docker_pids(house: House) -> None:
    house.service.change(docker_pids=10)
    assert "docker_pids allows: 10" in house.docker(pids=11)


def docker_users(house: House) -> None:
    house.service.change(docker_users=["1000:1000"])
    assert "docker_users allows 1000:1000" in house.docker(user="0:0")


def http_allow(house: House) -> None:
    with serving() as web:
        assert "http_allow" in _fetched(house, web)["reason"]
        house.service.change(http_allow=["127.0.0.1"])
        assert _fetched(house, web)["state"] == SUCCESS


def _fetched(house: House, web: Web) -> dict[str, Any]:
    return house.executor.run(node(f"{web.url}/echo"))


def kill_grace(house: House) -> None:
    house.service.change(kill_grace=0.1)
    runs = house.executor.start(body(script("trap '' TERM", "echo started", "while :; do sleep 0.05; done")))
    begun = time.monotonic()
    house.executor.delete(runs)
    assert house.executor.end(runs)["state"] == CANCELED
    assert time.monotonic() - begun < NEVER


def _kept(house: House) -> list[str]:
    return [each.name for each in (house.executor.data / "jobs" / "done").glob("*/*")]


def keep_done(house: House) -> None:
    hour = time.strftime("%Y-%m-%dT%H", time.gmtime(time.time() - 3 * 3600))
    old = house.executor.data / "jobs" / "done" / hour / new_id()
    old.mkdir(parents=True)
    house.service.change(keep_done=12)
    house.service.change(keep_done=1)
    wait_until(lambda: not old.exists(), what="what ended three hours ago is dropped")


def keep_done_count(house: House) -> None:
    for _ in range(2):
        house.end()
    assert len(_kept(house)) > 1
    house.service.change(keep_done_count=1)
    wait_until(lambda: len(_kept(house)) == 1, what="one is kept")


def keep_done_bytes(house: House) -> None:
    house.end()
    assert _kept(house)
    house.service.change(keep_done_bytes=1)
    wait_until(lambda: not _kept(house), what="nothing is kept")


def body_limit(house: House) -> None:
    house.service.change(body_limit=2048)
    assert house.executor.put(new_id(), body("x" * 2048)).status_code == 413


def allowed_hosts(house: House) -> None:
    headers = {"Host": "other.example"}
    url = f"{house.executor.server.url}/v1/ping"
    assert house.executor.session.get(url, headers=headers, timeout=60).status_code == 421
    house.service.change(allowed_hosts=["other.example"])
    assert house.executor.session.get(url, headers=headers, timeout=60).status_code == 200


OURS: dict[str, Callable[[House], None]] = {
    each.__name__: each
    for each in (
        allowed_hosts,
        capacity,
        queue,
        artifact_dirs,
        env_allow,
        ansible_inventory,
        docker_networks,
        docker_mounts,
        docker_capabilities,
        docker_memory,
        docker_cpus,
        docker_pids,
        docker_users,
        http_allow,
        kill_grace,
        keep_done,
        keep_done_count,
        keep_done_bytes,
        body_limit,
    )
}
ELSEWHERE = {"allowed_names"}  # it is about certificates, which these callers do without: test_callers.py


@pytest.mark.parametrize("house", [True], indirect=True, ids=["gorch"])
@pytest.mark.parametrize("name", sorted(live(Config) - ELSEWHERE))
def test_each_setting_that_can_change_is_taken_into_use(house: House, name: str) -> None:
    if name == "ansible_inventory":
        needs("ansible-playbook")
    if name in LOGS:
        LOGS[name](house.service, house.ask, house.certs)
    else:
        OURS[name](house)


def test_nothing_is_shown_that_cannot_change() -> None:
    assert LOGS.keys() | OURS.keys() | ELSEWHERE == live(Config)


# -- by signals and by hand


def test_what_runs_goes_on_in_the_same_process(house: House) -> None:
    worker = house.executor.worker().pid
    runs = house.executor.start(body(script(*GO, "exit 7")))
    for number in (20, 21, 22):
        assert "capacity" in house.service.change(capacity=number)["settings"]
        assert house.ping()["capacity"] == number
    refused = house.service.refused("capacity = 0\nqeue = 1\n")
    assert len(refused["faults"]) == 2
    assert house.ping()["capacity"] == 22
    house.let_go(runs)
    assert house.executor.end(runs)["exit_code"] == 7
    assert house.executor.worker().pid == worker


def test_an_executor_that_dies_comes_back_with_what_was_accepted_last(house: House) -> None:
    house.service.change(capacity=23, bind="127.0.0.2")
    assert "bind" in house.service.events("settings_need_restart")[-1]["settings"]
    house.service.refused("capacity = 0\n")
    dead = house.executor.worker()
    dead.kill()
    wait_until(lambda: house.executor.worker().pid != dead.pid, what="another worker")
    house.executor.session = house.executor.new_session()
    assert house.ping()["capacity"] == 23
