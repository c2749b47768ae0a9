"""Several worker processes behave as one service: whichever answers, it answers for the runs of all."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from api_support import FINAL, nodes, states

TASKS = "/v1/tasks"
LONG = "60"  # seconds; no test waits for the end of such a node


@pytest.fixture(scope="module", params=[2, 4])
def orchestrator(request, start):
    """Return an orchestrator of two, then one of four workers."""
    return start(workers=request.param)


@pytest.fixture
def each(orchestrator):
    """Return a connection to every worker."""
    with ExitStack() as stack:
        workers = sorted(orchestrator.workers(), key=lambda worker: worker.pid)
        assert len(workers) == orchestrator.count
        yield [stack.enter_context(orchestrator.connection_to(worker)) for worker in workers]


def sleeping(seconds=LONG, name="sleeping"):
    return {"name": name, "nodes": [{"name": "a", "engine": "sleep", "args": [seconds]}, {"name": "b", "needs": ["a"]}]}


def test_what_one_worker_has_accepted_all_show_at_once(api, each):
    for first in each:
        task = api.submit(sleeping(), over=first)
        for other in each:
            found = api.task(task, over=other)
            assert (found["id"], found["name"], set(states(found))) == (task, "sleeping", {"a", "b"})
            assert task in {item["id"] for item in api.call("GET", TASKS, over=other).json["tasks"]}
        assert api.cancel(task).status == 202


def test_every_worker_tells_the_end_as_soon_as_it_comes(api, each):
    task = api.submit(sleeping("0.4"), over=each[0])
    with ThreadPoolExecutor(len(each)) as pool:
        started = time.monotonic()
        found = list(pool.map(lambda over: api.call("GET", f"{TASKS}/{task}", wait=20, over=over), each))
        took = time.monotonic() - started
    assert [answer.json["state"] for answer in found] == [3] * len(each)
    assert [answer.headers["preference-applied"] for answer in found] == ["wait=20"] * len(each)
    assert took < 10  # and not the 20 seconds that they were willing to wait


def test_a_wait_that_is_over_before_the_task_shows_it_as_it_is(api, each):
    task = api.submit(sleeping(), over=each[0])
    for over in each:
        started = time.monotonic()
        answer = api.call("GET", f"{TASKS}/{task}", wait=0.3, over=over)
        assert time.monotonic() - started >= 0.3
        assert (answer.status, answer.json["state"]) == (200, 2)
    assert states(api.cancel(task).json) == {"a": 11, "b": 11}


def test_every_worker_cancels_the_runs_of_the_others(api, each):
    for place, owner in enumerate(each):
        task = api.submit(sleeping(), over=owner)
        api.wait_for_node(task, "a", state=2)
        other = each[(place + 1) % len(each)]
        started = time.monotonic()
        answer = api.call("DELETE", f"{TASKS}/{task}", wait=20, over=other)
        assert time.monotonic() - started < 10
        assert answer.status == 202
        assert (answer.json["state"], answer.json["reason_code"]) == (11, "canceled")
        assert answer.json["reason"] == "canceled by 127.0.0.1; 2 nodes stopped"
        for node in nodes(answer.json).values():
            assert (node["state"], node["reason_code"], node["reason"]) == (11, "canceled", "canceled by 127.0.0.1")


def test_a_cancel_without_a_wait_answers_at_once_and_is_carried_out(api, each):
    task = api.submit(sleeping(), over=each[0])
    answer = api.call("DELETE", f"{TASKS}/{task}", over=each[1])
    assert answer.status == 202
    assert answer.json["id"] == task
    assert "preference-applied" not in answer.headers
    assert api.end(task)["state"] == 11


def test_cancels_through_all_workers_at_once_are_one_cancel(api, each):
    task = api.submit(sleeping(), over=each[0])
    with ThreadPoolExecutor(len(each)) as pool:
        found = list(pool.map(lambda over: api.call("DELETE", f"{TASKS}/{task}", wait=20, over=over), each))
    assert {answer.status for answer in found} <= {200, 202}
    assert len({answer.data for answer in found}) == 1
    assert found[0].json["state"] == 11


def test_a_cancel_right_behind_the_submission_hits(api, each):
    """The cancel may reach the owner's process before the run has begun there."""
    for place in range(20):
        task = api.submit(sleeping(), over=each[place % 2])
        assert api.call("DELETE", f"{TASKS}/{task}", wait=20, over=each[(place + 1) % 2]).json["state"] == 11


def test_a_task_that_has_ended_is_not_changed_by_a_cancel(api, each):
    task = api.submit({"nodes": [{"name": "a"}]}, over=each[0])
    before = api.end(task)
    assert before["state"] == 3
    for over in each:
        for wait in (0, 20):
            answer = api.call("DELETE", f"{TASKS}/{task}", wait=wait, over=over)
            assert (answer.status, answer.json) == (200, before)
        assert api.task(task, over=over) == before


def test_the_list_shows_the_newest_first_whoever_accepted_it(api, each):
    accepted = [
        api.submit({"name": f"n{number}", "nodes": [{"name": "a"}], "labels": {"n": str(number)}}, over=over)
        for number, over in enumerate(each * 3)
    ]
    for task in accepted:
        api.end(task)
    for over in each:
        for path in (f"{TASKS}?limit={len(accepted)}", f"{TASKS}/?limit={len(accepted)}"):
            found = api.call("GET", path, over=over).json["tasks"]
            assert [item["id"] for item in found] == accepted[::-1]
            assert {"id", "name", "state", "start_date", "stop_date"} <= set(found[0])
            assert {item["state"] for item in found} == {"success"}
            assert [item["labels"]["n"] for item in found] == [str(number) for number in range(len(accepted))][::-1]


def test_the_list_of_open_tasks_leaves_out_what_has_ended(api, each):
    running = [api.submit(sleeping(), over=over) for over in each]
    ended = api.submit({"nodes": [{"name": "a"}]}, over=each[0])
    api.end(ended)
    for over in each:
        found = [item["id"] for item in api.call("GET", f"{TASKS}?open=true&limit=1000", over=over).json["tasks"]]
        assert [task for task in found if task in running] == running[::-1]
        assert ended not in found
        newest = api.call("GET", f"{TASKS}?open=true&limit=1", over=over).json["tasks"]
        assert [item["id"] for item in newest] == running[-1:]
        assert ended in {item["id"] for item in api.call("GET", f"{TASKS}?open=false", over=over).json["tasks"]}
    for task in running:
        api.cancel(task)


def test_a_slash_at_the_end_changes_nothing(api, each):
    answer = api.call("POST", f"{TASKS}/", {"nodes": [{"name": "a"}]}, over=each[0])
    assert answer.status == 202
    assert answer.headers["location"] == f"{TASKS}/{answer.json['id']}"
    assert api.call("GET", answer.headers["location"]).json["id"] == answer.json["id"]


def test_many_graphs_through_all_workers_at_once_all_end(api, orchestrator):
    document = {
        "nodes": [{"name": str(number), "needs": list(range(max(0, number - 3), number))} for number in range(30)]
    }
    with ThreadPoolExecutor(8) as pool:
        accepted = list(pool.map(lambda _: api.submit(document), range(60)))
        ended = list(pool.map(api.end, accepted))
    assert len(set(accepted)) == 60
    assert {task["state"] for task in ended} == {3}
    assert {node["state"] for task in ended for node in task["nodes"]} == {3}
    assert orchestrator.events("run_fault") == orchestrator.events("request_failed") == []


def test_long_polls_do_not_keep_others_waiting(api, each):
    task = api.submit(sleeping(), over=each[0])
    with ThreadPoolExecutor(50) as pool:
        polls = [pool.submit(api.call, "GET", f"{TASKS}/{task}", wait=20) for _ in range(50)]
        for over in each:
            assert api.end(api.submit({"nodes": [{"name": "a"}]}, over=over))["state"] == 3
        assert not any(poll.done() for poll in polls)
        api.cancel(task)
        assert all(poll.result().json["state"] >= FINAL for poll in polls)
