"""What the API answers: the JSON of tasks and nodes. Its shapes stand in ``schemas.py``."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from gorchestrator.common.expiry import InUse
from gorchestrator.common.hub import breathe
from gorchestrator.common.timestamps import to_wire
from gorchestrator.domain.records import AttemptRow, NodeRow, Resolution, TaskRow, Whole
from gorchestrator.service.executors import ExecutorView
from gorchestrator.service.tasks import AttemptsView, slices

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


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
        "labels": list(view.labels),
        "weight": view.weight,
        "default": view.default,
        "reachable": view.reason is None,
        "since": to_wire(view.since),
        "reason": view.reason,
        "engines": view.engines,
        "capacity": view.capacity,
        "load": view.load,
        "certificate": None if view.certificate is None else certificate(view.certificate),
    }


def certificate(found: InUse) -> dict[str, Any]:
    """Return a certificate for the answer to a ping."""
    return {"kind": found.kind, "subject": found.subject, "not_after": to_wire(found.not_after)}


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
