"""Rows of the tables out of the records of the domain, and back."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from gorchestrator.common.states import State
from gorchestrator.domain.records import Answer, AttemptRow, Change, EventRow, Kind, NodeRow, Resolution, TaskRow

_MICRO = 1_000_000
_EMPTY = "{}"

encode = json.JSONEncoder(separators=(",", ":")).encode


def to_micro(seconds: float | None) -> int | None:
    """Return whole microseconds."""
    return None if seconds is None else round(seconds * _MICRO)


def from_micro(micro: int | None) -> float | None:
    """Return seconds."""
    return None if micro is None else micro / _MICRO


def _text(value: str | None) -> str | None:
    """Return a plain string: the driver binds those ten times faster than enumerations."""
    return None if value is None else str(value)


def from_task(row: TaskRow) -> tuple[object, ...]:
    """Return the row of ``tasks``."""
    return (
        row.id,
        row.name,
        int(row.state),
        row.reason,
        _text(row.reason_code),
        encode(dict(row.labels)),
        row.size,
        to_micro(row.accepted_at),
        to_micro(row.started_at),
        to_micro(row.stopped_at),
        to_micro(row.cancel_at),
        row.cancel_actor,
        row.owner,
        row.fence,
        row.deadline,
        row.elapsed,
        to_micro(row.seen_at),
        from_counts(row.counts),
        row.rerun_of,
    )


def from_counts(counts: Mapping[State, int]) -> str:
    """Return the column of nodes by state."""
    return encode({int(state): number for state, number in counts.items() if number})


def to_task(row: Sequence[Any]) -> TaskRow:
    """Return the task of a row of ``tasks``."""
    return TaskRow(
        id=row[0],
        name=row[1],
        state=State(row[2]),
        reason=row[3],
        reason_code=row[4],
        labels=json.loads(row[5]),
        size=row[6],
        accepted_at=row[7] / _MICRO,
        started_at=from_micro(row[8]),
        stopped_at=from_micro(row[9]),
        cancel_at=from_micro(row[10]),
        cancel_actor=row[11],
        owner=row[12],
        fence=row[13],
        deadline=row[14],
        elapsed=row[15],
        seen_at=from_micro(row[16]),
        counts={State(int(state)): number for state, number in json.loads(row[17]).items()},
        rerun_of=row[18],
    )


def task_update(row: TaskRow) -> tuple[object, ...]:
    """Return what a change writes of a task, and its id."""
    started, stopped = to_micro(row.started_at), to_micro(row.stopped_at)
    return (int(row.state), row.reason, _text(row.reason_code), started, stopped, row.id)


def from_node(row: NodeRow) -> tuple[object, ...]:
    """Return the row of ``nodes``."""
    return (
        row.task,
        row.node,
        int(row.state),
        row.reason,
        _text(row.reason_code),
        row.attempt,
        row.executor,
        to_micro(row.started_at),
        to_micro(row.stopped_at),
        row.exit_code,
        encode(dict(row.output)) if row.output else _EMPTY,
    )


def to_node(task: str, row: Sequence[Any]) -> NodeRow:
    """Return the node of a row of ``nodes`` without its task; only its number is known before its first change."""
    if row[1] is None:
        return NodeRow(task, row[0])
    return NodeRow(
        task,
        row[0],
        State(row[1]),
        row[2],
        row[3],
        row[4],
        row[5],
        from_micro(row[6]),
        from_micro(row[7]),
        row[8],
        {} if row[9] == _EMPTY else json.loads(row[9]),
    )


def from_attempt(row: AttemptRow) -> tuple[object, ...]:
    """Return the row of ``attempts``."""
    return (
        row.task,
        row.node,
        row.attempt,
        row.executor,
        row.instance,
        encode(list(row.args)),
        int(row.state),
        row.reason,
        _text(row.reason_code),
        to_micro(row.started_at),
        to_micro(row.stopped_at),
        row.exit_code,
    )


def to_attempt(row: Sequence[Any]) -> AttemptRow:
    """Return the attempt of a row of ``attempts``."""
    return AttemptRow(
        task=row[0],
        node=row[1],
        attempt=row[2],
        executor=row[3],
        instance=row[4],
        args=tuple(json.loads(row[5])),
        state=State(row[6]),
        reason=row[7],
        reason_code=row[8],
        started_at=from_micro(row[9]),
        stopped_at=from_micro(row[10]),
        exit_code=row[11],
    )


def from_resolution(row: Resolution) -> tuple[object, ...]:
    """Return the row of ``resolutions``."""
    key = (row.task, row.node, row.attempt)
    return (*key, str(row.answer), encode(dict(row.output)), row.actor, to_micro(row.at))


def to_resolution(row: Sequence[Any]) -> Resolution:
    """Return what somebody said of an attempt, out of a row of ``resolutions``."""
    task, node, attempt, answer, output, actor, at = row
    return Resolution(task, node, attempt, Answer(answer), json.loads(output), actor, at / _MICRO)


def to_event(row: Sequence[Any]) -> EventRow:
    """Return the event of a row of ``events``."""
    return EventRow(row[0], row[1], row[2], row[3], Kind(row[4]), row[5] / _MICRO, row[6], json.loads(row[7]))


def event_data(change: Change) -> Mapping[str, object]:
    """Return what the journal keeps of a change beside its kind: the new state, and why."""
    row = change.node_row or change.task_row or change.attempt_row
    if row is None:
        return {}
    data: dict[str, object] = {"state": int(row.state)}
    if change.before is not None:
        data["from"] = int(change.before)
    for name in ("reason", "reason_code", "executor", "exit_code"):
        value = getattr(row, name, None)
        if value is not None:
            data[name] = value
    for name in ("started_at", "stopped_at"):
        if (at := getattr(row, name)) is not None:
            data[name] = to_micro(at)
    return data


def event_subject(change: Change) -> tuple[int | None, int | None]:
    """Return the node and the attempt of which a change tells."""
    if change.attempt_row is not None:
        return change.attempt_row.node, change.attempt_row.attempt
    if change.node_row is not None:
        return change.node_row.node, change.node_row.attempt or None
    return None, None
