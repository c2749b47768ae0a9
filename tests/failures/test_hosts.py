"""Hosts behind the executor fail while nodes of ``ssh`` run there; each is a real sshd."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import failures_support
from failures_support import FAILURE, PATIENCE, RUNNING, SUCCESS, House
from ssh_support import HOST, Sshd, sshd
from support import wait_until


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    """A host, which is reached as ``bed``. The tests leave it working."""
    with sshd(tmp_path_factory.mktemp("sshd")) as found:
        yield found


@pytest.fixture(scope="module")
def house(server: Sshd, tmp_path_factory: pytest.TempPathFactory, certs: Path) -> Iterator[House]:
    """A house whose executor knows the host."""
    with failures_support.house(tmp_path_factory.mktemp("house"), certs, back=dict(server.settings)) as found:
        yield found


def on_host(house, name="node", **options):
    return house.node(name, **options) | {"engine": "ssh", "target": HOST}


def job_says(house, task, text):
    """Return when the executor's own reason of the running job has this text."""
    job_id = f"{task}.0.1"
    wait_until(lambda: text in (house.executor.get(job_id)["reason"] or ""), PATIENCE, f"the job says {text!r}")


def test_connection_to_a_host_lost_and_regained(house, server):
    task = house.submit(on_host(house, gate="away", status=6), on_host(house, "cut", gate="cut"))
    for name in ("node", "cut"):
        house.has_run(task, name)
    server.cut()
    house.open("cut")
    house.shows(task, "cut", state=SUCCESS)
    server.stop()
    server.cut()
    job_says(house, task, f"{HOST} is away, and is tried again: cannot connect to {HOST}: nothing listens there")
    house.open("away")
    server.start()
    node = house.once(task, FAILURE)
    assert (node["reason_code"], node["exit_code"]) == ("exit", 6)
    for name in ("node", "cut"):
        assert house.log(task, name) == b"started\nended\n"
    house.once(task, SUCCESS, "cut")
    wait_until(lambda: not server.jobs, PATIENCE, "nothing is left on the host")


@pytest.mark.parametrize("kept", [True, False], ids=["kept", "gone"])
def test_host_rebooted(house, server, kept):
    task = house.submit(on_host(house, gate="never"))
    house.has_run(task)
    house.shows(task, state=RUNNING)
    wait_until(lambda: house.log(task) == b"started\n", PATIENCE, "it was seen to run")
    server.reboot()
    if not kept:
        shutil.rmtree(server.home / ".gorchestrator")
    server.start()
    node = house.once(task, FAILURE)
    assert node["reason_code"] == "lost"
    assert f"{HOST} was restarted" in node["reason"]
    wait_until(lambda: not server.jobs, PATIENCE, "nothing is left on the host")


def test_host_down_at_the_start(house, server):
    server.stop()
    server.cut()
    (node,) = house.end(house.submit(on_host(house))).values()
    assert (node["state"], node["reason_code"]) == (FAILURE, "connection")
    assert f"cannot connect to {HOST}: nothing listens there: is sshd running" in node["reason"]
    task = house.submit(on_host(house, retry={"limit": 60, "delay": 1, "factor": 1}))
    house.shows(task, reason=f"cannot connect to {HOST}")
    server.start()
    node = house.end(task)["node"]
    assert (node["state"], node["attempt"] > 1, house.runs(task)) == (SUCCESS, True, 1)
