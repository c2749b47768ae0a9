"""The public Python client of the REST API. The ``gorch`` command uses it and nothing else.

.. code-block:: python

    remote = Remote("http://127.0.0.1:8080")
    task = remote.submit({"name": "hello", "nodes": [{"name": "a", "engine": "nil"}]})
    print(remote.wait(task)["state"])
"""

import json
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

import requests

from gorchestrator.common.states import State

LONG_POLL = 30.0  # seconds that one request waits for the end of a task
PROBLEM = "urn:gorchestrator:problem:"
GAP = re.compile(r"offset=(\d+), length=(\d+)")  # the header Gorch-Log-Gap
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


@dataclass(frozen=True, slots=True)
class LogPiece:
    """A piece of what a node printed: raw bytes, the offset behind them, and whether nothing can follow.

    ``attempt``: the number of the try that printed it, 0 if none has begun. ``gap``: offset and length of what is left
    out in this piece; a line in ``data`` says so.
    """

    data: bytes
    next: int
    complete: bool
    attempt: int = 0
    gap: tuple[int, int] | None = None


class Remote:
    """An orchestrator at ``url``.

    ``timeout``: seconds without an answer; ``ca``: a CA file to check an https one with.
    """

    def __init__(self, url: str, timeout: float = 30.0, ca: str | None = None) -> None:
        if not _usable(url):
            raise Unreachable(url, "that is no URL; write one such as http://127.0.0.1:8080")
        self.url = url.rstrip("/")
        self.timeout = timeout
        self._session = requests.Session()
        # The environment's proxies and CA bundles would silently beat what was said here.
        self._session.trust_env = False
        self._session.verify = ca or True
        self._session.headers["Accept"] = "application/json"

    def submit(self, gorch: Mapping[str, Any] | str | bytes, *, patience: float = 0) -> str:
        """Post a gorch (a mapping, or its JSON text) and return the id of its task.

        ``patience``: seconds for which it is posted again while the service says that it cannot take it now, as often
        as that says. What is refused is not stored, so nothing can run twice.
        """
        body, limit = _body(gorch), time.monotonic() + patience
        while True:
            try:
                return str(self._json("POST", "/v1/tasks", data=body)["id"])
            except Refused as refused:
                if refused.retry_after is None or time.monotonic() + refused.retry_after > limit:
                    raise
                time.sleep(refused.retry_after)

    def validate(self, gorch: Mapping[str, Any] | str | bytes) -> Json:
        """Return the number of nodes and edges of a gorch without running it; raises Refused with all its faults."""
        return self._json("POST", "/v1/validate", data=_body(gorch))

    def tasks(self, *, open_only: bool = False, limit: int = 100) -> list[Json]:
        """Return the newest tasks, newest first, a summary of each; ``open_only``: of those that have not ended.

        ``limit``: how many at the most, 1 to 1000.
        """
        params = {"limit": str(limit)} | ({"open": "true"} if open_only else {})
        found: list[Json] = self._json("GET", "/v1/tasks", params=params)["tasks"]
        return found

    def task(self, task: str, *, wait: float = 0, digraph: bool = False) -> Json:
        """Return a task with all its nodes; ``wait``: for its end, at most so many seconds."""
        return self._json("GET", _path(task), wait=wait, params=None if digraph else {"digraph": "false"})

    def wait(self, task: str) -> Json:
        """Return the task when it has ended."""
        while True:
            found = self.task(task, wait=LONG_POLL)
            if State(found["state"]).final:
                return found

    def follow(self, task: str, interval: float = 0.2) -> Iterator[Json]:
        """Yield the task now, then every ``interval`` seconds (less often if that is a burden), at last when final."""
        while True:
            asked = time.monotonic()
            found = self.task(task)
            yield found
            if State(found["state"]).final:
                return
            time.sleep(max(interval, 4 * (time.monotonic() - asked)))

    def cancel(self, task: str, *, wait: float = 0) -> Json:
        """Ask for the end of a task and return it; ``wait``: until its processes are dead, at most so many seconds."""
        return self._json("DELETE", _path(task), wait=wait)

    def resolve(self, task: str, node: str | int, answer: str, output: Mapping[str, str] | None = None) -> Json:
        """Say how a node's attempt counts of which nobody knows how it ended: ``success``, ``failure`` or ``retry``.

        ``output``: what it has produced, for a success. Returns what is stored.
        """
        path = f"{_path(task)}/nodes/{quote(str(node), safe='')}/resolve"
        return self._json("POST", path, data=json.dumps({"as": answer, "output": dict(output or {})}))

    def attempts(self, task: str, node: str | int) -> list[Json]:
        """Return the tries of a node (name, else number) on executors, in their order, however many there are."""
        found: list[Json] = []
        after: int | None = 0
        while after is not None:
            page = self._json(
                "GET", f"{_path(task)}/nodes/{quote(str(node), safe='')}/attempts", params={"after": after}
            )
            found += page["attempts"]
            after = page["next"]
        return found

    def log(self, task: str, node: str | int, *, offset: int = 0, attempt: int | None = None) -> LogPiece:
        """Return what a node (name, else number) printed, from a byte offset on; by default of its last attempt."""
        params = {"offset": offset} | ({} if attempt is None else {"attempt": attempt})
        answer = self._call("GET", f"{_path(task)}/nodes/{quote(str(node), safe='')}/log", params=params)
        try:
            return _piece(answer)
        except (KeyError, ValueError):
            raise Unreachable(self.url, "something else answers there (no log)") from None

    def ping(self) -> Json:
        """Return the service's version and what it knows of its executors."""
        return self._json("GET", "/v1/ping")

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def _json(self, method: str, path: str, **options: Any) -> Json:
        answer = self._call(method, path, **options)
        try:
            found = answer.json()
        except requests.JSONDecodeError:
            raise Unreachable(
                self.url, f"something else answers there (status {answer.status_code}, no JSON)"
            ) from None
        if not isinstance(found, dict):
            raise Unreachable(self.url, "something else answers there (JSON, but no object)")
        return found

    def _call(self, method: str, path: str, *, wait: float = 0, **options: Any) -> requests.Response:
        headers = {"Prefer": f"wait={wait:g}"} if wait else {}
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


def _body(gorch: Mapping[str, Any] | str | bytes) -> bytes:
    if isinstance(gorch, bytes):
        return gorch
    return (gorch if isinstance(gorch, str) else json.dumps(gorch)).encode()


def _piece(answer: requests.Response) -> LogPiece:
    """Return the piece of a log out of its answer. Raises KeyError or ValueError where it is none."""
    found = {name: answer.headers[f"Gorch-Log-{name}"] for name in ("Next", "Complete", "Attempt")}
    gap = GAP.fullmatch(answer.headers["Gorch-Log-Gap"]) if "Gorch-Log-Gap" in answer.headers else None
    return LogPiece(
        answer.content,
        int(found["Next"]),
        found["Complete"] == "true",
        int(found["Attempt"]),
        (int(gap[1]), int(gap[2])) if gap else None,
    )


def _seconds(header: str | None) -> float | None:
    return float(header) if header and header.isdecimal() else None


def _path(task: str) -> str:
    return f"/v1/tasks/{quote(task, safe='')}"


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
