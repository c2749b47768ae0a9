"""One request and what follows it: tries, redirects, and the node's log of them."""

import time
from contextlib import closing
from ssl import SSLCertVerificationError
from urllib.parse import urljoin

import gevent
import requests
from urllib3.exceptions import HTTPError, ReadTimeoutError

from executor.drivers.base import Job
from executor.drivers.http.answer import LIMIT, Answer
from executor.drivers.http.connection import TIMEOUT, Unreachable
from executor.drivers.http.request import Request, Unclear
from executor.files import no_room

SILENCE = 300.0  # seconds without a byte from the server
PAUSES = (0.5, 1.0, 2.0)  # seconds before further tries
HOPS = 5
REDIRECTS = frozenset({301, 302, 303, 307, 308})
PIECE = 16 * 1024
HEADERS = ("Content-Type", "Content-Length", "Location", "Retry-After", "WWW-Authenticate", "X-Request-Id")


class Failed(Exception):
    """There is no answer. ``lost``: the request may have had its effect."""

    def __init__(self, text: str, *, lost: bool = False) -> None:
        super().__init__(text)
        self.lost = lost


class Exchange:
    """The requests of one node."""

    def __init__(self, job: Job, session: requests.Session) -> None:
        self._job = job
        self._session = session

    def answer(self, request: Request, *, follow: bool) -> Answer:
        """Return the answer, behind redirects if they are followed.

        Raises :class:`Failed`, :class:`Unclear` and ``connection.Refused``.
        """
        for _ in range(HOPS):
            answer = self._try(request)
            if not follow or answer.status not in REDIRECTS or answer.location is None:
                return answer
            request = request.elsewhere(urljoin(request.url, answer.location), answer.status)
        raise Unclear(f"more than {HOPS - 1} redirects, one after the other")

    def say(self, text: str) -> None:
        """Write a line into the log."""
        self._write(f"{text}\n".encode())

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
                if isinstance(_cause(fault), SSLCertVerificationError):
                    again = lost = False
            if pause is None or not again:
                break
            self.say(f"! {why}; once more in {pause:g} s")
            gevent.sleep(pause)
        if lost:
            why = f"{why}; whether the {request.method} has had its effect is not known"
        raise Failed(why, lost=lost)

    def _send(self, request: Request) -> Answer:
        self.say(f"> {request.method} {request.shown}")
        begun = time.monotonic()
        with closing(
            self._session.request(
                request.method,
                request.url,
                headers=request.headers,
                data=request.body,
                timeout=(TIMEOUT, SILENCE),
                allow_redirects=False,
                stream=True,
            )
        ) as found:
            self.say(
                f"< {found.status_code} {found.reason or ''}".rstrip() + f" after {time.monotonic() - begun:.3f} s"
            )
            for name in HEADERS:
                if name in found.headers:
                    self.say(f"< {name}: {found.headers[name]}")
            body, whole = self._read(found)
            return Answer(found.status_code, found.reason or "", found.headers.get("Location"), body, whole)

    def _read(self, found: requests.Response) -> tuple[bytes, bool]:
        """Return the body, as far as it is kept, and whether that is all; a text is in the log as it comes."""
        body, shown, whole = b"", True, True
        while piece := found.raw.read1(PIECE, decode_content=True):  # what there is, without waiting for more
            kept = piece[: LIMIT - len(body)]
            shown = shown and b"\0" not in kept
            if shown:
                self._write(kept if body else b"\n" + kept)
            body += kept
            if len(kept) < len(piece):
                whole = False
                break
        if shown and body and not body.endswith(b"\n"):
            self.say("")
        if not shown:
            self.say(f"! the answer is no text: {len(body)} bytes")
        if not whole:
            self.say(f"! the answer is larger than {LIMIT} bytes; the rest was not read")
        return body, whole

    def _write(self, data: bytes) -> None:
        try:
            self._job.write(data)
        except OSError as error:
            if not no_room(error):  # the answer is worth more than its log
                raise


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
    if isinstance(cause, SSLCertVerificationError):
        return f"its certificate is not trusted: {cause.verify_message} (the executor's setting http_ca may name a CA)"
    return f"the connection broke: {getattr(cause, 'strerror', None) or cause}"
