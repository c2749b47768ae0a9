"""A cancel at any moment: what waits ends at once, what runs is killed first, what has ended stays."""

import pytest

from engine_support import Bench, settle, shell
from gorchestrator.common.reasons import ReasonCode
from gorchestrator.common.states import State
from gorchestrator.domain.attempts import NotTaken, Result
from gorchestrator.domain.records import Kind
from gorchestrator.engine import stopping
from gorchestrator.engine.stopping import Stop

ATTEMPT = "0" * 32 + ".0.1"


def canceled(bench, actor="somebody"):
    """Cancel the run and return the task's last row."""
    bench.cancel(actor)
    return bench.finish()


def test_nodes_that_wait_for_a_slot_leave_the_queue():
    bench = Bench(shell("a"), shell("b"))
    bench.executor.room.clear()
    bench.start()
    settle()
    row = canceled(bench)
    assert (row.state, row.reason_code, row.reason) == (
        State.CANCELED,
        "canceled",
        "canceled by somebody; 2 nodes stopped",
    )
    assert bench.executor.begun == bench.executor.killed == []
    bench.executor.room.set()
    settle()
    assert bench.executor.begun == []
    assert bench.executor.in_slots == 0


def test_a_slot_that_comes_at_the_same_moment_changes_nothing(caplog):
    bench = Bench(shell("a"))
    bench.executor.room.clear()
    bench.start()
    settle()
    bench.executor.room.set()
    stopping.stop(bench.run, Stop.by_cancel("me"))
    assert bench.finish().state is State.CANCELED
    settle()
    assert bench.executor.begun == []
    assert bench.run.attempts == {}
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


def test_nodes_that_sleep_or_wait_for_others_end():
    bench = Bench({"name": "a", "engine": "sleep", "args": ["60"]}, shell("b", needs=["a"]))
    bench.start()
    bench.until(lambda: Kind.NODE_RUNNING in bench.kinds())
    assert canceled(bench).state is State.CANCELED
    assert bench.states() == {"a": "canceled", "b": "canceled"}


def test_before_the_first_node_has_begun():
    bench = Bench(*[shell(str(number)) for number in range(300)])
    bench.start()
    assert canceled(bench).state is State.CANCELED
    assert set(bench.states().values()) == {"canceled"}
    assert bench.executor.begun == []


def test_while_the_attempt_is_being_journalled_its_executor_hears_of_it_first():
    """A kill leaves a tombstone there, which the attempt meets."""
    bench = Bench(shell("a"))
    bench.executor.script = bench.executor.until_killed
    bench.journal.gate.clear()
    bench.start()
    bench.until(lambda: bench.run.attempts)
    bench.cancel("somebody")
    bench.until(lambda: bench.executor.killed)
    assert bench.states() == {"a": "running"}
    bench.journal.gate.set()
    assert bench.finish().state is State.CANCELED
    assert bench.executor.killed == [(ATTEMPT, 1)]


def test_an_attempt_that_runs_is_canceled_when_its_death_is_told_and_not_before():
    bench = Bench(shell("a"), shell("b", needs=["a"]))
    bench.executor.script = bench.executor.until_killed
    bench.executor.kill_script = lambda attempt, fence, note: bench.executor.room.wait()
    bench.start()
    bench.until(lambda: bench.executor.begun)
    bench.executor.room.clear()
    bench.cancel("somebody")
    bench.until(lambda: bench.executor.killed)
    settle()
    row = bench.journal.node(0)
    assert (row.state, row.reason_code) == (State.RUNNING, ReasonCode.CANCELING)
    assert row.reason == "canceled by somebody; its death is not verified yet"
    assert bench.states() == {"a": "running", "b": "canceled"}
    bench.executor.room.set()
    row = bench.finish()
    assert (row.state, row.reason) == (State.CANCELED, "canceled by somebody; 2 nodes stopped")
    assert bench.journal.node(0).reason == "canceled by somebody"


def test_what_the_client_tells_meanwhile_keeps_saying_that_it_is_being_canceled():
    def script(attempt, watch):
        bench.executor.death.wait()
        watch.note(ReasonCode.EXECUTOR_UNREACHABLE, "the executor is away")
        return Result(State.CANCELED)

    bench = Bench(shell("a"), script=script)
    bench.start()
    bench.until(lambda: bench.executor.begun)
    canceled(bench)
    reasons = [change.node_row.reason for change in bench.journal.changes if change.node_row]
    assert "canceled by somebody; the executor is away" in reasons


def test_an_attempt_that_ended_before_the_kill_came_keeps_its_end():
    def script(attempt, watch):
        bench.executor.death.wait()
        return Result(State.SUCCESS, output={"x": "1"})

    bench = Bench(shell("a"), shell("b", needs=["a"]), script=script)
    bench.start()
    bench.until(lambda: bench.executor.begun)
    assert canceled(bench).state is State.CANCELED
    assert bench.states() == {"a": "success", "b": "canceled"}
    assert bench.journal.node(0).output == {"x": "1"}


def test_when_nothing_was_stopped_the_graph_is_not_canceled():
    def script(attempt, watch):
        bench.executor.death.wait()
        return Result(State.SUCCESS)

    bench = Bench(shell("a"), script=script)
    bench.start()
    bench.until(lambda: bench.executor.begun)
    assert canceled(bench).state is State.SUCCESS


def test_after_the_end_it_changes_nothing():
    bench = Bench(shell("a"))
    bench.finish()
    before = list(bench.journal.changes)
    stopping.stop(bench.run, Stop.by_cancel("somebody"))
    settle()
    assert bench.journal.changes == before
    assert bench.executor.killed == []


def test_the_first_of_two_counts():
    bench = Bench(shell("a"))
    bench.executor.script = bench.executor.until_killed
    bench.start()
    bench.until(lambda: bench.executor.begun)
    bench.cancel("first")
    bench.cancel("second")
    assert bench.finish().reason == "canceled by first; 1 node stopped"
    assert bench.executor.killed == [(ATTEMPT, 1)]


@pytest.mark.parametrize("before", [True, False])
def test_no_attempt_follows_one_that_was_not_taken(before):
    def script(attempt, watch):
        if before:
            stopping.stop(bench.run, Stop.by_cancel("somebody"))
        else:
            bench.executor.room.clear()
        raise NotTaken("replaced")

    bench = Bench(shell("a"), script=script)
    bench.start()
    bench.until(lambda: bench.executor.begun)
    if not before:
        settle()
        bench.cancel("somebody")
    assert bench.finish().state is State.CANCELED
    assert [attempt.number for attempt in bench.executor.begun] == [1]
    assert bench.executor.in_slots == 0
