"""Tasks beyond the limits go with all that belongs to them, oldest end first; what is open stays, whatever happens."""

import itertools
import random
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import gevent
import pytest

from gorchestrator.common.states import State
from gorchestrator.domain.errors import StoreError
from gorchestrator.domain.listing import Wanted
from gorchestrator.domain.records import Acceptance, AttemptRow, Change, Kind, LogChunk, Request, TaskRow
from gorchestrator.domain.retention import Limits
from gorchestrator.service.retention import Retention
from gorchestrator.store import Store, connection, removing, schema, sweeping
from gorchestrator.store.feed import Feed
from gorchestrator.store.turns import turn
from store_support import ME, accept, eventually, node_change, processes, task_ids

TABLES = ("tasks", "specs", "nodes", "attempts", "events", "documents", "layouts", "labels", "log_chunks", "remains")


def name(number: int) -> str:
    return f"{number:032x}"


def ended(store: Store, number: int, ago: float = 1000.0, size: int = 3, log: int = 100) -> str:
    """Store a task with a row in each table that ended ``ago`` seconds before now."""
    task, now = name(number), time.time()
    row = TaskRow(task, "test", size=size, accepted_at=now - ago - 1, labels={"team": "a", "n": str(number)})
    nodes = [(i, f"n{i}", f'{{"name":"n{i}"}}') for i in range(size)]
    store.journal.accept(Acceptance(row, "[[0]]", nodes, ME, request=Request(f"key-{number}", "digest")))
    for node in range(size):
        attempt = AttemptRow(task, node, 1, "executor", "instance", {}, State.SUCCESS)
        store.journal.post(Change(Kind.NODE_FINAL, task, 1, now, attempt_row=attempt))
        store.journal.post(node_change(node, State.SUCCESS, task, output={"x": "y" * 50}))
        store.journal.append_log(LogChunk(task, node, 1, 0, b"x" * log))
        store.journal.flush_logs(task, node, 1)
    store.journal.keep_layout(task, b"drawn")
    final = TaskRow(task, "test", State.SUCCESS, stopped_at=now - ago)
    store.journal.write(Change(Kind.TASK_FINAL, task, 1, now - ago, task_row=final))
    return task


def count(path: Path, *, of: str | None = None) -> dict[str, int]:
    """Return how many rows each table has; ``of`` a task or of all."""
    with closing(sqlite3.connect(path)) as opened:
        found = {}
        for table in TABLES:
            key = "id" if table == "tasks" else "task"
            where = "" if of is None else f" WHERE {key} = '{of}'"
            (found[table],) = opened.execute(f"SELECT count(*) FROM {table}{where}").fetchone()
        return found


def sweep(store: Store, **limits: float) -> sweeping.Sweep:
    done = sweeping.Sweep(
        lambda: store.reader.due(Limits(**limits)),  # type: ignore[arg-type]
        store.journal.maintain,
        lambda _: gevent.sleep(0),
    )
    done.run()
    return done


def test_what_is_too_old_goes_with_all_that_belongs_to_it(store: Store, path: Path) -> None:
    old, young = ended(store, 1, ago=2000), ended(store, 2, ago=50)
    accept(store, name(3), at=1.0)
    before, (_, last) = count(path, of=young), store.reader.kept()
    done = sweep(store, age=1000)
    assert done.tasks == 1
    assert set(count(path, of=old).values()) == {0}
    assert count(path, of=young) == before
    assert task_ids(store) == [young, name(3)]
    assert store.reader.kept() == (first_of(path, young) - 1, last)
    assert store.reader.totals().tasks == {State.SUCCESS: 1, State.INITIAL: 1}


def first_of(path: Path, task: str) -> int:
    with closing(sqlite3.connect(path)) as opened:
        return int(opened.execute("SELECT min(seq) FROM events WHERE task = ?", (task,)).fetchone()[0])


def test_so_many_are_kept_as_the_limit_says_and_those_ended_last(store: Store) -> None:
    tasks = [ended(store, number, ago=1000 - 100 * number) for number in (3, 1, 2, 5, 4)]
    accept(store, name(9))
    assert sweep(store, count=2).tasks == 3
    assert set(task_ids(store)) == {tasks[3], tasks[4], name(9)}
    assert sweep(store, count=2).steps == 0


def test_what_is_open_or_has_just_ended_stays_whatever_the_limits_are(store: Store) -> None:
    accept(store, name(1), at=1.0)
    ended(store, 2, ago=1)
    ended(store, 3, ago=100)
    assert sweep(store, age=0.001, count=1, size=1).tasks == 1
    assert set(task_ids(store)) == {name(1), name(2)}


def test_without_limits_nothing_goes(store: Store) -> None:
    ended(store, 1, ago=1e9)
    assert sweep(store).steps == 0


def test_by_size_the_oldest_go_until_it_fits_and_the_file_shrinks(store: Store, path: Path) -> None:
    for number in range(40):
        ended(store, number, ago=10_000 - number, log=200_000)
    store.reader.checkpoint()
    full = path.stat().st_size
    assert full > 40 * 3 * 200_000
    limit = full // 2
    done = sweep(store, size=limit)
    store.reader.checkpoint()
    assert 15 <= done.tasks <= 25
    assert name(39) in task_ids(store)
    assert name(0) not in task_ids(store)
    spare = removing._SPARE * 4096
    assert limit * 0.9 < path.stat().st_size < limit + spare + 65536
    given_back = (full - path.stat().st_size) // 4096
    assert done.steps < given_back / 10  # a step gives many pages back
    with closing(sqlite3.connect(path)) as opened:
        assert opened.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_the_file_gets_small_when_nobody_reads_any_more_what_it_was(store: Store, path: Path) -> None:
    for number in range(8):
        ended(store, number, size=1, log=2_000_000)
    store.reader.checkpoint()
    full = path.stat().st_size
    retention = Retention(store, Limits(count=1))
    with closing(connection.reading(path)) as other:
        other.execute("BEGIN")
        other.execute("SELECT count(*) FROM tasks").fetchone()
        for _ in range(2):
            retention.look()
            assert task_ids(store) == [name(7)]
            assert path.stat().st_size >= full
    retention.look()
    assert path.stat().st_size < full * 0.6


def test_a_large_task_goes_in_many_steps_and_nobody_sees_half_of_it(store: Store, path: Path) -> None:
    task = ended(store, 1, size=1000)
    seen = []

    def look(_: float) -> None:
        seen.append(store.reader.whole(task, digraph=True))
        assert task_ids(store) == []

    done = sweeping.Sweep(lambda: store.reader.due(Limits(age=1)), store.journal.maintain, look)
    done.run()
    assert done.steps >= 3
    assert seen == [None] * done.steps
    assert set(count(path).values()) == {0}


def test_a_request_is_remembered_longer_than_its_task(store: Store) -> None:
    task = ended(store, 1)
    sweep(store, age=1)
    assert store.reader.same_request(Request("key-1", "digest"), time.time()) == task


def test_a_layout_that_comes_too_late_is_not_kept(store: Store, path: Path) -> None:
    task = ended(store, 1)
    sweep(store, age=1)
    store.journal.keep_layout(task, b"late")
    assert count(path)["layouts"] == 0


def test_a_page_goes_on_behind_tasks_that_are_gone(store: Store) -> None:
    tasks = [ended(store, number, ago=1000 - 10 * number) for number in range(10)]
    page = store.reader.tasks(Wanted(now=0.0, limit=4))[0]
    assert [row.id for row in page.tasks] == tasks[:5:-1]
    sweep(store, count=7)
    rest = store.reader.tasks(Wanted(now=0.0, limit=10, after=page.next))[0]
    assert [row.id for row in rest.tasks] == tasks[5:2:-1]


# -- streams


def follow(feed: Feed, after: int, task: str | None = None) -> Iterator[int]:
    for events in feed.follow(after, task, 0.05):
        yield from (event.seq for event in events)


def test_a_stream_that_keeps_up_goes_on_and_one_that_is_behind_ends(store: Store) -> None:
    accept(store, name(9), size=500)
    ended(store, 1, size=400)
    slow = store.feed.follow(0, None, 60.0)
    next(slow)
    heard: list[int] = []
    last = store.reader.last_seq()
    reader = gevent.spawn(lambda: heard.extend(follow(store.feed, last)))
    eventually(lambda: store.feed.followers == 2)
    gevent.sleep(0.1)
    store.journal.write(node_change(0, task=name(9)))
    sweep(store, age=1)
    store.journal.write(node_change(1, task=name(9)))
    eventually(lambda: heard == [last + 1, last + 2])
    assert list(slow) == []
    reader.kill()


def test_a_stream_of_a_task_that_is_kept_misses_nothing(store: Store) -> None:
    accept(store, name(9), size=5)
    ended(store, 1)
    stream = follow(store.feed, 0, name(9))
    first = next(stream)
    store.journal.write(node_change(0, task=name(9)))
    sweep(store, age=1)
    assert (first, next(stream)) == (1, store.reader.last_seq())


def test_a_stream_of_a_task_that_is_removed_ends(store: Store) -> None:
    task = ended(store, 1, size=400)
    stream = store.feed.follow(0, task, 0.01)
    next(stream)
    sweep(store, age=1)
    list(stream)


# -- the command's way


def test_a_preview_tells_what_would_go_and_changes_nothing(store: Store, path: Path) -> None:
    for number in range(20):
        ended(store, number, ago=1000 - number, log=50_000)
    store.close()
    before = path.read_bytes()
    tasks, size, room = sweeping.preview(path, Limits(count=5))
    assert path.read_bytes() == before
    assert (tasks, room.ended, room.file) == (15, 20, path.stat().st_size)
    done, room = sweeping.sweep(path, Limits(count=5))
    assert (done.tasks, done.size, room.ended) == (tasks, size, 5)
    assert 0.7 < size / (15 * 3 * 50_000) < 1.3
    assert sweeping.preview(path, Limits(count=5))[:2] == (0, 0)


def test_one_at_a_time_and_nobody_where_the_database_is_another(store: Store, path: Path) -> None:
    with turn(path) as mine, turn(path) as second:
        assert (mine, second) == (True, False)
        with pytest.raises(StoreError, match="Another process removes tasks"):
            sweeping.sweep(path, Limits(age=1))
    with pytest.raises(StoreError, match=r"There is no database .*--data"):
        sweeping.sweep(path.with_name("none"), Limits(age=1))
    store.close()
    with closing(sqlite3.connect(path)) as opened, opened:
        opened.execute("UPDATE alembic_version SET version_num = ?", (schema.REVISIONS[0],))
    with pytest.raises(StoreError, match="gorch db upgrade"):
        sweeping.preview(path, Limits(age=1))


# -- beside what runs, and when it is killed


def test_killed_at_any_moment_it_leaves_a_store_that_is_whole(store: Store, path: Path) -> None:
    kept = [ended(store, number, ago=50, size=50) for number in (100, 101)]
    accept(store, name(102), size=50)
    new = itertools.count()
    before = {task: count(path, of=task) for task in (*kept, name(102))}
    halves = 0
    while not halves or count(path)["remains"]:
        if not halves:  # a kill may come late, when all is gone: then there is more
            for number in itertools.islice(new, 40):
                ended(store, number, size=40, log=3000)
        with processes(path, ("remove", 500)) as (process,):
            for _ in range(random.randint(1, 8) if halves else 1):
                process.line()
            process.kill()
        found = count(path)
        halves += found["remains"] > 0
        listed = set(task_ids(store, limit=1000))
        assert {*kept, name(102)} <= listed
        for task in listed:
            assert count(path, of=task)["specs"] in (40, 50)
    sweep(store, age=500)
    assert {task: count(path, of=task) for task in before} == before
    assert count(path)["events"] == sum(each["events"] for each in before.values())
    with closing(sqlite3.connect(path)) as opened:
        assert opened.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
