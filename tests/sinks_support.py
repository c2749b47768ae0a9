"""Receivers of log lines: syslog by UDP, TCP and socket file, logstash by TCP and TLS, each in a thread of the test."""

import json
import re
import selectors
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from support import wait_until

HEADER = re.compile(r"<(\d+)>1 (\S+) (\S+) (\S+) (\d+) (\S+) - (\{.*\})", re.DOTALL)


class Receiver:
    """Takes what comes on one socket and all its connections; ``reading`` cleared, it accepts and reads nothing."""

    def __init__(self, sock: socket.socket, context: ssl.SSLContext | None = None) -> None:
        self.data: dict[int, bytearray] = {}  # by connection
        self.datagrams: list[bytes] = []
        self.reading = threading.Event()
        self.reading.set()
        self._sock = sock
        self._context = context
        self._connections: list[socket.socket] = []
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self._sock.getsockname()[1])

    def accepted(self) -> int:
        """Return how many connections there were."""
        return len(self.data)

    def close(self) -> None:
        """End as a receiver does that is stopped."""
        self._end.set()
        self._thread.join()
        for sock in [self._sock, *self._connections]:
            sock.close()

    def _serve(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._sock, selectors.EVENT_READ)
            while not self._end.is_set():
                for key, _ in selector.select(0.02):
                    self._take(key, selector)
                if not self.reading.is_set():
                    self._end.wait(0.02)

    def _take(self, key: selectors.SelectorKey, selector: selectors.BaseSelector) -> None:
        sock = key.fileobj
        assert isinstance(sock, socket.socket)
        if sock is not self._sock:
            if self.reading.is_set():
                self._read(sock, key.data, selector)
        elif sock.type == socket.SOCK_DGRAM:
            self.datagrams.append(sock.recv(100_000))
        else:
            with suppress(OSError):  # a client that does not like the certificate
                self._accept(selector)

    def _accept(self, selector: selectors.BaseSelector) -> None:
        sock, _ = self._sock.accept()
        if self._context:
            sock.settimeout(10)
            sock = self._context.wrap_socket(sock, server_side=True)
        sock.setblocking(False)
        self._connections.append(sock)
        number = len(self.data)
        self.data[number] = bytearray()
        selector.register(sock, selectors.EVENT_READ, number)

    def _read(self, sock: socket.socket, number: int, selector: selectors.BaseSelector) -> None:
        with suppress(BlockingIOError, ssl.SSLWantReadError):
            while True:
                try:
                    data = sock.recv(65536)
                except ConnectionError:
                    data = b""
                if not data:
                    selector.unregister(sock)
                    return
                self.data[number] += data

    # -- what has come

    def lines(self) -> list[dict[str, Any]]:
        """Return the JSON lines of all connections that are whole."""
        found = [line for data in list(self.data.values()) for line in bytes(data).split(b"\n")[:-1]]
        return [json.loads(line) for line in found]

    def messages(self) -> list[dict[str, Any]]:
        """Return the whole messages of syslog of all connections: the JSON, and below ``header`` what is before it."""
        found = [message for data in list(self.data.values()) for message in counted(bytes(data))]
        return [parsed(message) for message in [*found, *self.datagrams]]

    def wait_for(self, found: Callable[[], list[dict[str, Any]]], **wanted: Any) -> dict[str, Any]:
        """Return the first line that has what is wanted, once it is there."""
        return wait_until(lambda: next(iter(having(found(), **wanted)), None), what=f"a line with {wanted}") or {}


def having(lines: list[dict[str, Any]], **wanted: Any) -> list[dict[str, Any]]:
    """Return the lines that have what is wanted."""
    return [line for line in lines if all(line.get(key) == value for key, value in wanted.items())]


def counted(data: bytes) -> Iterator[bytes]:
    """Yield the messages of a stream that counts octets."""
    while match := re.match(rb"(\d+) ", data):
        end = match.end() + int(match[1])
        if end > len(data):
            return
        yield data[match.end() : end]
        data = data[end:]
    assert re.fullmatch(rb"\d*", data), data[:100]


def parsed(message: bytes) -> dict[str, Any]:
    """Return a message of RFC 5424."""
    match = HEADER.fullmatch(message.decode("ascii"))
    assert match, message
    names = ("priority", "time", "host", "app", "pid", "event")
    return json.loads(match[7]) | {"header": dict(zip(names, match.groups(), strict=False))}


@contextmanager
def receiver(
    place: str | int = 0, *, udp: bool = False, stream: bool = False, tls: Path | None = None
) -> Iterator[Receiver]:
    """Receive on a port of 127.0.0.1 (0: any), or on a socket file; ``tls``: a folder of certificates."""
    kind = socket.SOCK_DGRAM if udp or (isinstance(place, str) and not stream) else socket.SOCK_STREAM
    sock = socket.socket(socket.AF_UNIX if isinstance(place, str) else socket.AF_INET, kind)
    if kind == socket.SOCK_STREAM and not isinstance(place, str):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # so that who does not read shows soon
    sock.bind(place if isinstance(place, str) else ("127.0.0.1", place))
    if kind == socket.SOCK_STREAM:
        sock.listen()
    context = None
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tls / "executor.pem", tls / "executor.key")
    found = Receiver(sock, context)
    try:
        yield found
    finally:
        found.close()
