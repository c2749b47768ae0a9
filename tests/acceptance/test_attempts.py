"""Retries, timeouts and allowed failures on the real services."""

import pytest

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
