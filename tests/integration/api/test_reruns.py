"""Tasks that run again, requests that come twice, and why a node is in its state; without any executor."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from api_support import nodes, states

TASKS = "/v1/tasks"
#: ``slow`` and what comes behind ``bad`` fail or do not run; the others succeed.
MIXED = {
    "name": "mixed",
    "labels": {"a": "b"},
    "nodes": [
        {"name": "good", "engine": "sleep", "args": ["0.01"]},
        {"name": "bad", "engine": "sleep", "args": ["x"], "needs": ["good"]},
        {"name": "behind", "needs": ["bad"]},
        {"name": "last", "needs": ["behind", "good"]},
        {"name": "uses", "engine": "sleep", "args": ["get_attribute good:result"], "needs": ["good"]},
    ],
}
OPEN = {"nodes": [{"name": "a", "engine": "sleep", "args": ["60"]}, {"name": "b", "needs": ["a"]}]}


@pytest.fixture(scope="module")
def ended(orchestrator):
    task = orchestrator.api.submit(MIXED)
    orchestrator.api.end(task)
    return task


def rerun(api, task, body=None, **headers):
    return api.call("POST", f"{TASKS}/{task}/rerun", body or {}, headers=headers)


def named(answer, which):
    return [node["name"] for node in answer.json[which]]


@pytest.mark.parametrize(
    ("wanted", "runs"),
    [
        ("failed", ["bad", "behind", "last"]),
        (["uses"], ["bad", "behind", "last", "uses"]),
        ([4, "bad"], ["bad", "behind", "last", "uses"]),
        (["0"], ["good", "bad", "behind", "last", "uses"]),
    ],
)
def test_a_preview_tells_what_would_run_and_makes_nothing(api, ended, wanted, runs):
    before = api.call("GET", TASKS).json["tasks"]
    answer = rerun(api, ended, {"from": wanted, "preview": True})
    assert answer.status == 200
    assert named(answer, "runs") == runs
    assert named(answer, "reused") == [node["name"] for node in MIXED["nodes"] if node["name"] not in runs]
    assert api.call("GET", TASKS).json["tasks"] == before


def test_what_has_succeeded_is_taken_over(api, ended):
    answer = rerun(api, ended, {"from": ["uses"]})
    assert answer.status == 202
    assert answer.headers["location"] == f"{TASKS}/{answer.json['id']}"
    task = api.end(answer.json["id"])
    old = nodes(api.task(ended))
    assert (task["name"], task["labels"], task["rerun_of"]) == ("mixed", {"a": "b"}, ended)
    assert states(task) == {"good": 3, "bad": 4, "behind": 5, "last": 5, "uses": 3}
    good = nodes(task)["good"]
    assert (good["reason_code"], good["attempt"]) == ("reused", 0)
    assert ended in good["reason"]
    assert good["output"] == old["good"]["output"] != {}
    assert nodes(task)["uses"]["output"] == nodes(task)["good"]["output"]

    again = rerun(api, task["id"], {"from": ["uses"]})
    good = nodes(api.end(again.json["id"]))["good"]
    assert ended in good["reason"]  # where it ran, and not where it was taken over


def test_a_matrix_is_kept(api):
    faulty = {"id": 1, "name": "b", "engine": "sleep", "args": ["x"]}
    task = api.submit({"digraph": [0, 1, 0, 0], "nodes": [{"id": 0, "name": "a"}, faulty]})
    api.end(task)
    new = api.end(rerun(api, task).json["id"])
    assert new["digraph"] == [0, 1, 0, 0]
    assert states(new) == {"a": 3, "b": 4}


def test_what_cannot_run_again_is_refused(api, ended):
    task = api.submit(OPEN)
    rerun(api, task).is_problem(409, "not-ended")
    api.cancel(task)
    fine = api.submit({"nodes": [{"name": "a"}]})
    api.end(fine)
    rerun(api, fine).is_problem(409, "nothing-to-rerun")
    assert rerun(api, fine, {"from": ["a"]}).status == 202
    rerun(api, ended, {"from": ["nobody"]}).is_problem(404, "node-unknown")
    rerun(api, ended, {"from": [99]}).is_problem(404, "node-unknown")
    for long in ("x" * 100_000, "9" * 5_000):
        answer = rerun(api, ended, {"from": [long]})
        answer.is_problem(404, "node-unknown")
        assert len(answer.data) < 1_000
    rerun(api, "0" * 32).is_problem(404, "task-unknown")
    for faulty in (
        {"from": "all"},
        {"from": []},
        {"from": [1.5]},
        {"from": [True]},
        {"preview": "x"},
        {"preview": 1},
        {"preview": 0},
        {"to": "x"},
        [1],
    ):
        rerun(api, ended, faulty).is_problem(422, "invalid")


# -- requests that come twice


def test_a_request_with_a_key_is_taken_once(api):
    body, key = {"name": "once", "nodes": [{"name": "a"}]}, {"Idempotency-Key": "key-1"}
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: api.call("POST", TASKS, body, headers=key), range(8)))
    taken = [answer for answer in answers if answer.status == 202]
    assert len({answer.json["id"] for answer in taken}) == 1
    assert all(answer.status in {202, 409} for answer in answers)
    for answer in answers:
        if answer.status == 409:
            answer.is_problem(409, "request-in-progress")
    again = api.call("POST", TASKS, body, headers=key)
    assert (again.json["id"], again.headers["idempotency-replayed"]) == (taken[0].json["id"], "true")
    assert len(api.call("GET", f"{TASKS}?name=once").json["tasks"]) == 1
    api.call("POST", TASKS, {"nodes": [{"name": "b"}]}, headers=key).is_problem(422, "idempotency-key-reused")


def test_a_refused_request_uses_up_no_key(api):
    key = {"Idempotency-Key": "key-2"}
    api.call("POST", TASKS, {"nodes": []}, headers=key).is_problem(422, "invalid-gorch")
    assert api.call("POST", TASKS, {"nodes": [{"name": "a"}]}, headers=key).status == 202


def test_a_rerun_with_a_key_is_taken_once(api, ended):
    first = rerun(api, ended, {"from": ["uses"]}, **{"Idempotency-Key": "key-3"})
    second = rerun(api, ended, {"from": ["uses"]}, **{"Idempotency-Key": "key-3"})
    assert named(first, "runs") == ["bad", "behind", "last", "uses"]
    assert second.json == first.json
    assert second.headers["idempotency-replayed"] == "true"
    rerun(api, ended, {"from": ["good"]}, **{"Idempotency-Key": "key-3"}).is_problem(422, "idempotency-key-reused")


@pytest.mark.parametrize("key", ["", "a b", "x" * 201, "\u00e9"])
def test_a_faulty_key_is_refused(api, key):
    answer = api.call("POST", TASKS, {"nodes": [{"name": "a"}]}, headers={"Idempotency-Key": key})
    answer.is_problem(422, "bad-query")


# -- why


def why(api, task, node):
    answer = api.call("GET", f"{TASKS}/{task}/nodes/{node}/why")
    assert answer.status == 200, answer.data
    return answer.json


def test_why_a_node_has_ended(api, ended):
    assert why(api, ended, "good")["ended_by"] == {"kind": "success"}
    bad = why(api, ended, "bad")
    assert (bad["code"], bad["ended_by"]["kind"], bad["waits_for"]) == ("argument", "argument", None)
    last = why(api, ended, "last")
    assert [node["name"] for node in last["ended_by"]["nodes"]] == ["behind"]
    assert [node["name"] for node in last["ended_by"]["roots"]] == ["bad"]
    assert "'behind' (notrunnable)" in last["summary"]
    assert "It began with 'bad' (failure)" in last["summary"]


def test_why_a_node_waits(api):
    task = api.submit(OPEN)
    api.wait_for_node(task, "a", state=2)
    runs, waits = why(api, task, "a"), why(api, task, "b")
    assert (runs["code"], runs["waits_for"]["kind"], runs["ended_by"]) == ("running", "end", None)
    assert waits["waits_for"]["kind"] == "predecessors"
    assert [(node["name"], node["state"]) for node in waits["waits_for"]["nodes"]] == [("a", 2)]
    api.cancel(task)
    cancelled = why(api, task, "b")
    assert cancelled["ended_by"]["kind"] == "cancel"
    assert cancelled["ended_by"]["actor"] == "127.0.0.1"


def test_why_a_node_waits_for_an_executor(api):
    task = api.submit({"nodes": [{"name": "a", "engine": "shell", "artifact": "true"}]})
    api.wait_for_node(task, "a", reason_code="executor_unreachable")
    found = why(api, task, "a")
    assert (found["code"], found["waits_for"]["kind"]) == ("executor_unreachable", "executor")
    assert "not reachable since" in found["summary"]
    api.cancel(task)


def test_why_of_what_is_not_there(api, ended):
    api.call("GET", f"{TASKS}/{ended}/nodes/nobody/why").is_problem(404, "node-unknown")
    api.call("GET", f"{TASKS}/{'0' * 32}/nodes/a/why").is_problem(404, "task-unknown")
