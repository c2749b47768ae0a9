"""Servers that stand where an executor should be: one that plays it from memory, and some that do not even try.

They run in threads of the test's process. The test decides when an attempt ends, so that nothing depends on time.
"""

import base64
import json
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingTCPServer
from typing import Any
from uuid import uuid4

PROBLEM = "urn:gorchestrator:problem:"
Answer = tuple[int, Any]  # a status, and what is sent as JSON (bytes: as they are)
Script = Callable[[str, str, Any], Answer | None]  # method, path and body; None: as an executor does


def server_context(certs: Path, name: str = "executor", ca: Path | None = None) -> ssl.SSLContext:
    """Return a context that shows the certificate ``name`` and asks for one of ``ca`` (none: asks for nothing)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certs / f"{name}.pem", certs / f"{name}.key")
    if ca is not None:
        context.load_verify_locations(ca)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


class Peer(ThreadingTCPServer):
    """Serves HTTP over TLS (or, without ``context``, in plain) on a port that it holds before and after it listens."""

    daemon_threads = False
    allow_reuse_address = True

    def __init__(self, context: ssl.SSLContext | None, script: Script) -> None:
        super().__init__(("127.0.0.1", 0), _Handler, bind_and_activate=False)
        self.server_bind()
        self.context = context
        self.script = script
        self.requests: list[tuple[str, str, Any]] = []
        self._times: list[tuple[str, float]] = []
        self.away = False  # breaks every connection
        self.local = threading.local()  # of the request that a thread serves
        self._open: set[socket.socket] = set()
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.server_address[1]}"

    def start(self) -> "Peer":
        """Begin to listen."""
        self.server_activate()
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,))
        self._thread.start()
        return self

    def stop(self) -> None:
        """Break all connections, and end."""
        if self._thread is not None:
            self.shutdown()
            self._thread.join()
        self.hang_up()
        self.server_close()

    def hang_up(self) -> None:
        """Break all connections."""
        for connection in list(self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def note(self, method: str, path: str, body: Any) -> None:
        """Remember a request."""
        self.requests.append((method, path, body))
        self._times.append((method, time.monotonic()))

    def times(self, method: str) -> list[float]:
        """Return when requests by this method came."""
        return [at for verb, at in list(self._times) if verb == method]

    def verify_request(self, request: Any, client_address: Any) -> bool:
        """Serve a new connection unless the test wants to be away."""
        return not self.away

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Serve a connection, in its thread."""
        try:
            served = self.context.wrap_socket(request, server_side=True) if self.context else request.dup()
        except OSError:  # the handshake failed, which is what some tests want
            return
        self._open.add(served)
        with served, suppress(OSError):
            super().finish_request(served, client_address)
        self._open.discard(served)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Peer

    def handle_one_request(self) -> None:
        """Answer any method by the script."""
        self.raw_requestline = self.rfile.readline(65537)
        if not self.raw_requestline or not self.parse_request():
            self.close_connection = True
            return
        text = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = json.loads(text) if text else None
        wait = re.search(r"wait=(\d+)", self.headers.get("Prefer", ""))
        self.server.local.wait = int(wait[1]) if wait else 0
        self.server.note(self.command, self.path, body)
        status, found = self.server.script(self.command, self.path, body) or (404, {})
        kind = "application/json" if status < 300 else "application/problem+json"
        data = found if isinstance(found, bytes) else json.dumps(found).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Be silent."""


def problem(status: int, slug: str, detail: str = "") -> Answer:
    return status, {"type": PROBLEM + slug, "title": slug, "status": status, "detail": detail or slug}


class FakeExecutor(Peer):
    """Plays an executor. An attempt ends at once, or when :meth:`finish` says so if its node is in ``held``."""

    def __init__(self, context: ssl.SSLContext, *, capacity: int = 16) -> None:
        super().__init__(context, self._answer)
        self.instance = uuid4().hex
        self.capacity = capacity
        fields = ["args", "artifact", "env", "output", "timeout"]
        self.engines = {"shell": {"ok": True, "reason": None, "fields": fields}}
        self.held: set[str] = set()
        self.jobs: dict[str, dict[str, Any]] = {}
        self.before: Script = lambda *_: None  # looked at first
        self.acknowledged: list[str] = []
        self._changed = threading.Condition()

    def calls(self, method: str, ending: str = "") -> list[Any]:
        """Return paths and bodies of the calls by this method so far."""
        return [(path, body) for verb, path, body in list(self.requests) if verb == method and path.endswith(ending)]

    def puts(self, name: str) -> list[tuple[str, Any]]:
        """Return attempt id and body of the calls that (re)start attempts of a node."""
        found = [(path.rpartition("/")[2], body) for path, body in self.calls("PUT")]
        return [(attempt, body) for attempt, body in found if body["name"] == name]

    def finish(self, attempt: str, **changes: Any) -> None:
        """Let an attempt end."""
        with self._changed:
            self.jobs[attempt].update({"state": 3, "exit_code": 0, **changes})
            self._changed.notify_all()

    def replace(self) -> None:
        """Be another executor from now on, with an empty data directory."""
        with self._changed:
            self.instance = uuid4().hex
            self._forget()

    def stop(self) -> None:
        with self._changed:
            self._forget()
        super().stop()

    def _forget(self) -> None:
        for job in self.jobs.values():
            job["gone"] = True
        self.jobs.clear()
        self._changed.notify_all()

    def _answer(self, method: str, path: str, body: Any) -> Answer | None:
        found = self.before(method, path, body)
        if found is not None:
            return found
        attempt = path.partition("?")[0].rpartition("/")[2]
        match method, attempt:
            case "GET", "ping":
                found = 200, self._ping()
            case "GET", _:
                found = self._get(attempt, path)
            case "PUT", _:
                found = self._put(attempt, body)
            case "DELETE", _:
                found = self._delete(attempt)
            case "POST", "ack":
                self.acknowledged += body["ids"]
                found = 200, {"refused": {}}
        return found

    def _ping(self) -> dict[str, Any]:
        return {
            "status": "success",
            "name": "fake",
            "version": "0",
            "instance": self.instance,
            "engines": self.engines,
            "capacity": self.capacity,
            "queue": 64,
            "load": 0,
        }

    def _put(self, attempt: str, body: Any) -> Answer:
        if body["instance"] != self.instance:
            return problem(412, "instance-mismatch", "another executor than this one was meant")
        if attempt not in self.jobs:
            self.jobs[attempt] = _job(attempt)
            if body["name"] not in self.held:
                self.finish(attempt, output={key: f"{key} of {body['name']}" for key in body["output"]})
        return _status(self.jobs[attempt]), _shown(self.jobs[attempt], 0)

    def _get(self, attempt: str, path: str) -> Answer:
        if attempt not in self.jobs:
            return problem(404, "job-unknown")
        job = self.jobs[attempt]
        with self._changed:
            self._changed.wait_for(lambda: job["state"] >= 3 or job.get("gone"), self.local.wait)
        log_from = re.search(r"log_from=(\d+)", path)
        return _status(job), _shown(job, int(log_from[1]) if log_from else None)

    def _delete(self, attempt: str) -> Answer:
        self.jobs.setdefault(attempt, _job(attempt))
        if self.jobs[attempt]["state"] < 3:
            self.finish(attempt, state=11, reason_code="canceled", exit_code=None)
        return 200, _shown(self.jobs[attempt])


def _job(attempt: str) -> dict[str, Any]:
    return {
        "id": attempt,
        "state": 2,
        "reason": None,
        "reason_code": None,
        "exit_code": None,
        "signal": None,
        "output": {},
        "created_at": "2026-11-01T12:00:00.000000Z",
        "started_at": "2026-11-01T12:00:01.000000Z",
        "stopped_at": None,
        "queued": False,
        "survivors": [],
        "log": b"",
    }


def _status(job: dict[str, Any]) -> int:
    return 200 if job["state"] >= 3 else 202


def _shown(job: dict[str, Any], log_from: int | None = None) -> dict[str, Any]:
    log: bytes = job["log"]
    piece = b"" if log_from is None else log[log_from : log_from + 65536]
    start = log_from or 0
    shown = {key: value for key, value in job.items() if key != "gone"}
    place = {"log_from": start, "log_next": start + len(piece), "log_size": len(log)}
    return shown | {"log": base64.b64encode(piece).decode()} | place
