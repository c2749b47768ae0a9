"""The engine ``http``: a service that runs the shell lines that are posted to it, for as long as somebody listens."""

import json
import os
import select
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import psutil

from beds import Bed, Node
from web_support import Quiet, running

PIECE = 64 * 1024
LOOK = 0.05  # seconds between two looks whether the program has ended


class JobService(BaseHTTPRequestHandler):
    """Answers with what a program prints: with 200 as it comes, or at its end with a status that says how it ended."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        order = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path != "/run":
            self.answer(404, b"there is only /run\n")
            return
        with tempfile.TemporaryDirectory() as folder:
            program = subprocess.Popen(
                ["/bin/sh", "-c", order["program"], "sh", *order["args"]],
                env={"PATH": os.environ["PATH"], **order["env"]},
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            with program:
                self.follow(program, stream=order["stream"])

    def follow(self, program: subprocess.Popen[bytes], *, stream: bool) -> None:
        """Tell what a program prints until it ends; what it has started then lives on. Kill all without a listener."""
        if stream:
            self.begin(200, "Transfer-Encoding", "chunked")
        printed = b""
        with suppress(ConnectionError):
            for piece in self.pieces(program):
                printed += piece
                if stream:
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            if stream:
                self.wfile.write(b"0\r\n\r\n")
            else:
                self.answer(500 if program.returncode else 200, printed, f"exit status {program.returncode}")
            return
        kill(program)

    def pieces(self, program: subprocess.Popen[bytes]) -> Iterator[bytes]:
        """Return what a program prints until it ends. Raises ConnectionError when the client has gone away."""
        assert program.stdout is not None
        output = program.stdout.fileno()
        watched: list[Any] = [output, self.connection]
        while True:
            ended = program.poll() is not None
            ready = select.select(watched, [], [], 0 if ended else LOOK)[0]
            if self.connection in ready and not self.connection.recv(1, socket.MSG_PEEK):
                raise ConnectionError
            piece = os.read(output, PIECE) if output in ready else b""
            if piece:
                yield piece
            elif ended:
                return
            elif output in ready:  # it has closed its output, and does something yet
                watched.remove(output)

    def begin(self, status: int, header: str, value: str, phrase: str | None = None) -> None:
        self.send_response(status, phrase)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header(header, value)
        self.end_headers()

    def answer(self, status: int, body: bytes, phrase: str | None = None) -> None:
        self.begin(status, "Content-Length", str(len(body)), phrase)
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


def kill(program: subprocess.Popen[bytes]) -> None:
    """Kill a program and all below it; what is stopped starts nothing new until all are known."""
    stopped: set[psutil.Process] = set()
    with suppress(psutil.NoSuchProcess):
        root = psutil.Process(program.pid)
        while found := {root, *root.children(recursive=True)} - stopped:
            for process in found:
                with suppress(psutil.NoSuchProcess):
                    process.suspend()
            stopped |= found
    for process in stopped:
        with suppress(psutil.NoSuchProcess):
            process.kill()


class Http(Bed):
    """Posts programs to the service. Where a time limit is to strike, what they print comes as they run."""

    name = "http"
    timeout = 2.0
    proves_death = False
    failed = "answer"

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"

    def exit_code(self, _status: int) -> None:
        return None

    def settings(self) -> Mapping[str, str]:
        return {"http_allow": "127.0.0.1"}

    def node(
        self, *lines: str, args: tuple[str, ...] = (), env: Mapping[str, str] | None = None, **fields: Any
    ) -> Node:
        order = {"program": "\n".join(lines), "args": args, "env": {}, "stream": "timeout" in fields}
        literal = json.dumps(order, ensure_ascii=False).replace("${", "$${")
        document = json.loads(literal) | {"env": {name: f"${{{name}}}" for name in env or {}}}
        return self._of("/run", document) | {"env": dict(env or {}), **fields}

    def missing(self) -> tuple[Node, str, str]:
        return (
            self._of("/no-such-service", {}),
            "answer",
            "the server answered 404 Not Found, expected was 2xx: there is",
        )

    def _of(self, path: str, document: Mapping[str, Any]) -> Node:
        return {"name": "n", "engine": "http", "artifact": self.url + path, "args": [f"json={json.dumps(document)}"]}


def bed(_: Path) -> Iterator[Bed]:
    with running(Quiet(("127.0.0.1", 0), JobService)) as server:
        yield Http(server.server_address[1])
