"""More graphs than the service takes: refused at once, with nothing stored, through whichever worker."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from support import run_gorch, wait_until

MOST = 5
HELD = {"nodes": [{"name": "a", "engine": "sleep", "args": ["600"]}]}


@pytest.fixture(scope="module")
def orchestrator(start):
    return start(GORCH_OPEN_RUNS=str(MOST))


@pytest.fixture
def held(api):
    """Fill the service; returns the open tasks, which end with the test."""
    found = [api.submit(HELD) for _ in range(MOST)]
    yield found
    for task in found:
        api.cancel(task)


def stored(api):
    return {task["id"] for task in api.call("GET", "/v1/tasks?limit=1000").json["tasks"]}


def test_what_is_too_much_is_refused_and_not_stored(api, held):
    before = stored(api)
    answer = api.call("POST", "/v1/tasks", HELD)
    answer.is_problem(429, "too-many-runs")
    assert answer.headers["retry-after"] == "5"
    assert answer.json["detail"] == (
        "5 graphs have not ended yet, and this service takes no more (setting open_runs, GORCH_OPEN_RUNS). "
        "Nothing was stored; try again when some have ended."
    )
    assert stored(api) == before
    api.call("POST", "/v1/tasks", {"nodes": []}).is_problem(422, "invalid-gorch")  # that would not help to try again
    api.cancel(held[0])
    api.submit(HELD | {"name": "fits"})
    api.call("POST", "/v1/tasks", HELD).is_problem(429, "too-many-runs")
    (task,) = [each for each in api.call("GET", "/v1/tasks").json["tasks"] if each["name"] == "fits"]
    api.cancel(task["id"])


def test_workers_share_the_limit(api):
    """Each call takes a new connection, and so one of the two workers."""
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: api.call("POST", "/v1/tasks", HELD), range(40)))
    taken = [answer.json["id"] for answer in answers if answer.status == 202]
    assert len(taken) == MOST
    assert [answer.status for answer in answers].count(429) == 40 - MOST
    for task in taken:
        api.cancel(task)


def test_gorch_says_so_and_waits_if_it_is_asked_to(api, orchestrator, held):
    refused = run_gorch("submit", "-", "--url", orchestrator.url, stdin=json.dumps(HELD))
    assert refused.returncode == 2
    assert refused.stderr.startswith("Error: refused: 5 graphs have not ended yet, and this service takes no more")
    assert refused.stderr.endswith("  It may be tried again in 5 s.\n")
    command = ("submit", "-", "--url", orchestrator.url, "--patience", "60")
    before = refusals(orchestrator)
    with ThreadPoolExecutor() as pool:
        waits = pool.submit(run_gorch, *command, stdin=json.dumps({"nodes": [{"name": "a"}]}))
        wait_until(lambda: refusals(orchestrator) > before, what="the first try")
        api.cancel(held[0])
        done = waits.result()
    assert done.returncode == 0
    assert api.end(done.stdout.strip())["state"] == 3


def refusals(orchestrator):
    return sum(each["status"] == 429 for each in orchestrator.events("request"))
