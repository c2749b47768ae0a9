"""How a run orders its nodes, what it journals before what, and what faults of ours do to it."""

import pytest

from engine_support import Bench, settle, shell
from gorchestrator.common.reasons import ReasonCode
from gorchestrator.common.states import State
from gorchestrator.domain.attempts import NotTaken, Result
from gorchestrator.domain.errors import Fenced, StoreError
from gorchestrator.domain.records import Kind
from gorchestrator.engine import dispatch, verdict


def broken(*_):
    raise ZeroDivisionError("of ours")


# -- the order of things


def test_an_attempt_is_durable_before_it_is_sent_and_its_result_before_it_is_acknowledged():
    def script(attempt, watch):
        bench.journal.lines.append("sent")
        watch.log(0, b"hello ")
        watch.log(6, b"world")
        return Result(State.SUCCESS, output={"x": "1"}, exit_code=0)

    bench = Bench(shell("a"), {"name": "b", "needs": ["a"]}, script=script)
    bench.executor.acknowledge = lambda attempt: bench.journal.lines.append(("acknowledged", attempt))
    assert bench.finish().state is State.SUCCESS
    lines = bench.journal.lines
    assert lines[:7] == [
        (Kind.TASK_STARTED,),
        (Kind.NODE_RUNNING, 0),
        "sent",
        ("log", 0, b"hello "),
        ("log", 6, b"world"),
        ("flush", 0, 1),
        (Kind.NODE_FINAL, 0),
    ]
    assert lines.index(("acknowledged", "0" * 32 + ".0.1")) > lines.index("sync") > lines.index((Kind.NODE_FINAL, 0))
    assert bench.journal.node(0).output == {"x": "1"}


def test_the_rows_of_an_attempt_tell_how_it_began_and_ended():
    result = Result(State.FAILURE, "exit status 3", ReasonCode.EXIT, 3, {"x": "1"}, 100.0, 101.0)
    bench = Bench(shell("a", args=["1"]), script=lambda *_: result)
    assert bench.finish().state is State.FAILURE
    begun, ended = [change.attempt_row for change in bench.journal.changes if change.attempt_row]
    assert (begun.attempt, begun.executor, begun.instance, begun.args) == (1, "executor", "instance", ("1",))
    assert (begun.state, begun.stopped_at) == (State.RUNNING, None)
    assert (ended.state, ended.reason, ended.reason_code, ended.exit_code) == (
        State.FAILURE,
        "exit status 3",
        "exit",
        3,
    )
    assert (ended.started_at, ended.stopped_at) == (100.0, 101.0)
    row = bench.journal.node(0)
    assert (row.started_at, row.stopped_at, row.exit_code, row.executor) == (100.0, 101.0, 3, "executor")


def test_what_an_ancestor_produced_is_put_into_the_arguments():
    bench = Bench(
        shell("a", output={"ip": ""}),
        shell("b", needs=["a"], args=["--to=get_attribute a:ip"]),
        shell("c", needs=["a"], args=["get_attribute a:name"]),
        script=lambda attempt, watch: Result(State.SUCCESS, output={"ip": "10.0.0.1"}),
    )
    bench.finish()
    assert [attempt.args for attempt in bench.executor.begun] == [(), ("--to=10.0.0.1",)]
    assert bench.journal.node(2).reason_code is ReasonCode.REFERENCE


def test_outputs_that_are_too_much_for_the_arguments_fail_their_node():
    bench = Bench(
        shell("a", output={"long": ""}),
        shell("b", needs=["a"], args=["get_attribute a:long"] * 40),
        {"name": "c", "needs": ["a"], "engine": "sleep", "args": ["get_attribute a:long"] * 40},
        script=lambda attempt, watch: Result(State.SUCCESS, output={"long": "x" * 2**16}),
    )
    bench.finish()
    assert [attempt.node.name for attempt in bench.executor.begun] == ["a"]
    for node in (1, 2):
        assert bench.journal.node(node).reason_code is ReasonCode.ARGUMENT
        assert "more than 2097152 bytes" in bench.journal.node(node).reason


def test_a_sleep_ends_at_its_timeout():
    bench = Bench(
        {"name": "a", "engine": "sleep", "args": ["60"], "timeout": 0.05},
        {"name": "b", "engine": "sleep", "args": ["0.05"], "timeout": 60},
    )
    assert bench.finish().state is State.FAILURE
    late, in_time = bench.journal.node(0), bench.journal.node(1)
    assert (late.state, late.reason_code, late.reason) == (
        State.TIMEOUT,
        ReasonCode.TIMEOUT,
        "killed after its timeout of 0.05 s",
    )
    assert (in_time.state, in_time.output) == (State.SUCCESS, {"result": "0.050"})
    assert bench.executor.begun == []


def test_a_node_for_which_there_is_no_executor_fails():
    bench = Bench({"name": "a", "engine": "unknown"})
    assert bench.finish().state is State.FAILURE
    assert (bench.journal.node(0).reason_code, bench.journal.node(0).reason) == (
        "engine",
        "no executor has the engine 'unknown'",
    )


def test_a_wide_and_deep_graph_ends():
    nodes = [{"name": "root"}, *({"name": str(number), "needs": ["root"]} for number in range(2000))]
    bench = Bench(*nodes, {"name": "end", "needs": list(range(2001))})
    assert bench.finish().state is State.SUCCESS
    assert set(bench.states().values()) == {"success"}


@pytest.mark.parametrize(
    ("ends", "graph", "says"),
    [
        ([State.SUCCESS, State.SUCCESS], State.SUCCESS, None),
        ([State.SUCCESS, State.FAILURE], State.FAILURE, "1 node ended in failure (n1)"),
        ([State.FAILURE, State.FAILURE], State.FAILURE, "2 nodes ended in failure (n0, n1)"),
        ([State.FAILURE] * 5, State.FAILURE, "5 nodes ended in failure (n0, n1, n2, …)"),
        ([State.CANCELED, State.FAILURE], State.CANCELED, "canceled; 1 node stopped"),
    ],
)
def test_the_graph_ends_as_its_nodes_did(ends, graph, says):
    bench = Bench(
        *[shell(f"n{number}") for number in range(len(ends))], script=lambda attempt, _: Result(ends[attempt.node.id])
    )
    row = bench.finish()
    assert (row.state, row.reason) == (graph, says)


def test_an_attempt_may_time_out_while_it_is_still_shown_as_queued():
    """It was queued on its executor when that was asked last, and ran into its timeout before the next answer."""

    def script(attempt, watch):
        watch.note(ReasonCode.SLOT, "queued on the executor", State.TORUN)
        return Result(State.TIMEOUT, "too long", ReasonCode.TIMEOUT)

    bench = Bench(shell("a"), script=script)
    bench.finish()
    assert bench.journal.states(0) == [State.RUNNING, State.TORUN, State.TIMEOUT]


def test_a_note_is_journalled_when_it_says_something_new():
    def script(attempt, watch):
        for _ in range(3):
            watch.note(ReasonCode.EXECUTOR_UNREACHABLE, "away")
        for _ in range(3):
            watch.note(None, None)
        return Result(State.SUCCESS)

    bench = Bench(shell("a"), script=script)
    bench.finish()
    rows = [change.node_row for change in bench.journal.changes if change.node_row]
    assert [(row.state, row.reason) for row in rows] == [
        (State.RUNNING, None),
        (State.RUNNING, "away"),
        (State.RUNNING, None),
        (State.SUCCESS, None),
    ]


def test_an_attempt_that_its_executor_never_took_is_followed_by_the_next():
    def script(attempt, watch):
        assert watch.fresh
        if len(bench.executor.begun) == 1:
            raise NotTaken("replaced")
        return Result(State.SUCCESS)

    bench = Bench(shell("a"), script=script)
    assert bench.finish().state is State.SUCCESS
    assert [attempt.number for attempt in bench.executor.begun] == [1, 1]  # what never began is no attempt
    first = [change.attempt_row for change in bench.journal.changes if change.attempt_row][1]
    assert (first.attempt, first.state, first.reason_code, first.reason) == (1, State.FAILURE, "lost", "replaced")
    assert bench.journal.states(0) == [State.RUNNING, State.TORUN, State.RUNNING, State.SUCCESS]
    assert bench.executor.in_slots == 0
    assert bench.executor.acknowledged == ["0" * 32 + ".0.1"]


# -- faults of ours


def test_a_fault_in_a_node_fails_the_node_kills_its_attempt_and_leaves_the_others_alone(caplog):
    def script(attempt, watch):
        return broken() if attempt.node.name == "bad" else Result(State.SUCCESS)

    bench = Bench(shell("bad"), shell("next", needs=["bad"]), shell("good"), script=script)
    row = bench.finish()
    assert (row.state, row.reason_code) == (State.FAILURE, "nodes")
    assert bench.states() == {"bad": "failure", "next": "notrunnable", "good": "success"}
    bad = bench.journal.node(0)
    assert bad.reason_code is ReasonCode.INTERNAL
    assert "ZeroDivisionError('of ours')" in bad.reason
    assert bench.executor.given_up == [("0" * 32 + ".0.1", 1)]
    assert any(record.event == "run_fault" and record.exc_info for record in caplog.records)


def test_what_a_fault_of_ours_leaves_running_is_final_so_that_every_process_knows_to_kill_it():
    bench = Bench(shell("bad"), script=broken)
    bench.finish()
    (attempt,) = [change.attempt_row for change in bench.journal.changes if change.attempt_row][-1:]
    assert (attempt.attempt, attempt.state, attempt.reason_code) == (1, State.FAILURE, "internal")


def test_a_result_that_was_refused_is_not_acknowledged():
    """Another process owns the run: it needs what the executor has."""
    bench = Bench(shell("a"), script=lambda *_: Result(State.SUCCESS))
    bench.journal.refuse = lambda change: Fenced() if change.kind is Kind.NODE_FINAL else None
    bench.start()
    bench.until(lambda: "sync" in bench.journal.lines)
    settle()
    assert bench.executor.acknowledged == bench.executor.given_up == []


def test_a_fault_in_the_conductor_ends_the_run_as_failure(monkeypatch):
    bench = Bench(shell("a"), {"name": "b"})
    monkeypatch.setattr(verdict, "of_graph", broken)
    row = bench.finish()
    assert (row.state, row.reason_code) == (State.FAILURE, "internal")
    assert "ZeroDivisionError" in row.reason


def test_a_fault_beside_the_nodes_ends_the_run_as_failure_and_kills_what_runs():
    bench = Bench(shell("a"), shell("b", needs=["a"]))
    bench.executor.script = bench.executor.until_killed
    bench.start()
    bench.until(lambda: bench.executor.begun)
    bench.run.helper(broken)
    row = bench.finish()
    assert (row.state, row.reason_code) == (State.FAILURE, "internal")
    assert bench.states() == {"a": "failure", "b": "failure"}
    assert bench.executor.given_up == [("0" * 32 + ".0.1", 1)]
    assert bench.kinds()[-1] is Kind.TASK_FINAL


def test_a_fault_while_a_failure_is_told_leaves_nothing_running(monkeypatch):
    bench = Bench(shell("a"), shell("b", needs=["a"]))
    monkeypatch.setattr(verdict, "why_not_run", broken)
    bench.executor.script = lambda *_: Result(State.FAILURE)
    assert bench.finish().state is State.FAILURE


def test_a_change_that_the_journal_cannot_store_ends_the_run_as_failure():
    """Such as an output that no database takes: nobody may wait for ever for the end of this graph."""

    def refuse(change):
        return StoreError("It cannot be stored.") if change.node_row and change.node_row.output else None

    bench = Bench(shell("a"), shell("b", needs=["a"]))
    bench.executor.script = lambda *_: Result(State.SUCCESS, output={"x": "\ud800"})
    bench.journal.refuse = refuse
    row = bench.finish()
    assert (row.state, row.reason_code) == (State.FAILURE, "internal")
    assert "It cannot be stored." in row.reason
    assert bench.journal.node(0).state is State.FAILURE
    assert bench.journal.node(1).state.final
    assert bench.kinds()[-1] is Kind.TASK_FINAL


def test_a_durable_change_that_the_journal_cannot_store_fails_the_node():
    bench = Bench(shell("a"), {"name": "b"})
    bench.journal.refuse = lambda change: StoreError("no") if change.kind is Kind.NODE_RUNNING else None
    assert bench.finish().state is State.FAILURE
    assert bench.states() == {"a": "failure", "b": "success"}
    assert bench.executor.begun == []


# -- fenced off


@pytest.mark.parametrize("kind", [Kind.NODE_RUNNING, Kind.NODE_FINAL, Kind.TASK_STARTED])
def test_a_run_that_is_fenced_off_by_the_journal_writes_nothing_more(kind):
    bench = Bench(shell("a"), shell("b", needs=["a"]), {"name": "c", "engine": "sleep", "args": ["60"]})
    bench.journal.refuse = lambda change: Fenced() if change.kind is kind else None
    bench.start()
    bench.until(bench.ended.is_set)
    before = list(bench.journal.changes)
    settle()
    assert bench.journal.changes == before
    assert Kind.TASK_FINAL not in bench.kinds()
    assert bench.executor.killed == []  # it is the new owner's


def test_a_run_that_is_fenced_off_by_the_executor_writes_nothing_more():
    def script(attempt, watch):
        raise Fenced("a newer owner has spoken to the executor")

    bench = Bench(shell("a"), {"name": "b", "engine": "sleep", "args": ["60"]}, script=script)
    bench.start()
    bench.until(bench.ended.is_set)
    settle()
    assert Kind.TASK_FINAL not in bench.kinds()
    assert [change for change in bench.journal.changes if change.node_row and change.node_row.state.final] == []


def test_a_kill_that_is_fenced_off_gives_the_run_up():
    bench = Bench(shell("a"))
    bench.executor.script = bench.executor.until_killed

    def fenced(*_):
        raise Fenced

    bench.executor.kill_script = fenced
    bench.start()
    bench.until(lambda: bench.executor.begun)
    bench.cancel("somebody")
    bench.until(bench.ended.is_set)
    settle()
    assert Kind.TASK_FINAL not in bench.kinds()


# -- the store is away


def test_an_attempt_is_decided_on_again_and_again_until_it_is_durable(monkeypatch):
    monkeypatch.setattr(dispatch, "_STORE_RETRY", 0.001)
    bench = Bench(shell("a"))
    bench.journal.away = 5
    assert bench.finish().state is State.SUCCESS
    assert bench.journal.away == 0
    assert [attempt.number for attempt in bench.executor.begun] == [1]
    assert bench.journal.states(0) == [State.RUNNING, State.SUCCESS]


def test_a_cancel_while_the_store_is_away_comes_before_the_attempt_is_sent(monkeypatch):
    monkeypatch.setattr(dispatch, "_STORE_RETRY", 0.001)
    bench = Bench(shell("a"))
    bench.executor.script = bench.executor.until_killed
    bench.journal.gate.clear()
    bench.start()
    bench.until(lambda: bench.run.attempts)
    bench.cancel("somebody")
    bench.until(lambda: bench.executor.killed)
    assert bench.executor.begun == []
    bench.journal.gate.set()
    assert bench.finish().state is State.CANCELED
    assert bench.journal.node(0).reason == "canceled by somebody"
