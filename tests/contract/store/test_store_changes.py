"""Changes of runs: order, fencing, folding, and that a faulty one stands alone."""

from dataclasses import replace
from typing import Any

import gevent
import pytest

from gorchestrator.common.reasons import ReasonCode
from gorchestrator.common.states import State
from gorchestrator.domain.errors import Fenced, StoreError
from gorchestrator.domain.listing import Wanted
from gorchestrator.domain.records import Acceptance, AttemptRow, Change, Kind, LogChunk, NodeRow, TaskRow
from gorchestrator.store import Store, reader
from store_support import OTHER, TASK, accept, eventually, node_change, node_states, task_change

FULL_NODE: dict[str, Any] = {
    "reason": "exit status 3\0",
    "reason_code": ReasonCode.EXIT,
    "attempt": 2,
    "executor": "ex",
    "started_at": 1700000000.000001,
    "stopped_at": 1700000001.5,
    "exit_code": 3,
    "output": {"köy": "\0välue\ud800"},
}


def test_rows_are_read_as_they_were_written(store: Store) -> None:
    accept(store)
    change = node_change(1, State.FAILURE, **FULL_NODE)
    attempt = AttemptRow(TASK, 1, 2, "ex", "instance", ("a", "ü"), State.FAILURE, "why", ReasonCode.EXIT, 1.5, 2.5, 3)
    store.journal.write(Change(Kind.NODE_FINAL, TASK, 1, 3.5, "me", node_row=change.node_row, attempt_row=attempt))
    store.journal.write(task_change(State.FAILURE, reason="r", reason_code=ReasonCode.NODES, started_at=1.0))

    assert store.reader.node(TASK, 1) == (NodeRow(TASK, 1, State.FAILURE, **FULL_NODE), '{"name":"n1"}')
    assert store.reader.attempts(TASK, 1) == [(attempt, 0)]
    assert store.reader.attempts(TASK, 2) == store.reader.running_attempts(TASK) == []
    task = store.reader.task(TASK)
    assert task is not None
    assert (task.state, task.reason, task.reason_code, task.started_at) == (State.FAILURE, "r", "nodes", 1.0)
    assert task.name == "test"
    event = store.reader.events(1, 1)[0]
    assert (event.node, event.attempt, event.kind, event.actor, event.at) == (1, 2, Kind.NODE_FINAL, "me", 3.5)
    expected = {"state": 4, "reason": "exit status 3\0", "reason_code": "exit", "executor": "ex", "exit_code": 3}
    assert event.data == expected | {"started_at": 1700000000000001, "stopped_at": 1700000001500000}


def test_attempts_are_read_page_by_page_with_the_sizes_of_their_logs(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    accept(store)
    for number in range(1, 6):
        row = AttemptRow(TASK, 1, number, "ex", "instance", ("x" * 10 * number,), State.FAILURE)
        store.journal.write(Change(Kind.NODE_RUNNING, TASK, 1, 1.0, attempt_row=row))
    store.journal.write(Change(Kind.NODE_RUNNING, TASK, 1, 1.0, attempt_row=replace(row, node=0)))
    for offset, data in ((0, b"head"), (1000, b"tail\0\xff")):  # what lies between is left out
        store.journal.append_log(LogChunk(TASK, 1, 2, offset, data))
    store.journal.flush_logs(TASK, 1, 2)

    def read(node: int = 1, after: int = 0) -> list[tuple[int, int]]:
        return [(row.attempt, size) for row, size in store.reader.attempts(TASK, node, after)]

    assert read() == [(1, 0), (2, 1006), (3, 0), (4, 0), (5, 0)]
    assert read(after=3) == [(4, 0), (5, 0)]
    assert read(after=5) == read(after=10**30) == read(2) == []
    assert read(0) == [(5, 0)]
    monkeypatch.setattr(reader, "_ATTEMPTS", 2)
    assert read() == [(1, 0), (2, 1006)]
    monkeypatch.setattr(reader, "_ATTEMPTS", 100)
    monkeypatch.setattr(reader, "_ARGS", 30)  # characters of JSON: an argument has four more
    assert read() == [(1, 0), (2, 1006)]
    assert read(after=2) == [(3, 0)]  # at least one, however long its arguments are


def test_attempts_that_have_not_ended_are_found(store: Store) -> None:
    accept(store)
    for node, state in ((0, State.SUCCESS), (1, State.RUNNING)):
        row = AttemptRow(TASK, node, 1, "ex", "instance", state=state)
        store.journal.write(Change(Kind.NODE_RUNNING, TASK, 1, 1.0, attempt_row=row))
    assert [row.node for row in store.reader.running_attempts(TASK)] == [1]


def test_attempts_that_have_ended_are_told_by_their_names_on_executors(store: Store) -> None:
    accept(store)
    for node, number, state in ((0, 1, State.FAILURE), (0, 12, State.SUCCESS), (1, 1, State.RUNNING)):
        row = AttemptRow(TASK, node, number, "ex", "instance", state=state)
        store.journal.write(Change(Kind.NODE_RUNNING, TASK, 1, 1.0, attempt_row=row))
    unknown = [f"{TASK}.1.1", f"{TASK}.2.1", f"{TASK}.0.2", f"{TASK}.0.01", f"{OTHER}.0.1"]
    assert store.reader.final_attempts([f"{TASK}.0.1", *unknown, f"{TASK}.0.12"]) == {
        f"{TASK}.0.1": 1,
        f"{TASK}.0.12": 1,
    }
    assert store.reader.final_attempts([]) == {}


def test_in_a_task_that_has_ended_every_attempt_has(store: Store) -> None:
    """Whatever was not written of it: nobody follows it any more."""
    accept(store)
    row = AttemptRow(TASK, 1, 1, "ex", "instance", state=State.RUNNING)
    store.journal.write(Change(Kind.NODE_RUNNING, TASK, 1, 1.0, attempt_row=row))
    assert store.reader.final_attempts([f"{TASK}.1.1"]) == {}
    store.journal.write(task_change(State.FAILURE))
    assert store.reader.final_attempts([f"{TASK}.1.1"]) == {f"{TASK}.1.1": 1}


def test_changes_are_committed_in_the_order_of_the_calls(store: Store) -> None:
    accept(store, size=50)
    for number in range(500):
        store.journal.post(node_change(number % 50, exit_code=number))
    store.journal.write(task_change(State.RUNNING))

    events = store.reader.events(1, 1000)
    assert [event.data.get("exit_code") for event in events] == [*range(500), None]
    assert [event.seq for event in events] == list(range(2, 503))
    assert [row.exit_code for row, _ in store.reader.nodes(TASK)] == list(range(450, 500))  # the last one of each


def test_a_change_with_another_fence_is_refused_alone(store: Store) -> None:
    accept(store)
    accept(store, OTHER)
    refused: list[BaseException] = []
    store.journal.post(node_change(0))
    store.journal.post(node_change(1, fence=0), refused.append)
    store.journal.post(node_change(1, fence=2), refused.append)
    store.journal.post(node_change(1, task="c" * 32), refused.append)
    store.journal.post(node_change(2, task=OTHER), refused.append)
    store.journal.write(node_change(2))

    assert [type(error) for error in refused] == [Fenced] * 3
    assert node_states(store) == [State.RUNNING, State.TORUN, State.RUNNING]
    assert node_states(store, OTHER)[2] is State.RUNNING
    assert store.reader.last_seq() == 5
    with pytest.raises(Fenced):
        store.journal.write(node_change(1, fence=7))


def test_nothing_follows_the_end_of_a_run_not_even_in_its_batch(store: Store) -> None:
    accept(store)
    refused: list[BaseException] = []
    store.journal.post(task_change(State.SUCCESS))
    store.journal.post(node_change(0), refused.append)
    store.journal.post(task_change(State.FAILURE), refused.append)
    with pytest.raises(Fenced):
        store.journal.write(node_change(1))
    eventually(lambda: len(refused) == 2)
    assert node_states(store) == [State.TORUN] * 3
    assert [row.state for row in store.reader.tasks(Wanted(0.0))[0].tasks] == [State.SUCCESS]


@pytest.mark.parametrize(
    "columns",
    [{"exit_code": 2**70}, {"reason": "\ud800"}, {"executor": object()}, {"output": {"a": object()}}],
    ids=["overflow", "surrogate", "type", "json"],
)
def test_a_change_that_cannot_be_stored_is_refused_alone(store: Store, columns: dict[str, Any]) -> None:
    accept(store)
    refused: list[BaseException] = []
    store.journal.post(node_change(0))
    store.journal.post(node_change(1, **columns), refused.append)
    store.journal.post(node_change(1, fence=9), refused.append)
    store.journal.write(node_change(2))

    assert [type(error) for error in refused] == [StoreError, Fenced]
    assert node_states(store) == [State.RUNNING, State.TORUN, State.RUNNING]
    assert [(event.seq, event.node) for event in store.reader.events(0, 10)] == [(1, None), (2, 0), (3, 2)]


def test_verbs_and_changes_of_one_batch_see_each_other(store: Store) -> None:
    accept(store)
    refused: list[BaseException] = []
    greenlets = [
        gevent.spawn(store.journal.post, task_change(State.RUNNING)),
        gevent.spawn(store.journal.claim, TASK, "you", "owner-1", 1),
        gevent.spawn(store.journal.post, node_change(0), refused.append),
        gevent.spawn(store.journal.request_cancel, TASK, "joe", 4.0),
        gevent.spawn(store.journal.write, node_change(1, fence=2)),
    ]
    gevent.joinall(greenlets, raise_error=True)
    eventually(lambda: refused)
    assert greenlets[1].value == 2
    assert greenlets[3].value.state is State.RUNNING
    assert greenlets[3].value.fence == 2
    assert node_states(store) == [State.TORUN, State.RUNNING, State.TORUN]


def test_a_refusal_that_nobody_asked_for_is_logged(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    accept(store)
    store.journal.post(node_change(0, fence=3))
    eventually(lambda: "refused a change" in caplog.text)


def test_a_callback_that_fails_harms_nobody(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    accept(store)

    def fail(error: BaseException) -> None:
        raise RuntimeError("a callback's own fault")

    store.journal.post(node_change(0, fence=3), fail)
    store.journal.write(node_change(0))
    assert "a callback's own fault" in caplog.text


def test_ten_thousand_nodes_do_not_hold_the_hub(store: Store) -> None:
    turns = 0

    def turn() -> None:
        nonlocal turns
        while True:
            gevent.sleep(0.001)
            turns += 1

    ticker = gevent.spawn(turn)
    accept(store, size=10_000)
    accepted = turns
    for number in range(10_000):
        store.journal.post(node_change(number, State.SUCCESS))
        if number % 100 == 0:
            gevent.sleep(1e-6)
    store.journal.write(task_change(State.SUCCESS))
    written = turns
    assert node_states(store) == [State.SUCCESS] * 10_000
    read = turns
    ticker.kill()
    assert min(accepted, written - accepted, read - written) > 3
    assert store.reader.last_seq() == 10_002


def test_a_sync_returns_when_what_was_posted_is_durable(store: Store) -> None:
    accept(store)
    refused: list[BaseException] = []
    store.journal.post(node_change(0))
    store.journal.post(node_change(1, fence=9), refused.append)
    store.journal.sync()
    assert node_states(store)[0] is State.RUNNING
    assert [type(error) for error in refused] == [Fenced]


def test_a_change_may_be_an_event_alone(store: Store) -> None:
    accept(store)
    store.journal.write(Change(Kind.NODE_WAITS, TASK, 1, 4.0))
    (event,) = store.reader.events(1, 10)
    assert (event.kind, event.node, event.attempt, event.data) == (Kind.NODE_WAITS, None, None, {})


def test_a_task_is_read_whole(store: Store) -> None:
    assert store.reader.whole(TASK, digraph=True) is None
    store.journal.accept(Acceptance(TaskRow(TASK, "x", size=1, accepted_at=1.0), "[0]", [(0, "n0", "{}")], "owner-1"))
    store.journal.write(node_change(0))
    for digraph in (False, True):
        whole = store.reader.whole(TASK, digraph=digraph)
        assert whole is not None
        assert (whole.task, whole.nodes) == (store.reader.task(TASK), store.reader.nodes(TASK))
        assert whole.digraph == ("[0]" if digraph else None)
        assert (whole.seq, whole.at) == (2, 2000.25) == store.reader.newest(TASK)
