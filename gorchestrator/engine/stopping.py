"""Stopping a run before its end: a cancel, or the deadline of its graph."""

import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import gevent

from gorchestrator.common.hub import breathe
from gorchestrator.common.reasons import ReasonCode
from gorchestrator.common.states import State
from gorchestrator.domain.records import TaskRow
from gorchestrator.engine import dispatch, ending

if TYPE_CHECKING:
    from gorchestrator.engine.run import Run

_NODES_PER_SLICE = 50  # about 3 ms of work between two breaths

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Stop:
    """Why a run is stopped. ``state``, ``code`` and ``reason`` are those of the nodes that it ends.

    ``dying`` is the code of what is killed, until its death is verified.
    """

    state: State
    code: ReasonCode
    dying: ReasonCode
    reason: str

    @classmethod
    def by_cancel(cls, actor: str) -> Self:
        """Return the stop that somebody has asked for."""
        return cls(State.CANCELED, ReasonCode.CANCELED, ReasonCode.CANCELING, f"canceled by {actor}")

    @classmethod
    def by_deadline(cls, seconds: float) -> Self:
        """Return the stop of a graph that took longer than it may."""
        why = f"the graph's deadline of {seconds:g} s has passed"
        return cls(State.TIMEOUT, ReasonCode.DEADLINE, ReasonCode.DEADLINE, why)


def stop(run: "Run", why: Stop) -> None:
    """Stop every node: those that wait end now, the attempts of the others are killed.

    The first stop counts: what a cancel has begun, a deadline that passes meanwhile does not change.
    """
    if run.stopping is not None:
        return
    run.stopping = why
    log.info("stopping: %s", why.reason, extra={"event": "run_stopping", "task": run.task.id})
    for node in run.graph.nodes:
        if run.rows[node.id].state.final:
            continue
        if node.id in run.attempts:
            run.helper(dispatch.kill, run, node)
        else:
            ending.end_waiting(run, node, why)
        if node.id % _NODES_PER_SLICE == 0:
            breathe()


def keep_deadline(run: "Run", deadline: float) -> None:
    """Stop a run when so many seconds have passed since its graph was accepted."""
    gevent.sleep(max(0.0, deadline - run.elapsed))
    stop(run, Stop.by_deadline(deadline))


def used(task: TaskRow) -> float:
    """Return the seconds since a task was accepted: those that owners have told, and what has passed since then."""
    seen_at = task.accepted_at if task.seen_at is None else task.seen_at
    return task.elapsed + max(0.0, time.time() - seen_at)
