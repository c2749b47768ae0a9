"""Secrets reach the server and nobody else, in whatever form it sends them back."""

from typing import Any
from urllib.parse import quote

import pytest

from executor_support import Executor
from web_support import ODD, TOKEN, Web, forms, node

SUCCESS, FAILURE = 3, 4
KEY = {"KEY": {"secret": "ODD"}}


def said(job: dict[str, Any]) -> str:
    """Return all that is told of a job."""
    return "\n".join([job["log"].decode(), job["reason"] or "", *job["output"].values()])


def test_a_secret_reaches_the_server_and_nobody_else(executor: Executor, web: Web) -> None:
    env = {"KEY": {"secret": "TOKEN"}}
    job = executor.run(
        node(
            f"{web.url}/echo?key=${{KEY}}",
            "header:X-Key=${KEY}",
            env=env,
            options={"outputs": {"got": "/headers/X-Key"}},
        )
    )
    assert web.seen[0].headers["X-Key"] == TOKEN
    assert web.seen[0].path == f"/echo?key={TOKEN}"
    assert job["output"]["got"] == "***"
    assert TOKEN.encode() not in job["log"]
    job = executor.run(node(f"{web.url}/echo", "header:X-Key=${KEY}", env=env, options={"expect": [500]}))
    assert job["reason_code"] == "answer"
    assert "X-Key" in job["reason"]
    assert TOKEN not in job["reason"]


def test_no_form_of_a_secret_is_shown(executor: Executor, web: Web) -> None:
    job = executor.run(node(web.url + "/forms?a=${KEY}", "header:X-Key=${KEY}", "basic=me:${KEY}", env=KEY))
    assert web.seen[0].headers["X-Key"].encode("latin-1").decode() == ODD
    assert f"> GET {web.url}/forms?a=***\n" in said(job)
    assert "< Location: /login?next=%2F%3Fkey%3D***\n" in said(job)
    assert "< WWW-Authenticate: Basic realm=***\n" in said(job)
    assert "the server answered 401 not ***, expected was 2xx: <***>" in job["reason"]
    lines = [line for line in job["log"].decode().splitlines() if line.startswith("<") and line.endswith(">")]
    assert len(lines) == len(forms(ODD))
    assert all("***" in line for line in lines)
    assert not [form for form in forms(ODD) if form in said(job)]


@pytest.mark.parametrize("way", ["header:X-Key=${KEY}", 'json={"a": "${KEY}"}', "basic=me:${KEY}", "query:k=${KEY}"])
def test_an_echo_does_not_show_it(executor: Executor, web: Web, way: str) -> None:
    pointers = {"all": "", "headers": "/headers", "path": "/path", "body": "/body"}
    url = web.url + ("/echo/${KEY}" if way.startswith("query") else "/echo")  # query: is not filled in
    job = executor.run(node(url, way, env=KEY, options={"outputs": pointers}))
    assert job["state"] == SUCCESS, job
    assert "***" in said(job)
    assert not [form for form in forms(ODD) if form in said(job)]


def test_a_redirect_does_not_show_it(executor: Executor, web: Web) -> None:
    target = f"query:url=/echo?key={quote(ODD, safe='')}"
    job = executor.run(node(f"{web.url}/to/302", target, env=KEY, options={"follow_redirects": True}))
    assert job["state"] == SUCCESS, job
    assert [seen.method for seen in web.seen] == ["GET", "GET"]
    assert f"> GET {web.url}/echo?key=***\n" in said(job)
    assert not [form for form in forms(ODD) if form in said(job)]


def test_a_place_that_is_refused_does_not_show_it(executor: Executor, web: Web) -> None:
    hosts = {"KEY": {"secret": "TOKEN"}}
    job = executor.run(node("http://${KEY}.invalid/", env=hosts))
    assert "cannot find the address of ***.invalid" in job["reason"]
    target = f"query:url=http://127.0.0.1:1/{quote(ODD)} x"
    job = executor.run(node(f"{web.url}/to/302", target, env=KEY, options={"follow_redirects": True}))
    assert job["state"] == FAILURE
    assert not [form for form in forms(ODD) if form in said(job)]
