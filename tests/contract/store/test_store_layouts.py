"""The edges of a task, out of whatever they were submitted as, and the drawing that is kept with it."""

import json

from gorchestrator.domain.records import Acceptance, TaskRow
from gorchestrator.store import Store
from store_support import ME, OTHER, TASK, accept


def accept_with(store: Store, needs: list[list[int]], task: str = TASK) -> None:
    nodes = [(n, f"n{n}", json.dumps({"name": f"n{n}", "needs": before})) for n, before in enumerate(needs)]
    store.journal.accept(Acceptance(TaskRow(task, "x", size=len(needs), accepted_at=1.0), None, nodes, ME))


def test_needs_come_in_the_order_of_the_nodes(store: Store) -> None:
    needs = [[], [0], [0, 1], *([n, n + 1] for n in range(2000))]
    accept_with(store, needs)
    accept_with(store, [[], [0]], OTHER)
    assert json.loads(store.reader.edges(TASK) or "") == {"size": 2003, "needs": needs}
    assert json.loads(store.reader.edges(OTHER) or "") == {"size": 2, "needs": [[], [0]]}


def test_a_matrix_comes_as_it_was_submitted(store: Store) -> None:
    nodes = [(0, "a", '{"name":"a"}'), (1, "b", '{"name":"b"}')]
    store.journal.accept(Acceptance(TaskRow(TASK, "x", size=2, accepted_at=1.0), "[0,1,0,0]", nodes, ME))
    assert json.loads(store.reader.edges(TASK) or "") == {"size": 2, "digraph": [0, 1, 0, 0]}


def test_an_unknown_task_has_neither(store: Store) -> None:
    assert store.reader.edges(TASK) is None
    assert store.reader.layout(TASK) is None


def test_the_first_drawing_of_a_task_is_kept(store: Store) -> None:
    accept(store)
    assert store.reader.layout(TASK) is None
    seq = store.reader.last_seq()
    store.journal.keep_layout(TASK, b"\x00first")
    store.journal.keep_layout(TASK, b"second")
    assert store.reader.layout(TASK) == b"\x00first"
    assert store.reader.last_seq() == seq  # nothing has happened to the task
    assert store.reader.layout(OTHER) is None
