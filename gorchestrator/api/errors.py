"""The one table that maps errors of the service to HTTP statuses; the problem's ``type`` is the error's code."""

import math
from collections.abc import Mapping

from flask import Flask, Response

from gorchestrator.common.http import problems
from gorchestrator.domain.errors import GorchError, InvalidGorch, TooManyTasks

_LISTED = 1000  # faults in one answer
# Seconds; everything else that passes may pass at once.
_RETRY_AFTER: Mapping[str, str] = {"too-many-runs": "5", "too-many-streams": "5"}
_PASSING = frozenset({429, 503})
_TITLES: Mapping[str, tuple[int, str]] = {
    "invalid-gorch": (422, "The gorch cannot be run"),
    "unauthorized": (401, "Who asks is not known"),
    "forbidden": (403, "Not allowed"),
    "task-unknown": (404, "No such task"),
    "node-unknown": (404, "No such node"),
    "not-in-doubt": (409, "Nothing to resolve"),
    "range": (416, "Nothing in this range"),
    "idempotency-key-reused": (422, "The key was used before"),
    "request-in-progress": (409, "The request is being stored"),
    "not-ended": (409, "The task has not ended"),
    "nothing-to-rerun": (409, "Nothing to run again"),
    "too-many-runs": (429, "Too many runs"),
    "too-many-tasks": (429, "Too many tasks in a minute"),
    "too-many-streams": (429, "Too many streams"),
    "no-layout": (503, "The graph cannot be drawn"),
    "store-damaged": (503, "The database is damaged"),
    "store-unavailable": (503, "The store cannot be written"),
}


def install(app: Flask) -> None:
    """Answer what the service raises with a problem."""
    app.register_error_handler(GorchError, _answer)


def _answer(error: GorchError) -> Response:
    status, title = _TITLES.get(error.code, (500, "Internal error"))
    extra = dict(error.data)
    if isinstance(error, InvalidGorch):
        extra["errors"] = [{"pointer": fault.pointer, "detail": fault.detail} for fault in error.faults[:_LISTED]]
    headers = {"Retry-After": _retry_after(error)} if status in _PASSING else {}
    return problems.respond(problems.make(error.code, status, title, error.detail, headers=headers, **extra))


def _retry_after(error: GorchError) -> str:
    if isinstance(error, TooManyTasks):
        return str(math.ceil(error.seconds))
    return _RETRY_AFTER.get(error.code, "1")
