"""How a node runs on an executor: choose one, wait for a slot, journal the attempt, have it run, journal the result."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

import gevent

from gorchestrator.common.faultpoints import reached
from gorchestrator.common.reasons import ReasonCode
from gorchestrator.common.states import State
from gorchestrator.domain.attempts import Attempt, NoExecutor, NotTaken, Result, attempt_id
from gorchestrator.domain.errors import StoreUnavailable
from gorchestrator.domain.graph import Node
from gorchestrator.domain.ports import Executor
from gorchestrator.domain.records import AttemptRow, Kind, LogChunk
from gorchestrator.domain.references import MissingOutput, fill_in
from gorchestrator.engine import ending

if TYPE_CHECKING:
    from gorchestrator.engine.run import Run

_STORE_RETRY = 1.0  # seconds between two tries to journal an attempt

T = TypeVar("T")
log = logging.getLogger(__name__)


def run(run: "Run", node: Node) -> None:
    """Run a node on an executor, or find the attempt again that another process has dispatched, until it has ended."""
    row = run.attempts.get(node.id)
    over = row is not None and _go_on(run, node, row)
    while not over:
        if run.stopping is not None:
            ending.end_waiting(run, node, run.stopping)
            return
        ending.await_answer(run, node)
        ending.back_off(run, node)
        if run.rows[node.id].state.final:  # somebody's word, or a stop a moment ago
            return
        try:
            args = fill_in(node, run.graph.nodes, run.output_of)
            over = _try(run, node, args)
        except MissingOutput as error:
            run.end_node(node, State.FAILURE, error.code, str(error))
            return
        except NoExecutor as error:
            run.end_node(node, State.FAILURE, ReasonCode.ENGINE, str(error))
            return


def _try(run: "Run", node: Node, args: tuple[str, ...]) -> bool:
    """Make one attempt; False if another one may follow. Raises NoExecutor."""
    ready = time.monotonic()
    with run.executors.place(node, _noter(run, node)) as (executor, instance):
        if run.rows[node.id].state.final:  # stopped at the moment at which the slot came
            return True
        begun = time.monotonic()
        run.measures.queue_wait.observe(begun - ready, executor.name)
        reached("before-attempt")
        row = _begin(run, node, executor.name, instance, args)
        reached("attempt-journalled")
        try:
            result = _follow(run, node, row, executor, fresh=True)
        except NotTaken as error:
            log.info("executor %s was replaced; another attempt follows", executor.name, extra=_ids(run, node))
            ended = replace(row, state=State.FAILURE, reason_code=ReasonCode.LOST, reason=str(error))
            ending.set_back(run, node, ended, attempt=row.attempt - 1)  # it never began, so it does not count
            return False
        if result.started_at is not None and result.stopped_at is not None:
            ran = result.stopped_at - result.started_at
            run.measures.dispatch_overhead.observe(max(0.0, time.monotonic() - begun - ran), executor.name)
        over = ending.end(run, node, row, result)
    _dismiss(run, node, row, executor, result)
    return over


def _go_on(run: "Run", node: Node, row: AttemptRow) -> bool:
    """Follow the attempt that another process has dispatched; False if another one may follow."""
    executor = _insist(run, node, lambda: run.executors.recall(row.executor))
    if executor is None:
        reason = f"executor {row.executor!r}, which had this attempt, is not known any more; death not verified"
        return ending.end(run, node, row, Result(State.FAILURE, reason, ReasonCode.LOST))
    # Without a slot: it has its place on the executor, if it was sent. How long that is away already counts.
    result = _follow(run, node, row, executor, fresh=False)
    over = ending.end(run, node, row, result)
    _dismiss(run, node, row, executor, result)
    return over


def _begin(run: "Run", node: Node, executor: str, instance: str, args: tuple[str, ...]) -> AttemptRow:
    """Journal the next attempt of a node and return when it is durable, however long the store is away."""
    now = time.time()
    number = run.rows[node.id].attempt + 1
    row = AttemptRow(run.task.id, node.id, number, executor, instance, args, started_at=now)
    run.attempts[node.id] = row  # from here on a cancel has to ask the executor

    def begin() -> None:
        code, reason = _why(run, None, None)
        run.set_node(
            node,
            Kind.NODE_RUNNING,
            attempt_row=row,
            durable=True,
            state=State.RUNNING,
            reason=reason,
            reason_code=code,
            attempt=number,
            executor=executor,
            started_at=now,
            stopped_at=None,
            exit_code=None,
        )

    _insist(run, node, begin)
    return row


def _follow(run: "Run", node: Node, row: AttemptRow, executor: Executor, *, fresh: bool) -> Result:
    """Have an attempt run to its end, and its log stored."""
    attempt = Attempt(run.task.id, node, row.attempt, row.args, row.instance, run.task.fence)
    watch = _Watch(run, node, row.attempt, 0 if fresh else run.log_sizes.get(node.id, 0), fresh)
    result = executor.run(attempt, watch)
    reached("result-arrived")
    # Who sees that a node has ended may count on its whole log.
    _insist(run, node, lambda: run.journal.flush_logs(row.task, row.node, row.attempt))
    return result


def _dismiss(run: "Run", node: Node, row: AttemptRow, executor: Executor, result: Result) -> None:
    """Let the executor forget the attempt once its end is durable; its successors need not wait for that.

    What may still run somewhere is killed when the executor is back.
    """
    _insist(run, node, run.journal.sync)
    reached("result-journalled")
    if run.abandoned:  # its end was refused: the new owner needs what the executor has
        return
    name = attempt_id(row.task, row.node, row.attempt)
    if result.verified:
        executor.acknowledge(name)
    else:
        executor.give_up(name, run.task.fence)


def _insist(run: "Run", node: Node, ask: Callable[[], T]) -> T:
    """Write to the journal, or read of it, however long the store is away; returns what comes of it."""
    while True:
        try:
            return ask()
        except StoreUnavailable as error:
            log.warning("the journal has to wait: %s", error, extra=_ids(run, node))
            gevent.sleep(_STORE_RETRY)


def kill(run: "Run", node: Node) -> None:
    """Have the attempt of a node killed. How it ended is told by the one who follows it."""
    row = run.attempts.get(node.id)
    if row is None:  # it has ended, or was not taken, a moment ago
        return
    executor = _insist(run, node, lambda: run.executors.recall(row.executor))
    note = _noter(run, node)
    note(None, None)
    if executor is not None:
        executor.kill(attempt_id(row.task, row.node, row.attempt), run.task.fence, note)


def _ids(run: "Run", node: Node) -> dict[str, object]:
    return {"event": "attempt", "task": run.task.id, "node": node.id, "attempt": run.rows[node.id].attempt}


def _why(run: "Run", code: ReasonCode | None, reason: str | None) -> tuple[ReasonCode | None, str | None]:
    """Return what a node shows: in a run that is being stopped, that comes first."""
    if run.stopping is None:
        return code, reason
    return run.stopping.dying, f"{run.stopping.reason}; {reason or 'its death is not verified yet'}"


def _noter(run: "Run", node: Node) -> Callable[..., None]:
    def note(code: ReasonCode | None, reason: str | None, state: State | None = None) -> None:
        row = run.rows[node.id]
        code, reason = _why(run, code, reason)
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
        return self.run.stopping is not None

    @property
    def given_up(self) -> bool:
        return self.run.doubts.word(self.node.id, self.attempt) is not None

    def log(self, offset: int, data: bytes) -> None:
        self.run.journal.append_log(LogChunk(self.run.task.id, self.node.id, self.attempt, offset, data))

    def note(self, code: ReasonCode | None, reason: str | None, state: State | None = None) -> None:
        _noter(self.run, self.node)(code, reason, state)
