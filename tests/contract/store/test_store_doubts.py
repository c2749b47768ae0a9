"""What people say of attempts of which nobody knows how they ended, and how long tasks with a deadline have run."""

import time

import pytest

from gorchestrator.common.reasons import ReasonCode
from gorchestrator.common.states import State
from gorchestrator.domain.errors import NotInDoubt
from gorchestrator.domain.records import Answer, AttemptRow, Change, Kind, NodeRow, OwnerRow, Resolution
from gorchestrator.store import Store
from store_support import ME, OTHER, TASK, accept


def dispatched(store: Store, code: ReasonCode | None, *, attempt: State = State.RUNNING, node: State = State.RUNNING):
    """Bring node 0 of the task into its second attempt."""
    accept(store)
    row = NodeRow(TASK, 0, node, "why it is so", code, attempt=2)
    kept = AttemptRow(TASK, 0, 2, "ex", "instance", state=attempt)
    store.journal.write(Change(Kind.NODE_RUNNING, TASK, 1, 1.0, node_row=row, attempt_row=kept))


def said(answer: str = "success", actor: str = "ann", **output: str) -> Resolution:
    return Resolution(TASK, 0, 0, Answer(answer), output, actor, 7.5)


@pytest.mark.parametrize("code", ["executor_unreachable", "executor_refused", "canceling", "deadline"])
def test_a_word_is_taken_where_nobody_answers(store: Store, code: str) -> None:
    dispatched(store, ReasonCode(code))
    taken = store.journal.resolve(said(colour="blue"))
    assert taken == Resolution(TASK, 0, 2, Answer.SUCCESS, {"colour": "blue"}, "ann", 7.5)
    assert store.reader.resolutions(TASK) == [taken]
    assert store.reader.resolutions(OTHER) == []
    event = store.reader.events(0, 10)[-1]
    assert (event.kind, event.node, event.attempt, event.actor) == (Kind.NODE_RESOLVE, 0, 2, "ann")
    assert event.data == {"state": 2, "answer": "success"}


def test_a_node_that_asks_needs_no_attempt_that_runs(store: Store) -> None:
    dispatched(store, ReasonCode.ASK, attempt=State.FAILURE, node=State.TORUN)
    assert store.journal.resolve(said("retry")).attempt == 2


@pytest.mark.parametrize(
    ("columns", "why"),
    [
        ({"code": None}, "Only a node that asks"),
        ({"code": ReasonCode.SLOT, "node": State.TORUN}, r"\(why it is so\)"),
        ({"code": ReasonCode.EXECUTOR_UNREACHABLE, "attempt": State.FAILURE, "node": State.TORUN}, "Only a node"),
        ({"code": ReasonCode.LOST, "node": State.FAILURE, "attempt": State.FAILURE}, "It has ended in failure"),
    ],
)
def test_elsewhere_there_is_nothing_to_resolve(store: Store, columns: dict[str, object], why: str) -> None:
    dispatched(store, **columns)  # type: ignore[arg-type]
    before = store.reader.last_seq()
    with pytest.raises(NotInDoubt, match=why):
        store.journal.resolve(said())
    assert store.reader.resolutions(TASK) == []
    assert store.reader.last_seq() == before


def test_a_node_that_has_not_begun_cannot_be_resolved(store: Store) -> None:
    accept(store)
    with pytest.raises(NotInDoubt, match=r"\(torun\)"):
        store.journal.resolve(said())


def test_the_same_word_again_is_the_first_one_and_another_is_refused(store: Store) -> None:
    dispatched(store, ReasonCode.EXECUTOR_UNREACHABLE)
    first = store.journal.resolve(said())
    assert store.journal.resolve(said(actor="ben")) == first
    for other in (said("failure"), said(colour="blue")):
        with pytest.raises(NotInDoubt, match="attempt 2 was resolved as success by ann before"):
            store.journal.resolve(other)
    assert store.reader.resolutions(TASK) == [first]


def test_in_a_canceled_task_nothing_is_tried_again(store: Store) -> None:
    dispatched(store, ReasonCode.CANCELING)
    store.journal.request_cancel(TASK, "me", 5.0)
    with pytest.raises(NotInDoubt, match="is being stopped"):
        store.journal.resolve(said("retry"))
    assert store.journal.resolve(said("failure")).answer is Answer.FAILURE


def test_a_beat_tells_how_long_own_tasks_have_run(store: Store) -> None:
    store.journal.register(OwnerRow(ME, "here", 17, 1.0))
    accept(store, deadline=60.0)
    accept(store, OTHER, deadline=60.0)
    store.journal.claim(OTHER, "somebody else", ME, 1)
    before = time.time()
    assert store.journal.beat(ME, {TASK: 12.5, OTHER: 99.0, "unknown": 1.0}) is True
    mine, other = store.reader.task(TASK), store.reader.task(OTHER)
    assert mine is not None
    assert mine.seen_at is not None
    assert (mine.deadline, mine.elapsed) == (60.0, 12.5)
    assert before - 1 <= mine.seen_at <= time.time() + 1
    assert other is not None
    assert (other.elapsed, other.seen_at) == (0.0, 1000.5)


def test_in_a_task_that_its_deadline_stops_nothing_is_tried_again(store: Store) -> None:
    dispatched(store, ReasonCode.DEADLINE)
    with pytest.raises(NotInDoubt, match="is being stopped"):
        store.journal.resolve(said("retry"))
