"""Sockets that let others run, however fast a server sends.

A read of gevent's returns at once while there is something to read. A server that never stops, with interim answers, or
with what comes to nothing when it is unpacked, would hold up all of the executor, and no timeout would strike.
"""

import socket
import ssl
from typing import Any

from gorchestrator.common.hub import breathe

TURN = 16 * 1024  # bytes


class Fair(socket.socket):
    """Of TCP."""

    taken = 0  # bytes of this turn

    def recv_into(self, *args: Any) -> int:
        """Read, and let others run from time to time."""
        self.taken = _counted(self.taken, size := super().recv_into(*args))
        return size


class FairTls(ssl.SSLSocket):
    """Of TLS."""

    taken = 0

    def recv_into(self, *args: Any) -> int:
        """Read, and let others run from time to time."""
        self.taken = _counted(self.taken, size := super().recv_into(*args))
        return size


def _counted(taken: int, size: int) -> int:
    if taken + size < TURN:
        return taken + size
    breathe()
    return 0
