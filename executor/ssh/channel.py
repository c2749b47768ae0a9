"""What a host answers while a job is followed there: lines, some of them followed by bytes (see ``remote.sh``).

It has to greet before it is asked for anything: so of what was not greeted nothing was started.
"""

from collections.abc import Callable

from executor.ssh.connections import Line
from executor.ssh.request import GREETING

SILENCE = 30.0  # seconds; while it follows a job, a host says something every second
PIECE = 64 * 1024
LONGEST = 64 * 1024  # bytes of a line
SHOWN = 500  # characters of what came instead of an answer
PREFACE = 2**20  # bytes that a host may print at a login before it greets
MARK = GREETING.encode()


class Lost(Exception):
    """The connection broke, or the host is silent."""


class Speechless(Exception):
    """The host did not run a shell; the text is what came instead."""


class Channel:
    """Says one request on a line, and reads the answers."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._stream = line.session.stream
        self._stream.settimeout(SILENCE)
        self._rest = b""

    def greeting(self) -> None:
        """Skip what the host prints at each login. Raises :class:`Speechless` and :class:`Lost`."""
        skipped = 0
        while MARK not in self._rest:
            skipped += max(0, len(self._rest) - LONGEST)
            self._rest = self._rest[-LONGEST:]
            if skipped > PREFACE:
                raise self._speechless("it talks without an end")
            try:
                self._fill()
            except Lost as fault:
                if not self._line.connected:
                    raise
                raise self._speechless(str(fault)) from None
        self._rest = self._rest.partition(MARK)[2]
        self.line()

    def _speechless(self, why: str) -> Speechless:
        said = f"{self._rest.decode(errors='replace')} {self._line.session.said()}".strip()
        return Speechless(f"it runs no shell for us: {said[-SHOWN:] or why}")

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

    def content(self, size: int) -> bytes:
        """Return the bytes that follow a line."""
        found: list[bytes] = []
        self.copy(size, found.append)
        return b"".join(found)

    def ask(self, asked: bytes) -> None:
        """Send the request."""
        self._send(b"%d\n" % len(asked) + asked)

    def say(self, word: str) -> None:
        """Tell the host what to do at the end."""
        self._send(word.encode() + b"\n")

    def _send(self, data: bytes) -> None:
        try:
            self._stream.sendall(data)
        except TimeoutError:
            self._line.doubt()
            raise Lost(f"takes nothing for {SILENCE:g} s") from None
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
    """Send a request when the host has greeted; return the channel."""
    channel = Channel(line)
    channel.greeting()
    channel.ask(asked)
    return channel
