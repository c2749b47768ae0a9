"""Parts of the tests of the engine ``http``: a real HTTP server that answers as it is told, and remembers what came."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from ssl import PROTOCOL_TLS_SERVER, SSLContext
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass
class Seen:
    """A request that came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Web:
    """The server. ``drops``: how many connections it is still to break before it answers."""

    port: int
    scheme: str = "http"
    seen: list[Seen] = field(default_factory=list)
    drops: int = 0
    gate: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"


class Handler(BaseHTTPRequestHandler):
    """Answers by the path: /status/N, /echo, /json?document=, /wait, /drip, /big, /binary, /to/N?url=, /loop, /cut."""

    protocol_version = "HTTP/1.1"
    web: Web

    def answer(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length)
        self.web.seen.append(Seen(self.command, self.path, dict(self.headers.items()), body))
        if self.web.drops:
            self.web.drops -= 1
            with suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
            return
        path, query = urlsplit(self.path).path, parse_qs(urlsplit(self.path).query)
        getattr(self, f"on_{path.split('/')[1]}")(path, query, body)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):  # the server looks for a method of each kind
            return self.answer
        raise AttributeError(name)

    def send(self, status: int, body: bytes, kind: str = "text/plain", **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        with suppress(OSError):
            if self.command != "HEAD":
                self.wfile.write(body)

    def on_status(self, path: str, *_: Any) -> None:
        self.send(int(path.split("/")[2]), f"this is {path}\n".encode())

    def on_echo(self, _path: str, _query: Any, body: bytes) -> None:
        said = {"method": self.command, "path": self.path, "headers": dict(self.headers.items()), "body": body.decode()}
        self.send(200, json.dumps(said).encode(), "application/json")

    def on_json(self, _path: str, query: dict[str, list[str]], _body: bytes) -> None:
        self.send(200, query["document"][0].encode(), "application/json")

    def on_wait(self, *_: Any) -> None:
        self.web.gate.wait(60)
        self.send(200, b"at last\n")

    def on_drip(self, *_: Any) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.end_headers()
        self.wfile.write(b"first\n")
        self.wfile.flush()
        self.web.gate.wait(60)
        self.wfile.write(b"last\n")
        self.close_connection = True

    def on_big(self, *_: Any) -> None:
        self.send(200, b"line of text\n" * 200_000)

    def on_binary(self, *_: Any) -> None:
        self.send(200, bytes(range(256)) * 4, "application/octet-stream")

    def on_to(self, path: str, query: dict[str, list[str]], _body: bytes) -> None:
        self.send(int(path.split("/")[2]), b"", Location=query["url"][0])

    def on_cut(self, *_: Any) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "12")
        self.end_headers()
        whole = len(self.web.seen) > 1
        self.wfile.write(b"half of a..\n" if whole else b"half o")
        self.close_connection = not whole

    def on_loop(self, *_: Any) -> None:
        self.send(302, b"", Location="/loop")

    def log_message(self, *_: Any) -> None:
        pass


class Quiet(ThreadingHTTPServer):
    """Clients that go away in between are what is tested."""

    daemon_threads = True
    request_queue_size = 128  # by default 5: who comes when that is full asks again a second later

    def handle_error(self, *_: Any) -> None:
        pass


@contextmanager
def serving(certs: Path | None = None, port: int = 0) -> Iterator[Web]:
    """Run a server on 127.0.0.1; ``certs``: a folder with ``executor.pem`` and its key, for HTTPS."""
    server = Quiet(("127.0.0.1", port), Handler)
    web = Web(server.server_address[1], "https" if certs else "http")
    server.RequestHandlerClass = type("Bound", (Handler,), {"web": web})  # type: ignore[assignment]
    if certs:
        context = SSLContext(PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certs / "executor.pem", certs / "executor.key")
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield web
    finally:
        web.gate.set()
        server.shutdown()
        server.server_close()
        thread.join(10)
