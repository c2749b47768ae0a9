"""A job on the wire: see ``JobSchema`` in ``gorchestrator.common.wire``."""

import sys
from base64 import b64encode
from functools import partial
from typing import Any

from executor import capped
from executor.job import Job
from executor.outcome import Outcome
from gorchestrator.common.states import State
from gorchestrator.common.timestamps import to_wire
from gorchestrator.common.wire import LOG_LIMIT

UNKNOWN = Outcome(State.RUNNING)


def of(job: Job, log_from: int | None) -> dict[str, Any]:
    """Return the answer for a job, with its log from an offset; None: without log."""
    result = job.result or UNKNOWN
    return {
        "id": job.id,
        "state": int(job.state),
        "reason": result.reason if job.result else _reason(job),
        "reason_code": result.reason_code,
        "exit_code": result.exit_code,
        "signal": result.signal,
        "output": result.output,
        "created_at": to_wire(job.created_at),
        "started_at": to_wire(result.started_at if job.result else job.started_at),
        "stopped_at": to_wire(result.stopped_at),
        "queued": job.state == State.TORUN,
        "survivors": [] if job.result else job.survivors,
        **_log(job, log_from),
    }


def _reason(job: Job) -> str | None:
    if job.survivors:
        return f"cannot be killed: {', '.join(map(str, job.survivors))}"
    if job.supervised.silent:
        return f"its supervisor, process {job.folder.claimed_by()}, does not answer"
    if job.trouble:
        return job.trouble
    return "waits for a free place" if job.state == State.TORUN else None


def _read(job: Job, start: int, most: int) -> tuple[bytes, int, int]:
    return capped.read(job.folder.log, start, most, job.log_limit)


def _log(job: Job, log_from: int | None) -> dict[str, Any]:
    most = 0 if log_from is None else LOG_LIMIT
    end = sys.maxsize if job.result is None or job.result.log_size is None else job.result.log_size
    read = partial(_read, job)
    start = log_from or 0
    if job.has_secrets:
        data, start, size = job.mask.piece(read, start, most, growing=job.result is None)
    else:
        data, start, size = read(start, most)
    data, size = data[: max(0, end - start)], min(end, size)
    return {"log": b64encode(data).decode(), "log_from": start, "log_next": start + len(data), "log_size": size}
