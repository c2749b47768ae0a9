"""Attempts after the first: what is journalled, what a cancel does to a pause, and how another process goes on."""

import time

import pytest

from engine_support import Bench, shell
from gorchestrator.common.reasons import ReasonCode
from gorchestrator.common.states import State
from gorchestrator.domain.attempts import Result
from gorchestrator.domain.records import AttemptRow
from gorchestrator.engine import stopping
from gorchestrator.engine.stopping import Stop

FAILED = Result(State.FAILURE, "exit status 3", ReasonCode.EXIT, 3)
QUICK = {"limit": 2, "delay": 0.01, "jitter": 0}


def in_turn(*results):
    left = list(results)
    return lambda attempt, watch: left.pop(0)


def attempt_rows(bench):
    return [change.attempt_row for change in bench.journal.changes if change.attempt_row]


def test_a_node_that_fails_is_tried_again_until_it_succeeds():
    bench = Bench(shell("a", retry=QUICK), script=in_turn(FAILED, FAILED, Result(State.SUCCESS)))
    assert bench.finish().state is State.SUCCESS
    assert [attempt.number for attempt in bench.executor.begun] == [1, 2, 3]
    assert bench.journal.node(0).attempt == 3
    ended = [(row.attempt, row.state, row.exit_code) for row in attempt_rows(bench) if row.state.final]
    assert ended == [(1, State.FAILURE, 3), (2, State.FAILURE, 3), (3, State.SUCCESS, None)]
    assert bench.executor.acknowledged == [attempt.id for attempt in bench.executor.begun]


def test_the_last_failure_ends_the_node():
    bench = Bench(shell("a", retry=QUICK), script=in_turn(FAILED, FAILED, FAILED))
    assert bench.finish().state is State.FAILURE
    assert (bench.journal.node(0).reason, bench.journal.node(0).exit_code) == ("exit status 3", 3)


def test_the_pause_says_what_failed_and_what_follows():
    bench = Bench(shell("a", retry={"limit": 1, "delay": 60}), script=in_turn(FAILED)).start()
    bench.until(lambda: bench.run.rows[0].reason_code == ReasonCode.BACKOFF)
    row = bench.run.rows[0]
    assert row.state is State.TORUN
    assert row.reason.startswith("attempt 2 of 2 follows at ")
    assert row.reason.endswith("; attempt 1: exit status 3")
    stopping.stop(bench.run, Stop.by_cancel("me"))
    assert bench.finish().state is State.CANCELED
    assert bench.executor.killed == []  # nothing runs in a pause


def test_a_canceled_attempt_is_not_tried_again():
    bench = Bench(shell("a", retry=QUICK))
    bench.executor.script = lambda attempt, watch: bench.executor.death.wait() and FAILED
    bench.start().until(lambda: bench.executor.begun)
    stopping.stop(bench.run, Stop.by_cancel("me"))
    bench.finish()
    assert len(bench.executor.begun) == 1


def test_another_process_waits_for_the_rest_of_the_pause():
    rows = {0: {"attempt": 1, "reason_code": "backoff", "stopped_at": time.time() - 59.9}}
    retry = {"limit": 2, "delay": 60, "jitter": 0}
    bench = Bench(shell("a", retry=retry), rows=rows)
    assert bench.finish().state is State.SUCCESS
    assert [attempt.number for attempt in bench.executor.begun] == [2]


def test_what_is_found_again_may_be_tried_again_with_a_log_of_its_own():
    row = AttemptRow("0" * 32, 0, 1, "executor", "instance")
    sizes = []

    def script(attempt, watch):
        sizes.append(watch.log_size)
        return FAILED if attempt.number == 1 else Result(State.SUCCESS)

    rows = {0: {"attempt": 1, "state": State.RUNNING}}
    bench = Bench(shell("a", retry=QUICK), script=script, rows=rows, attempts={0: row}, log_sizes={0: 7})
    assert bench.finish().state is State.SUCCESS
    assert sizes == [7, 0]


@pytest.mark.parametrize("state", [State.FAILURE, State.TIMEOUT])
def test_successors_of_an_allowed_failure_run_and_the_graph_succeeds(state):
    nodes = [shell("a", allow_failure=True), {"name": "b", "needs": ["a"]}]
    bench = Bench(*nodes, script=in_turn(Result(state, "no", ReasonCode.EXIT, 1)))
    assert bench.finish().state is State.SUCCESS
    assert bench.states() == {"a": state.label, "b": "success"}


def test_what_is_not_runnable_is_not_an_allowed_failure():
    nodes = [shell("a"), shell("b", needs=["a"], allow_failure=True), {"name": "c", "needs": ["b"]}]
    bench = Bench(*nodes, script=in_turn(FAILED))
    assert bench.finish().state is State.FAILURE
    assert bench.states() == {"a": "failure", "b": "notrunnable", "c": "notrunnable"}
