"""JSON lines over a socket that must never be waited for: the shim's end of its connections. Standard library only."""

import json
import socket
from contextlib import suppress
from typing import Any

PIECE = 64 * 1024


class Lines:
    """Messages over one non-blocking stream socket."""

    def __init__(self, peer: socket.socket) -> None:
        self.peer = peer
        self.rest = bytearray()

    def read(self) -> tuple[list[dict[str, Any]], bool]:
        """Return the messages that have arrived, and whether the peer has gone."""
        over = False
        try:
            while piece := self.peer.recv(PIECE):
                self.rest += piece
            over = True
        except BlockingIOError:
            pass
        except OSError:
            over = True
        *whole, self.rest = self.rest.split(b"\n")
        return [json.loads(line) for line in whole], over

    def write(self, message: dict[str, Any]) -> None:
        """Send a message. A peer that does not read is given up: what matters is in the job's directory."""
        try:
            self.peer.sendall(json.dumps(message).encode() + b"\n")
        except OSError:
            with suppress(OSError):
                self.peer.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """End the connection."""
        self.peer.close()
