"""How a node runs on an executor: choose one, wait for a slot, journal the attempt, have it run, journal the result."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import gevent

from gorchestrator.common.faultpoints import reached
from gorchestrator.common.reasons import ReasonCode
from gorchestrator.common.states import State
from gorchestrator.domain.attempts import Attempt, NotTaken, Result, attempt_id
from gorchestrator.domain.errors import StoreUnavailable
from gorchestrator.domain.graph import Node
from gorchestrator.domain.ports import Executor
from gorchestrator.domain.records import AttemptRow, Kind, LogChunk
from gorchestrator.domain.references import MissingOutput, fill_in

if TYPE_CHECKING:
    from gorchestrator.engine.run import Run

_STORE_RETRY = 1.0  # seconds between two tries to journal an attempt

log = logging.getLogger(__name__)


def run(run: "Run", node: Node) -> None:
    """Run a node on an executor, or find the attempt again that another process has dispatched."""
    row = run.attempts.get(node.id)
    if row is not None:
        _go_on(run, node, row)
        return
    try:
        args = fill_in(node, run.graph.nodes, run.output_of)
        executor = run.executors.choose(node)
    except MissingOutput as error:
        run.end_node(node, State.FAILURE, ReasonCode.REFERENCE, str(error))
        return
    except LookupError as error:
        run.end_node(node, State.FAILURE, ReasonCode.ENGINE, str(error.args[0]))
        return
    while not _try(run, node, executor, args):
        if run.canceled_by is not None:
            run.cancel_waiting(node)
            return
        log.info("executor %s was replaced; the next attempt follows", executor.name, extra=_ids(run, node))


def _try(run: "Run", node: Node, executor: Executor, args: tuple[str, ...]) -> bool:
    """Make one attempt; False if the executor was replaced before it could take it."""
    with executor.slot(_noter(run, node)) as instance:
        reached("before-attempt")
        row = _begin(run, node, executor.name, instance, args)
        reached("attempt-journalled")
        try:
            _follow(run, node, row, executor, fresh=True)
        except NotTaken as error:
            ended = replace(row, state=State.FAILURE, reason_code=ReasonCode.LOST, reason=str(error))
            del run.attempts[node.id]
            run.set_node(node, Kind.NODE_WAITS, attempt_row=ended, state=State.TORUN)
            return False
    _acknowledge(run, node, row, executor)
    return True


def _go_on(run: "Run", node: Node, row: AttemptRow) -> None:
    executor = run.executors.named(row.executor)
    if executor is None:
        reason = f"executor {row.executor!r}, which had this attempt, is not configured any more; death not verified"
        _end(run, node, row, Result(State.FAILURE, reason, ReasonCode.LOST))
        return
    with executor.slot(_noter(run, node)):
        _follow(run, node, row, executor, fresh=False)
    _acknowledge(run, node, row, executor)


def _begin(run: "Run", node: Node, executor: str, instance: str, args: tuple[str, ...]) -> AttemptRow:
    """Journal the next attempt of a node and return when it is durable, however long the store is away."""
    now = time.time()
    number = run.rows[node.id].attempt + 1
    row = AttemptRow(run.task.id, node.id, number, executor, instance, args, started_at=now)
    run.attempts[node.id] = row  # from here on a cancel has to ask the executor
    begin = partial(
        run.set_node,
        node,
        Kind.NODE_RUNNING,
        attempt_row=row,
        durable=True,
        state=State.RUNNING,
        reason=None,
        reason_code=None,
        attempt=number,
        executor=executor,
        started_at=now,
    )
    _insist(run, node, begin)
    return row


def _follow(run: "Run", node: Node, row: AttemptRow, executor: Executor, *, fresh: bool) -> None:
    attempt = Attempt(run.task.id, node, row.attempt, row.args, row.instance, run.task.fence)
    watch = _Watch(run, node, row.attempt, run.log_sizes.get(node.id, 0), fresh)
    result = executor.run(attempt, watch)
    reached("result-arrived")
    # Who sees that a node has ended may count on its whole log.
    _insist(run, node, lambda: run.journal.flush_logs(row.task, row.node, row.attempt))
    _end(run, node, row, result)


def _acknowledge(run: "Run", node: Node, row: AttemptRow, executor: Executor) -> None:
    """Let the executor forget the attempt once its result is durable; its successors need not wait for that."""
    _insist(run, node, run.journal.sync)
    reached("result-journalled")
    executor.acknowledge(attempt_id(row.task, row.node, row.attempt))


def _insist(run: "Run", node: Node, write: Callable[[], None]) -> None:
    """Write to the journal, however long the store is away."""
    while True:
        try:
            write()
        except StoreUnavailable as error:
            log.warning("cannot journal: %s", error, extra=_ids(run, node))
            gevent.sleep(_STORE_RETRY)
        else:
            return


def _end(run: "Run", node: Node, row: AttemptRow, result: Result) -> None:
    """Journal how an attempt ended, and with it the node."""
    reason = result.reason
    if result.state is State.CANCELED and run.canceled_by:
        reason = f"canceled by {run.canceled_by}"
    started_at = result.started_at or row.started_at
    stopped_at = result.stopped_at or time.time()
    ended = replace(
        row,
        state=result.state,
        reason=reason,
        reason_code=result.reason_code,
        exit_code=result.exit_code,
        started_at=started_at,
        stopped_at=stopped_at,
    )
    run.end_node(
        node,
        result.state,
        result.reason_code,
        reason,
        attempt_row=ended,
        exit_code=result.exit_code,
        output=dict(result.output),
        started_at=started_at,
        stopped_at=stopped_at,
    )


def kill(run: "Run", node: Node) -> None:
    """Have the attempt of a node killed. How it ended is told by the one who follows it."""
    row = run.attempts[node.id]
    executor = run.executors.named(row.executor)
    note = _noter(run, node)
    note(None, None)
    if executor is not None:
        executor.kill(attempt_id(row.task, row.node, row.attempt), run.task.fence, note)


def _ids(run: "Run", node: Node) -> dict[str, object]:
    return {"event": "attempt", "task": run.task.id, "node": node.id, "attempt": run.rows[node.id].attempt}


def _noter(run: "Run", node: Node) -> Callable[..., None]:
    def note(code: ReasonCode | None, reason: str | None, state: State | None = None) -> None:
        row = run.rows[node.id]
        if run.canceled_by is not None:
            code = ReasonCode.CANCELING
            reason = f"canceled by {run.canceled_by}; {reason or 'its death is not verified yet'}"
        if row.state.final or (row.reason_code, row.reason, state or row.state) == (code, reason, row.state):
            return
        state = state or row.state
        kind = Kind.NODE_WAITS if state is State.TORUN else Kind.NODE_RUNNING
        run.set_node(node, kind, state=state, reason_code=code, reason=reason)

    return note


@dataclass
class _Watch:
    """What an executor's client tells while an attempt runs: its log goes to the journal, its notes to the node."""

    run: "Run"
    node: Node
    attempt: int
    log_size: int
    fresh: bool

    def log(self, data: bytes) -> None:
        chunk = LogChunk(self.run.task.id, self.node.id, self.attempt, self.log_size, data)
        self.run.journal.append_log(chunk)
        self.log_size += len(data)

    def note(self, code: ReasonCode | None, reason: str | None, state: State | None = None) -> None:
        _noter(self.run, self.node)(code, reason, state)
