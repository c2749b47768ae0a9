"""What happens, as server-sent events: resumed without a gap or a repeat, whichever worker answers."""

import sqlite3
import threading
import time
from contextlib import ExitStack, closing

import pytest

from events_support import frames, streaming, until
from support import wait_until

TASKS = "/v1/tasks"
NIL = {"nodes": [{"name": "a"}, {"name": "b", "needs": ["a"]}]}
KINDS = ["task_accepted", "task_started", "node_final", "node_final", "task_final"]


def sleeping(seconds: str = "60"):
    return {"nodes": [{"name": "a", "engine": "sleep", "args": [seconds]}, {"name": "b", "needs": ["a"]}]}


@pytest.fixture
def each(orchestrator):
    """Return a connection to every worker."""
    with ExitStack() as stack:
        yield [stack.enter_context(orchestrator.connection_to(worker)) for worker in orchestrator.workers()]


def test_the_events_of_a_task_are_told_to_its_end(api):
    task = api.submit(NIL)
    with streaming(api, f"{TASKS}/{task}/events") as answer:
        assert answer.status == 200
        assert answer.getheader("Content-Type").startswith("text/event-stream")
        assert answer.getheader("Cache-Control") == "no-store"
        found = list(frames(answer))  # to the end of the stream
    assert [frame.event for frame in found] == KINDS
    assert [frame.data["kind"] for frame in found] == KINDS
    assert [frame.data["seq"] for frame in found] == [int(frame.id) for frame in found]
    assert [frame.data["state"] for frame in found] == [0, 2, 3, 3, 3]
    first = found[2].data
    assert (first["task"], first["node"], first["from"], first["state"]) == (task, 0, 1, 3)
    assert {"date", "actor", "start_date", "stop_date"} <= first.keys()
    assert found[-1].data["seq"] == api.task(task)["seq"]
    assert not any({"owner", "fence"} & frame.data.keys() for frame in found)


def test_every_worker_tells_what_happens_while_it_happens(api, each):
    task = api.submit(sleeping("1.5"), over=each[0])
    for connection in each:
        with streaming(api, f"{TASKS}/{task}/events", over=connection) as answer:
            assert [frame.event for frame in until(answer, "task_final")].count("node_final") == 2


@pytest.mark.parametrize("by", ["header", "query"])
def test_it_is_resumed_without_a_gap_or_a_repeat(api, by):
    task = api.submit(NIL)
    api.end(task)
    with streaming(api, f"{TASKS}/{task}/events") as answer:
        whole = list(frames(answer))
    for place, frame in enumerate(whole[:-1]):
        path, headers = f"{TASKS}/{task}/events", {}
        if by == "header":
            headers = {"Last-Event-ID": frame.id}
        else:
            path += f"?after={frame.id}"
        with streaming(api, path, headers) as answer:
            assert list(frames(answer)) == whole[place + 1 :]
    assert api.call("GET", f"{TASKS}/{task}/events", headers={"Last-Event-ID": whole[-1].id}).status == 204


def test_all_tasks_from_now_on(api):
    before = api.submit(NIL)
    api.end(before)
    with streaming(api, "/v1/events") as answer:
        task = api.submit(NIL)
        found = until(answer, "task_final")
    assert {frame.data["task"] for frame in found} == {task}
    assert [frame.event for frame in found] == KINDS
    with streaming(api, f"/v1/events?after={found[0].id}&kind=task_final,task_started") as answer:
        assert [frame.event for frame in until(answer, "task_final")] == ["task_started", "task_final"]


def test_where_a_stream_of_all_begins_is_told_before_anything_happens(api):
    """So who is cut off before the first event goes on from there and misses nothing."""
    task = api.submit(NIL)
    api.end(task)
    with streaming(api, "/v1/events") as answer:
        assert answer.readline() == b"retry: 1000\n"
        assert int(answer.readline().removeprefix(b"id: ")) >= api.task(task)["seq"]
        assert answer.readline() == b"\n"


def test_a_browser_that_connects_again_goes_on_behind_what_it_has_seen(api):
    """It sends the address that it began with, and the last event that it has seen."""
    task = api.submit(NIL)
    api.end(task)
    with streaming(api, f"{TASKS}/{task}/events") as answer:
        whole = list(frames(answer))
    for path in (f"{TASKS}/{task}/events", "/v1/events"):
        with streaming(api, f"{path}?after={whole[0].id}", {"Last-Event-ID": whole[2].id}) as answer:
            assert next(frames(answer)).data["seq"] > int(whole[2].id)


@pytest.mark.parametrize("wrong", ["abc", "-1", "1.5", "9" * 30])
@pytest.mark.parametrize("path", ["/v1/events", "{task}/events"])
def test_who_does_not_know_where_he_was_begins_anew(api, path, wrong):
    task = api.submit(NIL)
    api.end(task)
    with streaming(api, path.format(task=f"{TASKS}/{task}"), {"Last-Event-ID": wrong}) as answer:
        assert next(frames(answer)).event == "reset"


def test_a_kind_that_is_none_is_refused(api):
    answer = api.call("GET", "/v1/events?kind=task_final,nonsense")
    answer.is_problem(422, "bad-query")
    assert "nonsense" in answer.json["detail"]
    assert "node_final" in answer.json["detail"]


def test_an_unknown_task_has_no_events(api):
    api.call("GET", f"{TASKS}/{'0' * 32}/events").is_problem(404, "task-unknown")


@pytest.mark.parametrize("path", ["/v1/events", "{task}/events"])
def test_who_comes_from_the_future_begins_anew(api, path):
    """That is so where an older backup was restored."""
    task = api.submit(sleeping())
    api.wait_for_node(task, "a", state=2)
    path = path.format(task=f"{TASKS}/{task}") + "?after=999999999"
    with streaming(api, path) as answer:
        found = frames(answer)
        reset = next(found)
        assert reset.event == "reset"
        assert int(reset.id) == reset.data["after"] >= api.task(task)["seq"]
        api.cancel(task)
        assert next(found).event == "task_cancel"


def test_who_wants_what_is_not_kept_begins_anew(start):
    orchestrator = start(workers=1)
    api = orchestrator.api
    task, gone = api.submit(sleeping()), api.submit(NIL)
    api.end(gone)
    orchestrator.stop()
    with closing(sqlite3.connect(orchestrator.folder / "data" / "gorchestrator.db")) as connection, connection:
        (pruned,) = connection.execute("SELECT max(seq) FROM events WHERE task = ?", (gone,)).fetchone()
        for table, key in (("tasks", "id"), ("events", "task")):
            connection.execute(f"DELETE FROM {table} WHERE {key} = ?", (gone,))
        connection.execute("UPDATE counter SET pruned = ?", (pruned,))
    orchestrator.start()
    api = orchestrator.api
    with streaming(api, "/v1/events?after=2") as answer:
        assert next(frames(answer)).event == "reset"
    with streaming(api, f"/v1/events?after={pruned}") as answer:
        assert next(frames(answer)).data["seq"] == pruned + 1
    with streaming(api, f"{TASKS}/{task}/events?after=1") as answer:  # of which all is kept
        assert next(frames(answer)).data["seq"] == 2


def test_a_stop_ends_streams_at_once(start):
    orchestrator = start()
    api = orchestrator.api
    task = api.submit(sleeping())
    ended = []
    with ExitStack() as stack:
        for path in ("/v1/events", f"{TASKS}/{task}/events"):
            answer = stack.enter_context(streaming(api, path))
            threading.Thread(target=lambda answer=answer: ended.append(list(frames(answer)))).start()
        time.sleep(0)
        began = time.monotonic()
        orchestrator.stop()
        wait_until(lambda: len(ended) == 2, what="the streams have ended")
        assert time.monotonic() - began < 10


def test_a_reader_who_does_not_read_costs_nobody_anything(orchestrator, api):
    with ExitStack() as stack:
        for _ in range(20):
            stack.enter_context(streaming(api, "/v1/events?after=0"))  # and nothing of it is read
        began = time.monotonic()
        for _ in range(5):
            nodes = [{"name": f"n{number}"} for number in range(500)]
            assert api.end(api.submit({"nodes": nodes}))["state"] == 3
        assert time.monotonic() - began < 20
