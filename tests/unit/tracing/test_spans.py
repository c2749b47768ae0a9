"""Spans out of rows: times, parents, states and links."""

import gzip
from typing import Any

import pytest

from gorchestrator.common.states import State
from gorchestrator.common.traceparent import span_of, trace_of
from gorchestrator.domain.records import AttemptRow, NodeRow, TaskRow, TracedNode
from gorchestrator.tracing.spans import Batch
from tracing_support import OtlpReceiver, Seen

TASK = 32 * "a"
OTHER = 32 * "b"


def task(**columns: Any) -> TaskRow:
    return TaskRow(TASK, "graph", **{"state": State.SUCCESS, "accepted_at": 10.5, "stopped_at": 20.5, **columns})


def attempt(number: int, begun: float, over: float | None, **columns: Any) -> AttemptRow:
    return AttemptRow(TASK, 0, number, "east", "i", started_at=begun, stopped_at=over, **columns)


def node(row: NodeRow, *attempts: AttemptRow) -> TracedNode:
    return TracedNode("node", "shell", row, attempts)


def sent(whole: TaskRow, *nodes: TracedNode, context: str = "") -> list[Seen]:
    batch = Batch()
    assert batch.add_nodes(whole, nodes, 1000) == len(nodes)
    batch.add_task(whole, context)
    assert len(batch) == 1 + len(nodes) + sum(len(each.attempts) for each in nodes)
    receiver = OtlpReceiver()
    receiver.take(batch.packed())
    return receiver.spans


def test_a_node_begins_with_its_first_attempt_and_times_are_exact() -> None:
    at = 1_700_000_000.123457
    tries = (attempt(1, at, at + 1, state=State.FAILURE), attempt(2, at + 2, at + 3, state=State.SUCCESS))
    row = NodeRow(TASK, 0, State.SUCCESS, attempt=2, started_at=at + 2, stopped_at=at + 3)
    found = {span.id: span for span in sent(task(), node(row, *tries))}
    whole = found[span_of(TASK, 0)]
    assert (whole.begun, whole.over) == (1_700_000_000_123_457_000, 1_700_000_003_123_457_000)
    assert [found[span_of(TASK, 0, number)].parent for number in (1, 2)] == [whole.id] * 2
    assert whole.parent == span_of(TASK)


@pytest.mark.parametrize(
    ("state", "failed"),
    [
        (State.SUCCESS, False),
        (State.FAILURE, True),
        (State.TIMEOUT, True),
        (State.CANCELED, False),
        (State.NOTRUNNABLE, False),
    ],
)
def test_what_has_failed_is_an_error(state: State, failed: bool) -> None:
    row = NodeRow(TASK, 0, state, "a reason" * 1000, "exit", stopped_at=12.0)
    (found,) = [span for span in sent(task(), node(row)) if span.parent]
    assert found.failed is failed
    assert found.about.get("error.type") == ("exit" if failed else None)
    assert found.about["gorch.state"] == state.label
    assert len(found.about["gorch.reason"]) == 1024
    assert found.begun == found.over == 12_000_000_000


def test_what_never_ended_ends_with_its_task() -> None:
    row = NodeRow(TASK, 0, State.RUNNING, attempt=1, started_at=12.0)
    found = sent(task(state=State.FAILURE), node(row, attempt(1, 12.0, None)), node(NodeRow(TASK, 1)))
    assert {span.over for span in found} == {20_500_000_000}


def test_clocks_that_differ_make_no_span_of_less_than_nothing() -> None:
    row = NodeRow(TASK, 0, State.SUCCESS, attempt=1, started_at=12.0, stopped_at=11.0)
    assert all(span.begun <= span.over for span in sent(task(), node(row, attempt(1, 12.0, 11.0))))


def test_links_lead_to_who_submitted_and_to_what_is_repeated() -> None:
    context = f"00-{32 * 'c'}-{16 * 'd'}-01"
    (root,) = sent(task(rerun_of=OTHER, labels={"team": "red"}), context=context)
    assert root.links == ((32 * "c", 16 * "d"), (trace_of(OTHER), span_of(OTHER)))
    assert (root.trace, root.id, root.parent) == (trace_of(TASK), span_of(TASK), "")
    assert root.about["gorch.label.team"] == "red"


def test_a_batch_is_small_and_ends_with_a_whole_node() -> None:
    batch = Batch()
    nodes = [node(NodeRow(TASK, number, State.SUCCESS, stopped_at=12.0)) for number in range(600)]
    assert batch.add_nodes(task(), nodes, 500) == 500
    assert len(batch.packed()) < 50_000
    assert len(gzip.decompress(batch.packed())) < 500_000
    tries = [attempt(number, 11.0, 12.0, state=State.FAILURE) for number in range(1, 8)]
    batch = Batch()
    assert batch.add_nodes(task(), [node(NodeRow(TASK, number), *tries) for number in range(9)], 10) == 2
    assert len(batch) == 16
