"""The calls of one executor's API: one ``requests.Session`` with mutual TLS; every failure is one of the faults."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

import requests

from gorchestrator.client import answers
from gorchestrator.client.answers import Info, JobView
from gorchestrator.client.faults import Unreachable, explain
from gorchestrator.client.handshakes import Adapter, Handshakes
from gorchestrator.client.refusals import refusal
from gorchestrator.common import traceparent, wire
from gorchestrator.common.credentials import TlsFiles
from gorchestrator.common.endpoints import Endpoint
from gorchestrator.common.expiry import InUse
from gorchestrator.common.reasons import ReasonCode
from gorchestrator.domain.attempts import Attempt

_CONNECT = 5.0  # seconds to connect, the TLS handshake included
_ANSWER = 10.0  # seconds for an answer beyond the time that it was asked to wait

Context = Callable[[Attempt], str | None]  # the trace context that an attempt runs in, None if it is in none


def without_context(_: Attempt) -> None:
    """Return the trace context of an attempt where nothing is traced."""


@dataclass(frozen=True, slots=True)
class Certificates:
    """Files (PEM): the CA that executors are checked with, and what this service shows them."""

    ca: Path
    cert: Path
    key: Path

    def of(self, endpoint: Endpoint) -> "Certificates":
        """Return those of an executor that may have some of its own in place of these."""
        own = endpoint.tls_cert and endpoint.tls_key and (endpoint.tls_cert, endpoint.tls_key)
        return Certificates(endpoint.tls_ca or self.ca, *(own or (self.cert, self.key)))


class ExecutorApi:
    """One executor, over HTTPS."""

    def __init__(self, name: str, url: str, certificates: Certificates, context: Context = without_context) -> None:
        self.name = name
        self._aim(url, certificates)
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers.update({"Accept": "application/json", "Content-Type": "application/json"})
        self._context = context
        self._connections = 0
        self.resize(1)

    def _aim(self, url: str, certificates: Certificates) -> None:
        self.url = url
        self.certificates = certificates
        self._https = url.startswith("https://")
        self._handshakes = Handshakes(self.name, TlsFiles(certificates.cert, certificates.key, certificates.ca))
        self._who = f"executor {self.name!r} at {url}"

    def move(self, url: str, certificates: Certificates) -> None:
        """Call it there from now on; what is being answered is answered."""
        before, handshakes = self._session.adapters.pop(self.url), self._handshakes
        self._aim(url, certificates)
        connections, self._connections = self._connections, 0
        self.resize(connections)
        before.close()
        handshakes.end()

    def resize(self, connections: int) -> None:
        """Keep so many connections open; one that goes beyond is closed after its request."""
        if connections == self._connections:
            return
        self._connections = connections
        before = self._session.adapters.pop(self.url, None)
        self._session.mount(self.url, Adapter(self._handshakes, pool_connections=1, pool_maxsize=connections + 4))
        if before is not None:
            before.close()

    def close(self) -> None:
        """Close the connections."""
        self._session.close()
        self._handshakes.end()

    @property
    def certificate(self) -> InUse | None:
        """What the executor has shown when the last connection was made."""
        return self._handshakes.shown

    def ping(self) -> Info:
        """Ask the executor about itself, with the certificates that are in the files now."""
        if self._https:
            self._handshakes.look()
        answer = self._call("GET", "/v1/ping")
        found = self._json(answer)
        try:
            return answers.info(found, answer.headers.get("Date"))
        except (KeyError, TypeError, ValueError):
            raise self._nonsense("its ping has not the fields of an executor") from None

    def put(self, attempt: Attempt) -> JobView:
        """Start an attempt, or find it again; answers at its end or after a second."""
        node = attempt.node
        body = {
            "fence": attempt.fence,
            "instance": attempt.instance,
            "name": node.name,
            "engine": node.engine,
            "artifact": node.artifact,
            "args": attempt.args,
            "target": node.target,
            "env": dict(node.env),
            "output": dict.fromkeys(node.output, ""),
            "timeout": node.timeout,
            "options": dict(node.options),
        }
        context = self._context(attempt)
        headers = {} if context is None else {traceparent.HEADER: context}
        return self._job("PUT", attempt.id, json=body, wait=wire.PUT_WAIT, headers=headers)

    def get(self, attempt_id: str, log_from: int | None, wait: float) -> JobView:
        """Return an attempt, with its log from ``log_from`` on, at its end, with news, or after ``wait`` seconds."""
        params = {} if log_from is None else {"log_from": log_from}
        return self._job("GET", attempt_id, params=params, wait=wait)

    def delete(self, attempt_id: str, fence: int) -> JobView:
        """Kill an attempt; answers when its death is proven, with the survivors, or as not dead yet after a while."""
        return self._job("DELETE", attempt_id, params={"fence": fence}, wait=wire.KILL_WAIT)

    def acknowledge(self, attempt_ids: Sequence[str]) -> None:
        """Tell that the results and logs of these attempts are stored."""
        self._call("POST", "/v1/tasks/ack", json={"ids": list(attempt_ids)})

    def listed(self, state: str, after: str) -> list[str]:
        """Return attempts by their ids, ``after`` the last one seen.

        ``state``: ``final`` for those that have ended and wait for a receipt, ``open`` for those that have not.
        """
        found = self._json(self._call("GET", "/v1/tasks", params={"state": state, "after": after}))
        try:
            ids = [str(item) for item in found["ids"]]
        except (KeyError, TypeError):
            ids = [""]
        if not all(map(wire.ATTEMPT_ID.fullmatch, ids)):
            raise self._nonsense("it does not list attempts")
        return ids

    def _job(self, method: str, attempt_id: str, **options: Any) -> JobView:
        found = self._json(self._call(method, f"/v1/tasks/{attempt_id}", **options))
        try:
            return answers.job(found)
        except (KeyError, TypeError, ValueError):
            raise self._nonsense("its answer has not the fields of a job") from None

    def _call(
        self, method: str, path: str, *, wait: float = 0, headers: Mapping[str, str] | None = None, **content: Any
    ) -> requests.Response:
        more = {**(headers or {}), **({"Prefer": f"wait={wait:g}"} if wait else {})}
        try:
            # Session.request would look for what this session never has, such as cookies and proxies: 0.1 ms each time.
            request = requests.Request(method, self.url + path, {**self._session.headers, **more}, **content)
            answer = self._send(request.prepare(), (_CONNECT, wait + _ANSWER))
        except requests.RequestException as error:
            raise self._explain(error) from None
        except OSError as error:  # there are no certificates that could be used
            raise Unreachable(ReasonCode.EXECUTOR_REFUSED, f"{error}; make certificates with `gorch certs`") from None
        if answer.status_code >= HTTPStatus.MULTIPLE_CHOICES:
            raise refusal(answer, self._who) or self._nonsense(
                f"status {answer.status_code} without a problem document"
            )
        return answer

    def _explain(self, error: requests.RequestException) -> Unreachable:
        now, shaken = time.time(), self._handshakes
        own, shown = shaken.own_expired(now), shaken.shown_expired(now)
        return explain(error, self._who, str(shaken.credentials.files.cert), own=own, shown=shown)

    def _send(self, request: requests.PreparedRequest, timeout: tuple[float, float]) -> requests.Response:
        """Send a request, once more if a kept connection broke under it: every call may be repeated."""
        try:
            return self._session.send(request, timeout=timeout, allow_redirects=False)
        except requests.ConnectionError as error:
            if isinstance(error, requests.exceptions.SSLError | requests.exceptions.ConnectTimeout) or not _broke(
                error
            ):
                raise
            return self._session.send(request, timeout=timeout, allow_redirects=False)

    def _json(self, answer: requests.Response) -> dict[str, Any]:
        try:
            found = answer.json()
        except requests.JSONDecodeError:
            raise self._nonsense("its answer is not JSON") from None
        if not isinstance(found, dict):
            raise self._nonsense("its answer is JSON, but no object")
        return found

    def _nonsense(self, what: str) -> Unreachable:
        text = f"{self._who} answers, but not as an executor does ({what}); check the URL"
        return Unreachable(ReasonCode.EXECUTOR_REFUSED, text)


def _broke(error: requests.ConnectionError) -> bool:
    """Whether the connection was there and broke, in contrast to one that could not be made."""
    return not any("NewConnectionError" in type(item).__name__ for item in [getattr(error.args[0], "reason", None)])
