"""Faults of ours in a run, in contrast to failures of its nodes: it ends with a reason, and nothing is left running.

Who is fenced off has no fault: another process goes on with the run.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import gevent

from gorchestrator.common.reasons import ReasonCode
from gorchestrator.common.states import State
from gorchestrator.domain.attempts import attempt_id
from gorchestrator.domain.errors import Fenced, StoreUnavailable
from gorchestrator.domain.graph import Node
from gorchestrator.domain.records import AttemptRow, Change, Kind

if TYPE_CHECKING:
    from gorchestrator.engine.run import Run

log = logging.getLogger(__name__)


class Faults:
    """What becomes of a run when one of its greenlets fails, or the journal refuses a change of it."""

    def __init__(self, run: "Run") -> None:
        self._run = run

    def in_node(self, node: Node) -> Callable[["gevent.Greenlet[..., None]"], None]:
        """Return what ends a node whose greenlet has failed."""

        def fail(greenlet: "gevent.Greenlet[..., None]") -> None:
            self._log(greenlet, node.id)
            if isinstance(greenlet.exception, Fenced):
                self._run.abandon()
            elif not self._run.rows[node.id].state.final:
                self._fail(node, _blame(greenlet))

        return fail

    def in_helper(self, greenlet: "gevent.Greenlet[..., None]") -> None:
        """End the run here: a greenlet of its own failed, so nobody conducts it any more."""
        self._log(greenlet, None)
        if isinstance(greenlet.exception, Fenced):
            self._run.abandon()
        else:
            self._end(_blame(greenlet))

    def refused(self, change: Change, error: BaseException) -> None:
        """Give the run up: the journal did not take a change of it."""
        run = self._run
        if isinstance(error, Fenced | StoreUnavailable):
            log.warning("the run goes on elsewhere: %s", error, extra={"event": "run_fenced", "task": run.task.id})
            run.abandon()
            return
        log.error("the journal refused a change: %s", error, extra={"event": "run_fault", "task": run.task.id})
        reason = f"a fault of the orchestrator: the journal refused a change: {error}"
        row = change.node_row
        if row is not None and row.state.final:  # nobody has read it, so it may be told differently
            row = replace(row, state=State.FAILURE, reason=reason, reason_code=ReasonCode.INTERNAL, output={})
            run.rows[row.node] = row = replace(row, exit_code=None)
            run.journal.post(replace(change, node_row=row, attempt_row=_last(change.attempt_row, reason)))
        self._end(reason)

    def _end(self, reason: str) -> None:
        run = self._run
        if not run.task.state.final:
            for node in run.graph.nodes:
                if not run.rows[node.id].state.final:
                    self._fail(node, reason)
            code = ReasonCode.INTERNAL
            run.set_task(Kind.TASK_FINAL, State.FAILURE, reason_code=code, reason=reason, stopped_at=time.time())
        run.abandon()

    def _fail(self, node: Node, reason: str) -> None:
        """End a node; what runs of it is killed, even if the run has ended by then."""
        run = self._run
        row = run.attempts.get(node.id)
        if row is not None and (executor := run.executors.named(row.executor)):
            executor.give_up(attempt_id(row.task, row.node, row.attempt), run.task.fence)
        run.end_node(node, State.FAILURE, ReasonCode.INTERNAL, reason, attempt_row=_last(row, reason))

    def _log(self, greenlet: "gevent.Greenlet[..., None]", node: int | None) -> None:
        ids = {"event": "run_fault", "task": self._run.task.id, "node": node}
        log.error("a greenlet of the run failed", exc_info=greenlet.exc_info, extra=ids)


def _last(row: AttemptRow | None, reason: str) -> AttemptRow | None:
    """Return the last row of an attempt that ends by a fault of ours."""
    if row is None:
        return None
    code = ReasonCode.INTERNAL
    return replace(row, state=State.FAILURE, reason=reason, reason_code=code, exit_code=None, stopped_at=time.time())


def _blame(greenlet: "gevent.Greenlet[..., None]") -> str:
    return f"a fault of the orchestrator: {greenlet.exception!r}; its log has the traceback"
