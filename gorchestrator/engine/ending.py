"""What follows the end of an attempt: the end of its node, another attempt after a pause, or a question to people."""

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import gevent

from gorchestrator.common.reasons import ReasonCode
from gorchestrator.common.states import State
from gorchestrator.common.timestamps import to_wire
from gorchestrator.domain.attempts import Result
from gorchestrator.domain.graph import Node
from gorchestrator.domain.records import Answer, AttemptRow, Kind, Resolution
from gorchestrator.domain.resolving import command
from gorchestrator.domain.retry import ASK, Retry

if TYPE_CHECKING:
    from gorchestrator.engine.run import Run
    from gorchestrator.engine.stopping import Stop


def end(run: "Run", node: Node, row: AttemptRow, result: Result) -> bool:
    """Journal how an attempt ended, and with it the node, unless another attempt may follow: then False."""
    ended = _ended(run, row, result)
    lost = ended.reason_code == ReasonCode.LOST
    said = run.doubts.word(node.id, row.attempt) if lost else None
    if said is not None and said.answer is not Answer.RETRY:
        _end_as_said(run, node, said, attempt_row=ended, started_at=ended.started_at, stopped_at=ended.stopped_at)
        return True
    if run.stopping is None:
        retry = Retry.from_document(node.retry, node.on_lost)
        if said is not None:
            set_back(run, node, ended, reason=_as_said(said))
            return False
        if retry is not None and retry.covers(result, row.attempt):
            _plan_next(run, node, ended, retry)
            return False
        if lost and node.on_lost == ASK:
            _ask(run, node, ended)
            return False
    run.end_node(
        node,
        ended.state,
        None if ended.reason_code is None else ReasonCode(ended.reason_code),
        ended.reason,
        attempt_row=ended,
        exit_code=ended.exit_code,
        output=dict(result.output),
        started_at=ended.started_at,
        stopped_at=ended.stopped_at,
    )
    return True


def set_back(
    run: "Run",
    node: Node,
    ended: AttemptRow,
    code: ReasonCode | None = None,
    reason: str | None = None,
    attempt: int | None = None,
) -> None:
    """Journal that an attempt has ended and the node waits again; ``attempt``: the last one that counts."""
    del run.attempts[node.id]
    run.set_node(
        node,
        Kind.NODE_WAITS,
        attempt_row=ended,
        state=State.TORUN,
        reason_code=code,
        reason=reason,
        exit_code=ended.exit_code,
        attempt=ended.attempt if attempt is None else attempt,
        stopped_at=time.time(),  # a pause is told by this clock, not by the executor's
    )


def back_off(run: "Run", node: Node) -> None:
    """Let the pause between two attempts pass, or what is left of it when another process began it."""
    row = run.rows[node.id]
    retry = Retry.from_document(node.retry, node.on_lost)
    if row.reason_code == ReasonCode.BACKOFF and retry is not None and row.stopped_at is not None:
        pause = retry.pause(f"{run.task.id}.{node.id}", row.attempt)
        gevent.sleep(min(pause, max(0.0, row.stopped_at + pause - time.time())))


def await_answer(run: "Run", node: Node) -> None:
    """Wait for somebody's word where the last attempt was lost and the node asks; that may end the node."""
    row = run.rows[node.id]
    if row.reason_code != ReasonCode.ASK:
        return
    said = run.doubts.wait(node.id, row.attempt)
    if run.rows[node.id].state.final:  # stopped at the same moment
        return
    if said.answer is Answer.RETRY:
        run.set_node(node, Kind.NODE_WAITS, reason_code=None, reason=_as_said(said))
    else:
        _end_as_said(run, node, said)


def end_waiting(run: "Run", node: Node, why: "Stop") -> None:
    """End a node of which nothing runs outside of this process."""
    greenlet = run.greenlets.get(node.id)
    run.end_node(node, why.state, why.code, why.reason)
    if greenlet is not None and greenlet is not gevent.getcurrent():
        greenlet.kill(block=False)


def _ended(run: "Run", row: AttemptRow, result: Result) -> AttemptRow:
    """Return the last row of an attempt. One that died because the run is being stopped tells why that is."""
    stop = run.stopping
    state, code, reason = result.state, result.reason_code, result.reason
    if stop is not None and state is State.CANCELED:
        state, code, reason = stop.state, stop.code, stop.reason
    return replace(
        row,
        state=state,
        reason=reason,
        reason_code=code,
        exit_code=result.exit_code,
        started_at=result.started_at or row.started_at,
        stopped_at=result.stopped_at or time.time(),
    )


def _plan_next(run: "Run", node: Node, ended: AttemptRow, retry: Retry) -> None:
    pause = retry.pause(f"{run.task.id}.{node.id}", ended.attempt)
    # Beyond its limit only because somebody asked for one more.
    of = f" of {retry.limit + 1}" if ended.attempt <= retry.limit else ""
    after = f"attempt {ended.attempt + 1}{of} follows at {(to_wire(time.time() + pause) or '')[:19]}Z"
    why = f"{after}; attempt {ended.attempt}: {ended.reason or ended.state.label}"
    set_back(run, node, ended, ReasonCode.BACKOFF, why)


def _ask(run: "Run", node: Node, ended: AttemptRow) -> None:
    how = command(run.task.id, node.name)
    lost = ended.reason or "nothing is known of it"
    why = f"attempt {ended.attempt} was lost; say how it counts with `{how}`: {lost}"
    set_back(run, node, ended, ReasonCode.ASK, why)


def _end_as_said(run: "Run", node: Node, said: Resolution, **columns: Any) -> None:
    state = State.SUCCESS if said.answer is Answer.SUCCESS else State.FAILURE
    run.end_node(node, state, ReasonCode.RESOLVED, _as_said(said), output=dict(said.output), **columns)


def _as_said(said: Resolution) -> str:
    return f"resolved as {said.answer} by {said.actor}; death not verified"
