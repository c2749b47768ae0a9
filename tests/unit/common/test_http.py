"""Strict bodies, problems, the check of Host and the access log, on a bare application."""

import logging
import threading
from typing import Any

import pytest
from flask import Flask, abort, request
from flask.testing import FlaskClient
from marshmallow import Schema, fields, validate
from werkzeug.test import TestResponse

from gorchestrator.common.http import body, problems
from gorchestrator.common.http.access_log import AccessLog
from gorchestrator.common.http.hosts import AllowedHosts, without_port
from gorchestrator.common.http.peers import OwnMachine

LIMIT = 2**20


class Teapot(problems.Problem):
    """It is short and stout."""

    type = "teapot"
    status = 418
    title = "A teapot"


class Inner(Schema):
    size = fields.Integer(strict=True)


class Document(Schema):
    name = fields.String(required=True)
    parts = fields.List(fields.Nested(Inner))
    labels = fields.Dict(keys=fields.String(), values=fields.String())


@pytest.fixture
def client() -> FlaskClient:
    app = Flask(__name__)
    problems.install(app)
    app.add_url_rule("/", "echo", lambda: {"got": body.read_json(request, LIMIT)}, methods=["POST"])
    app.add_url_rule("/load", "load", lambda: body.load(Document(), body.read_json(request, LIMIT)), methods=["POST"])
    app.add_url_rule("/teapot", "teapot", _teapot)
    app.add_url_rule("/fault", "fault", lambda: {}["missing"])
    app.add_url_rule("/conflict", "conflict", lambda: abort(409, "taken"))
    app.wsgi_app = AccessLog(AllowedHosts(app.wsgi_app, ["localhost", "[::1]"], "allowed_hosts"))  # type: ignore[method-assign]
    return app.test_client()


def _teapot() -> None:
    raise Teapot(headers={"Retry-After": "3"}, capacity=2)


def post(client: FlaskClient, data: bytes, path: str = "/") -> TestResponse:
    return client.post(path, data=data, content_type="application/json")


def problem(answer: TestResponse) -> dict[str, Any]:
    assert answer.content_type == "application/problem+json"
    document: dict[str, Any] = answer.get_json(force=True)
    assert document["status"] == answer.status_code
    return document


def test_json_is_read(client: FlaskClient) -> None:
    assert post(client, b' {"a": [1, -2.5e3, true, null, "\xc3\xbc"]} ').json == {
        "got": {"a": [1, -2500.0, True, None, "ü"]}
    }
    assert client.post("/", data=b"1", content_type="application/json; charset=utf-8").json == {"got": 1}


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b'{"a": }', "line 1 column 7"),
        (b"[1,\n2,]", "line 2 column 3"),
        (b'["\xff"]', "not UTF-8: invalid start byte at byte 2"),
        (b"\xef\xbb\xbf1", "BOM"),
        (b'{"a": 1, "b": {"k": 1, "k": 2}}', "'k' occurs twice"),
        (b"NaN", "NaN is not JSON"),
        (b"[-Infinity]", "-Infinity is not JSON"),
        (b"1e999", "1e999 is too large"),
        (b"1" * 21, "21 digits"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a":' * 100_000, "nested too deeply"),
    ],
)
def test_what_is_not_json_is_said_where(client: FlaskClient, data: bytes, words: str) -> None:
    found = problem(post(client, data))
    assert (found["status"], found["type"]) == (400, "urn:gorchestrator:problem:bad-json")
    assert words in found["detail"]


def test_large_bodies_are_parsed_in_a_native_thread(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    threads = []
    parse = body.parse
    monkeypatch.setattr(body, "parse", lambda data: threads.append(threading.get_ident()) or parse(data))
    assert post(client, b"[1" + b" " * 100_000 + b"]").json == {"got": [1]}
    assert post(client, b"[1]").json == {"got": [1]}
    assert threads[0] != threads[1] == threading.get_ident()


def test_other_media_types_are_refused(client: FlaskClient) -> None:
    found = problem(client.post("/", data=b"{}", content_type="text/plain"))
    assert (found["status"], found["type"]) == (415, "urn:gorchestrator:problem:unsupported-media-type")
    assert found["detail"] == "The Content-Type is 'text/plain'; send JSON with `Content-Type: application/json`."
    assert "is missing" in problem(client.post("/", data=b"{}"))["detail"]


def test_too_large_is_refused_with_the_limit(client: FlaskClient) -> None:
    assert post(client, b" " * (LIMIT - 1) + b"1").json == {"got": 1}
    found = problem(post(client, b" " * LIMIT + b"1"))
    assert (found["status"], found["type"], found["limit"]) == (413, "urn:gorchestrator:problem:too-large", LIMIT)
    assert str(LIMIT) in found["detail"]


def test_a_body_of_unknown_length_is_not_read_beyond_the_limit(client: FlaskClient) -> None:
    class Endless:
        read_bytes = 0

        def read(self, size: int = -1) -> bytes:
            assert 0 < size <= body.PIECE
            self.read_bytes += size
            return b" " * size

        readline = read

    stream = Endless()
    environ = {"wsgi.input": stream, "wsgi.input_terminated": True, "CONTENT_TYPE": "application/json"}
    answer = client.post("/", environ_overrides=environ)
    assert problem(answer)["status"] == 413
    assert stream.read_bytes <= LIMIT + 1


def test_every_fault_has_a_pointer(client: FlaskClient) -> None:
    data = b'{"parts": [{"size": 1}, {"size": "2"}, 3], "labels": {"a/b~c": 4}, "more": 5}'
    found = problem(post(client, data, "/load"))
    assert (found["status"], found["type"]) == (422, "urn:gorchestrator:problem:invalid")
    assert {fault["pointer"] for fault in found["errors"]} == {
        "/name",
        "/parts/1/size",
        "/parts/2",
        "/labels/a~1b~0c",
        "/more",
    }
    assert problem(post(client, b"[]", "/load"))["errors"] == [{"pointer": "", "detail": "Invalid input type."}]


def test_problems_of_all_kinds(client: FlaskClient, caplog: pytest.LogCaptureFixture) -> None:
    answer = client.get("/teapot")
    assert problem(answer) == {
        "type": "urn:gorchestrator:problem:teapot",
        "title": "A teapot",
        "status": 418,
        "detail": "It is short and stout.",
        "capacity": 2,
    }
    assert answer.headers["Retry-After"] == "3"
    assert problem(client.get("/none"))["type"] == "urn:gorchestrator:problem:not-found"
    refused = client.get("/")
    assert problem(refused)["type"] == "urn:gorchestrator:problem:method-not-allowed"
    assert "POST" in refused.headers["Allow"]
    assert problem(client.get("/conflict"))["detail"] == "taken"
    assert not caplog.records
    fault = problem(client.get("/fault"))
    assert (fault["type"], fault["status"]) == ("urn:gorchestrator:problem:internal", 500)
    assert "missing" not in fault["detail"]
    (record,) = caplog.records
    assert record.exc_info
    assert record.__dict__["event"] == "request_failed"


@pytest.mark.parametrize("host", ["localhost", "LocalHost:8080", "localhost.", "[::1]:80", "[::1]"])
def test_known_hosts_are_served(client: FlaskClient, host: str) -> None:
    assert client.get("/teapot", headers={"Host": host}).status_code == 418


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "", "localhost:80:80", "127.0.0.1"])
def test_other_hosts_are_refused(client: FlaskClient, host: str) -> None:
    found = problem(client.get("/teapot", headers={"Host": host}, environ_overrides={"HTTP_HOST": host}))
    assert (found["status"], found["type"]) == (421, "urn:gorchestrator:problem:host-not-allowed")
    assert "setting allowed_hosts" in found["detail"]


def test_ports_are_cut_off() -> None:
    assert [without_port(host) for host in ("A:1", "a", "[::1]:2", "[::1]")] == ["a", "a", "::1", "::1"]


def test_the_access_log_has_one_line_and_no_query(client: FlaskClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "gorchestrator.common.http.access_log")
    client.get("/teapot?token=secret").close()  # a server closes an answer at its end
    (record,) = caplog.records
    assert record.getMessage() == "GET /teapot 418"
    seen = record.__dict__
    assert {key: seen[key] for key in ("event", "method", "path", "status", "peer")} == {
        "event": "request",
        "method": "GET",
        "path": "/teapot",
        "status": 418,
        "peer": "127.0.0.1",
    }
    assert seen["ms"] >= 0
    assert "secret" not in str(seen)


def test_the_access_log_can_be_silent(client: FlaskClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    assert client.get("/teapot").status_code == 418
    assert not caplog.records


@pytest.mark.parametrize(
    ("peer", "allowed"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),  # by IPv4 to a socket of both
        ("", True),  # over a Unix socket
        ("192.0.2.7", False),
        ("::ffff:192.0.2.7", False),
        ("fe80::1%eth0", False),
        ("nonsense", False),
    ],
)
def test_callers_on_other_machines_are_refused(client: FlaskClient, peer: str, allowed: bool) -> None:
    client.application.wsgi_app = OwnMachine(client.application.wsgi_app, "Show a token")  # type: ignore[method-assign]
    answer = client.get("/teapot", environ_base={"REMOTE_ADDR": peer})
    if allowed:
        assert answer.status_code == 418
    else:
        found = problem(answer)
        assert (found["status"], found["type"]) == (403, "urn:gorchestrator:problem:peer-not-allowed")
        assert peer in found["detail"]
        assert "Show a token; or put a proxy" in found["detail"]


def test_a_pointer_names_every_key_of_the_document_whatever_it_is_called() -> None:
    class Entry(Schema):
        value = fields.Integer(strict=True)

    class Odd(Schema):
        key = fields.Integer(strict=True)
        size = fields.Integer(strict=True, data_key="_size")
        labels = fields.Dict(keys=fields.String(validate=validate.Length(max=7)), values=fields.Integer(strict=True))
        entries = fields.List(fields.Nested(Entry))
        by_name = fields.Dict(values=fields.Nested(Entry))

    document = {
        "key": "x",
        "_size": "x",
        "labels": {"value": "x", "key": "x", "_schema": "x", "a/b": "x", "too long": 1},
        "entries": [{}, {"value": "x"}, {"key": 1}],
        "by_name": {"value": {"value": "x"}, "key": 7},
        "more": 1,
    }
    with pytest.raises(problems.Invalid) as refused:
        body.load(Odd(), document)
    assert sorted(fault["pointer"] for fault in refused.value.extra["errors"]) == sorted(
        [
            *("/key", "/_size", "/more", "/entries/1/value", "/entries/2/key", "/by_name/value/value", "/by_name/key"),
            *("/labels/value", "/labels/key", "/labels/_schema", "/labels/a~1b", "/labels/too long"),
        ]
    )
