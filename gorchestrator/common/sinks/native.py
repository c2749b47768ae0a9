"""Sockets for a native thread: those of the module ``_socket``, which gevent does not patch, and which need no hub."""

import _socket
import errno
import os
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from gorchestrator.common.sinks.address import Address

Hold = Callable[[_socket.socket], None]  # told of each socket before it is used, for a fork may come at any time

_SENT = 128 * 1024  # bytes that the kernel may hold: lines of which nobody knows whether they arrive
_DEAD_AFTER = 60_000  # ms without an acknowledgement after which a connection is given up
_IDLE, _INTERVAL, _PROBES = 30, 10, 3  # seconds, seconds, number: an idle peer that is gone is noticed in a minute


def connect(address: Address, kind: socket.SocketKind, limit: float, hold: Hold) -> _socket.socket:
    """Return a socket that is connected before ``limit`` (monotonic). Raises OSError."""
    failed: OSError = OSError(errno.EADDRNOTAVAIL, "the name has no address")
    for family, place in _places(address, kind):
        sock = _socket.socket(family, kind)
        hold(sock)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SENT)
        try:
            sock.settimeout(max(0.001, limit - time.monotonic()))
            sock.connect(place)
        except OSError as error:
            sock.close()
            failed = error
        else:
            return sock
    raise failed


def _places(address: Address, kind: socket.SocketKind) -> list[tuple[int, Any]]:
    if address.scheme == "unix":
        return [(socket.AF_UNIX, address.host)]
    found = _socket.getaddrinfo(address.host, address.port, socket.AF_UNSPEC, kind)
    return [(family, place) for family, _, _, _, place in found]


def takes_streams(path: str) -> bool:
    """Return whether a socket file is for streams, and not for datagrams. Raises OSError if nobody listens there."""
    sock = _socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        sock.connect(path)
    except OSError as error:
        if error.errno != errno.EPROTOTYPE:
            raise
        return True
    finally:
        sock.close()
    return False


def notice_death(sock: _socket.socket) -> None:
    """Have the kernel break a TCP connection whose other side is gone without a word."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _DEAD_AFTER)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, _IDLE)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, _INTERVAL)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, _PROBES)


def closed() -> _socket.socket:
    """Return a socket that is closed, for the time in which there is none."""
    sock = _socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    sock.close()
    return sock


def disown(sock: _socket.socket) -> None:
    """Let go of a socket that a forked process has inherited; its connection goes on in the other one."""
    if sock.fileno() >= 0:
        with suppress(OSError):
            os.close(sock.detach())
