"""Servers that do what they can against the executor: it answers all the time, and a cancel ends it."""

import time

import pytest

from executor_support import Executor, new_id
from support import wait_until
from web_support import Web, node, saying

SUCCESS, FAILURE, CANCELED = 3, 4, 11


@pytest.mark.parametrize("path", ["interim", "zipped"])
def test_a_flood_holds_nobody_up(executor: Executor, web: Web, path: str) -> None:
    job_id = new_id()
    executor.put(job_id, node(f"{web.url}/{path}"), wait=None)
    wait_until(lambda: web.seen)
    for _ in range(5):
        assert executor.run(node(f"{web.url}/echo"))["state"] == SUCCESS
    assert executor.delete(job_id).json()["state"] == CANCELED


@pytest.mark.parametrize("follow", [True, False])
def test_a_redirect_is_not_read_to_its_end(executor: Executor, web: Web, follow: bool) -> None:
    begun = time.monotonic()
    job = executor.run(
        node(f"{web.url}/pour/302", timeout=60, options={"follow_redirects": follow, "expect": ["3xx", "2xx"]})
    )
    assert job["state"] == SUCCESS, job
    assert 2**20 < job["log_size"] < 2**20 + 1000
    assert len(web.seen) == 1 + follow
    assert time.monotonic() - begun < 60


@pytest.mark.parametrize("location", ["//[", "http://[::1", "http://\\/", "/grö ße", "http://127.0.0.1:x/"])
@pytest.mark.parametrize("follow", [True, False])
def test_a_strange_redirect(executor: Executor, web: Web, location: str, follow: bool) -> None:
    job = executor.run(node(f"{web.url}/location", f"query:raw={location}", options={"follow_redirects": follow}))
    assert (job["state"], job["reason_code"]) == (FAILURE, "argument" if follow else "answer")
    assert f"< Location: {location}\n".encode() in job["log"]


def test_the_path_of_a_redirect_may_have_letters(executor: Executor, web: Web) -> None:
    job = executor.run(node(f"{web.url}/location", "query:raw=/echo/größe", options={"follow_redirects": True}))
    assert job["state"] == SUCCESS, job
    assert web.seen[1].path == "/echo/gr%C3%B6%C3%9Fe"


@pytest.mark.parametrize(
    ("answer", "method", "codes"),
    [
        (b"", "GET", {"connection"}),
        (b"what?\r\n\r\n", "GET", {"connection"}),
        (b"what?\r\n\r\n", "POST", {"lost"}),
        (b"HTTP/1.1 999 \xff\xfe\r\n\r\n", "GET", {"answer", "connection"}),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n", "GET", {"connection"}),
        (b"HTTP/1.1 200 " + b"x" * 70_000 + b"\r\n\r\n", "GET", {"connection"}),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nabc", "GET", {None}),
        (b"HTTP/1.1 200 OK\r\nContent-Length: x, y\r\n\r\nabc", "GET", {None, "argument", "connection"}),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc", "POST", {"lost"}),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\nabc", "POST", {"lost"}),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: " + b"gzip, " * 50 + b"\r\n\r\nabc", "POST", {"lost"}),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: what\r\nno header\r\n: x\r\n\r\nabc", "GET", {None}),
        (b"HTTP/1.1 302 OK\r\nLocation: a\r\n b\r\nSet-Cookie: ;;\x00=\r\n\r\n", "GET", {"argument", "connection"}),
    ],
)
def test_a_strange_answer(executor: Executor, answer: bytes, method: str, codes: set[str | None]) -> None:
    with saying(answer) as url:
        job = executor.run(node(url, f"method={method}", options={"follow_redirects": True}))
    assert job["reason_code"] in codes, job


@pytest.mark.parametrize(
    ("document", "pointer", "found"),
    [
        ('"\\ud800"', "", "?"),
        ('{"a": "\\ud83c\\udf89"}', "/a", "🎉"),
        ("[" * 100_000, "", "nested too deeply"),
        (("[" * 600 + "]" * 600).ljust(70_000), "", "nested too deeply"),
        ("9" * 5000, "", "not JSON"),
        (f'"{"x" * 65537}"', "", "output 'x' is larger than 65536 bytes"),
        (f"[{'1,' * 40_000}1]", "", "output 'x' is larger than 65536 bytes"),
    ],
)
def test_a_strange_document(executor: Executor, web: Web, document: str, pointer: str, found: str) -> None:
    web.document = document.encode()
    job = executor.run(node(f"{web.url}/document", options={"outputs": {"x": pointer}}))
    if job["state"] == SUCCESS:
        assert job["output"]["x"] == found
    else:
        assert job["reason_code"] == "output"
        assert found in job["reason"]
