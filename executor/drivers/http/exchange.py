"""One request and what follows it: tries, redirects, and the node's log of them."""

import time
from collections.abc import Callable
from contextlib import closing

import gevent
import requests
from urllib3.exceptions import HTTPError, ReadTimeoutError

from executor.drivers.base import Job
from executor.drivers.http.answer import EXCERPT, LIMIT, Answer
from executor.drivers.http.connection import Unreachable
from executor.drivers.http.request import Request, Unclear
from executor.drivers.http.veil import Stream, Veil
from executor.files import no_room

SILENCE = 300.0  # seconds without a byte from the server
PAUSES = (0.5, 1.0, 2.0)  # seconds before further tries
HOPS = 5
REDIRECTS = frozenset({301, 302, 303, 307, 308})
ELSEWHERE = frozenset({307, 308})  # of these: the request is to be made there, so it was not done here
PIECE = 16 * 1024
HEADERS = ("Content-Type", "Content-Length", "Location", "Retry-After", "WWW-Authenticate", "X-Request-Id")


class Failed(Exception):
    """There is no answer. ``lost``: the request may have had its effect."""

    def __init__(self, text: str, *, lost: bool = False) -> None:
        super().__init__(text)
        self.lost = lost


class Exchange:
    """The requests of one node."""

    def __init__(self, job: Job, session: requests.Session, veil: Veil) -> None:
        self._job = job
        self._session = session
        self._veil = veil

    def answer(self, request: Request, *, follow: bool) -> Answer:
        """Return the answer, behind redirects if they are followed.

        Raises :class:`Failed`, :class:`Unclear` and ``connection.Refused``.
        """
        done = ""  # the method of a request that has had its effect, whatever follows
        for _ in range(HOPS):
            try:
                answer = self._try(request)
            except Failed as fault:
                if done and not fault.lost:
                    raise Failed(f"{fault}; the {done} before that was answered with a redirect", lost=True) from None
                raise
            if not follow or answer.status not in REDIRECTS or answer.location is None:
                return answer
            if not request.safe and answer.status not in ELSEWHERE:
                done = request.method
            request = request.elsewhere(answer.location, answer.status)
        raise Unclear(f"more than {HOPS - 1} redirects, one after the other")

    def say(self, text: str) -> None:
        """Write a line into the log."""
        self._write(self._veil.data(f"{text}\n".encode(errors="replace")))

    def _try(self, request: Request) -> Answer:
        """Send the request, again where that does no harm: nothing was sent, or the method changes nothing."""
        for pause in (*PAUSES, None):
            try:
                return self._send(request)
            except Unreachable as fault:
                why, again, lost = str(fault), fault.passing, False
            except (requests.RequestException, HTTPError) as fault:
                if isinstance(fault, ValueError):  # they are so if it is the request that is wrong
                    raise Unclear(f"that is no URL: {fault}") from None
                why, again, lost = _reason(fault), request.safe, not request.safe
            if pause is None or not again:
                break
            self.say(f"! {why}; once more in {pause:g} s")
            gevent.sleep(pause)
        if lost:
            why = f"{why}; whether the {request.method} has had its effect is not known"
        raise Failed(why, lost=lost)

    def _send(self, request: Request) -> Answer:
        self.say(f"> {request.method} {request.url}")
        begun = time.monotonic()
        with closing(
            self._session.request(
                request.method,
                request.url,
                headers=request.headers,
                data=request.body,
                timeout=SILENCE,  # of sending too; to connect has a time of its own
                allow_redirects=False,
                stream=True,
            )
        ) as found:
            phrase = _text(found.reason or "")
            headers = {name: _text(found.headers[name]) for name in HEADERS if name in found.headers}
            self.say(f"< {found.status_code} {phrase}".rstrip() + f" after {time.monotonic() - begun:.3f} s")
            for name, value in headers.items():
                self.say(f"< {name}: {value}")
            body, whole, shown = self._read(found)
            return Answer(found.status_code, phrase, headers.get("Location"), body, whole, shown)

    def _read(self, found: requests.Response) -> tuple[bytes, bool, bytes]:
        """Return the body, as far as it is kept, whether that is all, and the begin of what the log has of it.

        A text is in the log as it comes.
        """
        body, whole, text = b"", True, _Text(self._veil, self._write)
        try:
            while piece := found.raw.read1(PIECE, decode_content=True):  # what there is, without waiting for more
                kept = piece[: LIMIT - len(body)]
                text.take(kept)
                body += kept
                if len(kept) < len(piece):
                    whole = False
                    break
        except BaseException:
            text.end(whole=False)
            raise
        text.end(whole=whole)
        if text.binary:
            self.say(f"! the answer is no text: {len(body)} bytes")
        if not whole:
            self.say(f"! the answer is larger than {LIMIT} bytes; the rest was not read")
        return body, whole, text.begin

    def _write(self, data: bytes) -> None:
        try:
            self._job.write(data)
        except OSError as error:
            if not no_room(error):  # the answer is worth more than its log
                raise


class _Text:
    """A body in the log, until it turns out that it is no text. ``begin``: of what was written."""

    def __init__(self, veil: Veil, write: Callable[[bytes], None]) -> None:
        self._stream = Stream(veil, self._show)
        self._write = write
        self._last = b""
        self.begin = b""
        self.binary = False

    def take(self, piece: bytes) -> None:
        """Write the next piece."""
        self.binary = self.binary or b"\0" in piece
        if self.binary:
            self.begin = b""
        else:
            self._stream.feed(piece)

    def end(self, *, whole: bool) -> None:
        """Write what was held back, and end the line. ``whole``: nothing was to follow."""
        self._stream.close(whole=whole and not self.binary)
        if self._last and not self._last.endswith(b"\n"):
            self._write(b"\n")

    def _show(self, data: bytes) -> None:
        self._write(data if self._last else b"\n" + data)
        self._last = data
        self.begin += data[: 4 * EXCERPT - len(self.begin)]


def _cause(fault: BaseException) -> BaseException:
    """Return what is below the wrappings of requests and urllib3, whose texts have the whole URL."""
    while isinstance(inner := getattr(fault, "reason", None), BaseException) or (
        inner := next((each for each in fault.args if isinstance(each, BaseException)), None)
    ):
        fault = inner
    return fault


def _reason(fault: Exception) -> str:
    cause = _cause(fault)
    if isinstance(fault, requests.Timeout) or isinstance(cause, ReadTimeoutError | TimeoutError):
        return f"no answer within {SILENCE:g} s"
    return f"the connection broke: {getattr(cause, 'strerror', None) or cause}"


def _text(header: str) -> str:
    """Return what a server has said in UTF-8; ``http.client`` takes all of it for Latin-1."""
    raw = header.encode("latin-1", errors="replace")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return header
