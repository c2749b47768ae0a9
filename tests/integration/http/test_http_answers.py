"""What a node of the engine ``http`` makes of the answer."""

import json
from typing import Any

import pytest

from executor_support import Executor, new_id
from support import wait_until
from web_support import Web, node

SUCCESS, FAILURE = 3, 4


@pytest.mark.parametrize(
    ("status", "expect", "state"),
    [
        (200, None, SUCCESS),
        (204, None, SUCCESS),
        (404, None, FAILURE),
        (302, None, FAILURE),
        (500, None, FAILURE),
        (404, [200, 404], SUCCESS),
        (503, ["2xx", "5xx"], SUCCESS),
        (201, [200], FAILURE),
        (304, ["3xx"], SUCCESS),
    ],
)
def test_the_status_decides(executor: Executor, web: Web, status: int, expect: list[Any] | None, state: int) -> None:
    job = executor.run(node(f"{web.url}/status/{status}", options={"expect": expect} if expect else {}))
    assert job["state"] == state
    assert f"< {status} ".encode() in job["log"]
    if state == SUCCESS:
        assert job["output"] == {"status": str(status)}
    else:
        assert job["reason_code"] == "answer"
        assert f"the server answered {status}" in job["reason"]
        assert f"expected was {', '.join(map(str, expect or ['2xx']))}" in job["reason"]
    assert job["started_at"] <= job["stopped_at"]
    assert len(web.seen) == 1


def test_outputs_by_json_pointer(executor: Executor, web: Web) -> None:
    document = {
        "a/b": {"~c": ["zero", {"d": "größe"}]},
        "n": 1.5,
        "t": True,
        "none": None,
        "o": {"ä": [1]},
        "": "empty",
    }
    pointers = {
        "x": "/a~1b/~0c/1/d",
        "first": "/a~1b/~0c/0",
        "n": "/n",
        "t": "/t",
        "none": "/none",
        "o": "/o",
        "e": "/",
    }
    job = executor.run(node(f"{web.url}/json", f"query:document={json.dumps(document)}", options={"outputs": pointers}))
    assert job["output"] == {
        "status": "200",
        "x": "größe",
        "first": "zero",
        "n": "1.5",
        "t": "true",
        "none": "null",
        "o": '{"ä": [1]}',
        "e": "empty",
    }


def test_declared_outputs_are_looked_for_in_the_answer(executor: Executor, web: Web) -> None:
    job = executor.run(node(f"{web.url}/json", "query:document=version=1.2\nother=3\n", output={"version": ""}))
    assert job["output"] == {"status": "200", "version": "1.2"}


@pytest.mark.parametrize(
    ("path", "pointer", "why"),
    [
        ("/json?document=[1]", "/1", "output 'x': the answer has nothing at /1"),
        ("/json?document=[1]", "/-", "nothing at /-"),
        ("/json?document=[1]", "/00", "nothing at /00"),
        ("/json?document={}", "/a/b", "nothing at /a/b"),
        ("/json?document=1", "/a", "nothing at /a"),
        ("/status/200", "/a", "it is not JSON"),
        ("/big", "/a", "of at most 1048576 bytes"),
    ],
)
def test_outputs_that_the_answer_does_not_have(executor: Executor, web: Web, path: str, pointer: str, why: str) -> None:
    job = executor.run(node(web.url + path, options={"outputs": {"x": pointer}}))
    assert (job["state"], job["reason_code"]) == (FAILURE, "output")
    assert why in job["reason"]


def test_an_answer_is_in_the_log_while_it_comes(executor: Executor, web: Web) -> None:
    job_id = new_id()
    executor.put(job_id, node(f"{web.url}/drip"), wait=None)
    wait_until(lambda: "first\n" in executor.log_of(job_id))
    assert executor.get(job_id)["state"] < SUCCESS
    web.gate.set()
    assert executor.end(job_id)["state"] == SUCCESS
    assert executor.log_of(job_id).endswith("\n\nfirst\nlast\n")


def test_of_a_large_answer_the_begin_is_read(executor: Executor, web: Web) -> None:
    job_id = new_id()
    executor.put(job_id, node(f"{web.url}/big"))
    job = executor.end(job_id)
    assert job["state"] == SUCCESS
    assert 2**20 < job["log_size"] < 2**20 + 1000


def test_bytes_are_not_put_into_the_log(executor: Executor, web: Web) -> None:
    job = executor.run(node(f"{web.url}/binary"))
    assert job["state"] == SUCCESS
    assert job["log"].endswith(b"! the answer is no text: 1024 bytes\n")
