"""Who is to blame for a node that was not run, looked for in large graphs too; the hub is let go on meanwhile."""

import json

import pytest

from gorchestrator.common.states import State
from gorchestrator.domain.documents import matrix_to_json
from gorchestrator.domain.records import NodeRow, TaskRow, Whole
from gorchestrator.service import why
from gorchestrator.service.tasks import Tasks
from store_support import TASK

SIZE = 300
SUCCESS, FAILURE, NOTRUNNABLE, TORUN = State.SUCCESS, State.FAILURE, State.NOTRUNNABLE, State.TORUN
_CODES = {NOTRUNNABLE: "predecessor"}


class Kept(Tasks):
    """One task, as it would be read from the store."""

    def __init__(self, needs, states, *, matrix=False, **fields):
        size = len(needs)
        cells = [int(row in needs[column]) for row in range(size) for column in range(size)]
        specs = [{"name": f"n{node}", **({} if matrix else {"needs": before})} for node, before in enumerate(needs)]
        specs[0] |= fields
        rows = [NodeRow(TASK, node, state, reason_code=_CODES.get(state)) for node, state in enumerate(states)]
        nodes = [(row, json.dumps(spec)) for row, spec in zip(rows, specs, strict=True)]
        digraph = matrix_to_json(cells) if matrix else None
        self.whole = Whole(TaskRow(TASK, "g", size=size, accepted_at=1.0), nodes, digraph, 1, 1.0)

    def get(self, task_id):
        return self.whole.task

    def show(self, task_id, *, digraph):
        return self.whole

    def node(self, task_id, node):
        return self.whole.nodes[int(node)]


@pytest.fixture
def pauses(monkeypatch):
    found = []
    monkeypatch.setattr(why, "breathe", lambda: found.append(1))
    return found


def explained(tasks, node):
    return why.Explanations(tasks, None, None).why(TASK, str(node))


@pytest.mark.parametrize("matrix", [False, True])
def test_those_before_it_and_those_with_which_it_began(pauses, matrix):
    needs = [[], [], [0], [1], [0, 2, 3]]
    tasks = Kept(needs, [FAILURE, SUCCESS, NOTRUNNABLE, SUCCESS, NOTRUNNABLE], matrix=matrix)
    found = explained(tasks, 4)
    assert [node["node"] for node in found.ended_by["nodes"]] == [0, 2]
    assert [node["node"] for node in found.ended_by["roots"]] == [0]
    assert found.summary == (
        "It was not run: 'n0' (failure), 'n2' (notrunnable) did not succeed. It began with 'n0' (failure)."
    )


@pytest.mark.parametrize("matrix", [False, True])
def test_in_a_dense_graph_the_hub_goes_on(pauses, matrix):
    needs = [list(range(node)) for node in range(SIZE)]
    found = explained(Kept(needs, [FAILURE] + [NOTRUNNABLE] * (SIZE - 1), matrix=matrix), SIZE - 1)
    assert [node["node"] for node in found.ended_by["roots"]] == [0]
    assert len(found.ended_by["nodes"]) == 100
    assert len(pauses) > 20  # for 44,850 edges


def test_of_many_that_it_waits_for_a_few_are_told(pauses):
    needs = [[] for _ in range(SIZE)] + [[*range(SIZE)]]
    found = explained(Kept(needs, [SUCCESS, *[TORUN] * SIZE]), SIZE)
    assert (len(found.waits_for["nodes"]), found.waits_for["all"]) == (100, SIZE - 1)
    assert found.summary == (
        "It waits for 'n1' (torun), 'n2' (torun), 'n3' (torun), 'n4' (torun), 'n5' (torun) and 294 more."
    )


def test_a_failure_that_is_allowed_stands_in_nobodys_way(pauses):
    found = explained(Kept([[], [], [0, 1]], [FAILURE, FAILURE, NOTRUNNABLE], allow_failure=True), 2)
    assert [node["node"] for node in found.ended_by["nodes"]] == [1]
