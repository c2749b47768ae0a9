"""Where traces are sent: a receiver of OTLP over HTTP. What it does not take now may be sent again, or is lost."""

import re
from http import HTTPStatus
from pathlib import Path

import requests
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from gorchestrator.client.faults import causes_of
from gorchestrator.common.tls import tls_reason

_PATH = "/v1/traces"
_CONNECT, _ANSWER = 5.0, 10.0  # seconds
_LATER = frozenset(
    {
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)
_LONGEST_WAIT = 300.0  # seconds, whatever it asks for
_HEADER = re.compile(r"([A-Za-z0-9!#$%&'*+.^_`|~-]+)[ \t]*:[ \t]*([^\r\n\0]*)")
_SHOWN = 200  # characters of what it says


class Away(Exception):
    """It takes nothing now; ``after``: seconds for which it wants to be left alone."""

    def __init__(self, reason: str, after: float = 0.0) -> None:
        self.after = after
        super().__init__(reason)


class Refused(Exception):
    """It will never take what was sent."""


class Receiver:
    """One receiver, over a connection that is kept."""

    def __init__(self, endpoint: str, headers: Path | None = None, ca: Path | None = None) -> None:
        """``headers``: a file of those to send along, one ``NAME: VALUE`` a line, read each time. ``ca``: PEM."""
        bare = endpoint.rstrip("/")
        self.url = bare if "/" in bare.partition("://")[2] else bare + _PATH
        self._headers = headers
        self._session = requests.Session()
        self._session.trust_env = False
        if ca is not None:
            self._session.verify = str(ca)

    def send(self, body: bytes) -> str | None:
        """Send a request, compressed with gzip; return what the receiver has to say of it. Raises Away or Refused."""
        ours = {"Content-Type": "application/x-protobuf", "Content-Encoding": "gzip"}
        try:
            answer = self._session.post(
                self.url,
                data=body,
                headers={**self._more_headers(), **ours},
                timeout=(_CONNECT, _ANSWER),
                allow_redirects=False,
            )
        except (requests.RequestException, OSError) as error:
            raise Away(_reason(error)) from None
        if answer.status_code == HTTPStatus.OK:
            return _remark(answer.content)
        said = f"it answers {answer.status_code} {answer.reason}"
        if answer.status_code in _LATER:
            raise Away(said, _after(answer.headers.get("Retry-After")))
        raise Refused(said)

    def close(self) -> None:
        """Close the connection."""
        self._session.close()

    def _more_headers(self) -> dict[str, str]:
        if self._headers is None:
            return {}
        try:
            lines = [line.strip() for line in self._headers.read_text("latin-1").splitlines()]
        except OSError as error:
            raise Away(f"its headers cannot be read: {self._headers}: {error.strerror}") from None
        found = [_HEADER.fullmatch(line) for line in lines if line and not line.startswith("#")]
        if None in found:
            raise Away(f"the headers in {self._headers} cannot be read: write one NAME: VALUE a line")
        return {match[1]: match[2] for match in found if match}


def _reason(error: Exception) -> str:
    """Return what went wrong, without the address, which the caller tells, and without what libraries add."""
    if isinstance(error, requests.Timeout):
        return "it does not answer in time"
    causes = [cause for cause in causes_of(error) if isinstance(cause, OSError) and (cause.strerror or cause.args)]
    return tls_reason(causes[-1]) if causes else type(error).__name__


def _remark(body: bytes) -> str | None:
    try:
        found = ExportTraceServiceResponse.FromString(body).partial_success
    except DecodeError:
        return None  # it was taken all the same
    if not (found.rejected_spans or found.error_message):
        return None
    return f"{found.rejected_spans} spans were rejected: {found.error_message[:_SHOWN]!r}"


def _after(text: str | None) -> float:
    try:
        return min(_LONGEST_WAIT, max(0.0, float(text or 0)))
    except ValueError:
        return 0.0  # a date: then it is as if it had said nothing
