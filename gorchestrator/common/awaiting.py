"""Waiting for what a client sends: patiently until it begins, and not for long from then on.

A client that sends a byte a minute would else hold its connection, and its place among those that a worker takes, as
long as it likes. Nothing is looked at from time to time: the hub calls when the first byte is there, or the time is
over.
"""

import array
import errno
import fcntl
import socket
import ssl
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import gevent

HEAD = 12.0  # seconds for a request line and its headers, and for the first ones of a connection to begin at all
HANDSHAKE = 10.0  # seconds for that of TLS
_READABLE = 1  # of the hub's watchers


class Late(BaseException):
    """The time is over; it goes past whoever handles faults of a request."""


@contextmanager
def awaited(client: Any, patience: float, late: Late) -> Iterator[None]:
    """Raise ``late`` inside if nothing comes within ``patience`` seconds, or not all within those of a head.

    It ends the block silently, whoever raises it.
    """
    me, loop = gevent.getcurrent(), gevent.get_hub().loop
    timer, head, first = loop.timer(patience), loop.timer(HEAD), loop.io(client.fileno(), _READABLE)

    def begin() -> None:
        first.stop()
        timer.stop()
        head.start(me.throw, late)

    if _has_come(client):
        begin()  # it will be read at once, before the hub could see it
    else:
        timer.start(me.throw, late)
        first.start(begin)
    try:
        yield
    except Late as error:
        if error is not late:
            raise
    finally:
        for watcher in (timer, head, first):
            watcher.stop()
            watcher.close()


def _has_come(client: Any) -> bool:
    """Return whether something was sent that was not read yet."""
    waiting = array.array("i", [0])
    fcntl.ioctl(client.fileno(), termios.FIONREAD, waiting)
    return waiting[0] > 0 or (isinstance(client, ssl.SSLSocket) and client.pending() > 0)


def wrap_in_time(context: ssl.SSLContext, client: socket.socket, **options: Any) -> ssl.SSLSocket:
    """Shake hands with a client. Raises OSError if that takes too long, however often something comes meanwhile."""
    secured = context.wrap_socket(client, do_handshake_on_connect=False, **options)
    late = gevent.Timeout(HANDSHAKE)
    try:
        with late:
            secured.do_handshake()
    except BaseException as error:
        secured.close()
        if error is late:
            raise TimeoutError(errno.ETIMEDOUT, f"the handshake took more than {HANDSHAKE:g} s") from None
        raise
    return secured
