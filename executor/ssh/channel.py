"""What a host answers while a job is followed there: lines, some of them followed by bytes (see ``remote.sh``)."""

from collections.abc import Callable

from executor.ssh.connections import Line

SILENCE = 30.0  # seconds; while it follows a job, a host says something every second
PIECE = 64 * 1024
LONGEST = 64 * 1024  # bytes of a line
SHOWN = 500  # characters of what came instead of an answer
MARK = b"gorchestrator:"  # before it, what the host's shell prints at each login may come


class Lost(Exception):
    """The connection broke, or the host is silent."""


class Speechless(Exception):
    """The host did not run a shell; the text is what came instead."""


class Channel:
    """Reads the answers to one request."""

    def __init__(self, line: Line, asked: bytes) -> None:
        self._line = line
        self._stream = line.session.stream
        self._stream.settimeout(SILENCE)
        self._rest = b""
        try:
            self._stream.sendall(b"%d\n" % len(asked) + asked)
        except OSError as error:
            raise Lost(str(error)) from None

    def greeting(self) -> None:
        """Skip what the host prints at each login. Raises :class:`Speechless`."""
        while MARK not in self._rest:
            self._rest = self._rest[-LONGEST:]
            try:
                self._fill()
            except Lost:
                if not self._line.connected:
                    raise
                said = f"{self._rest.decode(errors='replace')} {self._line.session.said()}".strip()
                raise Speechless(f"it runs no shell for us: {said[-SHOWN:] or 'it ended without a word'}") from None
        self._rest = self._rest.partition(MARK)[2]
        self.line()

    def line(self) -> tuple[str, str]:
        """Return the next line: its first word and the rest."""
        while b"\n" not in self._rest:
            if len(self._rest) > LONGEST:
                raise Lost("the host talks nonsense")
            self._fill()
        line, _, self._rest = self._rest.partition(b"\n")
        word, _, rest = line.decode(errors="replace").partition(" ")
        return word, rest

    def copy(self, size: int, to: Callable[[bytes], None]) -> None:
        """Hand over the bytes that follow a line."""
        while size:
            if not self._rest:
                self._fill()
            piece, self._rest = self._rest[:size], self._rest[size:]
            to(piece)
            size -= len(piece)

    def bytes(self, size: int) -> bytes:
        """Return the bytes that follow a line."""
        found: list[bytes] = []
        self.copy(size, found.append)
        return b"".join(found)

    def say(self, word: str) -> None:
        """Tell the host what to do at the end."""
        try:
            self._stream.sendall(word.encode() + b"\n")
        except OSError as error:
            raise Lost(str(error)) from None

    def _fill(self) -> None:
        try:
            piece = self._stream.recv(PIECE)
        except TimeoutError:
            self._line.doubt()
            raise Lost(f"silent for {SILENCE:g} s") from None
        except OSError as error:
            raise Lost(str(error)) from None
        if not piece:
            raise Lost("the connection broke")
        self._rest += piece


def ask(line: Line, asked: bytes) -> Channel:
    """Send a request, return the channel behind its greeting."""
    channel = Channel(line, asked)
    channel.greeting()
    return channel
