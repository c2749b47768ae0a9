"""Answers that are held back until a task changes, or not given at all while it has not."""

import threading
import time

import pytest

TASKS = "/v1/tasks"
LONG = {"nodes": [{"name": "a", "engine": "sleep", "args": ["60"]}]}
SHORT = {"nodes": [{"name": "a", "engine": "sleep", "args": ["1"]}, {"name": "b", "needs": ["a"]}]}


@pytest.fixture
def task(api):
    """Return a task of which nothing changes any more before it is cancelled."""
    found = api.submit(LONG)
    api.wait_for_node(found, "a", state=2)
    yield found
    api.cancel(found)


def tag_of(api, task):
    return api.call("GET", f"{TASKS}/{task}").headers["etag"]


def test_what_has_not_changed_is_not_sent_again(api, task):
    tag = tag_of(api, task)
    for wanted in (tag, f"W/{tag}", f'"x", {tag}'):
        answer = api.call("GET", f"{TASKS}/{task}", headers={"If-None-Match": wanted})
        assert (answer.status, answer.data, answer.headers["etag"]) == (304, b"", tag)
    answer = api.call("GET", f"{TASKS}/{task}", headers={"If-None-Match": '"another"'})
    assert (answer.status, answer.headers["etag"]) == (200, tag)


def test_any_change_gives_another_tag(api, task):
    before = tag_of(api, task)
    api.cancel(task)
    assert tag_of(api, task) != before
    assert api.call("GET", f"{TASKS}/{task}", headers={"If-None-Match": before}).status == 200


def test_it_waits_for_a_change_and_no_longer(api, task):
    tag = tag_of(api, task)
    began = time.monotonic()
    answer = api.call("GET", f"{TASKS}/{task}", wait=0.5, headers={"If-None-Match": tag})
    assert (answer.status, answer.headers["preference-applied"]) == (304, "wait=0.5")
    assert time.monotonic() - began >= 0.5

    timer = threading.Timer(0.5, api.cancel, (task,))
    timer.start()
    answer = api.call("GET", f"{TASKS}/{task}", wait=25, headers={"If-None-Match": tag})
    timer.join()
    assert answer.status == 200
    assert answer.headers["etag"] != tag
    assert time.monotonic() - began < 20


def test_changes_can_be_followed_one_after_the_other_to_the_end(api):
    task, tags, tag = api.submit(SHORT), [], '"none"'
    while True:
        answer = api.call("GET", f"{TASKS}/{task}", wait=20, headers={"If-None-Match": tag})
        assert answer.status == 200
        tag = answer.headers["etag"]
        tags.append(tag)
        if answer.json["state"] >= 3:
            break
    assert len(tags) == len(set(tags)) >= 2
    assert answer.json["counts"] == {"success": 2}


def test_an_unknown_task_has_no_tag(api):
    api.call("GET", f"{TASKS}/{'0' * 32}", headers={"If-None-Match": '"x"'}).is_problem(404, "task-unknown")


def test_a_faulty_query_is_refused_before_anything_is_done(api, task):
    began = time.monotonic()
    for method in ("GET", "DELETE"):
        api.call(method, f"{TASKS}/{task}?digraph=perhaps", wait=20).is_problem(422, "bad-query")
    assert time.monotonic() - began < 10
    assert api.task(task)["state"] == 2
    assert api.task(task)["cancel_date"] is None
