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
from gorchestrator.common.timestamps import to_wire
from gorchestrator.domain.attempts import Attempt, NotTaken, Result, attempt_id
from gorchestrator.domain.errors import StoreUnavailable
from gorchestrator.domain.graph import Node
from gorchestrator.domain.ports import Executor
from gorchestrator.domain.records import AttemptRow, Kind, LogChunk
from gorchestrator.domain.references import MissingOutput, fill_in
from gorchestrator.domain.retry import Retry

if TYPE_CHECKING:
    from gorchestrator.engine.run import Run

_STORE_RETRY = 1.0  # seconds between two tries to journal an attempt

log = logging.getLogger(__name__)


def run(run: "Run", node: Node) -> None:
    """Run a node on an executor, or find the attempt again that another process has dispatched, until it has ended."""
    row = run.attempts.get(node.id)
    over = row is not None and _go_on(run, node, row)
    while not over:
        if run.canceled_by is not None:
            run.cancel_waiting(node)
            return
        _back_off(run, node)
        try:
            args = fill_in(node, run.graph.nodes, run.output_of)
            executor = run.executors.choose(node)
        except MissingOutput as error:
            run.end_node(node, State.FAILURE, error.code, str(error))
            return
        except LookupError as error:
            run.end_node(node, State.FAILURE, ReasonCode.ENGINE, str(error.args[0]))
            return
        over = _try(run, node, executor, args)


def _try(run: "Run", node: Node, executor: Executor, args: tuple[str, ...]) -> bool:
    """Make one attempt; False if another one is to follow."""
    with executor.slot(_noter(run, node)) as instance:
        reached("before-attempt")
        row = _begin(run, node, executor.name, instance, args)
        reached("attempt-journalled")
        try:
            over = _follow(run, node, row, executor, fresh=True)
        except NotTaken as error:
            log.info("executor %s was replaced; another attempt follows", executor.name, extra=_ids(run, node))
            ended = replace(row, state=State.FAILURE, reason_code=ReasonCode.LOST, reason=str(error))
            del run.attempts[node.id]
            run.set_node(node, Kind.NODE_WAITS, attempt_row=ended, state=State.TORUN)
            return False
    _acknowledge(run, node, row, executor)
    return over


def _go_on(run: "Run", node: Node, row: AttemptRow) -> bool:
    """Follow the attempt that another process has dispatched; False if another one is to follow."""
    executor = run.executors.named(row.executor)
    if executor is None:
        reason = f"executor {row.executor!r}, which had this attempt, is not configured any more; death not verified"
        return _end(run, node, row, Result(State.FAILURE, reason, ReasonCode.LOST))
    # Without a slot: it has its place on the executor, if it was sent. How long that is away already counts.
    over = _follow(run, node, row, executor, fresh=False)
    _acknowledge(run, node, row, executor)
    return over


def _back_off(run: "Run", node: Node) -> None:
    """Let the pause between two attempts pass, or what is left of it when another process began it."""
    row = run.rows[node.id]
    retry = Retry.from_document(node.retry, node.on_lost)
    if row.reason_code == ReasonCode.BACKOFF and retry is not None and row.stopped_at is not None:
        pause = retry.pause(f"{run.task.id}.{node.id}", row.attempt)
        gevent.sleep(min(pause, max(0.0, row.stopped_at + pause - time.time())))


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
        stopped_at=None,
        exit_code=None,
    )
    _insist(run, node, begin)
    return row


def _follow(run: "Run", node: Node, row: AttemptRow, executor: Executor, *, fresh: bool) -> bool:
    """Have an attempt run to its end; False if another one is to follow."""
    attempt = Attempt(run.task.id, node, row.attempt, row.args, row.instance, run.task.fence)
    watch = _Watch(run, node, row.attempt, 0 if fresh else run.log_sizes.get(node.id, 0), fresh)
    result = executor.run(attempt, watch)
    reached("result-arrived")
    # Who sees that a node has ended may count on its whole log.
    _insist(run, node, lambda: run.journal.flush_logs(row.task, row.node, row.attempt))
    return _end(run, node, row, result)


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


def _end(run: "Run", node: Node, row: AttemptRow, result: Result) -> bool:
    """Journal how an attempt ended, and with it the node, unless another attempt is to follow: then False."""
    reason = result.reason
    if result.state is State.CANCELED and run.canceled_by:
        reason = f"canceled by {run.canceled_by}"
    ended = replace(
        row,
        state=result.state,
        reason=reason,
        reason_code=result.reason_code,
        exit_code=result.exit_code,
        started_at=result.started_at or row.started_at,
        stopped_at=result.stopped_at or time.time(),
    )
    retry = Retry.from_document(node.retry, node.on_lost)
    if retry is not None and run.canceled_by is None and retry.covers(result, row.attempt):
        _plan_next(run, node, ended, retry)
        return False
    run.end_node(
        node,
        ended.state,
        result.reason_code,
        reason,
        attempt_row=ended,
        exit_code=ended.exit_code,
        output=dict(result.output),
        started_at=ended.started_at,
        stopped_at=ended.stopped_at,
    )
    return True


def _plan_next(run: "Run", node: Node, ended: AttemptRow, retry: Retry) -> None:
    """Journal that an attempt has ended and another one follows after a pause."""
    del run.attempts[node.id]
    now = time.time()  # the pause is told by this clock, not by the executor's
    pause = retry.pause(f"{run.task.id}.{node.id}", ended.attempt)
    after = f"attempt {ended.attempt + 1} of {retry.limit + 1} follows at {(to_wire(now + pause) or '')[:19]}Z"
    run.set_node(
        node,
        Kind.NODE_WAITS,
        attempt_row=ended,
        state=State.TORUN,
        reason_code=ReasonCode.BACKOFF,
        reason=f"{after}; attempt {ended.attempt}: {ended.reason or ended.state.label}",
        exit_code=ended.exit_code,
        stopped_at=now,
    )


def kill(run: "Run", node: Node) -> None:
    """Have the attempt of a node killed. How it ended is told by the one who follows it."""
    row = run.attempts.get(node.id)
    if row is None:  # it has ended, or was not taken, a moment ago
        return
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

    @property
    def canceling(self) -> bool:
        return self.run.canceled_by is not None

    def log(self, data: bytes) -> None:
        chunk = LogChunk(self.run.task.id, self.node.id, self.attempt, self.log_size, data)
        self.run.journal.append_log(chunk)
        self.log_size += len(data)

    def note(self, code: ReasonCode | None, reason: str | None, state: State | None = None) -> None:
        _noter(self.run, self.node)(code, reason, state)
