"""The orchestrator, or one of its workers, is killed at each point of a node's way."""

from contextlib import ExitStack, closing, suppress
from pathlib import Path

import pytest

from failures_support import FAILURE, GONE, PATIENCE, RUNNING, SUCCESS
from gorchestrator.common.faultpoints import POINTS
from gorchestrator.store import auditing
from gorchestrator.store.seal import beside_database
from stopping import stopped_outside_of_transactions
from support import wait_until

# what a commit may hold: the event by which that is seen in the journal
EVENTS = {"accept": "task_accepted", "attempt": "node_running", "result": "node_final"}


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


@pytest.mark.parametrize("kind", EVENTS)
@pytest.mark.parametrize("point", [point for point in POINTS if "commit" in point or "transaction" in point])
def test_worker_killed_during_commit(house, point, kind):
    """An acceptance is answered only after its commit. What the journal has of the first owner tells if that was."""
    name, committed = f"{point}/{kind}", point == "after-commit"
    house.arm(name)
    accepted = ""
    with suppress(*GONE):
        accepted = house.api.submit({"name": name, "nodes": [house.node(), house.node("after", needs=["node"])]})
    house.died()
    assert not (accepted and kind == "accept")
    assert (name in names(house)) is (committed or kind != "accept")
    if name in names(house):
        task = house.find(name)
        house.once(task)
        house.once(task, name="after")
        assert (EVENTS[kind] in before_the_next_owner(house, task)) is committed
    assert_audited(house)


def assert_audited(house):
    """Each task has its line of the audit, no other has one, and whoever was killed has broken nothing of the chain."""
    with closing(house.database()) as database:
        (path,) = [Path(file) for _, name, file in database.execute("PRAGMA database_list") if name == "main"]
        tasks = [task for (task,) in database.execute("SELECT id FROM tasks")]
        lines = [task for (task,) in database.execute("SELECT subject FROM audit WHERE action = 'task.submit'")]
    assert sorted(lines) == sorted(tasks)
    assert auditing.check(path, beside_database(path)).fault is None


def names(house):
    """Return the names of the tasks, whichever process answers."""

    def ask():
        with suppress(*GONE):
            return [each["name"] for each in house.api.call("GET", "/v1/tasks?limit=1000").json["tasks"]] + ["-"]
        return None

    return wait_until(ask, PATIENCE, "an answer")


def before_the_next_owner(house, task):
    """Return the kinds of events that the first owner of a task has written."""
    return events(house, task)[: events(house, task).index("task_claimed")]


def events(house, task):
    """Return the kinds of events of a task."""
    with closing(house.database()) as database:
        return [kind for (kind,) in database.execute("select kind from events where task = ? order by seq", (task,))]


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


def test_stopped_owner_wakes_up_after_another_has_taken_its_run(new_house, stack):
    """Its run was taken over meanwhile; the new owner sleeps too when it comes back and finds the attempt ended."""
    house = new_house(GORCH_LEASE="8")
    task = house.submit(house.node(gate="sleep"), house.node("after", needs=["node"]))
    house.has_run(task)
    old = house.owner(task)
    (new,) = [each for each in house.orchestrator.workers() if each.pid != old.pid]
    asleep = stack.enter_context(ExitStack())
    with stopped_outside_of_transactions(old, house.orchestrator.database):
        wait_until(lambda: "task_claimed" in events(house, task), PATIENCE, "the other worker takes the run over")
        house.shows(task, state=RUNNING, reason_code=None)
        asleep.enter_context(stopped_outside_of_transactions(new, house.orchestrator.database))
        before = events(house, task)
        house.open("sleep")
        wait_until(house.job(task, "result.json").exists, PATIENCE, "the attempt ends")
    with asleep:
        fenced = wait_until(lambda: house.orchestrator.events("run_fenced"), PATIENCE, "the old owner is refused")
        assert {event["task"] for event in fenced} == {task}
        other = house.submit(house.node())
        house.once(other)
        wait_until(lambda: not house.job(other).exists(), PATIENCE, "a later receipt of the old owner has arrived")
        assert events(house, task) == before
        assert house.job(task, "result.json").exists()  # it was not acknowledged
        assert house.runs(task, "after") == 0
    house.once(task)
    house.once(task, name="after")
    assert events(house, task).count("task_claimed") == 1
    assert house.log(task) == b"started\nended\n"
    assert "job_cancel" not in house.executor.server.log
    wait_until(lambda: not house.job(task).exists(), PATIENCE, "the new owner has acknowledged it")
