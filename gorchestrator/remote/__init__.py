"""The public Python client of the REST API. The ``gorch`` command uses it and nothing else.

.. code-block:: python

    remote = Remote("http://127.0.0.1:8080")
    task = remote.submit({"name": "hello", "nodes": [{"name": "a", "engine": "nil"}]})
    print(remote.wait(task)["state"])
"""

import json
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import requests

from gorchestrator.common import traceparent
from gorchestrator.common.states import State
from gorchestrator.remote.connection import PROBLEM, Connection, Json, Refused, RemoteError, Unreachable
from gorchestrator.remote.patience import Patience
from gorchestrator.remote.streams import Reset, events

__all__ = ["PROBLEM", "LogPiece", "Refused", "Remote", "RemoteError", "Reset", "Unreachable"]

LONG_POLL = 30.0  # seconds that one request waits for the end of a task
_RETRY = 1.0  # seconds until a service that cannot be reached is tried again
_CHANGES = frozenset({"task_started", "task_final", "node_waits", "node_running", "node_final"})
_KEYS = ("state", "reason", "reason_code", "start_date", "stop_date")  # what an event tells anew
_KEYS_OF_NODE = (*_KEYS, "attempt", "executor", "exit_code")
GAP = re.compile(r"offset=(\d+), length=(\d+)")  # the header Gorch-Log-Gap


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

    ``timeout``: seconds without an answer; ``ca``: a CA file to check an https one with; ``token``, or ``cert``,
    the files of a certificate and its key: what it wants to be shown, if it does.
    """

    def __init__(
        self,
        url: str,
        timeout: float = 30.0,
        ca: str | None = None,
        token: str | None = None,
        cert: tuple[str, str] | None = None,
    ) -> None:
        self._connection = Connection(url, timeout, ca, token, cert)
        self.url = self._connection.url

    def submit(
        self,
        gorch: Mapping[str, Any] | str | bytes,
        *,
        patience: float = 0,
        key: str | None = None,
        context: str | None = None,
    ) -> str:
        """Post a gorch (a mapping, or its JSON text) and return the id of its task.

        ``patience``: seconds for which it is posted again while the service cannot be reached, or says that it cannot
        take it now. ``key``: its Idempotency-Key, by default a new one, so that it is never taken twice.
        ``context``: the trace context (``traceparent``) that it comes in; what is none is left out.
        """
        body, limit, headers = _body(gorch), time.monotonic() + patience, {"Idempotency-Key": key or uuid4().hex}
        if (sound := traceparent.valid(context)) is not None:
            headers[traceparent.HEADER] = sound
        while True:
            try:
                return str(self._connection.json("POST", "/v1/tasks", data=body, headers=headers)["id"])
            except (Refused, Unreachable) as error:
                pause = error.retry_after if isinstance(error, Refused) else _RETRY
                if pause is None or time.monotonic() + pause > limit:
                    raise
                time.sleep(pause)

    def validate(self, gorch: Mapping[str, Any] | str | bytes, *, layout: bool = False) -> Json:
        """Return what a gorch is like without running it: its layers, the longest path, the executors that take it.

        ``layout``: how it is drawn, too. Raises Refused with all its faults.
        """
        params = {"layout": "true"} if layout else {}
        return self._connection.json("POST", "/v1/validate", data=_body(gorch), params=params)

    def tasks(self, *, limit: int = 100, **filters: str | Sequence[str]) -> Json:
        """Return a page of tasks: ``tasks``, a summary of each, and ``next``, the ``cursor`` of the page behind it.

        ``filters``: ``state``, ``name``, ``label``, ``since``, ``until``, ``sort``, ``cursor`` as in the API.
        """
        return self._connection.json("GET", "/v1/tasks", params={"limit": str(limit), **filters})

    def audit(self, *, limit: int = 100, **filters: str) -> Json:
        """Return a page of the audit: ``lines``, the newest first, and ``next``, the ``cursor`` of the page behind it.

        ``filters``: ``actor``, ``action``, ``subject``, ``since``, ``until``, ``cursor`` as in the API.
        """
        return self._connection.json("GET", "/v1/audit", params={"limit": str(limit), **filters})

    def task(self, task: str, *, wait: float = 0, digraph: bool = False) -> Json:
        """Return a task with all its nodes; ``wait``: for its end, at most so many seconds."""
        return self._connection.json("GET", _path(task), wait=wait, params=None if digraph else {"digraph": "false"})

    def layout(self, task: str) -> Json:
        """Return how a task is drawn: the places of its nodes and the points of its edges, in pixels."""
        return self._connection.json("GET", f"{_path(task)}/layout")

    def wait(self, task: str, *, patience: float = 30.0) -> Json:
        """Return the task when it has ended.

        ``patience``: seconds for which a service is looked for that is lost or about to stop.
        """
        left, poll = Patience(patience), 0.0  # it is seen at once whether there is a service, and such a task
        while True:
            try:
                found = self.task(task, wait=poll)
            except (Unreachable, Refused) as fault:
                left.bear(fault)
            else:
                left.answered()
                if State(found["state"]).final:
                    return found
                poll = LONG_POLL

    def follow(self, task: str) -> Iterator[Json]:
        """Yield the task now, then with each event that changes it, at last when it is final."""
        found = self.task(task)
        while not State(found["state"]).final:
            yield found
            try:
                for event in self.events(task, after=found["seq"]):
                    _apply(found, event)
                    if not State(found["state"]).final:
                        yield found
            except Reset:  # an older backup was restored: what was told of the task may not be so any more
                found = self.task(task)
            else:
                found = self.wait(task)
        yield found

    def events(self, task: str | None = None, *, after: int | None = None, patience: float = 30.0) -> Iterator[Json]:
        """Yield what happens: to one task, from its first event on and to its end; or to all, from now on.

        ``after``: the number (``seq``) of the event behind which to begin. ``patience``: seconds for which a service
        is looked for that is lost or about to stop, without missing anything. Raises Reset where events are not kept
        any more.
        """
        path = "/v1/events" if task is None else f"{_path(task)}/events"
        return events(self._connection, path, after, {}, patience)

    def why(self, task: str, node: str | int) -> Json:
        """Return why a node (name, else number) is in its state: what it waits for, or what ended it."""
        return self._connection.json("GET", f"{_node(task, node)}/why")

    def rerun(self, task: str, nodes: Sequence[str | int] = (), *, preview: bool = False) -> Json:
        """Run a task that has ended again, from some nodes on and from all that did not succeed.

        Returns the ``id`` of the new task, unless it is a ``preview``, what ``runs`` and what is ``reused``.
        """
        body = json.dumps({"from": list(nodes) or "failed", "preview": preview})
        return self._connection.json(
            "POST", f"{_path(task)}/rerun", data=body, headers={"Idempotency-Key": uuid4().hex}
        )

    def cancel(self, task: str, *, wait: float = 0) -> Json:
        """Ask for the end of a task and return it; ``wait``: until its processes are dead, at most so many seconds."""
        return self._connection.json("DELETE", _path(task), wait=wait)

    def resolve(self, task: str, node: str | int, answer: str, output: Mapping[str, str] | None = None) -> Json:
        """Say how a node's attempt counts of which nobody knows how it ended: ``success``, ``failure`` or ``retry``.

        ``output``: what it has produced, for a success. Returns what is stored.
        """
        path = f"{_node(task, node)}/resolve"
        return self._connection.json("POST", path, data=json.dumps({"as": answer, "output": dict(output or {})}))

    def attempts(self, task: str, node: str | int) -> list[Json]:
        """Return the tries of a node (name, else number) on executors, in their order, however many there are."""
        found: list[Json] = []
        after: int | None = 0
        while after is not None:
            page = self._connection.json("GET", f"{_node(task, node)}/attempts", params={"after": after})
            found += page["attempts"]
            after = page["next"]
        return found

    def log(
        self,
        task: str,
        node: str | int,
        *,
        offset: int = 0,
        attempt: int | None = None,
        tail: int | None = None,
        wait: float = 0,
    ) -> LogPiece:
        """Return what a node (name, else number) printed, from a byte offset on; by default of its last attempt.

        ``tail``: only its last so many lines. ``wait``: seconds to wait for something behind the offset.
        """
        params = {"offset": offset} if tail is None else {"tail": tail}
        params |= {} if attempt is None else {"attempt": attempt}
        answer = self._connection.call("GET", f"{_node(task, node)}/log", params=params, wait=wait)
        try:
            return _piece(answer)
        except (KeyError, ValueError):
            raise Unreachable(self.url, "something else answers there (no log)") from None

    def ping(self) -> Json:
        """Return the service's version and what it knows of its executors."""
        return self._connection.json("GET", "/v1/ping")

    def close(self) -> None:
        """Close the connections."""
        self._connection.close()


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


def _path(task: str) -> str:
    return f"/v1/tasks/{quote(task, safe='')}"


def _node(task: str, node: str | int) -> str:
    return f"{_path(task)}/nodes/{quote(str(node), safe='')}"


def _apply(task: Json, event: Json) -> None:
    """Bring a task up to date with an event."""
    changed = task if event["node"] is None else task["nodes"][event["node"]]
    if event["kind"] in _CHANGES:
        changed |= {key: event.get(key) for key in (_KEYS if event["node"] is None else _KEYS_OF_NODE)}
