"""Why a node is in its state, in plain words and as data: what it waits for, or what ended it."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gevent

from gorchestrator.client.fleet import Fleet
from gorchestrator.common.reasons import ReasonCode
from gorchestrator.common.states import State
from gorchestrator.common.timestamps import to_wire
from gorchestrator.domain.records import NodeRow, TaskRow, Whole
from gorchestrator.domain.retry import Retry
from gorchestrator.service.logs import Logs
from gorchestrator.service.tasks import Tasks

_LINES = 20  # of the log of a node that failed
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
        lines = self._last_lines(row) if row.state in _FAILED else ()
        return Why(row, spec["name"], summary, row.reason_code or row.state.label, None, ended, lines)

    # -- what it waits for

    def _waiting(self, task: TaskRow, row: NodeRow, spec: Mapping[str, Any]) -> tuple[str, Json]:
        if row.reason_code == ReasonCode.BACKOFF:
            return row.reason or "", {"kind": "backoff", "attempt": row.attempt + 1, "until": _until(row, spec)}
        if row.reason_code == ReasonCode.ASK:
            how = f"gorch resolve {row.task} {row.node} --as success|failure|retry"
            return row.reason or "", {"kind": "answer", "attempt": row.attempt, "how": how}
        if row.reason_code == ReasonCode.SLOT:
            return row.reason or "", {"kind": "slot", **self._room(row, spec)}
        if row.reason is not None:
            return row.reason, {"kind": "executor", "executor": row.executor or spec["target"], "reason": row.reason}
        whole = self._tasks.show(task.id, digraph=True)
        missing = [number for number in Needs(whole).of(row.node) if not whole.nodes[number][0].state.final]
        if missing:
            told = [_told(whole, number) for number in missing]
            return f"It waits for {_some(told)}.", {"kind": "predecessors", "nodes": told[:_LISTED], "all": len(told)}
        return "It is about to start.", {"kind": "start"}

    def _room(self, row: NodeRow, spec: Mapping[str, Any]) -> Json:
        """Return what is known of the executor that has no room."""
        named = self._fleet.named(row.executor or spec["target"])
        found = [named] if named else [each for each in self._fleet if each.has(spec["engine"])]
        infos = [(each.name, each.contact.info) for each in found]
        return {
            "executor": found[0].name if len(found) == 1 else None,
            "executors": [
                {"name": name, "capacity": info.capacity if info else None, "load": info.load if info else None}
                for name, info in infos
            ],
        }

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
        needs = Needs(whole)
        direct, roots = _guilty(whole, needs, row.node)
        first = [_told(whole, number) for number in roots]
        summary = f"It was not run: {_some([_told(whole, number) for number in direct])} did not succeed."
        if set(roots) != set(direct):
            summary += f" It began with {_some(first)}."
        nodes = [_told(whole, number) for number in direct[:_LISTED]]
        return summary, {"kind": "predecessor", "nodes": nodes, "roots": first[:_LISTED]}

    def _last_lines(self, row: NodeRow) -> Sequence[str]:
        if not row.attempt:
            return ()
        piece = self._logs.tail(row.task, str(row.node), _LINES, row.attempt)
        return piece.data.decode(errors="replace").splitlines()


class Needs:
    """The predecessors of the nodes of a task, read only where they are asked for."""

    def __init__(self, whole: Whole) -> None:
        self._whole = whole
        text = whole.digraph
        # Only a native thread may take as long as a large matrix does.
        self._cells = None if text is None else gevent.get_hub().threadpool.apply(json.loads, (text,))

    def of(self, node: int) -> list[int]:
        """Return the numbers of a node's predecessors."""
        size = len(self._whole.nodes)
        if self._cells is not None:
            return [number for number in range(size) if self._cells[number * size + node]]
        found: list[int] = json.loads(self._whole.nodes[node][1])["needs"]
        return found


def _guilty(whole: Whole, needs: Needs, node: int) -> tuple[list[int], list[int]]:
    """Return the predecessors of a node that did not succeed, and those before them with which it began."""
    direct = [number for number in needs.of(node) if _stands_in_the_way(whole, number)]
    seen, queue, roots = set(direct), list(direct), []
    for number in queue:  # which grows meanwhile
        if whole.nodes[number][0].state is not State.NOTRUNNABLE:
            roots.append(number)
            continue
        new = [each for each in needs.of(number) if each not in seen and _stands_in_the_way(whole, each)]
        seen.update(new)
        queue.extend(new)
    return direct, sorted(roots)


def _stands_in_the_way(whole: Whole, number: int) -> bool:
    row, text = whole.nodes[number]
    if row.state in {State.SUCCESS, State.TORUN, State.RUNNING}:
        return False
    return row.state in {State.NOTRUNNABLE, State.CANCELED} or not json.loads(text).get("allow_failure")


def _told(whole: Whole, number: int) -> Json:
    row, text = whole.nodes[number]
    return {"node": number, "name": json.loads(text)["name"], "state": int(row.state), "reason": row.reason}


def _some(nodes: Sequence[Json]) -> str:
    named = ", ".join(f"{node['name']!r} ({State(node['state']).label})" for node in nodes[:_NAMED])
    return named + (f" and {len(nodes) - _NAMED} more" if len(nodes) > _NAMED else "")


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
