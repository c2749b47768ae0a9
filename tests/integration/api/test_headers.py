"""What every answer tells browsers, and whose pages may call: ours, those of some origins, none of a made-up name."""

import http.client
import json
import socket
from contextlib import closing

import pytest

from support import PATIENCE

OURS, THEIRS = "https://console.example", "https://evil.example"
GORCH = {"nodes": [{"name": "a"}]}


@pytest.fixture(scope="module")
def orchestrator(start):
    return start(workers=1, GORCH_CORS_ORIGINS=OURS, GORCH_BODY_LIMIT="1024")


@pytest.fixture(scope="module")
def closed(start):
    """Return an orchestrator that no page of another origin may call."""
    return start(workers=1, GORCH_ACCESS="required")


def headers_of(orchestrator, request):
    """Return the status and the headers of the answer to these bytes."""
    with socket.create_connection(("127.0.0.1", orchestrator.api.port), timeout=PATIENCE) as sock:
        sock.sendall(request)
        answer = http.client.HTTPResponse(sock)
        answer.begin()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}


def request(line, *headers, host="127.0.0.1"):
    return "\r\n".join([f"{line} HTTP/1.1", f"Host: {host}", "Connection: close", *headers, "", ""]).encode()


ANSWERS = {
    "data": (request("GET /v1/tasks"), 200),
    "events": (request("GET /v1/events"), 200),
    "an unknown route": (request("GET /nothing"), 404),
    "another method": (request("PUT /v1/tasks"), 405),
    "a redirect": (request("GET /apidocs"), 308),
    "metrics": (request("GET /metrics"), 200),
    "a page": (request("GET /"), 200),
    "a script": (request("GET /static/js/api.js"), 200),
    "Swagger UI": (request("GET /apidocs/"), 200),
    "a large body": (request("POST /v1/tasks", "Content-Type: application/json", "Content-Length: 2000"), 413),
    "another host": (request("GET /v1/tasks", host="evil.example"), 421),
    "no HTTP": (b"what?\r\n\r\n", 400),
    "a bad header": (request("GET /v1/tasks", "a b: c"), 400),
    "a long URL": (request(f"GET /{'x' * 5000}"), 414),
    "large headers": (request("GET /", f"X-Y: {'x' * 9000}"), 431),
}


@pytest.mark.parametrize("kind", ANSWERS)
def test_every_answer_says_what_it_may_do_in_a_browser(orchestrator, kind):
    sent, expected = ANSWERS[kind]
    status, headers = headers_of(orchestrator, sent)
    assert status == expected
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; ")
    assert "frame-ancestors 'none'" in policy
    assert ("unsafe-inline" in policy) is (kind == "Swagger UI")
    assert ("script-src" in policy) is (kind in {"a page", "a script", "Swagger UI"})
    if status >= 400:
        assert headers["content-type"] == "application/problem+json"


def test_what_is_no_http_is_told_in_words(orchestrator):
    with socket.create_connection(("127.0.0.1", orchestrator.api.port), timeout=PATIENCE) as sock:
        sock.sendall(b"GET /v1/tasks HTTP/9.9\r\n\r\n")
        answer = http.client.HTTPResponse(sock)
        answer.begin()
        found = json.loads(answer.read())
    assert found["type"] == "urn:gorchestrator:problem:malformed"
    assert "Invalid HTTP Version" in found["detail"]


def test_scripts_of_an_allowed_origin_may_read(orchestrator):
    answer = orchestrator.api.call("GET", "/v1/tasks", headers={"Origin": OURS})
    assert answer.headers["access-control-allow-origin"] == OURS
    assert "ETag" in answer.headers["access-control-expose-headers"]
    assert answer.headers["vary"] == "Origin"
    assert "access-control-allow-credentials" not in answer.headers
    refused = orchestrator.api.call("GET", "/v1/tasks/nothing", headers={"Origin": OURS})
    assert (refused.status, refused.headers["access-control-allow-origin"]) == (404, OURS)


def test_others_may_not(orchestrator):
    for origin in (THEIRS, "null", f"{OURS}:8443", OURS.replace("https", "http"), f"{OURS}.evil.example"):
        answer = orchestrator.api.call("GET", "/v1/tasks", headers={"Origin": origin})
        assert "access-control-allow-origin" not in answer.headers
        assert answer.headers["vary"] == "Origin"


def preflight(orchestrator, origin):
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    return orchestrator.api.call("OPTIONS", "/v1/tasks", headers={"Origin": origin, **asked})


def test_what_a_browser_asks_before_it_sends_is_answered_without_a_token(orchestrator):
    answer = preflight(orchestrator, OURS)
    assert (answer.status, answer.data) == (204, b"")
    assert answer.headers["access-control-allow-origin"] == OURS
    assert "POST" in answer.headers["access-control-allow-methods"]
    assert "Authorization" in answer.headers["access-control-allow-headers"]
    assert "access-control-allow-origin" not in preflight(orchestrator, THEIRS).headers


def test_without_the_setting_no_other_origin_may_do_anything(closed):
    for answer in (preflight(closed, OURS), closed.api.call("GET", "/v1/tasks", headers={"Origin": OURS})):
        assert answer.status == 401
        assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost@evil.example", "", "[::2]"])
def test_a_name_that_a_page_has_made_up_reaches_nothing(orchestrator, host):
    """A page of that name whose address has become 127.0.0.1: for its browser, it is the same origin."""
    for asked in ("GET /", "GET /v1/tasks", "POST /v1/tasks", "GET /metrics", "GET /no"):
        method, path = asked.split()
        with closing(orchestrator.api.connect()) as connection:
            connection.putrequest(method, path, skip_host=True)
            connection.putheader("Host", host)
            connection.putheader("Content-Type", "application/json")
            body = json.dumps(GORCH).encode()
            connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            answer = connection.getresponse()
            assert answer.status == 421, asked
            assert json.loads(answer.read())["type"].endswith("host-not-allowed")
    assert orchestrator.api.call("GET", "/v1/tasks").json["tasks"] == []
