"""Parts of the tests of the engine ``http``: a real HTTP server that answers as it is told, and remembers what came."""

import base64
import gzip
import html
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import BaseRequestHandler
from ssl import PROTOCOL_TLS_SERVER, SSLContext
from typing import Any
from urllib.parse import parse_qs, quote, quote_plus, urlsplit

TOKEN = "0123-token-4567"
ODD = 'Tök en/+"<\\%41&🎉=z'  # a secret that looks otherwise in each form


def node(url: str, *args: str, **fields: Any) -> dict[str, Any]:
    """Return a node that asks for a URL."""
    return {"name": "ask", "engine": "http", "artifact": url, "args": list(args), **fields}


def forms(secret: str) -> list[str]:
    """Return how a secret may come back."""
    raw = secret.encode()
    quoted = [quote(secret, safe=""), quote(secret), quote_plus(secret), quote(secret).lower(), quote(quote(secret))]
    escaped = [json.dumps(secret), json.dumps(secret, ensure_ascii=False), json.dumps(quote_plus(secret))]
    escaped += [json.dumps(secret).replace("/", "\\/"), quote(json.dumps(secret)), html.escape(secret)]
    coded = [base64.b64encode(f"{user}:".encode() + raw + b"!").decode() for user in ("", "a", "me", "you")]
    coded += [base64.urlsafe_b64encode(raw).decode(), quote(coded[0], safe="")]
    return [secret, *quoted, *escaped, *coded]


@dataclass
class Seen:
    """A request that came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Web:
    """The server. ``drops``: how many connections it is still to break before it answers. ``document``: see there."""

    port: int
    scheme: str = "http"
    seen: list[Seen] = field(default_factory=list)
    drops: int = 0
    document: bytes = b""
    gate: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"


class Handler(BaseHTTPRequestHandler):
    """Answers by the path: its first step names the method, such as ``on_echo`` for /echo."""

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

    def on_document(self, *_: Any) -> None:
        self.send(200, self.web.document, "application/json")

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

    def on_forms(self, *_: Any) -> None:
        """Give the secret of the header X-Key back, in each form and in small pieces."""
        secret = self.headers["X-Key"].encode("latin-1").decode()
        body = "".join(f"<{form}>\n" for form in forms(secret)).encode()
        self.send_response(401, f"not {quote(secret)}")
        self.send_header("Location", f"/login?next={quote(f'/?key={quote_plus(secret)}', safe='')}")
        self.send_header("WWW-Authenticate", f"Basic realm={secret}".encode().decode("latin-1"))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        for start in range(0, len(body), 7):
            self.wfile.write(body[start : start + 7])
            self.wfile.flush()

    def on_pour(self, path: str, *_: Any) -> None:
        """Answer without an end, with a status and a Location."""
        self.send_response(int(path.split("/")[2]))
        self.send_header("Location", "/echo")
        self.end_headers()
        self.flood(b"line of text\n" * 5000)

    def on_interim(self, *_: Any) -> None:
        """Never come to the answer."""
        self.flood(b"HTTP/1.1 100 Continue\r\n\r\n" * 2000)

    def on_zipped(self, *_: Any) -> None:
        """Send without an end what comes to nothing."""
        self.send_response(200)
        self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        self.flood(gzip.compress(b"") * 2000)

    def flood(self, data: bytes) -> None:
        self.close_connection = True
        with suppress(OSError):
            while not self.web.gate.is_set():
                self.wfile.write(data)

    def on_location(self, _path: str, query: dict[str, list[str]], _body: bytes) -> None:
        self.send(302, b"", Location=query["raw"][0].encode().decode("latin-1"))

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
def saying(answer: bytes) -> Iterator[str]:
    """Give each connection the same bytes once it has sent something, whatever that was; yields the URL."""

    class Says(BaseRequestHandler):
        def handle(self) -> None:
            self.request.recv(2**16)
            self.request.sendall(answer)

    with running(Quiet(("127.0.0.1", 0), Says)) as server:
        yield f"http://127.0.0.1:{server.server_address[1]}/"


@contextmanager
def running(server: Quiet) -> Iterator[Quiet]:
    """Serve in a thread."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


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
    with running(server):
        try:
            yield web
        finally:
            web.gate.set()
