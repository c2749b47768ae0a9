"""A large task runs again without holding the hub; the new task has what the old one had."""

from types import SimpleNamespace

import gevent
import pytest

from gorchestrator.common.states import State
from gorchestrator.domain.build import build
from gorchestrator.domain.records import Change, Kind, TaskRow
from gorchestrator.service import Reruns, Submissions, Tasks, reruns, submissions
from gorchestrator.store import Store
from store_support import ME, node_change

SIZE = 4000


@pytest.fixture
def store(tmp_path):
    found = Store.open(tmp_path / "test.db")
    yield found
    found.close()


def test_all_that_is_taken_over_is_copied_in_slices(store, monkeypatch):
    run = []
    taken = Submissions(
        store=store,
        scheduler=SimpleNamespace(run=run.append),
        ownership=SimpleNamespace(id=ME),
        fleet=SimpleNamespace(engines=lambda: None),
        intake=submissions.Intake(open_runs=10, max_edges=100),
    )
    task = taken.start(build({"nodes": [{"name": f"n{node}"} for node in range(SIZE)]}), None)
    for node in range(SIZE - 1):
        store.journal.post(node_change(node, State.SUCCESS, task, output={"a": str(node)}))
    store.journal.post(node_change(SIZE - 1, State.FAILURE, task))
    store.journal.write(Change(Kind.TASK_FINAL, task, 1, 3.0, task_row=TaskRow(task, "", State.FAILURE)))
    pauses = []
    for module in (reruns, submissions):
        monkeypatch.setattr(module, "breathe", lambda module=module: (pauses.append(module), gevent.sleep(0)))
    Reruns(Tasks(store), taken).rerun(task, preview=True)
    looked = pauses.count(reruns)
    pauses.clear()
    found = Reruns(Tasks(store), taken).rerun(task)
    assert ([number for number, _ in found.runs], len(found.reused)) == ([SIZE - 1], SIZE - 1)
    new = run[-1]
    assert (new.task.id, new.task.rerun_of) == (found.task, task)
    assert [row.task for row in new.nodes] == [found.task] * SIZE
    assert [(row.state, row.output) for row in new.nodes[:2]] == [(3, {"a": "0"}), (3, {"a": "1"})]
    assert new.nodes[-1].state is State.TORUN
    assert Reruns(Tasks(store), taken).made(found.task) == found
    assert pauses.count(reruns) >= looked + SIZE / 500  # of what is taken over
    assert pauses.count(submissions) >= SIZE / 100 * 2  # of the graph, and of what is taken over
