"""How an attempt ended. Failures of a node are values: drivers return them, and nothing raises them."""

import os
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from gorchestrator.common.reasons import ReasonCode
from gorchestrator.common.states import State

HINTS = {
    "Exec format error": " (a script must begin with a line such as #!/bin/sh)",
    "Permission denied": " (whom it runs as must be able to reach and to execute it)",
    "No such file or directory": " (it, or the interpreter that its first line names)",
}
KNOWN = ("status", "cause", "error", "started_at", "stopped_at", "left")  # by every shim


@dataclass(frozen=True, slots=True)
class Exit:
    """How a supervised command ended: what its shim knows."""

    status: int | None = None  # as from waitpid; None: it was not started, or nobody knows
    cause: str = "exit"  # or "timeout", "cancel": why it was killed; "lost": its shim is gone and nobody saw its end
    error: str | None = None  # why it could not be started; if it is lost: what became of what it started
    started_at: float | None = None
    stopped_at: float | None = None
    left: bool = False  # processes that it started are still there
    step: str | None = None  # of what the node asks for, that failed at its start, such as "enter cwd /srv"
    cpu: float | None = None  # seconds of processor time, with those of its processes that it has waited for

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> "Exit":
        """Make one out of what a shim wrote. One of an older version may still run: it knows less."""
        return cls(**{name: record[name] for name in KNOWN}, step=record.get("step"), cpu=record.get("cpu"))

    @classmethod
    def exited(cls, code: int, started_at: float | None) -> "Exit":
        """Return that of what ended just now elsewhere, with a status of 0 to 255."""
        return cls(status=code << 8, started_at=started_at, stopped_at=time.time())

    @property
    def code(self) -> int | None:
        """The exit status, 0 to 255; None if it was ended by a signal or not started."""
        return os.WEXITSTATUS(self.status) if self.status is not None and os.WIFEXITED(self.status) else None

    @property
    def signal(self) -> str | None:
        """The name of the signal that ended it, such as ``SIGKILL``."""
        if self.status is None or not os.WIFSIGNALED(self.status):
            return None
        number = os.WTERMSIG(self.status)
        try:
            return signal.Signals(number).name
        except ValueError:  # a real-time signal has no name of its own
            return f"SIG{number}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt ended: what the orchestrator is told."""

    state: State
    reason: str | None = None
    reason_code: ReasonCode | None = None
    exit_code: int | None = None
    signal: str | None = None
    output: Mapping[str, str] = field(default_factory=dict)
    started_at: float | None = None
    stopped_at: float | None = None
    log_size: int | None = None  # where the log ended; what a daemon prints later is not the attempt's

    def to_json(self) -> dict[str, Any]:
        """Return what :meth:`from_json` reads."""
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "Outcome":
        """Make one out of what :meth:`to_json` returned."""
        code = document["reason_code"]
        return cls(**dict(document) | {"state": State(document["state"]), "reason_code": code and ReasonCode(code)})


def failure(code: ReasonCode, reason: str) -> Outcome:
    """Return a failure that happened before anything was started."""
    return Outcome(State.FAILURE, reason, code)


def canceled() -> Outcome:
    """Return the outcome of what was cancelled before it was started."""
    return Outcome(State.CANCELED, "canceled before it was started", ReasonCode.CANCELED)


def of(exit: Exit, command: str, last_lines: str, timeout: float | None) -> Outcome:
    """Return the outcome that an exit means if nothing else is known. ``last_lines``: of the log."""
    state, code, reason = _why(exit, command, timeout)
    if last_lines and code in {ReasonCode.EXIT, ReasonCode.SIGNAL}:
        reason = f"{reason}: {last_lines}"
    outcome = Outcome(state, reason, code, exit.code, exit.signal)
    return replace(outcome, started_at=exit.started_at, stopped_at=exit.stopped_at)


def _why(exit: Exit, command: str, timeout: float | None) -> tuple[State, ReasonCode | None, str | None]:
    if exit.cause == "timeout":
        return State.TIMEOUT, ReasonCode.TIMEOUT, f"killed after its timeout of {timeout or 0:g} s"
    if exit.cause == "cancel":
        return State.CANCELED, ReasonCode.CANCELED, "canceled"
    return (State.SUCCESS, None, None) if exit.status == 0 else (State.FAILURE, *_failed(exit, command))


def _failed(exit: Exit, command: str) -> tuple[ReasonCode, str]:
    if exit.cause == "lost":
        return ReasonCode.LOST, f"its supervisor is gone and has not told how it ended; {exit.error}"
    if exit.step is not None:
        return ReasonCode.ARGUMENT, f"cannot {exit.step}: {exit.error}"
    if exit.error is not None:
        return ReasonCode.ARTIFACT, f"cannot start {command}: {exit.error}{HINTS.get(exit.error, '')}"
    if exit.code is not None:
        return ReasonCode.EXIT, f"exit status {exit.code}"
    return ReasonCode.SIGNAL, f"killed by {exit.signal}"
