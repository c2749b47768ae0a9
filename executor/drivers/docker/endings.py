"""How a container ended, as the daemon tells it, as it is noted on the disk, and as an outcome of its job."""

import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from executor.drivers.base import Job
from executor.outcome import Exit, Outcome, failure
from gorchestrator.common.reasons import ReasonCode
from gorchestrator.common.states import State

NO_COMMAND = frozenset({126, 127})  # exit codes of what could not be executed
EXIT = "exit"
KILLED = 137  # the exit code of what SIGKILL has ended


def noted(state: Mapping[str, Any], cause: str, began: float | None) -> dict[str, Any]:
    """Return what is noted of an end. ``state``: what the daemon knows; ``cause``: who or what ended it.

    ``began``: when the job began, for a container that never ran; times are seconds since the epoch.
    """
    started, stopped = _time(state.get("StartedAt")), _time(state.get("FinishedAt"))
    return {
        "code": state.get("ExitCode", 0) & 0xFF,
        "cause": cause,
        "error": state.get("Error", ""),
        "out_of_memory": state.get("OOMKilled", False),
        "started_at": started or began,
        "stopped_at": max(started or 0.0, stopped or time.time()),  # the daemon takes them in another order
    }


def may_be_out_of_memory(state: Mapping[str, Any]) -> bool:
    """Return whether a container was killed and the daemon does not say by whom."""
    return state.get("ExitCode") == KILLED and not state.get("OOMKilled")


def late(state: Mapping[str, Any], limit: float | None) -> bool:
    """Return whether it ended after a moment, in seconds since the epoch; None: never."""
    stopped = _time(state.get("FinishedAt"))
    return limit is not None and stopped is not None and stopped > limit


def outcome(job: Job, ended: Mapping[str, Any]) -> Outcome:
    """Return what a noted end means for the job."""
    status = ended["code"] << 8 if ended["cause"] == EXIT else None
    exit = Exit(status, ended["cause"], None, ended["started_at"], ended["stopped_at"])
    found = job.outcome(exit, job.attempt.artifact, why=ended["error"] or None)
    if not (ended["out_of_memory"] and found.state == State.FAILURE):
        return found
    why = "a process of the container was killed, as it needed more than the memory that it may have"
    return replace(found, reason=f"{why} ({found.reason})", reason_code=ReasonCode.MEMORY)


def not_created(image: str, *, missing: bool, why: str) -> Outcome:
    """Return the failure of a container that the daemon does not create. ``missing``: the image is."""
    if missing:
        return failure(ReasonCode.ARTIFACT, f"image {image!r} is not on this executor's machine: {why}")
    return failure(ReasonCode.ARGUMENT, f"the daemon refuses the container: {why}")


def not_started(job: Job, why: str, code: int) -> Outcome:
    """Return the failure of a container that was created. ``code``: the exit code that the daemon gave it."""
    why = why.removesuffix(": unknown")
    if code not in NO_COMMAND and "executable file" not in why:
        return failure(ReasonCode.ENGINE, f"the daemon cannot start the container: {why}")
    found = job.outcome(Exit(error=why), f"a container of {job.attempt.artifact}")
    return replace(found, exit_code=code)


def lost(name: str) -> Outcome:
    """Return the failure of a container that is not there any more, and did not end as far as is known."""
    return failure(ReasonCode.LOST, f"container {name} was removed by somebody: nobody knows how it ended")


def untold(name: str, why: str) -> Outcome:
    """Return the failure of a container that was once told to start, and cannot be started: it may have run."""
    text = f"the daemon went away while it started container {name}, and cannot start it now: {why}"
    return failure(ReasonCode.LOST, f"{text}; nobody knows what it has done")


def _time(text: str | None) -> float | None:
    """Return seconds since the epoch of ``2026-11-22T17:12:10.298298152Z``; year 1 is never."""
    if not text or text.startswith("0001"):
        return None
    return datetime.fromisoformat(text).timestamp()
