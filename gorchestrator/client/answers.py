"""What an executor answers, as values: itself and its jobs, read strictly out of JSON that anybody may have sent."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

from gorchestrator.common.states import State
from gorchestrator.common.timestamps import from_wire

_BYTE = range(256)  # the values of an exit code


@dataclass(frozen=True, slots=True)
class Info:
    """What an executor says of itself. ``clock``: its time when it answered, in whole seconds since the epoch."""

    instance: str
    capacity: int
    queue: int
    load: int
    engines: Mapping[str, Mapping[str, Any]]
    version: str = ""
    clock: float | None = None


@dataclass(frozen=True, slots=True)
class JobView:
    """An attempt as the executor shows it. ``log`` is what lies between raw offsets ``log_from`` and ``log_next``."""

    state: State
    reason: str | None
    reason_code: str | None
    exit_code: int | None
    output: Mapping[str, str]
    started_at: float | None
    stopped_at: float | None
    queued: bool
    survivors: Sequence[int]
    log: bytes
    log_from: int
    log_next: int
    log_size: int


def info(found: Mapping[str, Any], date: str | None = None) -> Info:
    """Return what an executor says of itself, out of its JSON and the header Date.

    Raises KeyError, TypeError or ValueError where it is none.
    """
    capacity, queue, load = (int(found[key]) for key in ("capacity", "queue", "load"))
    version = _text(found.get("version") or "")
    return Info(_text(found["instance"]), capacity, queue, load, dict(found["engines"]), version, _clock(date))


def _clock(date: str | None) -> float | None:
    try:
        return parsedate_to_datetime(date).timestamp() if date else None
    except ValueError:
        return None


def job(found: Mapping[str, Any]) -> JobView:
    """Return a job out of its JSON. Raises KeyError, TypeError or ValueError where it is none."""
    return JobView(
        state=State(found["state"]),
        reason=None if found["reason"] is None else _text(found["reason"]),
        reason_code=found["reason_code"],
        exit_code=None if found["exit_code"] is None else _BYTE.index(found["exit_code"]),
        output={_text(key): _text(value) for key, value in dict(found["output"]).items()},
        started_at=from_wire(found["started_at"]),
        stopped_at=from_wire(found["stopped_at"]),
        queued=bool(found["queued"]),
        survivors=[int(pid) for pid in found["survivors"]],
        log=base64.b64decode(found.get("log") or "", validate=True),
        log_from=int(found.get("log_from") or 0),
        log_next=int(found.get("log_next") or 0),
        log_size=int(found.get("log_size") or 0),
    )


def _text(value: Any) -> str:
    """Return a text that can be stored. Raises ValueError if it has a lone surrogate."""
    text = str(value)
    text.encode()
    return text
