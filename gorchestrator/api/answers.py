"""What the API answers: the JSON of tasks and nodes, and the schemas that describe it in the docs."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from marshmallow import Schema, fields

from gorchestrator.common.hub import breathe
from gorchestrator.common.timestamps import to_wire
from gorchestrator.domain.records import AttemptRow, NodeRow, Resolution, TaskRow, Whole
from gorchestrator.service.executors import ExecutorView
from gorchestrator.service.tasks import AttemptsView, slices

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

_STATES = "0 initial, 1 torun, 2 running, 3 success, 4 failure, 5 notrunnable, 10 timeout, 11 canceled; final from 3 on"
_ID = "0123456789abcdef0123456789abcdef"
_COUNTS = {"description": "how many nodes are in which state", "example": {"success": 2}}
_TIME = "2026-11-01T12:00:00.000000Z"


class CreatedSchema(Schema):
    """The answer to a submission."""

    id = fields.String(metadata={"description": "32 hex digits", "example": _ID})


class SummarySchema(Schema):
    """A task in the list."""

    id = fields.String(metadata={"example": _ID})
    name = fields.String(metadata={"example": "hello"})
    state = fields.String(metadata={"description": "the state by its name", "example": "success"})
    reason = fields.String(allow_none=True)
    labels = fields.Dict(keys=fields.String(), values=fields.String())
    size = fields.Integer(metadata={"description": "how many nodes it has", "example": 2})
    counts = fields.Dict(keys=fields.String(), values=fields.Integer(), metadata=_COUNTS)
    rerun_of = fields.String(allow_none=True, metadata={"description": "the task whose successes it took over"})
    accepted_date = fields.String(metadata={"description": "RFC 3339, UTC", "example": _TIME})
    start_date = fields.String(allow_none=True, metadata={"description": "RFC 3339, UTC", "example": _TIME})
    stop_date = fields.String(allow_none=True, metadata={"description": "RFC 3339, UTC", "example": _TIME})


class ListSchema(Schema):
    """A page of tasks."""

    tasks = fields.List(fields.Nested(SummarySchema))
    next = fields.String(allow_none=True, metadata={"description": "for cursor, where there are more"})
    seq = fields.Integer(metadata={"description": "the number of the journal's last event at that moment"})


class NodeStateSchema(Schema):
    """A node of a task: as it was submitted, and what has become of it."""

    id = fields.Integer(metadata={"example": 0})
    name = fields.String(metadata={"example": "greet"})
    target = fields.String(metadata={"example": ""})
    engine = fields.String(metadata={"example": "shell"})
    artifact = fields.String(metadata={"example": "echo"})
    args = fields.List(fields.String(), metadata={"example": ["colour=blue"]})
    env = fields.Dict(keys=fields.String(), values=fields.Raw())
    options = fields.Dict(metadata={"description": "as submitted; absent without any", "example": {}})
    needs = fields.List(fields.Integer(), metadata={"description": "ids; absent where there is a digraph"})
    output = fields.Dict(keys=fields.String(), values=fields.String(), metadata={"example": {"colour": "blue"}})
    state = fields.Integer(metadata={"description": _STATES, "example": 3})
    reason = fields.String(allow_none=True, metadata={"description": "why, for people"})
    reason_code = fields.String(allow_none=True, metadata={"description": "why, for programs"})
    attempt = fields.Integer(metadata={"description": "number of the last try, 0 before the first", "example": 1})
    executor = fields.String(allow_none=True, metadata={"example": "executor"})
    start_date = fields.String(allow_none=True, metadata={"example": _TIME})
    stop_date = fields.String(allow_none=True, metadata={"example": _TIME})
    exit_code = fields.Integer(allow_none=True, metadata={"example": 0})


class TaskSchema(Schema):
    """A task: the gorch with the states of its nodes."""

    id = fields.String(metadata={"example": _ID})
    name = fields.String(metadata={"example": "hello"})
    state = fields.Integer(metadata={"description": _STATES, "example": 3})
    reason = fields.String(allow_none=True, metadata={"description": "why, for people"})
    reason_code = fields.String(allow_none=True, metadata={"description": "why, for programs"})
    labels = fields.Dict(keys=fields.String(), values=fields.String())
    deadline = fields.Float(metadata={"description": "seconds, as submitted; absent without one", "example": 3600})
    accepted_date = fields.String(metadata={"example": _TIME})
    start_date = fields.String(allow_none=True, metadata={"example": _TIME})
    stop_date = fields.String(allow_none=True, metadata={"example": _TIME})
    cancel_date = fields.String(allow_none=True, metadata={"description": "when a cancel was asked for"})
    cancel_actor = fields.String(allow_none=True, metadata={"description": "who asked for it"})
    rerun_of = fields.String(allow_none=True, metadata={"description": "the task whose successes it took over"})
    size = fields.Integer(metadata={"description": "how many nodes it has", "example": 2})
    counts = fields.Dict(keys=fields.String(), values=fields.Integer(), metadata=_COUNTS)
    seq = fields.Integer(metadata={"description": "the number of its last event", "example": 17})
    digraph = fields.List(fields.Integer(), metadata={"description": "as submitted; absent where nodes list needs"})
    nodes = fields.List(fields.Nested(NodeStateSchema))


class AttemptSchema(Schema):
    """A try of a node on an executor."""

    attempt = fields.Integer(metadata={"description": "its number, from 1 on", "example": 1})
    state = fields.Integer(metadata={"description": _STATES, "example": 4})
    reason = fields.String(allow_none=True, metadata={"description": "why, for people", "example": "exit status 7"})
    reason_code = fields.String(allow_none=True, metadata={"description": "why, for programs", "example": "exit"})
    exit_code = fields.Integer(allow_none=True, metadata={"example": 7})
    executor = fields.String(metadata={"example": "executor"})
    args = fields.List(fields.String(), metadata={"description": "with the outputs of other nodes in their places"})
    start_date = fields.String(allow_none=True, metadata={"example": _TIME})
    stop_date = fields.String(allow_none=True, metadata={"example": _TIME})
    log_size = fields.Integer(metadata={"description": "bytes it has printed, as far as is stored", "example": 6})


class AttemptsSchema(Schema):
    """The attempts of a node."""

    attempts = fields.List(fields.Nested(AttemptSchema))
    next = fields.Integer(allow_none=True, metadata={"description": "for after, where others follow", "example": None})


class ResolutionSchema(Schema):
    """What was said of an attempt."""

    node = fields.Integer(metadata={"description": "the node's number", "example": 0})
    attempt = fields.Integer(metadata={"example": 1})
    as_ = fields.String(data_key="as", metadata={"example": "success"})
    actor = fields.String(metadata={"description": "who said so first", "example": "127.0.0.1"})
    date = fields.String(metadata={"example": _TIME})


class ExecutorViewSchema(Schema):
    """One executor as the orchestrator sees it."""

    name = fields.String(metadata={"example": "executor"})
    url = fields.String(metadata={"example": "https://127.0.0.1:8443"})
    reachable = fields.Boolean(metadata={"example": True})
    since = fields.String(allow_none=True, metadata={"description": "since when it is so", "example": _TIME})
    reason = fields.String(allow_none=True, metadata={"description": "why it is not reachable"})
    engines = fields.Dict(keys=fields.String(), values=fields.Dict(), allow_none=True)
    capacity = fields.Integer(allow_none=True, metadata={"example": 16})
    load_ = fields.Integer(data_key="load", allow_none=True, metadata={"example": 0})


class PingSchema(Schema):
    """The service about itself."""

    status = fields.String(metadata={"example": "success"})
    version = fields.String(metadata={"example": "0.1.0"})
    executors = fields.List(fields.Nested(ExecutorViewSchema))


def summary(row: TaskRow) -> dict[str, Any]:
    """Return a task for the list."""
    return {
        "id": row.id,
        "name": row.name,
        "state": row.state.label,
        "reason": row.reason,
        "labels": dict(row.labels),
        "size": row.size,
        "counts": _counts(row),
        "rerun_of": row.rerun_of,
        "accepted_date": to_wire(row.accepted_at),
        "start_date": to_wire(row.started_at),
        "stop_date": to_wire(row.stopped_at),
    }


def page(tasks: Iterable[TaskRow], cursor: str | None, seq: int) -> str:
    """Return the JSON of a page of the list."""
    return _encode({"tasks": [summary(row) for row in tasks], "next": cursor, "seq": seq}) + "\n"


def _counts(row: TaskRow) -> dict[str, int]:
    return {state.label: number for state, number in sorted(row.counts.items()) if number}


def executor(view: ExecutorView) -> dict[str, Any]:
    """Return one executor for the answer to a ping."""
    return {
        "name": view.name,
        "url": view.url,
        "reachable": view.reason is None,
        "since": to_wire(view.since),
        "reason": view.reason,
        "engines": view.engines,
        "capacity": view.capacity,
        "load": view.load,
    }


def resolution(said: Resolution) -> dict[str, Any]:
    """Return what was said of an attempt."""
    answer = {"node": said.node, "attempt": said.attempt, "as": said.answer, "actor": said.actor}
    return answer | {"date": to_wire(said.at)}


def attempts(view: AttemptsView) -> Iterator[str]:
    """Yield the JSON of a node's attempts one by one, since each may have megabytes of arguments."""
    separator = '{"attempts":['
    for row, log_size in view.attempts:
        yield separator + _attempt(row, log_size)
        separator = ","
        breathe()
    yield ("" if view.attempts else separator) + f'],"next":{_encode(view.next)}}}\n'


def _attempt(row: AttemptRow, log_size: int) -> str:
    return _encode(
        {
            "attempt": row.attempt,
            "state": row.state,
            "reason": row.reason,
            "reason_code": row.reason_code,
            "exit_code": row.exit_code,
            "executor": row.executor,
            "args": row.args,
            "start_date": to_wire(row.started_at),
            "stop_date": to_wire(row.stopped_at),
            "log_size": log_size,
        }
    )


def task(view: Whole) -> Iterator[str]:
    """Yield the JSON of a task piece by piece, so that a large one does not hold the hub."""
    row = view.task
    head = {
        "id": row.id,
        "name": row.name,
        "state": row.state,
        "reason": row.reason,
        "reason_code": row.reason_code,
        "labels": dict(row.labels),
        "accepted_date": to_wire(row.accepted_at),
        "start_date": to_wire(row.started_at),
        "stop_date": to_wire(row.stopped_at),
        "cancel_date": to_wire(row.cancel_at),
        "cancel_actor": row.cancel_actor,
        "rerun_of": row.rerun_of,
        "size": row.size,
        "counts": _counts(row),
        "seq": view.seq,
    }
    if row.deadline is not None:
        head["deadline"] = row.deadline
    yield _encode(head)[:-1]
    if view.digraph is not None:
        yield ',"digraph":' + view.digraph
    yield ',"nodes":['
    separator = ""
    for rows in slices(view.nodes):
        yield separator + ",".join(map(node, rows))
        separator = ","
    yield "]}\n"


def node(found: tuple[NodeRow, str]) -> str:
    """Return the JSON of a node."""
    row, stored = found
    spec = json.loads(stored)
    spec["output"] = dict.fromkeys(spec.pop("declared"), "") | dict(row.output)
    spec["state"] = row.state
    spec["reason"] = row.reason
    spec["reason_code"] = row.reason_code
    spec["attempt"] = row.attempt
    spec["executor"] = row.executor
    spec["start_date"] = to_wire(row.started_at)
    spec["stop_date"] = to_wire(row.stopped_at)
    spec["exit_code"] = row.exit_code
    return _encode(spec)
