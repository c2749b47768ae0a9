"""What one client may take of the service: edges, tasks a minute, streams. Each refusal has the limit in its text."""

import json
from contextlib import ExitStack

import pytest

from support import run_gorch, wait_until

RATE, STREAMS, EDGES = 3, 2, 5
TASK = {"nodes": [{"name": "a"}]}


@pytest.fixture(scope="module")
def orchestrator(start):
    settings = {"GORCH_SUBMIT_RATE": RATE, "GORCH_STREAMS_PER_CLIENT": STREAMS, "GORCH_MAX_EDGES": EDGES}
    settings |= {"GORCH_TRUSTED_PROXIES": "127.0.0.1"}
    return start(**{name: str(value) for name, value in settings.items()})


def client(number):
    """Return the headers of a request that a proxy passes on for somebody."""
    return {"X-Forwarded-For": f"203.0.113.{number}"}


def joined(size):
    """Return a gorch in which each node waits for all before it."""
    return {"nodes": [{"name": str(node), "needs": list(map(str, range(node)))} for node in range(size)]}


def test_more_edges_than_the_limit_are_refused_however_they_are_written(api):
    cells = [1 if row < column else 0 for row in range(4) for column in range(4)]
    matrix = {"digraph": cells, "nodes": [{"id": node, "name": str(node)} for node in range(4)]}
    for document, pointer in ((joined(4), "/nodes"), (matrix, "/digraph")):
        answer = api.call("POST", "/v1/validate", document)
        answer.is_problem(422, "invalid-gorch")
        fault = {"pointer": pointer, "detail": "has 6 edges; at most 5 are taken (setting max_edges)"}
        assert answer.json["errors"] == [fault]
    assert api.call("POST", "/v1/validate", joined(3)).status == 200


def test_who_submits_more_in_a_minute_waits_whichever_worker_is_asked(api):
    statuses = [api.call("POST", "/v1/tasks", TASK, headers=client(1)).status for _ in range(RATE)]
    assert statuses == [202] * RATE
    answer = api.call("POST", "/v1/tasks", TASK, headers=client(1))
    answer.is_problem(429, "too-many-tasks")
    assert f"more than {RATE} tasks a minute" in answer.json["detail"]
    assert "GORCH_SUBMIT_RATE" in answer.json["detail"]
    assert 1 <= int(answer.headers["retry-after"]) <= 60 / RATE
    assert api.call("POST", "/v1/tasks", TASK, headers=client(2)).status == 202  # others may


def test_the_same_request_again_is_no_further_task(api):
    headers = client(3) | {"Idempotency-Key": "once"}
    answers = [api.call("POST", "/v1/tasks", TASK, headers=headers) for _ in range(RATE + 2)]
    assert {answer.status for answer in answers} == {202}
    assert len({answer.json["id"] for answer in answers}) == 1


def test_the_command_waits_for_its_turn(api, orchestrator, tmp_path):
    file = tmp_path / "gorch.json"
    file.write_text(json.dumps(TASK))
    for _ in range(RATE):
        api.call("POST", "/v1/tasks", TASK)
    done = run_gorch("submit", file, "--url", orchestrator.url)
    assert done.returncode == 2
    assert f"more than {RATE} tasks a minute" in done.stderr
    done = run_gorch("submit", file, "--url", orchestrator.url, "--patience", 60)
    assert done.returncode == 0, done.stderr


def test_a_client_has_only_so_many_streams_and_one_that_is_closed_makes_room(orchestrator):
    worker, *_ = orchestrator.workers()
    opened = []

    def follow(stack):
        """Ask that worker, and return the status."""
        connection = stack.enter_context(orchestrator.connection_to(worker))
        connection.request("GET", "/v1/events", headers=client(4))
        answer = connection.getresponse()
        opened.append(connection)
        return answer

    with ExitStack() as stack:
        assert [follow(stack).status for _ in range(STREAMS)] == [200] * STREAMS
        refused = follow(stack)
        document = json.loads(refused.read())
        assert (refused.status, refused.getheader("Retry-After")) == (429, "5")
        assert document["type"] == "urn:gorchestrator:problem:too-many-streams"
        assert f"follows {STREAMS} streams already" in document["detail"]
        opened[0].close()
        assert (
            orchestrator.api.call("POST", "/v1/tasks", TASK, headers=client(5)).status == 202
        )  # who is gone is noticed when something is to be said

        def has_room():
            with ExitStack() as inner:
                return follow(inner).status == 200

        wait_until(has_room, what="the closed one does not count any more")
