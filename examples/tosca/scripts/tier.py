"""What the three programs share: they answer each request with one line, and write down the port that they have got.

Run by itself, it prints what a URL answers.
"""

import os
import sys
from collections.abc import Callable
from http import HTTPStatus
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit


def serve(answer: Callable[[], str], kind: str = "text/plain") -> None:
    """Serve on a free port of the address that the command line says."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = f"{answer()}\n".encode()
            self.send_response(200)
            self.send_header("Content-Type", f"{kind}; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer((sys.argv[1], 0), Handler)
    Path("port.new").write_text(f"{server.server_port}\n")
    os.replace("port.new", "port")  # whoever waits for it never sees half of it
    server.serve_forever()


def ask(url: str) -> str:
    """Return what a URL answers."""
    connection = HTTPConnection(urlsplit(url).netloc, timeout=30)
    connection.request("GET", "/")
    response = connection.getresponse()
    text = response.read().decode().strip()
    connection.close()
    if response.status != HTTPStatus.OK:
        raise OSError(f"{url} answers with status {response.status}: {text}")
    return text


def ask_upstream() -> str:
    """Return what the tier behind this one answers."""
    return ask(Path("upstream").read_text().strip())


if __name__ == "__main__":
    sys.stdout.write(f"{ask(sys.argv[1])}\n")
