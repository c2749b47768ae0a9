"""Clients that send next to nothing lose their connections soon, and keep nobody from being answered meanwhile."""

import http.client
import json
import socket
import time
from contextlib import closing

import pytest

from gorchestrator.common.awaiting import HEAD
from gorchestrator.common.http.body import SLOWEST
from slow_clients import KEPT, are_closed_and_hold_nobody_up
from support import PATIENCE

JSON = ("Content-Type: application/json", "Content-Length: 1000")
LINES = ("POST /v1/tasks HTTP/1.1", "Host: 127.0.0.1", *JSON, "", "{")
BODY = "\\r\\n".join(LINES)


@pytest.mark.parametrize("sent", ["G", BODY], ids=["heads", "bodies"])
def test_a_thousand_slow_connections_hold_nobody_up_and_are_closed(api, sent):
    def ask():
        assert api.call("GET", "/v1/tasks").status == 200

    are_closed_and_hold_nobody_up(api.port, sent, HEAD, ask)


def test_a_slow_body_is_told_why(api):
    with socket.create_connection(("127.0.0.1", api.port), timeout=PATIENCE) as sock:
        sock.sendall(BODY.encode().decode("unicode_escape").encode())
        answer = http.client.HTTPResponse(sock)
        answer.begin()
        assert answer.status == 408
        assert json.loads(answer.read())["type"] == "urn:gorchestrator:problem:request-timeout"


def test_who_keeps_a_connection_for_the_next_request_may_wait_longer(api):
    with closing(api.connect()) as connection:
        assert api.call("GET", "/v1/ping", over=connection).status == 200
        kept = connection.sock
        time.sleep(max(HEAD, SLOWEST) + 1)
        assert api.call("GET", "/v1/ping", over=connection).status == 200
        assert connection.sock is kept


def test_a_head_that_is_begun_on_a_kept_connection_must_come_soon(api):
    with closing(api.connect()) as connection:
        assert api.call("GET", "/v1/ping", over=connection).status == 200
        begun = time.monotonic()
        connection.sock.sendall(b"GET /v1/ping HT")
        assert connection.sock.recv(1) == b""
        assert HEAD - 1 < time.monotonic() - begun < KEPT
