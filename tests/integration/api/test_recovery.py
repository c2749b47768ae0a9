"""What was accepted is not lost: processes are killed and stopped while graphs run, and every graph still ends.

Engines nil and sleep run inside of the orchestrator; what an executor runs is followed on, not started again.
"""

import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http.client import HTTPException
from types import SimpleNamespace

import pytest

from api_support import FINAL, nodes, states
from peers_support import FakeExecutor, server_context
from stopping import stopped_outside_of_transactions
from support import wait_until

SUCCESS, FAILURE, CANCELED = 3, 4, 11
RUNNING = 2
LONG_POLLS = 20
LONG = 40  # seconds that they would wait


@pytest.fixture(scope="module")
def executor(certs):
    fake = FakeExecutor(server_context(certs, ca=certs / "ca.pem")).start()
    yield fake
    fake.stop()


@pytest.fixture(scope="module")
def orchestrator(start, executor):
    """Return an orchestrator that each test leaves running, though not always the same processes."""
    return start(f"executor={executor.url}")


@pytest.fixture(scope="module")
def api(orchestrator):
    return orchestrator.api


def graph(seconds):
    """Return a graph with nodes that have ended, run and wait once its node ``middle`` runs."""
    return {
        "name": "survivor",
        "nodes": [
            {"name": "first", "engine": "sleep", "args": ["0.01"]},
            {"name": "failed", "engine": "sleep", "args": ["soon"]},
            {"name": "middle", "engine": "sleep", "args": [str(seconds)], "needs": ["first"]},
            {"name": "last", "engine": "sleep", "args": ["get_attribute first:result"], "needs": ["middle"]},
            {"name": "never", "needs": ["failed", "middle"]},
        ],
    }


ENDED = {"first": SUCCESS, "failed": FAILURE, "middle": SUCCESS, "last": SUCCESS, "never": 5}


def finished(task):
    return {name: node for name, node in nodes(task).items() if node["state"] >= FINAL}


def has_survived(before, after):
    """Fail unless a graph has ended as if nothing had happened to the process that ran it."""
    assert states(after) == ENDED
    assert after["state"] == FAILURE
    assert (after["accepted_date"], after["start_date"]) == (before["accepted_date"], before["start_date"])
    assert finished(before).items() <= nodes(after).items()
    middle = nodes(after)["middle"]
    assert middle["start_date"] == nodes(before)["middle"]["start_date"]
    assert middle["stop_date"] <= nodes(after)["last"]["start_date"]
    assert nodes(after)["last"]["output"] == {"result": "0.010"}


def running(api, seconds=1.0, **options):
    """Submit a graph and return it as it is while its middle node sleeps."""
    task = api.submit(graph(seconds), **options)
    api.wait_for_node(task, "middle", state=RUNNING)
    api.wait_for_node(task, "failed", state=FAILURE)
    return api.task(task)


def adoptions(orchestrator, task):
    """Return how often a process has taken the task over."""
    return [line["task"] for line in orchestrator.events("run_adopted")].count(task)


def test_the_runs_of_a_killed_worker_go_on_in_another(orchestrator, api):
    owner, other = orchestrator.workers()
    with orchestrator.connection_to(owner) as connection:
        before = running(api, over=connection)
    owner.send_signal(signal.SIGKILL)
    has_survived(before, api.end(before["id"]))
    assert adoptions(orchestrator, before["id"]) == 1
    pids = wait_until(lambda: len(found := {each.pid for each in orchestrator.workers()}) == 2 and found)
    assert other.pid in pids
    assert owner.pid not in pids


def test_a_worker_that_hangs_loses_its_runs_after_the_lease(orchestrator, api):
    """It is stopped, not dead: the others see only that it gives no sign. When it goes on it is fenced off."""
    owner, _ = orchestrator.workers()
    with orchestrator.connection_to(owner) as connection:
        before = running(api, 0.2, over=connection)
    with stopped_outside_of_transactions(owner, orchestrator.database):
        after = wait_until(lambda: end_of(api, before["id"]), what="the end of the run")
    has_survived(before, after)
    wait_until(lambda: orchestrator.events("run_fenced") or orchestrator.events("run_fault"), what="it is fenced")
    with orchestrator.connection_to(owner) as connection:
        assert api.task(before["id"], over=connection) == after
        assert api.end(api.submit({"nodes": [{"name": "a"}]}, over=connection))["state"] == SUCCESS
    assert orchestrator.events("run_fault") == []


def end_of(api, task):
    """Return the task if it is final, None if it is not or the stopped worker got the connection."""
    with suppress(OSError, HTTPException):
        found = api.call("GET", f"/v1/tasks/{task}").json
        return found if found["state"] >= FINAL else None
    return None


# -- a power cut


@pytest.fixture(scope="module")
def cut(orchestrator, api, executor):
    """Kill the whole service while it does everything at once, and start it again; return what was there before."""
    executor.held.update({"deploy", "stay"})
    found = SimpleNamespace(done=api.end(api.submit(graph(0))))
    found.deploy = api.submit({"nodes": [{"name": "deploy", "engine": "shell", "output": {"ip": ""}}]})
    found.stay = api.submit({"nodes": [{"name": "stay", "engine": "shell"}, {"name": "behind", "needs": ["stay"]}]})
    wait_until(lambda: {f"{found.deploy}.0.1", f"{found.stay}.0.1"} <= set(executor.jobs))
    executor.away = True
    executor.hang_up()
    assert api.call("DELETE", f"/v1/tasks/{found.stay}").status == 202
    api.wait_for_node(found.stay, "behind", state=CANCELED)
    found.runs = running(api)
    with ThreadPoolExecutor(4) as pool:
        submitters = [pool.submit(submit_until_it_dies, api) for _ in range(4)]
        wait_until(lambda: len(api.call("GET", "/v1/tasks?limit=1000").json["tasks"]) > 40)
        orchestrator.kill()
        found.accepted = [task for submitter in submitters for task in submitter.result()]
    executor.away = False
    found.killed_before = executor.calls("DELETE")
    orchestrator.start()
    return found


def submit_until_it_dies(api):
    accepted = []
    with suppress(OSError, HTTPException):
        while True:
            accepted.append(api.submit(graph(0.05)))
    return accepted


def test_every_accepted_graph_is_there_again_and_ends(api, cut):
    """Graphs were submitted until the last moment; this is about those that were answered 202."""
    assert len(cut.accepted) > 30
    has_survived(cut.runs, api.end(cut.runs["id"]))
    for task in cut.accepted:
        assert states(api.end(task)) == ENDED


def test_what_had_ended_is_unchanged(api, cut):
    assert api.task(cut.done["id"]) == cut.done


def test_an_attempt_on_an_executor_is_followed_on_and_not_started_again(api, cut, executor):
    wait_until(lambda: len({body["fence"] for _, body in executor.puts("deploy")}) > 1, what="it is found again")
    sent = executor.puts("deploy")
    assert {attempt for attempt, _ in sent} == {f"{cut.deploy}.0.1"}
    fences = [body["fence"] for _, body in sent]
    assert fences == sorted(fences)
    assert all(body | {"fence": 1} == sent[0][1] for _, body in sent)
    executor.finish(f"{cut.deploy}.0.1", output={"ip": "10.0.0.1"}, log=b"done\n")
    node = nodes(api.end(cut.deploy))["deploy"]
    assert (node["state"], node["attempt"], node["output"]) == (SUCCESS, 1, {"ip": "10.0.0.1"})
    assert api.call("GET", f"/v1/tasks/{cut.deploy}/nodes/deploy/log").data == b"done\n"
    wait_until(lambda: f"{cut.deploy}.0.1" in executor.acknowledged, what="the receipt")


def test_a_cancel_outlives_the_process_that_should_have_carried_it_out(api, cut, executor):
    """The kill waited for an executor that was away when the service died; the next process sent it."""
    assert not any(cut.stay in path for path, _ in cut.killed_before)
    after = api.end(cut.stay)
    assert states(after) == {"stay": CANCELED, "behind": CANCELED}
    assert after["state"] == CANCELED
    assert executor.jobs[f"{cut.stay}.0.1"]["state"] == CANCELED


# -- a stop


def test_a_stop_is_quick_although_clients_wait_and_the_next_start_goes_on_at_once(orchestrator, api):
    before = running(api, 3)
    with ThreadPoolExecutor(LONG_POLLS) as pool:
        polls = [pool.submit(poll, api, before["id"]) for _ in range(LONG_POLLS)]
        wait_until(lambda: connections(orchestrator) >= LONG_POLLS, what="the long polls are there")
        started = time.monotonic()
        orchestrator.stop()
        took = time.monotonic() - started
        answers = [future.result() for future in polls]
    assert orchestrator.process.returncode == 0
    assert took < LONG / 2
    assert answers == [200] * LONG_POLLS
    orchestrator.start()
    has_survived(before, api.end(before["id"]))
    assert adoptions(orchestrator, before["id"]) == 1


def poll(api, task):
    return api.call("GET", f"/v1/tasks/{task}", wait=LONG).status


def connections(orchestrator):
    return sum(len(worker.net_connections("tcp")) - 1 for worker in orchestrator.workers())
