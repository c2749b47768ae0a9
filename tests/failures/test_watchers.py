"""The service goes away while somebody follows a task: he misses nothing, and need not do anything."""

import json
import subprocess

import psutil
import pytest

import failures_support
from support import ROOT, clean_environment, command, wait_until

PATIENCE = 60


@pytest.fixture(scope="module")
def house(tmp_path_factory, certs):
    with failures_support.house(tmp_path_factory.mktemp("house"), certs) as found:
        yield found


def begun(house, *arguments, out):
    env = clean_environment(GORCH_URL=house.orchestrator.url)
    return subprocess.Popen(command(*arguments), env=env, cwd=ROOT, stdout=out, stderr=subprocess.DEVNULL)


def _connected(pid):
    return any(each.status == "ESTABLISHED" for each in psutil.Process(pid).net_connections())


def test_who_watches_hears_the_end_though_the_service_was_killed_meanwhile(house, tmp_path):
    task = house.submit(house.node("first", gate="first"), house.node("second", gate="second", needs=["first"]))
    wait_until(lambda: b"started" in house.log(task, "first"), what="it runs")
    with (tmp_path / "events").open("wb") as out, (tmp_path / "watch").open("wb") as shown:
        events = begun(house, "events", task, "--json", out=out)
        watch = begun(house, "watch", task, "--json", out=shown)
        wait_until(lambda: b"node_running" in (tmp_path / "events").read_bytes(), what="the stream is open")
        wait_until(lambda: _connected(watch.pid), what="the other one asks, too")
        house.orchestrator.kill()
        house.open("first")
        house.orchestrator.start()
        wait_until(lambda: b"started" in house.log(task, "second"), PATIENCE, what="it goes on")
        house.open("second")
        assert events.wait(PATIENCE) == 0
        assert watch.wait(PATIENCE) == 0
    found = [json.loads(line) for line in (tmp_path / "events").read_text().splitlines()]
    again = subprocess.run(
        command("events", task, "--json"),
        env=clean_environment(GORCH_URL=house.orchestrator.url),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        check=True,
        timeout=PATIENCE,
    ).stdout.decode()
    assert found == [json.loads(line) for line in again.splitlines()]  # without a gap or a repeat
    assert json.loads((tmp_path / "watch").read_text())["counts"] == {"success": 2}
