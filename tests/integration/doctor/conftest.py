"""An executor whose clock is wrong: a server in front of the real one that passes pings on, and changes their Date."""

import ssl
import threading
from collections.abc import Callable, Iterator
from email.utils import formatdate
from http.client import HTTPSConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from time import time

import pytest

from support import Services


def context(certs: Path, name: str, purpose: ssl.Purpose) -> ssl.SSLContext:
    """Return a context for a service of this name."""
    found = ssl.create_default_context(purpose, cafile=str(certs / "ca.pem"))
    found.load_cert_chain(certs / f"{name}.pem", certs / f"{name}.key")
    found.verify_mode = ssl.CERT_REQUIRED
    return found


@pytest.fixture
def wrong_clock(service: Services) -> Iterator[Callable[[float], str]]:
    """Return what starts an executor whose clock is so many seconds ahead, and returns its URL."""
    port = int(service.executor.url.rpartition(":")[2])
    servers: list[ThreadingHTTPServer] = []

    def start(ahead: float) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                client = context(service.certs, "orchestrator", ssl.Purpose.SERVER_AUTH)
                connection = HTTPSConnection("127.0.0.1", port, context=client)
                connection.request("GET", self.path)
                answer = connection.getresponse()
                body = answer.read()
                connection.close()
                self.send_response_only(answer.status)
                self.send_header("Date", formatdate(time() + ahead, usegmt=True))
                self.send_header("Content-Type", answer.headers["Content-Type"])
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.socket = context(service.certs, "executor", ssl.Purpose.CLIENT_AUTH).wrap_socket(
            server.socket, server_side=True
        )
        threading.Thread(target=server.serve_forever, args=(0.05,)).start()
        servers.append(server)
        return f"https://127.0.0.1:{server.server_address[1]}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()
