"""A run that another process has begun: what has ended stays, what runs is found again, what waited begins."""

import time

import gevent
import pytest

from engine_support import Bench, shell
from gorchestrator.common.states import State
from gorchestrator.domain.attempts import Result
from gorchestrator.domain.records import AttemptRow, Kind
from gorchestrator.engine import built_in

TASK = "0" * 32
RUNNING = {"state": State.RUNNING, "fence": 2, "started_at": 10.0}
DONE = {"state": State.SUCCESS, "attempt": 1, "started_at": 11.0, "stopped_at": 12.0}


def attempt(node, number, executor="executor"):
    return AttemptRow(TASK, node, number, executor, "of then", ("resolved",), started_at=20.0)


def resumed(*nodes, script=None, **columns):
    return Bench(*nodes, script=script, **{**RUNNING, **columns})


def test_an_attempt_is_found_again_under_its_number_and_not_started_again():
    seen = []

    def script(attempt, watch):
        seen.append((attempt.id, attempt.args, attempt.instance, attempt.fence, watch.fresh, watch.log_size))
        watch.log(watch.log_size, b"more")
        return Result(State.SUCCESS)

    bench = resumed(
        shell("done", output={"x": ""}),
        shell("runs", needs=["done"], args=["get_attribute done:x"]),
        shell("waits", needs=["runs"], args=["get_attribute done:x"]),
        rows={0: {**DONE, "output": {"x": "1"}}, 1: {"state": State.RUNNING, "attempt": 3, "started_at": 20.0}},
        attempts={1: attempt(1, 3)},
        log_sizes={1: 100},
        script=script,
    )
    assert bench.finish().state is State.SUCCESS
    assert seen == [
        (f"{TASK}.1.3", ("resolved",), "of then", 2, False, 100),
        (f"{TASK}.2.1", ("1",), "instance", 2, True, 0),
    ]
    assert ("log", 100, b"more") in bench.journal.lines
    assert bench.journal.states(0) == []  # what has ended is not written again
    assert bench.journal.node(1).started_at == 20.0
    assert (bench.journal.task.started_at, bench.journal.changes[0].kind) == (10.0, Kind.TASK_STARTED)
    assert {change.fence for change in bench.journal.changes} == {2}
    assert bench.executor.acknowledged == [f"{TASK}.1.3", f"{TASK}.2.1"]


def test_an_attempt_whose_executor_is_not_configured_any_more_is_lost():
    bench = resumed(
        shell("a"), rows={0: {"state": State.RUNNING, "attempt": 1}}, attempts={0: attempt(0, 1, "removed")}
    )
    assert bench.finish().state is State.FAILURE
    row = bench.journal.node(0)
    assert (row.state, row.reason_code) == (State.FAILURE, "lost")
    assert "'removed'" in row.reason
    assert "death not verified" in row.reason


def test_a_cancel_that_was_asked_for_before_is_carried_out():
    bench = resumed(
        shell("runs"),
        shell("waits", needs=["runs"]),
        rows={0: {"state": State.RUNNING, "attempt": 1}},
        attempts={0: attempt(0, 1)},
        cancel_at=30.0,
        cancel_actor="somebody",
    )
    bench.executor.script = bench.executor.until_killed
    row = bench.finish()
    assert (row.state, row.reason) == (State.CANCELED, "canceled by somebody; 2 nodes stopped")
    assert bench.executor.killed == [(f"{TASK}.0.1", 2)]


def test_a_run_of_which_only_the_end_was_not_written_ends():
    bench = resumed(shell("a"), shell("b"), rows={0: DONE, 1: {**DONE, "state": State.FAILURE}})
    row = bench.finish()
    assert (row.state, row.reason) == (State.FAILURE, "1 node ended in failure (b)")
    assert bench.kinds() == [Kind.TASK_STARTED, Kind.TASK_FINAL]
    assert bench.executor.begun == []


@pytest.mark.parametrize(("slept", "rest"), [(3.0, 7.0), (20.0, 0.0)])
def test_a_node_that_slept_sleeps_for_the_rest(monkeypatch, slept, rest):
    asked = []
    monkeypatch.setattr(built_in.gevent, "sleep", lambda seconds: asked.append(seconds) or gevent.idle())
    started_at = time.time() - slept
    bench = resumed(
        {"name": "a", "engine": "sleep", "args": ["10"]},
        rows={0: {"state": State.RUNNING, "attempt": 1, "started_at": started_at}},
    )
    bench.start()
    with gevent.Timeout(5):
        bench.ended.wait()
    assert bench.journal.node(0).state is State.SUCCESS
    assert bench.journal.node(0).started_at == started_at
    assert any(rest - 1 < seconds <= rest for seconds in asked)
    assert max(asked) <= rest


def test_the_timeout_of_a_node_that_slept_counts_from_its_start():
    bench = resumed(
        {"name": "a", "engine": "sleep", "args": ["600"], "timeout": 60},
        rows={0: {"state": State.RUNNING, "attempt": 1, "started_at": time.time() - 61}},
    )
    bench.finish()
    assert bench.journal.node(0).state is State.TIMEOUT


def test_a_node_that_waited_with_a_reason_begins_without_it():
    bench = resumed(shell("a"), rows={0: {"reason": "not reachable", "reason_code": "executor_unreachable"}})
    assert bench.finish().state is State.SUCCESS
    assert bench.journal.node(0).reason is None
    assert bench.journal.node(0).attempt == 1
