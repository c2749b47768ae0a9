"""What a node of the engine ``http`` sends."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from executor_support import Executor, new_id
from web_support import Web, node

SUCCESS = 3


def test_a_request_of_arguments(executor: Executor, web: Web) -> None:
    value = "a&b/ü?#=%"
    args = [
        "method=PUT",
        "header:X-One=eins",
        f"set:ID={value}",
        "query:q=x y&z",
        f"query:r={value}",
        "header:X-Id=<${ID}>",
    ]
    job = executor.run(node(web.url + "/echo/${ID}?a=1", *args, 'json={"id": "${ID}", "list": [1, "$${ID}"]}'))
    assert job["state"] == SUCCESS, job
    (seen,) = web.seen
    coded = "a%26b%2F%C3%BC%3F%23%3D%25"
    assert (seen.method, seen.path) == ("PUT", f"/echo/{coded}?a=1&q=x%20y%26z&r={coded}")
    assert seen.headers["X-One"] == "eins"
    assert seen.headers["X-Id"].encode("latin-1").decode() == f"<{value}>"
    assert seen.headers["Content-Type"] == "application/json"
    assert json.loads(seen.body) == {"id": value, "list": [1, "${ID}"]}


def test_a_request_of_options_which_arguments_change(executor: Executor, web: Web) -> None:
    options = {"method": "PATCH", "headers": {"X-One": "eins", "Content-Type": "text/x"}, "body": "task ${GORCH_NODE}"}
    job = executor.run(
        node("", f"url={web.url}/echo", "header:x-one=uno", "basic=me:${WORD}", options=options, env={"WORD": "pass"})
    )
    assert job["state"] == SUCCESS, job
    (seen,) = web.seen
    assert (seen.method, seen.body) == ("PATCH", b"task ask")
    assert seen.headers["x-one"] == "uno"
    assert seen.headers["Content-Type"] == "text/x"
    assert seen.headers["Authorization"] == "Basic bWU6cGFzcw=="


def test_a_body_is_posted_unless_something_else_is_said(executor: Executor, web: Web) -> None:
    executor.run(node(f"{web.url}/echo", "body=hello"))
    executor.run(node(f"{web.url}/echo", options={"json": None}))
    assert [(seen.method, seen.body) for seen in web.seen] == [("POST", b"hello"), ("POST", b"null")]


def test_twenty_at_once(executor: Executor, web: Web) -> None:
    ids = [new_id() for _ in range(20)]
    for number, job_id in enumerate(ids):
        executor.put(job_id, node(f"{web.url}/echo?{number}"), wait=None)
    assert [executor.end(job_id)["state"] for job_id in ids] == [SUCCESS] * 20


@pytest.mark.parametrize(
    "options",
    [
        {"expect": [99]},
        {"expect": ["2x"]},
        {"expect": []},
        {"outputs": {"a": "b"}},
        {"outputs": {"a": "/~2"}},
        {"method": "TRACE"},
    ],
)
def test_options_that_mean_nothing_are_refused(executor: Executor, options: dict[str, Any]) -> None:
    answer = executor.put(new_id(), node("http://example.com", options=options))
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:gorchestrator:problem:options-invalid")


def test_a_ca_that_is_not_there_is_told(new_executor: Callable[..., Executor]) -> None:
    executor = new_executor(http_ca="/no/such/file")
    about = executor.call("GET", "ping").json()["engines"]["http"]
    why = "http_ca: cannot read /no/such/file: No such file or directory"
    assert (about["ok"], about["reason"]) == (False, why)
    assert executor.run(node("http://example.com"))["reason_code"] == "engine"
