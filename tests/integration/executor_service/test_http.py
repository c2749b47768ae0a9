"""The engine ``http`` on a real executor, against a real server."""

import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from executor_support import Executor, new_id, started
from support import wait_until
from web_support import Web, serving

SUCCESS, FAILURE, TIMEOUT, CANCELED = 3, 4, 10, 11
TOKEN = "0123-token-4567"
PROXIES = {"HTTP_PROXY": "http://127.0.0.1:9", "HTTPS_PROXY": "http://127.0.0.1:9", "ALL_PROXY": "http://127.0.0.1:9"}
OF_OTHERS = PROXIES | {
    "http_proxy": "http://127.0.0.1:9",
    "REQUESTS_CA_BUNDLE": "/nowhere",
    "CURL_CA_BUNDLE": "/nowhere",
}
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


def node(url: str, *args: str, **fields: Any) -> dict[str, Any]:
    return {"name": "ask", "engine": "http", "artifact": url, "args": list(args), **fields}


@pytest.fixture(scope="module")
def server() -> Iterator[Web]:
    with serving() as found:
        yield found


@pytest.fixture
def web(server: Web) -> Web:
    """Return the server, which has seen nothing yet."""
    server.seen.clear()
    server.drops = 0
    server.gate.clear()
    return server


@pytest.fixture(scope="module")
def executor(tmp_path_factory: pytest.TempPathFactory, certs: Path) -> Iterator[Executor]:
    """Return one whose requests may go to the server of the tests, in an environment that must not matter."""
    settings = {"GORCH_EXECUTOR_HTTP_ALLOW": "127.0.0.1", "GORCH_EXECUTOR_HTTP_CA": str(certs / "ca.pem")}
    settings |= {"GORCH_EXECUTOR_SECRET_ENV": "TOKEN", "TOKEN": TOKEN}
    with started(Executor(tmp_path_factory.mktemp("executor"), certs, settings | OF_OTHERS)) as found:
        yield found


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory, certs: Path) -> Iterator[Executor]:
    """Return one as it is without settings."""
    with started(Executor(tmp_path_factory.mktemp("executor"), certs)) as found:
        yield found


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


def test_a_safe_request_is_sent_again_when_the_connection_breaks(executor: Executor, web: Web) -> None:
    web.drops = 2
    job = executor.run(node(f"{web.url}/echo"))
    assert job["state"] == SUCCESS
    assert len(web.seen) == 3
    assert b"once more in 0.5 s" in job["log"]
    assert b"once more in 1 s" in job["log"]


def test_an_answer_that_breaks_off_is_fetched_again(executor: Executor, web: Web) -> None:
    job = executor.run(node(f"{web.url}/cut"))
    assert job["state"] == SUCCESS
    assert [seen.method for seen in web.seen] == ["GET", "GET"]
    assert b"! the connection broke" in job["log"]
    assert job["log"].endswith(b"half of a..\n")


def test_any_other_is_lost_then(executor: Executor, web: Web) -> None:
    web.drops = 1
    job = executor.run(node(f"{web.url}/echo", "method=DELETE"))
    assert (job["state"], job["reason_code"]) == (FAILURE, "lost")
    assert "whether the DELETE has had its effect is not known" in job["reason"]
    assert len(web.seen) == 1


def test_what_was_not_sent_is_sent_when_there_is_somebody(executor: Executor) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    job_id = new_id()
    executor.put(job_id, node(f"http://127.0.0.1:{port}/echo", "body=x"), wait=None)
    wait_until(lambda: "Connection refused" in executor.log_of(job_id))
    with serving(port=port) as web:
        assert executor.end(job_id)["state"] == SUCCESS
        assert [seen.method for seen in web.seen] == ["POST"]


def test_a_server_that_is_not_there(executor: Executor) -> None:
    job = executor.run(node("http://no-such-host.invalid/"))
    assert (job["state"], job["reason_code"]) == (FAILURE, "connection")
    assert "no-such-host.invalid" in job["reason"]


def test_a_timeout(executor: Executor, web: Web) -> None:
    job = executor.run(node(f"{web.url}/wait", timeout=0.7))
    assert (job["state"], job["reason"]) == (TIMEOUT, "killed after its timeout of 0.7 s")


def test_a_cancel(executor: Executor, web: Web) -> None:
    job_id = new_id()
    executor.put(job_id, node(f"{web.url}/wait"), wait=None)
    wait_until(lambda: web.seen)
    answer = executor.delete(job_id)
    assert (answer.status_code, answer.json()["state"]) == (200, CANCELED)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_restart_of_the_executor(new_executor: Callable[..., Executor], web: Web, method: str) -> None:
    executor = new_executor(http_allow="127.0.0.0/8")
    job_id = new_id()
    executor.put(job_id, node(f"{web.url}/wait", f"method={method}"), wait=None)
    wait_until(lambda: web.seen)
    executor.server.kill()
    executor.start_server()
    web.gate.set()
    job = executor.end(job_id)
    if method == "GET":
        assert job["state"] == SUCCESS
        assert "the executor was restarted; once more" in executor.log_of(job_id)
        assert len(web.seen) == 2
    else:
        assert (job["state"], job["reason_code"]) == (FAILURE, "lost")
        assert "the executor was restarted meanwhile" in job["reason"]
        assert len(web.seen) == 1


def test_certificates_are_checked(executor: Executor, new_executor: Callable[..., Executor], certs: Path) -> None:
    with serving(certs) as web:
        assert executor.run(node(f"{web.url}/echo"))["state"] == SUCCESS
        job = new_executor(http_allow="127.0.0.1").run(node(f"{web.url}/echo", "body=x"))
        assert (job["state"], job["reason_code"]) == (FAILURE, "connection")
        assert "its certificate is not trusted" in job["reason"]
        assert len(web.seen) == 1


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
    assert (about["ok"], about["reason"]) == (False, "http_ca: cannot read /no/such/file")
    assert executor.run(node("http://example.com"))["reason_code"] == "engine"
