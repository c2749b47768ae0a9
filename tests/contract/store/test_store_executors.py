"""Where executors are is kept as long as something runs there, whatever the settings name."""

from gorchestrator.common.states import State
from gorchestrator.domain.records import AttemptRow, Change, Kind, NodeRow
from gorchestrator.store import Store
from store_support import TASK, accept, task_change


def attempt(state: State, executor: str = "goes") -> Change:
    """Return a change of the only attempt of a node."""
    kind = Kind.NODE_FINAL if state.final else Kind.NODE_RUNNING
    row = AttemptRow(TASK, 0, 1, executor, "instance", (), state=state)
    return Change(kind, TASK, 1, 2000.25, node_row=NodeRow(TASK, 0, state, attempt=1), attempt_row=row)


def known(store: Store) -> list[str | None]:
    store.journal.sync()
    return [store.reader.executor(name) for name in ("stays", "goes")]


def test_what_is_named_is_known_as_it_was_told_last(store: Store) -> None:
    assert known(store) == [None, None]
    store.journal.remember_executors({"stays": "here", "goes": "there"})
    assert known(store) == ["here", "there"]
    store.journal.remember_executors({"stays": "elsewhere", "goes": "there"})
    assert known(store) == ["elsewhere", "there"]


def test_what_is_named_no_more_is_forgotten_when_nothing_runs_there(store: Store) -> None:
    accept(store, size=1)
    store.journal.remember_executors({"stays": "here", "goes": "there"})
    store.journal.write(attempt(State.RUNNING))
    store.journal.remember_executors({"stays": "here"})
    assert known(store) == ["here", "there"]
    store.journal.write(attempt(State.SUCCESS))
    store.journal.remember_executors({"stays": "here"})
    assert known(store) == ["here", None]


def test_what_runs_elsewhere_does_not_keep_it(store: Store) -> None:
    accept(store, size=1)
    store.journal.remember_executors({"stays": "here", "goes": "there"})
    store.journal.write(attempt(State.RUNNING, "stays"))
    store.journal.remember_executors({"stays": "here"})
    assert known(store) == ["here", None]


def test_a_task_that_has_ended_does_not_keep_it(store: Store) -> None:
    accept(store, size=1)
    store.journal.remember_executors({"goes": "there"})
    store.journal.write(attempt(State.RUNNING))
    store.journal.write(task_change(State.FAILURE))
    store.journal.remember_executors({"stays": "here"})
    assert known(store) == ["here", None]
