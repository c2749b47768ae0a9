"""The orchestrator, or one of its workers, is killed at each point of a node's way."""

import pytest

from failures_support import FAILURE, RUNNING, SUCCESS
from gorchestrator.common.faultpoints import POINTS


def survives_death_at(house, point):
    """Fail unless a node runs exactly once although the worker that has it dies at this point."""
    house.arm(point)
    task = house.submit(house.node(), house.node("after", needs=["node"]))
    house.died()
    house.once(task)
    house.once(task, name="after")
    assert house.log(task) == b"ended\n"


def test_worker_killed_before_an_attempt_is_journalled(house):
    survives_death_at(house, "before-attempt")


def test_worker_killed_after_an_attempt_is_journalled(house):
    survives_death_at(house, "attempt-journalled")


def test_worker_killed_after_dispatch(house):
    task = house.submit(house.node(gate="dispatched", status=3))
    house.has_run(task)
    owner = house.owner(task)
    owner.kill()
    house.open("dispatched")
    node = house.once(task, FAILURE)
    assert (node["exit_code"], house.log(task)) == (3, b"started\nended\n")


def test_worker_killed_after_the_result_came(house):
    survives_death_at(house, "result-arrived")


def test_worker_killed_after_the_result_is_journalled(house):
    survives_death_at(house, "result-journalled")


@pytest.mark.parametrize("count", [1, 3, 5])
@pytest.mark.parametrize("point", [point for point in POINTS if "commit" in point or "transaction" in point])
def test_worker_killed_during_commit(house, point, count):
    """The first commits are of the acceptance, which is answered only after it; later ones of attempts and results."""
    name = f"{point}-{count}"
    document = {"name": name, "nodes": [house.node(), house.node("after", needs=["node"])]}
    house.arm(point, count)
    accepted = ""
    try:
        accepted = house.api.submit(document)
    except (OSError, ValueError, AssertionError):
        house.died()
    house.died()
    task = house.find(name)
    assert task or not accepted
    if task:
        house.once(task)
        house.once(task, name="after")
    else:  # it is not there in parts either
        assert name not in str(house.api.call("GET", "/v1/tasks").json)


def test_whole_orchestrator_killed(house):
    done = house.submit(house.node())
    before = house.once(done)
    first = house.node("first", "echo colour=blue", output={"colour": ""})
    last = house.node("last", "echo $1", needs=["middle"], args=["get_attribute first:colour"])
    task = house.submit(first, house.node("middle", gate="whole", needs=["first"]), last)
    house.shows(task, "middle", state=RUNNING)
    house.has_run(task, "middle")
    house.orchestrator.kill()
    house.open("whole")
    house.orchestrator.start()
    nodes = house.end(task)
    assert {name: node["state"] for name, node in nodes.items()} == dict.fromkeys(nodes, SUCCESS)
    assert [house.runs(task, name) for name in nodes] == [1, 1, 1]
    assert house.log(task, "last") == b"blue\nended\n"
    assert house.once(done) == before
    house.in_contact()
