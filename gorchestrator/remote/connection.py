"""One connection to an orchestrator: requests, and what is wrong with their answers in words."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import requests

PROBLEM = "urn:gorchestrator:problem:"
Json = dict[str, Any]


class RemoteError(Exception):
    """The call did not succeed; the text says why and what to do."""


class Unreachable(RemoteError):
    """There was no answer, or none of an orchestrator."""

    def __init__(self, url: str, why: str) -> None:
        self.url = url
        super().__init__(f"no orchestrator at {url}: {why}")


class Refused(RemoteError):
    """The orchestrator refused the request. ``problem`` is its answer (RFC 9457).

    ``retry_after``: the seconds after which it may be repeated, None if that is of no use.
    """

    def __init__(self, status: int, problem: Mapping[str, Any], retry_after: float | None = None) -> None:
        self.status = status
        self.problem = problem
        self.retry_after = retry_after
        self.type = str(problem.get("type", "")).removeprefix(PROBLEM)
        self.errors = [item for item in problem.get("errors") or () if isinstance(item, dict)]
        super().__init__(str(problem.get("detail") or problem.get("title") or f"status {status}"))


class Connection:
    """The session with an orchestrator at ``url``; see :class:`gorchestrator.remote.Remote`."""

    def __init__(
        self, url: str, timeout: float, ca: str | None, token: str | None, cert: tuple[str, str] | None
    ) -> None:
        if not _usable(url):
            raise Unreachable(url, "that is no URL; write one such as http://127.0.0.1:8080")
        self.url = url.rstrip("/")
        self.timeout = timeout
        self._session = requests.Session()
        # The environment's proxies and CA bundles would silently beat what was said here.
        self._session.trust_env = False
        self._session.verify = ca or True
        self._session.cert = cert
        self._session.headers["Accept"] = "application/json"
        if token:  # redirects are not followed, so it goes nowhere else
            self._session.headers["Authorization"] = f"Bearer {token}"

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def json(self, method: str, path: str, **options: Any) -> Json:
        """Return the JSON object of an answer. Raises RemoteError."""
        answer = self.call(method, path, **options)
        try:
            found = answer.json()
        except requests.JSONDecodeError:
            raise Unreachable(
                self.url, f"something else answers there (status {answer.status_code}, no JSON)"
            ) from None
        if not isinstance(found, dict):
            raise Unreachable(self.url, "something else answers there (JSON, but no object)")
        return found

    def call(
        self, method: str, path: str, *, wait: float = 0, headers: Mapping[str, str] | None = None, **options: Any
    ) -> requests.Response:
        """Return an answer; ``wait``: seconds for which it may be held back. Raises RemoteError."""
        headers = dict(headers or {}) | ({"Prefer": f"wait={wait:g}"} if wait else {})
        if "data" in options:
            headers["Content-Type"] = "application/json"
        try:
            answer = self._session.request(
                method, self.url + path, headers=headers, timeout=self.timeout + wait, allow_redirects=False, **options
            )
        except requests.RequestException as error:
            raise Unreachable(self.url, _why(error)) from error
        if answer.status_code >= 300:  # noqa: PLR2004  (a redirect does not come from an orchestrator)
            raise self._refused(answer)
        return answer

    @contextmanager
    def stream(self, path: str, params: Mapping[str, str], silence: float) -> Iterator[Iterator[bytes] | None]:
        """Yield the pieces of an answer as they come; None where it is empty for good. Raises RemoteError.

        ``silence``: seconds without any piece after which the connection counts as lost.
        """
        try:
            with self._session.get(
                self.url + path, params=params, stream=True, timeout=(self.timeout, silence), allow_redirects=False
            ) as answer:
                if answer.status_code >= 300:  # noqa: PLR2004
                    raise self._refused(answer)
                if answer.status_code == requests.codes.ok and not _is_stream(answer):
                    raise Unreachable(self.url, "something else answers there (no events)")
                yield answer.iter_content(None) if answer.status_code == requests.codes.ok else None
        except requests.RequestException as error:
            raise Unreachable(self.url, _why(error)) from error

    def _refused(self, answer: requests.Response) -> RemoteError:
        try:
            problem = answer.json()
        except requests.JSONDecodeError:
            problem = None
        if not isinstance(problem, dict) or "type" not in problem:
            return Unreachable(self.url, f"something else answers there (status {answer.status_code})")
        return Refused(answer.status_code, problem, _seconds(answer.headers.get("Retry-After")))


def _usable(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _is_stream(answer: requests.Response) -> bool:
    return answer.headers.get("Content-Type", "").startswith("text/event-stream")


def _seconds(header: str | None) -> float | None:
    return float(header) if header and header.isdecimal() else None


def _why(error: requests.RequestException) -> str:
    if isinstance(error, requests.exceptions.SSLError):
        return f"TLS failed ({_root(error)}); give the CA of its certificate with --ca, and check the host name"
    if isinstance(error, requests.ConnectTimeout | requests.ReadTimeout):
        return "it did not answer in time"
    return f"{_root(error)}; is it running (`gorch serve`), and is the URL right (--url, GORCH_URL)?"


def _root(error: BaseException) -> str:
    """Return the words of the fault at the bottom: requests and urllib3 wrap it several times."""
    found: BaseException = error
    while True:
        inner = found.__cause__ or found.__context__ or getattr(found, "reason", None)
        if not isinstance(inner, BaseException):
            break
        found = inner
    text = getattr(found, "strerror", None) or str(found)
    return str(text).strip() or type(found).__name__
