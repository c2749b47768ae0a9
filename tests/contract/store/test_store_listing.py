"""The list of tasks: filtered, sorted, page by page; always what sorting all of them in Python gives."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gorchestrator.common.states import State
from gorchestrator.domain.listing import Place, Sort, Wanted
from gorchestrator.domain.records import Kind, TaskRow
from gorchestrator.store import Store, listing
from store_support import accept, task_change, task_ids

NOW = 2000.0
ENDS = (None, State.SUCCESS, State.FAILURE, State.CANCELED)
NAMES = ("Deploy web", "deploy_db", "deploy%", "größe", "nightly", "")


@pytest.fixture
def tasks(store: Store) -> list[TaskRow]:
    """Return 40 tasks of the store, some of the same moment, name, state and duration."""
    for number in range(40):
        task, labels = f"{number:032x}", {"team": "ab"[number % 2], "tier": str(number % 3)}
        if number % 5 == 0:
            labels["nightly"] = ""
        row = accept(store, task, size=1, at=1000.0 + number // 2, labels=labels)
        started = 1100.0 + number // 3
        if number % 4:
            store.journal.write(task_change(State.RUNNING, task, started_at=started))
            if end := ENDS[number % 4]:
                store.journal.write(task_change(end, task, started_at=started, stopped_at=started + number % 7))
        assert row.name == "test"
    with closing(sqlite3.connect(store.path)) as connection, connection:
        for number in range(40):
            name = NAMES[number % len(NAMES)]
            connection.execute("UPDATE tasks SET name = ? WHERE id = ?", (name, f"{number:032x}"))
    found = [store.reader.task(f"{number:032x}") for number in range(40)]
    return [row for row in found if row is not None]


def duration(row: TaskRow) -> float:
    return -1 if row.started_at is None else (row.stopped_at or NOW) - row.started_at


KEYS: dict[Sort, Callable[[TaskRow], Any]] = {
    Sort.ACCEPTED: lambda row: row.accepted_at,
    Sort.STARTED: lambda row: -1 if row.started_at is None else row.started_at,
    Sort.DURATION: duration,
    Sort.NAME: lambda row: row.name.encode(),
    Sort.STATE: lambda row: row.state,
}
FILTERS: list[tuple[dict[str, Any], Callable[[TaskRow], bool]]] = [
    ({}, lambda row: True),
    ({"states": frozenset({State.FAILURE, State.INITIAL})}, lambda row: row.state in {State.FAILURE, State.INITIAL}),
    ({"name": "DEPLOY"}, lambda row: "deploy" in row.name.lower()),
    ({"name": "y_d"}, lambda row: "y_d" in row.name),
    ({"name": "%"}, lambda row: "%" in row.name),
    ({"name": "öß"}, lambda row: "öß" in row.name),
    ({"since": 1005.0, "until": 1010.0}, lambda row: 1005 <= row.accepted_at < 1010),
    ({"labels": (("team", "a"),)}, lambda row: row.labels["team"] == "a"),
    ({"labels": (("nightly", None),)}, lambda row: "nightly" in row.labels),
    (
        {"labels": (("tier", None), ("team", "b"), ("nightly", None)), "name": "e"},
        lambda row: row.labels["team"] == "b" and "nightly" in row.labels and "e" in row.name.lower(),
    ),
    ({"labels": (("absent", "x"),)}, lambda row: False),
]


@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize("sort", Sort)
def test_pages_are_what_sorting_all_of_them_gives(
    store: Store, tasks: list[TaskRow], sort: Sort, descending: bool
) -> None:
    for fields, matches in FILTERS:
        wanted = Wanted(now=NOW, sort=sort, descending=descending, limit=7, **fields)
        found: list[TaskRow] = []
        while True:
            page, seq = store.reader.tasks(wanted)
            found += page.tasks
            if page.next is None:
                break
            assert len(page.tasks) == wanted.limit
            wanted = replace(wanted, after=page.next)
        expected = sorted(filter(matches, tasks), key=lambda row: (KEYS[sort](row), row.id), reverse=descending)
        assert found == expected, fields
    assert seq == store.reader.last_seq()


def test_a_task_that_comes_meanwhile_moves_no_page(store: Store, tasks: list[TaskRow]) -> None:
    page, _ = store.reader.tasks(Wanted(now=NOW, limit=5))
    accept(store, "f" * 32, at=NOW)
    second, _ = store.reader.tasks(Wanted(now=NOW, limit=5, after=page.next))
    assert [row.id for row in page.tasks + second.tasks] == [row.id for row in reversed(tasks)][:10]
    assert task_ids(store, limit=1) == ["f" * 32]


def test_the_state_of_a_task_in_the_list_is_its_newest(store: Store, tasks: list[TaskRow]) -> None:
    (task,) = task_ids(store, limit=1, states=frozenset({State.RUNNING, State.INITIAL}))
    change = task_change(State.FAILURE, task, stopped_at=3.0)
    store.journal.write(replace(change, kind=Kind.TASK_FINAL))
    assert task not in task_ids(store, states=frozenset({State.RUNNING, State.INITIAL}))


@pytest.mark.parametrize("sort", Sort)
def test_a_page_is_found_in_the_index_alone(store: Store, path: Path, sort: Sort) -> None:
    wanted = Wanted(NOW, frozenset({State.FAILURE}), "x", (), 1.0, 2.0, sort, after=Place(1, "a"))
    query, parameters = listing._query(listing._shape(wanted)), listing._parameters(wanted)
    with closing(sqlite3.connect(path)) as connection:
        plan = [row[3] for row in connection.execute(f"explain query plan {query}", parameters)]
    assert any("tasks USING COVERING INDEX tasks_list" in step for step in plan), plan
