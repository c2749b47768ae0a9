"""Attempts of which nobody knows how they ended: what a node does until somebody says how they count."""

import pytest

from engine_support import Bench, settle, shell
from gorchestrator.common.reasons import ReasonCode
from gorchestrator.common.states import State
from gorchestrator.domain.attempts import Result
from gorchestrator.domain.errors import StoreUnavailable
from gorchestrator.domain.records import Answer, Resolution
from gorchestrator.engine import doubts, stopping
from gorchestrator.engine.stopping import Stop

LOST = Result(State.FAILURE, "its process is gone", ReasonCode.LOST)
SILENT = Result(State.FAILURE, "no contact", ReasonCode.LOST, verified=False)
TASK = "0" * 32


def said(answer, attempt=1, **output):
    return Resolution(TASK, 0, attempt, Answer(answer), output, "ann", 2.0)


def asking(*results, **fields):
    """Return a bench whose only node has lost its first attempt and asks."""
    left = [*(results or [LOST])]
    bench = Bench(
        shell("a", on_lost="ask", **fields),
        shell("b", needs=["a"]),
        script=lambda *_: left.pop(0) if left else Result(State.SUCCESS),
    )
    bench.start().until(lambda: bench.run.rows[0].reason_code == ReasonCode.ASK)
    return bench


def test_it_waits_and_says_how_to_answer():
    bench = asking()
    settle()
    row = bench.journal.node(0)
    assert row.state is State.TORUN
    assert row.reason.startswith("attempt 1 was lost; ")
    assert f"`gorch resolve --as success|failure|retry {TASK} a`" in row.reason
    assert row.reason.endswith(": its process is gone")
    attempt = bench.journal.changes[-1].attempt_row
    assert (attempt.state, attempt.reason_code) == (State.FAILURE, "lost")
    assert len(bench.executor.begun) == 1


def test_a_success_comes_with_outputs_and_lets_successors_run():
    bench = asking()
    bench.run.doubts.settle(said("success", colour="blue"))
    assert bench.finish().state is State.SUCCESS
    row = bench.journal.node(0)
    assert (row.output, row.reason_code) == ({"colour": "blue"}, "resolved")
    assert row.reason == "resolved as success by ann; death not verified"


def test_a_failure_ends_it():
    bench = asking()
    bench.run.doubts.settle(said("failure"))
    assert bench.finish().state is State.FAILURE
    assert bench.states() == {"a": "failure", "b": "notrunnable"}


def test_a_retry_makes_one_more_attempt():
    bench = asking()
    bench.run.doubts.settle(said("retry"))
    assert bench.finish().state is State.SUCCESS
    assert [attempt.number for attempt in bench.executor.begun] == [1, 2, 1]


def test_what_may_be_retried_is_before_anybody_is_asked():
    bench = asking(LOST, LOST, retry={"limit": 1, "delay": 0, "on": ["lost"]})
    assert len(bench.executor.begun) == 2
    bench.run.doubts.settle(said("failure", attempt=1))  # not of this attempt
    settle()
    assert bench.run.rows[0].state is State.TORUN
    bench.run.doubts.settle(said("success", attempt=2))
    assert bench.finish().state is State.SUCCESS


def test_the_first_word_counts():
    bench = asking()
    bench.run.doubts.settle(said("success"))
    bench.run.doubts.settle(said("failure"))
    assert bench.finish().state is State.SUCCESS


def test_a_cancel_ends_the_wait():
    bench = asking()
    bench.cancel()
    assert bench.finish().state is State.CANCELED
    assert bench.executor.killed == []


def test_a_word_at_the_moment_of_a_cancel_changes_nothing(caplog):
    bench = asking()
    bench.run.doubts.settle(said("success"))
    stopping.stop(bench.run, Stop.by_cancel("me"))
    assert bench.finish().state is State.CANCELED
    settle()
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


def test_another_process_asks_on_and_learns_what_was_said_meanwhile():
    rows = {0: {"state": State.TORUN, "reason_code": "ask", "attempt": 1, "executor": "executor"}}
    bench = Bench(shell("a", on_lost="ask"), rows=rows)
    bench.start()
    settle()
    assert bench.executor.begun == []
    answers = iter([StoreUnavailable("locked"), [said("success")]])

    def read(task):
        found = next(answers)
        if isinstance(found, Exception):
            raise found
        return found

    bench.run.helper(doubts.learn, bench.run, read)
    assert bench.finish().state is State.SUCCESS


@pytest.mark.parametrize(
    ("answer", "state"), [("success", State.SUCCESS), ("failure", State.FAILURE), ("retry", State.SUCCESS)]
)
def test_one_that_runs_where_nobody_answers_is_given_up_on_somebodys_word(answer, state):
    def silent(attempt, watch):
        if attempt.number == 2:
            return Result(State.SUCCESS)
        bench.until(lambda: watch.given_up)
        return SILENT

    bench = Bench(shell("a"), script=silent)
    bench.start().until(lambda: bench.executor.begun)
    bench.run.doubts.settle(said(answer))
    assert bench.finish().state is state
    assert bench.executor.given_up == [(f"{TASK}.0.1", 1)]  # what may run of it is killed later
    assert bench.executor.acknowledged == ([f"{TASK}.0.2"] if answer == "retry" else [])


def test_in_a_canceled_run_nothing_is_tried_again_but_somebodys_word_counts():
    def silent(attempt, watch):
        bench.until(lambda: watch.given_up)
        return SILENT

    bench = Bench(shell("a"), script=silent)
    bench.executor.kill_script = lambda *_: bench.until(lambda: False)
    bench.start().until(lambda: bench.executor.begun)
    bench.cancel()
    bench.until(lambda: bench.executor.killed)
    bench.run.doubts.settle(said("failure"))
    assert bench.finish().state is State.FAILURE
    assert bench.journal.node(0).reason == "resolved as failure by ann; death not verified"


def test_the_truth_beats_what_was_said():
    bench = Bench(shell("a"), script=lambda attempt, watch: settle() or Result(State.SUCCESS))
    bench.run.doubts.settle(said("failure"))
    assert bench.finish().state is State.SUCCESS
    assert bench.journal.node(0).reason is None
