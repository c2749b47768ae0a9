"""Connections to receivers of log lines, for a native thread: nothing here knows of gevent, whose hub must not wait.

What was written is known by its end: ``total`` counts all that was, ``handed()`` what the kernel has taken, and
``confirmed()`` what the kernel of the other side has. Every method may raise OSError: then the connection is of no use
any more.
"""

import _socket
import errno
import fcntl
import socket
import struct
import termios
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from gorchestrator.common.sinks import native
from gorchestrator.common.sinks.address import Address
from gorchestrator.common.sinks.formats import Encode, Frame, on_a_line
from gorchestrator.common.sinks.memory_tls import MemoryTls

_OPEN_LIMIT = 5.0  # seconds in which a connection has to be there, TLS included
_PIECE = 64 * 1024  # bytes
_AT_CLOSE = 0.1  # seconds
_SMALL = 2048  # bytes of a message that each receiver of datagrams should take, says RFC 5424


class Connection(Protocol):
    """A way to a receiver."""

    total: int

    def open(self) -> None:
        """Connect."""

    def check(self) -> None:
        """Raise if the receiver has gone away."""

    def write(self, message: bytes) -> None:
        """Take a message, which ``flush`` sends."""

    def flush(self, patience: float) -> bool:
        """Send what was written; return whether all of it is sent. ``patience``: seconds without progress."""

    def handed(self) -> int:
        """Return the end of what was sent."""

    def confirmed(self) -> int:
        """Return the end of what has arrived for sure."""

    def close(self) -> None:
        """End it; what was sent still arrives."""

    def disown(self) -> None:
        """Forget it in a forked process, for it belongs to the other one."""


@dataclass(frozen=True, slots=True)
class Target:
    """A receiver: what it is called in the log, how to get there, and how it wants its lines."""

    name: str
    connect: Callable[[], Connection]
    encode: Encode


class Datagrams:
    """UDP, or a socket file such as ``/dev/log``. That a datagram is lost on its way, nobody notices."""

    def __init__(self, address: Address) -> None:
        self.total = 0
        self._address = address
        self._socket = native.closed()
        self._waiting: list[bytes] = []

    def open(self) -> None:
        """Find the receiver."""
        self._socket = native.connect(self._address, socket.SOCK_DGRAM, time.monotonic() + _OPEN_LIMIT, self._hold)

    def _hold(self, sock: _socket.socket) -> None:
        self._socket = sock

    def check(self) -> None:
        """Do nothing: it shows when something is sent."""

    def write(self, message: bytes) -> None:
        """Take a message."""
        self._waiting.append(message)
        self.total += 1

    def flush(self, patience: float) -> bool:
        """Send what was written."""
        self._socket.settimeout(patience)
        while self._waiting:
            try:
                self._send(self._waiting[0])
            except TimeoutError:
                return False
            del self._waiting[0]
        return True

    def _send(self, message: bytes) -> None:
        try:
            self._socket.send(message)
        except OSError as error:
            if error.errno != errno.EMSGSIZE:
                raise
            self._socket.send(message[:_SMALL])

    def handed(self) -> int:
        """Return how many messages were sent."""
        return self.total - len(self._waiting)

    def confirmed(self) -> int:
        """Return the same: there is nothing to tell it by."""
        return self.handed()

    def close(self) -> None:
        """End it."""
        self._socket.close()

    def disown(self) -> None:
        """Forget it."""
        native.disown(self._socket)


class Stream:
    """TCP, with TLS or without, or a socket file that takes streams."""

    def __init__(self, address: Address, frame: Frame, ca: Path | None = None) -> None:
        self.total = 0
        self._address = address
        self._frame = frame
        self._ca = ca
        self._socket = native.closed()
        self._tls: MemoryTls | None = None
        self._waiting = bytearray()

    def open(self) -> None:
        """Connect, and shake hands."""
        limit = time.monotonic() + _OPEN_LIMIT
        self._socket = native.connect(self._address, socket.SOCK_STREAM, limit, self._hold)
        if self._address.scheme != "unix":
            native.notice_death(self._socket)
        if self._address.scheme == "tls":
            self._tls = MemoryTls(self._address.host, self._ca)
            self._tls.shake_hands(self._socket, limit)

    def _hold(self, sock: _socket.socket) -> None:
        self._socket = sock

    def check(self) -> None:
        """Read what the receiver has sent; raise if that is its end."""
        self._socket.settimeout(0)
        with suppress(BlockingIOError):
            while True:
                data = self._socket.recv(_PIECE)
                if not data:
                    raise ConnectionResetError(errno.ECONNRESET, "it has closed the connection")
                if self._tls:
                    self._put(self._tls.take(data))

    def write(self, message: bytes) -> None:
        """Take a message."""
        framed = self._frame(message)
        self._put(self._tls.wrap(framed) if self._tls else framed)

    def _put(self, data: bytes) -> None:
        self._waiting += data
        self.total += len(data)

    def flush(self, patience: float) -> bool:
        """Send what was written."""
        self._socket.settimeout(patience)
        try:
            while self._waiting:
                del self._waiting[: self._socket.send(self._waiting[:_PIECE])]
        except TimeoutError:
            return False
        return True

    def handed(self) -> int:
        """Return how many bytes were sent."""
        return self.total - len(self._waiting)

    def confirmed(self) -> int:
        """Return how many bytes the other side has acknowledged; for a socket file, at least how many it has read."""
        queued = fcntl.ioctl(self._socket.fileno(), termios.TIOCOUTQ, bytes(4))
        return self.handed() - int(struct.unpack("i", queued)[0])

    def close(self) -> None:
        """End it."""
        with suppress(OSError):
            self.check()  # with input that nobody has read, the kernel throws away what it still has to send
            if self._tls and not self._waiting:
                self._put(self._tls.end())
                self.flush(_AT_CLOSE)
            self._socket.shutdown(socket.SHUT_WR)
        self._socket.close()

    def disown(self) -> None:
        """Forget it."""
        native.disown(self._socket)


def connection(address: Address, frame: Frame, ca: Path | None) -> Connection:
    """Return a connection that is still to be opened; what a socket file takes is found out. Raises OSError."""
    if address.scheme == "udp":
        return Datagrams(address)
    if address.scheme == "unix":
        return Stream(address, on_a_line) if native.takes_streams(address.host) else Datagrams(address)
    return Stream(address, frame, ca)
