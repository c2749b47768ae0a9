"""Where a task is drawn: computed once, for all workers, and kept by browsers."""

import json
import zlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

TASKS = "/v1/tasks"
DIAMOND = {
    "nodes": [
        {"name": "a"},
        {"name": "b", "needs": ["a"]},
        {"name": "c", "needs": ["a"]},
        {"name": "d", "needs": ["b", "c"]},
    ]
}


def layout(api, task, **more):
    return api.call("GET", f"{TASKS}/{task}/layout", **more)


@pytest.fixture
def each(orchestrator):
    """Return a connection to each worker."""
    with ExitStack() as stack:
        yield [stack.enter_context(orchestrator.connection_to(worker)) for worker in orchestrator.workers()]


def test_a_task_is_drawn_from_left_to_right(api):
    found = layout(api, api.submit(DIAMOND)).json
    (ax, ay), (bx, by), (cx, cy), (dx, _) = found["nodes"]
    assert ax < bx == cx < dx
    assert by != cy
    assert [edge[:2] for edge in found["edges"]] == [[0, 1], [0, 2], [1, 3], [2, 3]]
    assert (found["layers"], found["omitted"]) == (3, 0)
    half = found["node_width"] // 2
    assert found["edges"][0][2] == [ax + half, ay, bx - half, by]
    assert all(0 < x < found["width"] and 0 < y < found["height"] for x, y in found["nodes"])


def test_a_matrix_and_needs_are_drawn_the_same(api):
    matrix = {
        "digraph": [0, 1, 1, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0],
        "nodes": [{"id": number, "name": name} for number, name in enumerate("abcd")],
    }
    assert layout(api, api.submit(matrix)).data == layout(api, api.submit(DIAMOND)).data


def test_it_is_kept_and_not_sent_again(api):
    task = api.submit(DIAMOND)
    answer = layout(api, task)
    assert answer.headers["cache-control"] == "private, max-age=86400, immutable"
    again = layout(api, task, headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status, again.data, again.headers["etag"]) == (304, b"", answer.headers["etag"])
    assert layout(api, task, headers={"If-None-Match": '"another"'}).status == 200


def test_it_is_sent_as_it_is_stored_to_who_can_unpack_it(api):
    task = api.submit(DIAMOND)
    packed = layout(api, task, headers={"Accept-Encoding": "gzip, deflate"})
    assert packed.headers["content-encoding"] == "deflate"
    assert zlib.decompress(packed.data) == layout(api, task).data
    assert packed.headers["vary"] == "Accept-Encoding"
    assert "content-encoding" not in layout(api, task, headers={"Accept-Encoding": "gzip, deflate;q=0"}).headers


def test_all_workers_answer_the_same(api, each):
    task = api.submit(DIAMOND)
    answers = [layout(api, task, over=over) for over in [*each, *each]]
    assert len({answer.data for answer in answers}) == 1
    assert len({answer.headers["etag"] for answer in answers}) == 1


def test_many_who_ask_at_once_get_the_same(api):
    nodes = [{"name": str(number), "needs": list(range(max(0, number - 3), number))} for number in range(500)]
    task = api.submit({"nodes": nodes})
    with ThreadPoolExecutor(10) as pool:
        found = {answer.data for answer in pool.map(lambda _: layout(api, task), range(30))}
    assert [len(json.loads(data)["nodes"]) for data in found] == [500]
    api.cancel(task)


def test_an_unknown_task_is_not_drawn(api):
    layout(api, "0" * 32).is_problem(404, "task-unknown")
