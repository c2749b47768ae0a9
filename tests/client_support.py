"""The client's surroundings in memory: an executor's API that answers what a test says, and a watch that remembers."""

from collections.abc import Callable
from typing import Any

import gevent

from gorchestrator.client.answers import Info, JobView
from gorchestrator.client.faults import Unreachable
from gorchestrator.common.reasons import ReasonCode
from gorchestrator.common.states import State
from gorchestrator.domain.attempts import Attempt
from gorchestrator.domain.graph import Node

AWAY = Unreachable(ReasonCode.EXECUTOR_UNREACHABLE, "it is away")


class ScriptedApi:
    """Answers each call with the next of its answers (the last one again and again); faults are raised."""

    name, url = "executor", "https://127.0.0.1:8443"

    def __init__(self, **answers: list[Any]) -> None:
        self.answers = answers
        self.calls: list[tuple[Any, ...]] = []
        self.sizes: list[int] = []

    def _next(self, *call: Any) -> Any:
        self.calls.append(call)
        assert len(self.calls) < 1000, "it goes round in circles"
        answers = self.answers.get(call[0], [])
        found = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(found, Callable):  # type: ignore[arg-type]
            found = found(*call)
        gevent.sleep(0)
        if isinstance(found, BaseException):
            raise found
        return found

    def count(self, method: str) -> int:
        return sum(call[0] == method for call in self.calls)

    def ping(self) -> Info:
        return self._next("ping")

    def put(self, attempt: Attempt) -> JobView:
        return self._next("put", attempt.id)

    def get(self, attempt_id: str, log_from: int | None, wait: float) -> JobView:
        return self._next("get", attempt_id, log_from, wait)

    def delete(self, attempt_id: str, fence: int) -> JobView:
        return self._next("delete", attempt_id, fence)

    def acknowledge(self, attempt_ids: list[str]) -> None:
        self._next("acknowledge", list(attempt_ids))

    def listed(self, state: str, after: str) -> list[str]:
        return self._next(state, after)

    def resize(self, connections: int) -> None:
        self.sizes.append(connections)

    def close(self) -> None:
        self.calls.append(("close",))


class Notes:
    """A watch, or what notes are given to: remembers what it was told."""

    def __init__(self, *, fresh: bool = True, log_size: int = 0) -> None:
        self.fresh = fresh
        self.log_size = log_size
        self.canceling = False
        self.given_up = False
        self.told: list[tuple[Any, ...]] = []
        self.logged = b""

    def __call__(self, code: Any, reason: Any, state: Any = None) -> None:
        self.note(code, reason, state)

    def note(self, code: Any, reason: Any, state: Any = None) -> None:
        self.told.append((code, reason, state))

    def log(self, offset: int, data: bytes) -> None:
        assert offset == self.log_size + len(self.logged)
        self.logged += data

    @property
    def codes(self) -> list[Any]:
        return [code for code, _, _ in self.told]


def info(capacity: int = 16, queue: int = 64, instance: str = "instance", *engines: str) -> Info:
    return Info(instance, capacity, queue, 0, {engine: {} for engine in engines or ("shell",)})


def job(state: State = State.SUCCESS, *, log: bytes = b"", **changes: Any) -> JobView:
    fields: dict[str, Any] = {
        "state": state,
        "reason": None,
        "reason_code": None,
        "exit_code": 0,
        "output": {},
        "started_at": 1.0,
        "stopped_at": 2.0,
        "queued": False,
        "survivors": [],
        "log": log,
        "log_from": 0,
        "log_next": len(log),
        "log_size": len(log),
    }
    return JobView(**{**fields, **changes})


def attempt(**changes: Any) -> Attempt:
    fields: dict[str, Any] = {"task": "0" * 32, "number": 1, "args": (), "instance": "instance", "fence": 1}
    return Attempt(node=Node(0, "a", engine="shell"), **{**fields, **changes})


def until(condition: Callable[[], object]) -> None:
    with gevent.Timeout(5):
        while not condition():
            gevent.sleep(0.001)
