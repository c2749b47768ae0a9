"""The deadline of a graph: what waits ends at once, what runs is killed first, and it goes on across owners."""

import time

import gevent
import pytest

from engine_support import Bench, shell
from gorchestrator.common.reasons import ReasonCode
from gorchestrator.common.states import State
from gorchestrator.domain.attempts import Result

WHY = "the graph's deadline of 0.05 s has passed"


def test_what_runs_is_killed_and_what_waits_ends_with_it():
    bench = Bench(shell("runs"), shell("waits", needs=["runs"]), deadline=0.05, accepted_at=time.time())
    bench.executor.script = bench.executor.until_killed
    row = bench.finish()
    assert bench.states() == {"runs": "timeout", "waits": "timeout"}
    assert bench.executor.killed == [("0" * 32 + ".0.1", 1)]
    assert (row.state, row.reason_code) == (State.TIMEOUT, "deadline")
    assert row.reason == f"{WHY}; 2 nodes stopped (runs, waits)"
    for node in (0, 1):
        assert (bench.journal.node(node).reason_code, bench.journal.node(node).reason) == ("deadline", WHY)


def test_until_its_death_is_verified_a_node_runs_and_says_so():
    bench = Bench(shell("runs"), deadline=0.05, accepted_at=time.time())
    survive = gevent.event.Event()
    bench.executor.script = lambda attempt, watch: survive.wait() and Result(State.CANCELED)
    bench.executor.kill_script = lambda *_: survive.wait()
    bench.start().until(lambda: bench.executor.killed)
    node = bench.run.rows[0]
    assert (node.state, node.reason_code) == (State.RUNNING, ReasonCode.DEADLINE)
    assert node.reason == f"{WHY}; its death is not verified yet"
    survive.set()
    assert bench.finish().state is State.TIMEOUT


def test_what_has_ended_stays_and_decides_nothing():
    bench = Bench(
        shell("done"), shell("runs", needs=["done"], allow_failure=True), deadline=0.05, accepted_at=time.time()
    )
    bench.executor.script = lambda attempt, watch: (
        Result(State.SUCCESS) if attempt.node.id == 0 else bench.executor.until_killed(attempt, watch)
    )
    assert bench.finish().state is State.TIMEOUT
    assert bench.states() == {"done": "success", "runs": "timeout"}


def test_a_graph_that_is_done_in_time_is_not_stopped():
    bench = Bench(shell("a"), deadline=60.0, accepted_at=time.time())
    assert bench.finish().state is State.SUCCESS


@pytest.mark.parametrize(
    ("told", "late"),
    [
        ({"elapsed": 59.0, "seen_at": -2.0}, True),  # 59 s by the clocks of its owners, and 2 s without one
        ({"elapsed": 50.0, "seen_at": -2.0}, False),
        ({"elapsed": 59.0, "seen_at": 3600.0}, False),  # the clock was set back: the gap is never negative
        ({"elapsed": 0.0, "seen_at": None}, True),  # its first owner died before it said anything
    ],
)
def test_it_goes_on_where_another_process_has_left_it(told, late):
    now = time.time()
    seen_at = None if told["seen_at"] is None else now + told["seen_at"]
    bench = Bench(shell("a"), deadline=60.0, accepted_at=now - 61, elapsed=told["elapsed"], seen_at=seen_at)
    bench.executor.script = bench.executor.until_killed
    if late:
        assert bench.finish().state is State.TIMEOUT
        return
    bench.start().until(lambda: bench.executor.begun)
    assert 49 <= bench.run.elapsed <= 60
    bench.run.abandon()


def test_a_cancel_that_came_first_counts():
    bench = Bench(shell("a"), deadline=0.05, accepted_at=time.time())
    survive = gevent.event.Event()
    bench.executor.script = lambda attempt, watch: survive.wait() and Result(State.CANCELED)
    bench.start().until(lambda: bench.executor.begun)
    bench.cancel("me")
    bench.until(lambda: bench.run.elapsed > 0.1)
    survive.set()
    row = bench.finish()
    assert (row.state, row.reason) == (State.CANCELED, "canceled by me; 1 node stopped")
