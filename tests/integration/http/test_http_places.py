"""Where requests of the engine ``http`` go, and where redirects lead."""

import pytest

from executor_support import Executor
from web_support import Web, node, serving

SUCCESS, FAILURE = 3, 4
SPELLINGS = (
    "127.0.0.1",
    "localhost",
    "LOCALHOST",
    "127.1",
    "2130706433",
    "0x7f000001",
    "0x7f.0.0.1",
    "0177.0.0.1",
    "0.0.0.0",
    "0",
    "127.127.127.127",
    "[::1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[0:0:0:0:0:ffff:169.254.169.254]",
    "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]",
    "[fe80::1]",
    "[fd00:ec2::254]",
    "[ff02::1]",
    "169.254.169.254",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.0.1",
    "100.64.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "127。0。0。1",
    "①②⑦.⓪.⓪.①",
)


@pytest.mark.parametrize("host", SPELLINGS)
def test_what_is_not_public_is_refused_however_it_is_spelled(strict: Executor, web: Web, host: str) -> None:
    job = strict.run(node(f"http://{host}:{web.port}/status/200"))
    assert job["state"] == FAILURE
    assert job["reason_code"] == "argument"
    assert "http_allow" in job["reason"] or "that is no URL" in job["reason"]
    assert web.seen == []


@pytest.mark.parametrize(
    "to", ["http://127.0.0.2:{port}/echo", "http://[::1]:{port}/echo", "//2130706434:{port}/", "ftp://x/"]
)
def test_a_redirect_leads_nowhere_else(executor: Executor, web: Web, to: str) -> None:
    job = executor.run(
        node(f"{web.url}/to/302", f"query:url={to.format(port=web.port)}", options={"follow_redirects": True})
    )
    assert (job["state"], job["reason_code"]) == (FAILURE, "argument")
    assert len(web.seen) == 1


def test_redirects_are_followed_if_asked_for(executor: Executor, web: Web) -> None:
    follow = {"follow_redirects": True}
    job = executor.run(node(f"{web.url}/to/303", "query:url=/echo?done", "body=x", "header:X-A=b", options=follow))
    assert job["state"] == SUCCESS
    assert [(seen.method, seen.body) for seen in web.seen] == [("POST", b"x"), ("GET", b"")]
    assert web.seen[1].headers["X-A"] == "b"
    job = executor.run(node(f"{web.url}/to/307", "query:url=/echo?done", "body=x", options=follow))
    assert (web.seen[3].method, web.seen[3].body) == ("POST", b"x")
    job = executor.run(node(f"{web.url}/loop", options=follow))
    assert (job["reason_code"], job["reason"]) == ("argument", "more than 4 redirects, one after the other")


def test_another_server_gets_neither_headers_nor_body(executor: Executor, web: Web) -> None:
    follow = {"follow_redirects": True}
    with serving() as other:
        job = executor.run(
            node(f"{web.url}/to/302", f"query:url={other.url}/echo", "header:X-Key=secret", "basic=a:b", options=follow)
        )
        assert job["state"] == SUCCESS
        assert not {"X-Key", "Authorization"} & other.seen[0].headers.keys()
        job = executor.run(node(f"{web.url}/to/308", f"query:url={other.url}/echo", "body=secret", options=follow))
        assert job["reason_code"] == "argument"
        assert "would send the body to another server" in job["reason"]
        assert len(other.seen) == 1
