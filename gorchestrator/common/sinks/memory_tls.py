"""The TLS of a connection, in memory beside its socket: gevent's TLS sockets wait in a hub, and a thread has none."""

import _socket
import ssl
import time
from contextlib import suppress
from pathlib import Path

_PIECE = 64 * 1024  # bytes


class MemoryTls:
    """The client's side of one connection, to a server that has to prove to be ``host``."""

    def __init__(self, host: str, ca: Path | None) -> None:
        """``ca``: the CA file; None: the usual CAs. It is read each time, so that a renewed one is taken into use."""
        context = ssl.create_default_context(cafile=str(ca) if ca else None)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        self._came, self._goes = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._came, self._goes, server_hostname=host)

    def shake_hands(self, sock: _socket.socket, limit: float) -> None:
        """Agree with the server before ``limit`` (monotonic). Raises OSError."""
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                done = False
            except ssl.SSLError:
                sock.settimeout(0)
                with suppress(OSError):  # the alert that says why
                    sock.send(self._goes.read())
                raise
            else:
                done = True
            sock.settimeout(max(0.001, limit - time.monotonic()))
            sock.sendall(self._goes.read())
            if done:
                return
            data = sock.recv(_PIECE)
            if not data:
                raise ConnectionResetError("the connection was closed in the TLS handshake")
            self._came.write(data)

    def wrap(self, data: bytes) -> bytes:
        """Return what has to be sent so that ``data`` arrives."""
        self._tls.write(data)
        return self._goes.read()

    def take(self, data: bytes) -> bytes:
        """Take what was received; return what has to be sent for that. Raises SSLError at the end of the connection."""
        self._came.write(data)
        with suppress(ssl.SSLWantReadError):
            while self._tls.read(_PIECE):
                pass
        return self._goes.read()

    def end(self) -> bytes:
        """Return what has to be sent at the end."""
        with suppress(ssl.SSLError):
            self._tls.unwrap()
        return self._goes.read()
