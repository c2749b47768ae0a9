"""A task is drawn once, for all who ask at once, and is drawn even if the drawing cannot be kept."""

import json

import gevent
import pytest

from gorchestrator.domain.errors import NoLayout, StoreUnavailable, UnknownTask
from gorchestrator.domain.graph import Graph, Node
from gorchestrator.domain.records import Acceptance, TaskRow
from gorchestrator.service.layouts import Layouts
from gorchestrator.store import Store
from store_support import ME, OTHER, TASK


class Pencil:
    """Draws slowly, and counts; fails as often as it is told."""

    def __init__(self):
        self.asked = []
        self.faults = []

    def draw(self, graph):
        self.asked.append(json.loads(graph))
        gevent.sleep(0.05)
        if self.faults:
            raise self.faults.pop()
        return f"drawing {len(self.asked)}".encode()


@pytest.fixture
def store(tmp_path):
    found = Store.open(tmp_path / "test.db")
    nodes = [(0, "a", '{"name":"a","needs":[]}'), (1, "b", '{"name":"b","needs":[0]}')]
    found.journal.accept(Acceptance(TaskRow(TASK, "x", size=2, accepted_at=1.0), None, nodes, ME))
    yield found
    found.close()


@pytest.fixture
def pencil():
    return Pencil()


@pytest.fixture
def layouts(store, pencil):
    return Layouts(store, pencil.draw)


def at_once(layouts, times=5):
    asked = [gevent.spawn(layouts.of_task, TASK) for _ in range(times)]
    gevent.joinall(asked)
    return asked


def test_it_is_drawn_once(layouts, store, pencil):
    assert {greenlet.value for greenlet in at_once(layouts)} == {b"drawing 1"}
    assert layouts.of_task(TASK) == Layouts(store, pencil.draw).of_task(TASK) == b"drawing 1"
    assert pencil.asked == [{"size": 2, "needs": [[], [0]]}]


def test_who_asks_together_fails_together_and_the_next_one_tries_again(layouts, pencil):
    pencil.faults.append(NoLayout())
    assert {type(greenlet.exception) for greenlet in at_once(layouts)} == {NoLayout}
    assert layouts.of_task(TASK) == b"drawing 2"


def test_what_another_process_has_drawn_meanwhile_is_shown(layouts, store):
    asked = gevent.spawn(layouts.of_task, TASK)
    gevent.sleep(0.01)
    store.journal.keep_layout(TASK, b"of another one")
    assert asked.get() == b"of another one"


def test_it_is_shown_even_if_it_cannot_be_kept(layouts, store, monkeypatch):
    def full(*_):
        raise StoreUnavailable

    monkeypatch.setattr(store.journal, "keep_layout", full)
    assert layouts.of_task(TASK) == b"drawing 1"
    assert layouts.of_task(TASK) == b"drawing 2"


def test_an_unknown_task_is_not_drawn(layouts, pencil):
    with pytest.raises(UnknownTask):
        layouts.of_task(OTHER)
    assert pencil.asked == []


def test_a_graph_that_is_no_task_is_drawn_too(layouts, pencil):
    nodes = tuple(Node(number, str(number), needs=tuple(range(number))) for number in range(3))
    assert layouts.of_graph(Graph("x", nodes)) == b"drawing 1"
    assert pencil.asked == [{"size": 3, "needs": [[], [0], [0, 1]]}]
