"""Why nodes of an executor, and of one that is away, are in their states: what ended them, what they wait for."""

import pytest

from executor_support import Executor, started
from gorchestrator.common.states import State

GONE = "gone"


@pytest.fixture(scope="module")
def executor(tmp_path_factory, certs):
    settings = {"GORCH_EXECUTOR_CAPACITY": "1", "GORCH_EXECUTOR_QUEUE": "0"}
    with started(Executor(tmp_path_factory.mktemp("executor"), certs, settings)) as found:
        yield found


@pytest.fixture(scope="module")
def orchestrator(start, executor, nobody):
    return start(f"{GONE}={nobody},executor={executor.server.url}", workers=1)


def script(name, text, **fields):
    return {"name": name, "engine": "shell", "artifact": f"#!/bin/sh\n{text}\n", "target": "executor"} | fields


def why(api, task, node):
    answer = api.call("GET", f"/v1/tasks/{task}/nodes/{node}/why")
    assert answer.status == 200, answer.data
    return answer.json


def test_a_node_is_not_taken_for_the_one_that_is_called_as_it_is_numbered(api):
    task = api.submit({"nodes": [script("1", "echo of the first; exit 3"), script("x", "echo of the second; exit 4")]})
    api.end(task)
    found = why(api, task, "x")
    assert (found["node"], found["ended_by"]["exit_code"], found["last_lines"]) == (1, 4, ["of the second"])
    found = why(api, task, "1")
    assert (found["node"], found["ended_by"]["exit_code"], found["last_lines"]) == (0, 3, ["of the first"])


def test_how_it_has_ended(api):
    nodes = [
        script("exit", "exit 7"),
        script("signal", "kill -KILL $$"),
        script("timeout", "exec sleep 600", timeout=0.2),
        script("fine", "true"),
    ]
    task = api.submit({"nodes": nodes})
    api.end(task)
    ended = {node["name"]: why(api, task, node["name"])["ended_by"] for node in nodes}
    assert ended == {
        "exit": {"kind": "exit", "exit_code": 7},
        "signal": {"kind": "signal", "exit_code": None, "signal": "SIGKILL"},
        "timeout": {"kind": "timeout", "exit_code": None},
        "fine": {"kind": "success"},
    }


def test_its_last_lines_are_what_a_terminal_would_show(api):
    bar = r"seq 30; printf '10 %%\r20 %%\r30 %%\r\n\v\n'; exit 1"
    task = api.submit({"nodes": [script("bar", bar)]})
    api.end(task)
    assert why(api, task, "bar")["last_lines"] == [*map(str, range(13, 31)), "30 %", "\v"]


def test_its_last_lines_are_not_the_megabytes_that_it_may_have_printed(api):
    task = api.submit({"nodes": [script("wide", "head -c 3000000 /dev/zero; echo; echo end; exit 1")]})
    api.end(task)
    answer = api.call("GET", f"/v1/tasks/{task}/nodes/wide/why")
    assert len(answer.data) < 200_000
    assert answer.json["last_lines"][-1] == "end"


def test_the_executors_that_have_no_room(api):
    task = api.submit({"nodes": [script("runs", "exec sleep 600")]})
    api.wait_for_node(task, "runs", state=State.RUNNING)
    other = api.submit({"nodes": [script("waits", "true", target="a-host")]})
    api.wait_for_node(other, "waits", reason_code="slot")
    waits = why(api, other, "waits")["waits_for"]
    assert (waits["kind"], waits["executor"]) == ("slot", None)  # it may go to either
    assert [(each["name"], each["capacity"]) for each in waits["executors"]] == [(GONE, None), ("executor", 1)]
    summary = why(api, other, "waits")["summary"]
    assert f"executor {GONE!r}" in summary
    assert "'executor' has no slot free (1 are taken)" in summary
    api.cancel(task)
    api.cancel(other)


def test_the_executor_that_is_away(api):
    task = api.submit({"nodes": [script("waits", "true", target=GONE)]})
    api.wait_for_node(task, "waits", reason_code="executor_unreachable")
    waits = why(api, task, "waits")["waits_for"]
    assert (waits["kind"], waits["executor"]) == ("executor", GONE)
    assert waits["others"] == [{"name": "executor", "reason": f"the target {GONE!r} is for executor {GONE!r}"}]
    api.cancel(task)


def test_a_pause_between_two_attempts(api):
    task = api.submit({"nodes": [script("flaky", "exit 1", retry={"limit": 1, "delay": 600})]})
    api.wait_for_node(task, "flaky", reason_code="backoff")
    waits = why(api, task, "flaky")["waits_for"]
    assert (waits["kind"], waits["attempt"]) == ("backoff", 2)
    assert waits["until"][:19] in why(api, task, "flaky")["summary"]
    api.cancel(task)
