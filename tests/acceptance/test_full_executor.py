"""An executor without a free place: nodes wait with a reason, nothing is dropped, and nobody is busy with waiting."""

import json
from datetime import datetime

import pytest

import failures_support
from api_support import Orchestrator, nodes
from executor_support import body, script
from support import wait_until

SUCCESS, TORUN = 3, 1
LEAST_PAUSE = 0.5  # seconds: half of the executor's Retry-After, the rest is chance


@pytest.fixture(scope="module")
def house(tmp_path_factory, certs):
    """Both services; the executor has one place, and nobody may wait for it there."""
    with failures_support.house(tmp_path_factory.mktemp("house"), certs, back={"capacity": "1", "queue": "0"}) as found:
        yield found


def refusals(house):
    """Return when the executor had no place for an attempt, in seconds of its clock."""
    mark = '"event": "request"'
    lines = [json.loads(line) for line in house.executor.server.log.splitlines() if mark in line and line[-1] == "}"]
    refused = [line for line in lines if (line["method"], line["status"]) == ("PUT", 503)]
    return [datetime.fromisoformat(line["time"]).timestamp() for line in refused]


def requests(house):
    return house.executor.server.log.count('"event": "request"')


def test_nodes_wait_with_a_reason_and_little_is_asked(house):
    """The place is taken by somebody whom the orchestrator knows nothing of."""
    gate = house.gate("foreign")
    foreign = house.executor.start(body(script("echo started", f"while [ ! -e {gate} ]; do sleep 0.02; done")))
    task = house.submit(*(house.node(name) for name in "abc"))
    wait_until(lambda: refusals(house), 60, "a refusal")
    codes = {"executor_full", "slot"}  # one asks, the others wait behind it

    def shown():
        found = nodes(house.task(task)).values()
        return all(node["state"] <= TORUN and node["reason_code"] in codes for node in found) and list(found)

    waiting = wait_until(shown, 60, "the nodes wait")
    assert "executor_full" in {node["reason_code"] for node in waiting}
    before, asked, burnt = len(refusals(house)), requests(house), house.orchestrator.spent()
    wait_until(lambda: len(refusals(house)) >= before + 4, 60, "more refusals")
    times = refusals(house)
    seconds = times[-1] - times[before - 1]
    assert seconds > (len(times) - before) * LEAST_PAUSE / 2
    assert requests(house) - asked < 10 + 5 * seconds  # with the pings of both workers
    assert house.orchestrator.spent() - burnt < 0.5 * seconds
    house.open("foreign")
    assert {node["state"] for node in house.end(task).values()} == {SUCCESS}
    assert [house.runs(task, name) for name in "abc"] == [1, 1, 1]
    assert house.executor.end(foreign)["state"] == SUCCESS


def test_two_orchestrators_share_a_place(house, tmp_path, certs):
    """Neither knows of the other one; what is refused is sent again, and everything is run once."""
    folder = tmp_path / "second"
    folder.mkdir()
    before = len(refusals(house))
    second = Orchestrator(folder, certs, f"executor={house.executor.server.url}", workers=1)
    try:
        second.start()
        document = {"nodes": [house.node(f"n{number}", "sleep 0.1") for number in range(6)]}
        apis = (house.api, second.api)
        tasks = [api.submit(document) for api in apis]
        for api, task in zip(apis, tasks, strict=True):
            wait_until(lambda api=api, task=task: api.task(task)["state"] >= SUCCESS, 120, "the end")
            assert {node["state"] for node in nodes(api.task(task)).values()} == {SUCCESS}
    finally:
        second.stop()
    assert len(refusals(house)) > before
    assert [house.runs(task, f"n{number}") for task in tasks for number in range(6)] == [1] * 12
