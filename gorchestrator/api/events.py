"""The routes of event streams (server-sent events). Each docstring is the route's docs.

An event's ``id:`` is its number in the journal, so a reader who connects again goes on where he was.
"""

import json
from collections.abc import Iterator
from typing import Any

from flask import Response, request
from marshmallow import Schema, fields

from gorchestrator.api.context import blueprint, principal, service
from gorchestrator.api.streaming import streamed
from gorchestrator.common.http.parameters import number
from gorchestrator.common.http.problems import BadQuery
from gorchestrator.common.timestamps import to_wire
from gorchestrator.domain.records import EventRow, Kind
from gorchestrator.service.events import Events, Start

_RETRY = b"retry: 1000\n"  # milliseconds until a browser connects again
_BEAT = b": beat\n\n"
_KINDS = frozenset(map(str, Kind))
_DATES = {"started_at": "start_date", "stopped_at": "stop_date"}  # in the journal in microseconds
_INNER = frozenset({"owner", "fence"})
_NOWHERE = 2**63 - 1  # no event has this number
_REMEMBERED = 1024  # frames of events
_recent: dict[tuple[str, int], bytes] = {}
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class FrameSchema(Schema):
    """One event of a stream, as an EventSource gives it."""

    id = fields.String(metadata={"description": "the number of the event in the journal", "example": "17"})
    event = fields.String(metadata={"description": "its kind, or `reset`", "example": "node_final"})
    data = fields.String(metadata={"description": "a JSON object", "example": '{"seq": 17, "kind": "node_final"}'})
    retry = fields.Integer(metadata={"description": "milliseconds until one connects again", "example": 1000})


@blueprint.get("/events")
def all_events() -> Response:
    """Follow what happens to all tasks.

    ---
    get:
      tags: [events]
      summary: What happens, as it happens, as server-sent events; from now on, or behind an event
      description: >-
        `id` is the number of the event in the journal, `event` its kind, `data` a JSON object. Every 15 s without
        an event there is a comment. `reset` says that the events behind the wanted one are not kept: load the
        tasks anew, the stream goes on behind its id. A first block with an `id` and nothing else says where the
        stream begins, so that who is cut off before the first event misses none.
      parameters:
        - After
        - LastEventId
        - in: query
          name: kind
          description: "only these kinds, separated by commas, such as `task_accepted,task_final`"
          schema: {type: string}
      responses:
        200:
          description: the events
          content: {text/event-stream: {schema: {$ref: "#/components/schemas/Frame"}}}
        401: {$ref: "#/components/responses/Problem"}
        403: {$ref: "#/components/responses/Problem"}
        421: {$ref: "#/components/responses/Problem"}
        422: {$ref: "#/components/responses/Problem"}
        429: {$ref: "#/components/responses/Problem"}
        503: {$ref: "#/components/responses/Problem"}
    """
    events, kinds = service().events, _kinds()
    start = events.start(_after())
    return _stream(events, start, None, kinds)


@blueprint.get("/tasks/<task_id>/events")
def task_events(task_id: str) -> Response:
    """Follow what happens to a task.

    ---
    get:
      tags: [events]
      summary: What has happened to a task and what happens, as server-sent events, until it has ended
      description: >-
        As `/v1/events`. Who connects again after the last event gets 204, at which browsers stay away.
      parameters:
        - TaskId
        - After
        - LastEventId
      responses:
        200:
          description: the events
          content: {text/event-stream: {schema: {$ref: "#/components/schemas/Frame"}}}
        204: {description: "the task has ended, and there is nothing behind the wanted event"}
        401: {$ref: "#/components/responses/Problem"}
        403: {$ref: "#/components/responses/Problem"}
        404: {$ref: "#/components/responses/Problem"}
        421: {$ref: "#/components/responses/Problem"}
        422: {$ref: "#/components/responses/Problem"}
        429: {$ref: "#/components/responses/Problem"}
        503: {$ref: "#/components/responses/Problem"}
    """
    events = service().events
    start = events.start_of(task_id, _after())
    return Response(status=204) if start is None else _stream(events, start, task_id)


def _after() -> int | None:
    """Return the event behind which to begin: a browser that connects again sends both, and has moved on since."""
    after, last = number(request, "after"), request.headers.get("Last-Event-ID", "")
    if not last:
        return after
    return int(last) if last.isdecimal() and len(last) <= 18 else _NOWHERE  # noqa: PLR2004  (digits of 64 bits)


def _kinds() -> frozenset[str] | None:
    text = request.args.get("kind")
    if text is None:
        return None
    wanted = frozenset(text.split(","))
    if unknown := wanted - _KINDS:
        shown = ", ".join(sorted(each[:50] for each in unknown))
        raise BadQuery(f"There is no kind of events named {shown}; the kinds are {', '.join(sorted(_KINDS))}.")
    return wanted


def _stream(events: Events, start: Start, task_id: str | None, kinds: frozenset[str] | None = None) -> Response:
    who, access = principal(), service().access

    def body() -> Iterator[bytes]:
        yield _RETRY + (b"id: %d\n\n" % start.after if task_id is None else b"\n")
        if start.reset:
            yield _frame(start.after, "reset", {"after": start.after})
        for found in events.follow(start.after, task_id, kinds, None if who.label is None else who.sees):
            if not access.holds(who):
                return
            yield b"".join(map(_framed, found)) or _BEAT

    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return streamed(body(), "text/event-stream", headers)


def _framed(event: EventRow) -> bytes:
    """Return the frame of an event; made once for all who read it at about the same time."""
    key = event.task, event.seq
    frame = _recent.get(key)
    if frame is None:
        if len(_recent) >= _REMEMBERED:
            _recent.clear()
        frame = _recent[key] = _frame(event.seq, event.kind, data(event))
    return frame


def data(event: EventRow) -> dict[str, Any]:
    """Return the JSON object of an event. Which process runs a task is nobody's business but the service's."""
    told = {key: value for key, value in event.data.items() if key not in _INNER}
    if event.node is None:
        told.pop("from", None)
    found = {
        "seq": event.seq,
        "task": event.task,
        "node": event.node,
        "attempt": event.attempt,
        "kind": event.kind,
        "date": to_wire(event.at),
        "actor": event.actor,
        **told,
    }
    for name, shown in _DATES.items():
        micro = found.pop(name, None)
        if isinstance(micro, int):
            found[shown] = to_wire(micro / 1_000_000)
    return found


def _frame(seq: int, kind: str, content: dict[str, Any]) -> bytes:
    return f"id: {seq}\nevent: {kind}\ndata: {_encode(content)}\n\n".encode()
