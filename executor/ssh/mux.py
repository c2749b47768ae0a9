"""Sessions over a connection that an OpenSSH client holds: its multiplexing protocol, spoken to its control socket.

What it is given are our ends of pipes, so a session costs no process here; ``ssh host true`` spends most of its time on
starting itself. The protocol is OpenSSH's ``PROTOCOL.mux``, version 4, which is that of every OpenSSH since 5.6.
"""

import struct
from contextlib import closing, suppress

from gevent import Timeout, socket

HELLO, VERSION = 0x00000001, 4
NEW_SESSION, TERMINATE = 0x10000002, 0x10000005
PERMISSION_DENIED, FAILURE, EXIT_MESSAGE, SESSION_OPENED = 0x80000002, 0x80000003, 0x80000004, 0x80000006
REQUEST = 1  # we ask for one session a connection
NO_ESCAPE = 0xFFFFFFFF
LEAST, MOST = 4, 256 * 1024  # bytes of a packet
PATIENCE = 20.0  # seconds for an answer: opening a session takes a round trip to the host
NOISE = 4000  # bytes that are kept of what a session says beside its output


class Gone(Exception):
    """There is no connection behind the socket (any more)."""


class Refused(Exception):
    """The host opens no more sessions on this connection; the text is what the client said."""


class TooLate(Exception):
    """A session has not ended in time."""


PASSING = (Gone, OSError)


class Session:
    """A command on the host. ``stream`` is its standard input and output."""

    def __init__(self, control: socket.socket, stream: socket.socket, errors: socket.socket) -> None:
        self._control = control
        self.stream = stream
        self._errors = errors

    def ended(self, seconds: float) -> bool:
        """Wait for the command's end; False if that did not come in time, or the connection has gone."""
        with suppress(*PASSING, TooLate), Timeout(seconds, TooLate):
            while _receive(self._control)[0] != EXIT_MESSAGE:
                pass
            return True
        return False

    def said(self) -> str:
        """Return what it has said beside its output so far."""
        self._errors.setblocking(False)
        try:
            return self._errors.recv(NOISE).decode(errors="replace").strip()
        except OSError:
            return ""

    def close(self) -> None:
        """Let go of it: the client closes its channel, and the command notices when it reads or writes."""
        for each in (self._control, self.stream, self._errors):
            each.close()


def open_session(path: str, command: str) -> Session:
    """Start a command. Raises :class:`Gone` and :class:`Refused`."""
    control = _connect(path)
    ours: list[socket.socket] = []
    try:
        with Timeout(PATIENCE, Gone("the client does not answer")):
            ours, theirs = _pairs()
            try:
                _send(control, struct.pack(">7I", NEW_SESSION, REQUEST, 0, 0, 0, 0, 0) + _tail(command))
                for each in (theirs[0], theirs[0], theirs[1]):
                    socket.send_fds(control, [b"\0"], [each.fileno()])
            finally:
                for each in theirs:
                    each.close()
            _await_open(control)
    except OSError as error:
        _close(control, *ours)
        raise Gone(str(error)) from None
    except BaseException:
        _close(control, *ours)
        raise
    return Session(control, *ours)


def alive(path: str) -> bool:
    """Whether a client answers at this socket."""
    with suppress(*PASSING):
        _connect(path).close()
        return True
    return False


def terminate(path: str) -> None:
    """Have a client end its connection; returns when it has said that it does, or is gone."""
    with suppress(*PASSING), closing(_connect(path)) as control, Timeout(PATIENCE, Gone("the client does not answer")):
        _send(control, struct.pack(">2I", TERMINATE, REQUEST))
        _receive(control)


def _pairs() -> tuple[list[socket.socket], list[socket.socket]]:
    """Return our ends and theirs: of input and output, and of what is said beside."""
    stream, errors = socket.socketpair(), socket.socketpair()
    return [stream[0], errors[0]], [stream[1], errors[1]]


def _tail(command: str) -> bytes:
    text = command.encode()
    return struct.pack(">2I", NO_ESCAPE, 0) + struct.pack(">I", len(text)) + text


def _connect(path: str) -> socket.socket:
    control = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        control.connect(path)
        _send(control, struct.pack(">2I", HELLO, VERSION))
        with Timeout(PATIENCE, Gone("the client does not answer")):
            kind, body = _receive(control)
        if kind != HELLO or struct.unpack(">I", body[:4])[0] != VERSION:
            raise Gone("the client speaks another version of the protocol")
    except OSError as error:
        control.close()
        raise Gone(str(error)) from None
    except BaseException:
        control.close()
        raise
    return control


def _await_open(control: socket.socket) -> None:
    while True:
        kind, body = _receive(control)
        if kind == SESSION_OPENED:
            return
        if kind in (FAILURE, PERMISSION_DENIED):
            size = struct.unpack(">I", body[4:8])[0]
            raise Refused(body[8 : 8 + size].decode(errors="replace"))


def _send(control: socket.socket, body: bytes) -> None:
    control.sendall(struct.pack(">I", len(body)) + body)


def _receive(control: socket.socket) -> tuple[int, bytes]:
    size = struct.unpack(">I", _exactly(control, 4))[0]
    if not LEAST <= size <= MOST:
        raise Gone("the client does not speak the protocol")
    body = _exactly(control, size)
    return struct.unpack(">I", body[:4])[0], body[4:]


def _exactly(control: socket.socket, size: int) -> bytes:
    found = b""
    while len(found) < size:
        piece = control.recv(size - len(found))
        if not piece:
            raise Gone("the client has gone")
        found += piece
    return found


def _close(*sockets: socket.socket) -> None:
    for each in sockets:
        each.close()
