"""Why a node is in its state, in plain words and as data: what it waits for, or what ended it."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import compress
from typing import Any

from gorchestrator.client.executor import RemoteExecutor
from gorchestrator.client.fleet import Fleet
from gorchestrator.common.hub import breathe
from gorchestrator.common.reasons import ReasonCode
from gorchestrator.common.states import State
from gorchestrator.common.timestamps import to_wire
from gorchestrator.domain.attempts import NoExecutor
from gorchestrator.domain.documents import matrix_from_json
from gorchestrator.domain.pace import Pace
from gorchestrator.domain.records import NodeRow, TaskRow, Whole
from gorchestrator.domain.resolving import command
from gorchestrator.domain.retry import Retry
from gorchestrator.service.logs import Logs
from gorchestrator.service.tasks import Tasks

_LINES = 20  # of the log of a node that failed
_BYTES = 16 * 1024  # of these lines; a node may print megabytes without a line's end
_STEPS = 1000  # nodes looked at between two pauses: about 5 ms
_NAMED = 5  # nodes in a sentence
_LISTED = 100  # nodes in the data
_SIGNAL = re.compile(r"\bSIG[A-Z0-9]+\b")
_FAILED = frozenset({State.FAILURE, State.TIMEOUT, State.CANCELED})

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Why:
    """Why a node is in its state. Of ``waits_for`` and ``ended_by``, JSON objects with a ``kind``, one is None."""

    row: NodeRow
    name: str
    summary: str
    code: str
    waits_for: Json | None
    ended_by: Json | None
    last_lines: Sequence[str] = ()


class Explanations:
    """Explains nodes by what is stored of them, and of what they wait for."""

    def __init__(self, tasks: Tasks, logs: Logs, fleet: Fleet) -> None:
        self._tasks = tasks
        self._logs = logs
        self._fleet = fleet

    def why(self, task_id: str, node: str) -> Why:
        """Return why a node (name, else number) is in its state. Raises UnknownTask or UnknownNode."""
        row, text = self._tasks.node(task_id, node)
        spec, task = json.loads(text), self._tasks.get(task_id)
        if row.state is State.TORUN:
            summary, waits = self._waiting(task, row, spec)
            return Why(row, spec["name"], summary, row.reason_code or waits["kind"], waits, None)
        if row.state is State.RUNNING:
            where = f" on executor {row.executor!r}" if row.executor else ""
            summary = row.reason or f"It runs{where} since {to_wire(row.started_at)} (attempt {row.attempt})."
            waits = {"kind": "end", "executor": row.executor, "since": to_wire(row.started_at)}
            return Why(row, spec["name"], summary, row.reason_code or "running", waits, None)
        summary, ended = self._ended(task, row)
        lines = self._last_lines(row, spec["name"]) if row.state in _FAILED else ()
        return Why(row, spec["name"], summary, row.reason_code or row.state.label, None, ended, lines)

    # -- what it waits for

    def _waiting(self, task: TaskRow, row: NodeRow, spec: Mapping[str, Any]) -> tuple[str, Json]:
        if row.reason_code == ReasonCode.BACKOFF:
            return row.reason or "", {"kind": "backoff", "attempt": row.attempt + 1, "until": _until(row, spec)}
        if row.reason_code == ReasonCode.ASK:
            how = command(row.task, spec["name"])
            return row.reason or "", {"kind": "answer", "attempt": row.attempt, "how": how}
        if row.reason_code == ReasonCode.SLOT:
            return row.reason or "", {"kind": "slot", **self._room(spec), "others": self._others(spec)}
        if row.reason is not None:
            names = [each.name for each in self._fitting(spec)]
            only = names[0] if len(names) == 1 else None
            found = {"kind": "executor", "executor": only, "executors": names, "reason": row.reason}
            return row.reason, {**found, "others": self._others(spec)}
        whole = self._tasks.show(task.id, digraph=True)
        missing = [number for number in Needs(whole).of(row.node) if not whole.nodes[number][0].state.final]
        if missing:
            told = _told(whole, missing)
            return f"It waits for {_some(told, len(missing))}.", {
                "kind": "predecessors",
                "nodes": told,
                "all": len(missing),
            }
        return "It is about to start.", {"kind": "start"}

    def _fitting(self, spec: Mapping[str, Any]) -> Sequence[RemoteExecutor]:
        """Return the executors that a node may go to."""
        try:
            return self._fleet.fitting(spec["target"], spec["engine"])
        except NoExecutor:
            return ()

    def _others(self, spec: Mapping[str, Any]) -> list[Json]:
        """Return the executors that a node may not go to, and why."""
        found = self._fleet.others(spec["target"], spec["engine"])
        return [{"name": name, "reason": reason} for name, reason in found.items()]

    def _room(self, spec: Mapping[str, Any]) -> Json:
        """Return what is known of the executors that have no room."""
        rooms = []
        for each in self._fitting(spec):
            info = each.contact.info
            capacity, load = (info.capacity, info.load) if info else (None, None)
            rooms.append({"name": each.name, "capacity": capacity, "load": load})
        return {"executor": rooms[0]["name"] if len(rooms) == 1 else None, "executors": rooms}

    # -- what ended it

    def _ended(self, task: TaskRow, row: NodeRow) -> tuple[str, Json]:
        code = row.reason_code
        if row.state is State.SUCCESS and code is None:
            return f"It succeeded{_time_of(row)}.", {"kind": "success"}
        reason = row.reason or row.state.label
        if code == ReasonCode.PREDECESSOR:
            return self._not_run(task, row)
        if code == ReasonCode.CANCELED:
            return reason, {"kind": "cancel", "actor": task.cancel_actor, "date": to_wire(task.cancel_at)}
        if code == ReasonCode.REUSED:
            return reason, {"kind": "reused", "task": reason.rpartition(" ")[2]}
        found: Json = {"kind": str(code or row.state.label), "exit_code": row.exit_code}
        if signal := _SIGNAL.search(reason):
            found["signal"] = signal[0]
        return reason, found

    def _not_run(self, task: TaskRow, row: NodeRow) -> tuple[str, Json]:
        """Return which predecessors stood in the way, and in whose failure it all began."""
        whole = self._tasks.show(task.id, digraph=True)
        direct, roots = _guilty(whole, Needs(whole), row.node)
        nodes, first = _told(whole, direct), _told(whole, roots)
        summary = f"It was not run: {_some(nodes, len(direct))} did not succeed."
        if set(roots) != set(direct):
            summary += f" It began with {_some(first, len(roots))}."
        return summary, {"kind": "predecessor", "nodes": nodes, "roots": first}

    def _last_lines(self, row: NodeRow, name: str) -> Sequence[str]:
        if not row.attempt:
            return ()
        piece = self._logs.tail(row.task, name, _LINES, row.attempt)  # its number may be the name of another one
        text = piece.data[-_BYTES:].decode(errors="replace").removesuffix("\n")
        # What a terminal would show of a line: what stands behind its last carriage return.
        return [line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n")] if text else ()


class Needs:
    """The predecessors of the nodes of a task, read only where they are asked for."""

    def __init__(self, whole: Whole) -> None:
        self._whole = whole
        self._cells = None if whole.digraph is None else matrix_from_json(whole.digraph, breathe)

    def of(self, node: int) -> list[int]:
        """Return the numbers of a node's predecessors."""
        size = len(self._whole.nodes)
        if self._cells is not None:
            return list(compress(range(size), self._cells[node::size]))
        found: list[int] = json.loads(self._whole.nodes[node][1])["needs"]
        return found


def _guilty(whole: Whole, needs: Needs, node: int) -> tuple[list[int], list[int]]:
    """Return the predecessors of a node that did not succeed, and those before them with which it began."""
    pace = Pace(breathe, _STEPS)
    seen: set[int] = set()

    def before(number: int) -> list[int]:
        """Return those before a node that stand in the way and were not seen yet."""
        found = []
        for each in needs.of(number):
            pace.spend(1)
            if each not in seen and _stands_in_the_way(whole, each):
                seen.add(each)
                found.append(each)
        return found

    direct = before(node)
    queue, roots = list(direct), []
    for number in queue:  # which grows meanwhile
        if whole.nodes[number][0].state is State.NOTRUNNABLE:
            queue.extend(before(number))
        else:
            roots.append(number)
    return direct, sorted(roots)


def _stands_in_the_way(whole: Whole, number: int) -> bool:
    row, text = whole.nodes[number]
    if row.state in {State.SUCCESS, State.TORUN, State.RUNNING}:
        return False
    return row.state in {State.NOTRUNNABLE, State.CANCELED} or not json.loads(text).get("allow_failure")


def _told(whole: Whole, numbers: Sequence[int]) -> list[Json]:
    """Return what is told of nodes, as many of them as are listed."""
    return [
        {"node": number, "name": json.loads(text)["name"], "state": int(row.state), "reason": row.reason}
        for number in numbers[:_LISTED]
        for row, text in [whole.nodes[number]]
    ]


def _some(told: Sequence[Json], total: int) -> str:
    named = ", ".join(f"{node['name']!r} ({State(node['state']).label})" for node in told[:_NAMED])
    return named + (f" and {total - _NAMED} more" if total > _NAMED else "")


def _until(row: NodeRow, spec: Mapping[str, Any]) -> str | None:
    retry = Retry.from_document(spec.get("retry"), spec.get("on_lost"))
    if retry is None or row.stopped_at is None:
        return None
    return to_wire(row.stopped_at + retry.pause(f"{row.task}.{row.node}", row.attempt))


def _time_of(row: NodeRow) -> str:
    where = f" on executor {row.executor!r}" if row.executor else ""
    if row.started_at is None or row.stopped_at is None:
        return where
    return f" in {row.stopped_at - row.started_at:.3f} s{where} (attempt {row.attempt})"
