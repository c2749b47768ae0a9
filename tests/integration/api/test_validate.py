"""What there is to say of a good gorch before it runs."""

import pytest

from layout_support import check, near
from peers_support import FakeExecutor, server_context
from support import wait_until

VALIDATE = "/v1/validate"
DIAMOND = {
    "nodes": [
        {"name": "a", "engine": "shell", "artifact": "true"},
        {"name": "b", "needs": ["a"]},
        {"name": "c", "needs": ["a"]},
        {"name": "d", "needs": ["b", "c"]},
    ]
}


@pytest.fixture(scope="module")
def executor(certs):
    fake = FakeExecutor(server_context(certs, ca=certs / "ca.pem")).start()
    yield fake
    fake.stop()


@pytest.fixture(scope="module")
def orchestrator(start, executor, nobody):
    """Return an orchestrator with an executor that has the engine shell, and one that is down."""
    return start(f"up={executor.url},down={nobody}")


def validate(api, document, query=""):
    answer = api.call("POST", VALIDATE + query, document)
    assert answer.status == 200, answer.data
    return answer.json


def takers(api, document):
    return {each["name"]: (each["takes"], each["reason"]) for each in validate(api, document)["executors"]}


def test_its_shape(api):
    found = validate(api, DIAMOND)
    assert (found["valid"], found["nodes"], found["edges"]) == (True, 4, 4)
    assert found["layers"] == [[0], [1, 2], [3]]
    assert found["critical_path"] == {"length": 3, "nodes": [0, 1, 3]}
    assert "layout" not in found


def test_the_executors_that_would_take_it(api):
    wait_until(lambda: takers(api, DIAMOND)["up"] == (True, None), what="the executor is known")
    takes, reason = takers(api, DIAMOND)["down"]
    assert not takes
    assert reason.startswith("its engines are not known: executor 'down' at https://127.0.0.1:")
    for_other = {"nodes": [{"name": "a", "engine": "nil", "target": "down"}]}
    assert takers(api, for_other)["up"] == (False, "node 'a' is for executor 'down'")


def test_how_it_is_drawn_if_that_is_asked_for(api):
    found = validate(api, DIAMOND, "?layout=true")
    check([[], [0], [0], [1, 2]], found["layout"])
    assert found["layers"] == [[0], [1, 2], [3]]
    task = api.submit(DIAMOND)
    assert api.call("GET", f"/v1/tasks/{task}/layout").json == found["layout"]
    api.cancel(task)
    assert "layout" not in validate(api, DIAMOND, "?layout=false")
    api.call("POST", VALIDATE + "?layout=please", DIAMOND).is_problem(422, "bad-query")


def test_a_faulty_one_gets_its_faults(api):
    answer = api.call("POST", VALIDATE + "?layout=true", {"nodes": [{"name": "a", "needs": ["b"]}]})
    answer.is_problem(422, "invalid-gorch")
    assert answer.faults == {"/nodes/0/needs/0": "there is no node named 'b'"}


def test_a_large_one_is_answered_whole(api):
    needs = near(10_000, 100)
    document = {"nodes": [{"name": str(node), "needs": before} for node, before in enumerate(needs)]}
    found = validate(api, document, "?layout=true")
    assert sum(map(len, found["layers"])) == 10_000
    assert found["critical_path"]["length"] == len(found["layers"]) == found["layout"]["layers"]
    assert len(found["layout"]["nodes"]) == 10_000
