"""Retries, timeouts and allowed failures on the real services."""

import json

import pytest

from gorchestrator.remote import Refused
from support import run_gorch

FLAKY = """#!/bin/sh
echo "try $GORCH_ATTEMPT"
[ "$GORCH_ATTEMPT" -ge 3 ] || exit 7
echo colour=blue
"""


def node_of(task, name):
    return next(node for node in task["nodes"] if node["name"] == name)


def run(service, *nodes):
    return service.remote.wait(service.remote.submit({"name": "attempts", "nodes": list(nodes)}))


def test_each_attempt_keeps_its_own_log_and_the_last_one_counts(service):
    flaky = {"name": "a", "engine": "shell", "artifact": FLAKY, "output": {"colour": ""}}
    task = run(service, {**flaky, "retry": {"limit": 3, "delay": 0.05, "exit_codes": [7]}})
    node = node_of(task, "a")
    assert (task["state"], node["attempt"], node["exit_code"], node["output"]) == (3, 3, 0, {"colour": "blue"})
    logs = [service.remote.log(task["id"], "a", attempt=number).data for number in (1, 2, 3)]
    assert logs == [b"try 1\n", b"try 2\n", b"try 3\ncolour=blue\n"]


def test_attempts_are_listed_with_how_each_of_them_ended(service):
    flaky = {"name": "a/b", "engine": "shell", "artifact": FLAKY, "retry": {"limit": 3, "delay": 0.05}}
    said = {"name": "said", "engine": "shell", "artifact": "echo", "args": ["x=1"], "output": {"x": ""}}
    task = run(
        service,
        said,
        {"name": "nap", "engine": "sleep", "args": ["0"]},
        flaky | {"args": ["get_attribute said:x"], "needs": ["said"]},
    )["id"]
    found = service.remote.attempts(task, "a/b")
    names = ("attempt", "state", "reason", "reason_code", "exit_code", "executor", "args", "log_size")
    assert [tuple(each[name] for name in names) for each in found] == [
        (1, 4, "exit status 7: try 1", "exit", 7, "executor", ["1"], 6),
        (2, 4, "exit status 7: try 2", "exit", 7, "executor", ["1"], 6),
        (3, 3, None, None, 0, "executor", ["1"], 18),
    ]
    times = [each[name] for each in found for name in ("start_date", "stop_date")]
    assert times == sorted(times)
    assert service.remote.attempts(task, 2) == found
    assert service.remote.attempts(task, "nap") == []
    with pytest.raises(Refused, match="has no node 'other'"):
        service.remote.attempts(task, "other")

    printed = run_gorch("attempts", task, "a/b", env={"GORCH_URL": service.url}).stdout.splitlines()
    assert printed[0].split() == ["TRY", "STATE", "STARTED", "DURATION", "EXECUTOR", "EXIT", "LOG", "REASON"]
    assert [line.split()[0:2] for line in printed[1:]] == [["1", "failure"], ["2", "failure"], ["3", "success"]]
    assert "7     6 B   exit status 7: try 1" in printed[1]
    as_json = run_gorch("attempts", task, "2", "--json", env={"GORCH_URL": service.url})
    assert json.loads(as_json.stdout) == {"attempts": found}
    none = run_gorch("attempts", task, "nap", env={"GORCH_URL": service.url})
    assert (none.returncode, none.stdout, none.stderr[:12]) == (0, "", "No attempts:")


def test_another_exit_code_is_not_tried_again(service):
    flaky = {"name": "a", "engine": "shell", "artifact": FLAKY}
    task = run(service, {**flaky, "retry": {"limit": 3, "delay": 0.05, "exit_codes": [8]}})
    assert (task["state"], node_of(task, "a")["attempt"], node_of(task, "a")["exit_code"]) == (4, 1, 7)


def test_a_node_is_killed_after_its_timeout(service):
    slow = {"name": "a", "engine": "shell", "artifact": "sleep", "args": ["60"], "timeout": 0.3}
    task = run(service, slow, {"name": "b", "needs": ["a"]}, {"name": "beside"})
    assert [node["state"] for node in task["nodes"]] == [10, 5, 3]
    assert node_of(task, "a")["reason"] == "killed after its timeout of 0.3 s"
    assert task["state"] == 4


def test_after_an_allowed_failure_the_graph_goes_on(service):
    task = run(
        service,
        {"name": "a", "engine": "shell", "artifact": "false", "allow_failure": True},
        {"name": "b", "engine": "shell", "artifact": "true", "needs": ["a"]},
    )
    assert [node["state"] for node in task["nodes"]] == [4, 3]
    assert task["state"] == 3
    assert node_of(task, "a")["allow_failure"] is True


@pytest.mark.parametrize("field", ["timeout", "retry", "on_lost"])
def test_engines_without_attempts_refuse_fields_about_them(service, field):
    value = {"timeout": 1, "retry": {"limit": 1}, "on_lost": "retry"}[field]
    with pytest.raises(Exception, match="has 1 fault") as caught:
        service.remote.submit({"nodes": [{"name": "a", field: value}]})
    assert caught.value.errors[0]["pointer"] == f"/nodes/0/{field}"
