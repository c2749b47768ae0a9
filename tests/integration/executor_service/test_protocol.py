"""The calls of the API: idempotence, fences, instance, queue, waiting, bad input."""

import base64
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from executor_support import Executor, body, new_id, script
from gorchestrator.common.wire import LOG_AGE
from support import wait_until

LONG = 40  # seconds that a caller would wait


def problem(answer: Any) -> tuple[int, str]:
    assert answer.headers["Content-Type"] == "application/problem+json"
    document = answer.json()
    assert document["status"] == answer.status_code
    assert document["detail"]
    return answer.status_code, document["type"].removeprefix("urn:gorchestrator:problem:")


def test_ping(executor: Executor) -> None:
    answer = executor.call("GET", "ping").json()
    assert answer["status"] == "success"
    assert answer["engines"]["sleep"] == {
        "ok": True,
        "reason": None,
        "fields": ["args", "artifact", "output", "timeout"],
    }
    assert "options.cwd" in answer["engines"]["shell"]["fields"]
    assert {key: answer[key] for key in ("name", "capacity", "queue", "load", "queued", "draining")} == {
        "name": "executor",
        "capacity": 16,
        "queue": 64,
        "load": 0,
        "queued": 0,
        "draining": False,
    }
    assert len(answer["instance"]) == 32
    assert executor.call("GET", "ping").json() == answer


def test_a_second_put_answers_the_existing_job(executor: Executor) -> None:
    job_id = new_id()
    document = body(script("echo run"))
    first = executor.put(job_id, document)
    second = executor.put(job_id, document | {"fence": 7})
    assert first.status_code == second.status_code == 200
    assert first.headers["Preference-Applied"] == "wait=1"
    assert first.json() == second.json()
    assert problem(executor.put(job_id, body("/bin/false", fence=7))) == (422, "attempt-differs")


def test_a_stale_fence_is_refused_for_the_whole_run(executor: Executor) -> None:
    run = new_id().split(".", maxsplit=1)[0]
    assert executor.put(f"{run}.0.1", body(fence=3)).status_code == 200
    assert problem(executor.put(f"{run}.1.1", body(fence=2))) == (409, "fence-stale")
    assert problem(executor.put(f"{run}.0.1", body(fence=2))) == (409, "fence-stale")
    assert problem(executor.delete(f"{run}.0.1", fence=2)) == (409, "fence-stale")
    assert problem(executor.call("POST", f"tasks/{run}.0.1/ack", params={"fence": 2})) == (409, "fence-stale")
    assert executor.call("POST", f"tasks/{run}.0.1/ack", params={"fence": 3}).status_code == 204


def test_another_instance_is_refused(executor: Executor) -> None:
    instance = executor.call("GET", "ping").json()["instance"]
    refused = executor.put(new_id(), body(instance="0" * 32))
    assert problem(refused) == (412, "instance-mismatch")
    assert refused.json()["instance"] == instance
    assert executor.put(new_id(), body(instance=instance)).status_code == 200


def test_unknown_engine_names_the_known_ones(executor: Executor) -> None:
    refused = executor.put(new_id(), body(engine="cobol"))
    assert problem(refused) == (422, "engine-unknown")
    assert "it has: ansible, docker, http, nil, shell, sleep" in refused.json()["detail"]


def test_post_picks_the_id(executor: Executor) -> None:
    node = {"id": 3, "state": 0, "graph_id": "x", "name": "a", "target": "t", "engine": "shell", "artifact": "echo"}
    answer = executor.call("POST", "tasks", json=node | {"args": ["hi"], "output": None})
    assert answer.status_code == 202
    job_id = answer.json()["id"]
    assert answer.headers["Location"] == f"/v1/tasks/{job_id}"
    assert executor.end(job_id)["state"] == 3
    assert executor.log_of(job_id) == "hi\n"
    assert executor.call("POST", "tasks", json=node | {"args": None}).status_code == 202


def test_a_result_stays_until_it_is_acknowledged_and_is_kept_after(executor: Executor) -> None:
    job = executor.run(body("echo", "hello"))
    job_id = job["id"]
    live = executor.data / "jobs" / "live" / job_id
    assert live.is_dir()
    assert executor.call("POST", f"tasks/{job_id}/ack").status_code == 204
    assert not live.exists()
    assert executor.call("POST", f"tasks/{job_id}/ack").status_code == 204
    assert executor.get(job_id)["state"] == 3
    assert executor.log_of(job_id) == "hello\n"
    assert executor.put(job_id, body("echo", "hello")).json()["started_at"] == job["started_at"]
    assert problem(executor.put(job_id, body("/bin/false"))) == (422, "attempt-differs")


def test_what_runs_cannot_be_acknowledged(executor: Executor) -> None:
    job_id = executor.start(body(script("echo started", "sleep 60")))
    assert problem(executor.call("POST", f"tasks/{job_id}/ack")) == (409, "job-not-final")
    executor.delete(job_id)


def test_full_queue_is_refused_and_what_waits_runs(new_executor: Callable[..., Executor]) -> None:
    executor = new_executor(capacity="1", queue="1")
    first = executor.start(body(script("echo started", "sleep 60")))
    second = new_id()
    assert executor.put(second, body(), wait=None).status_code == 202
    refused = executor.put(new_id(), body())
    assert problem(refused) == (503, "queue-full")
    assert int(refused.headers["Retry-After"]) > 0
    ping = executor.call("GET", "ping").json()
    assert (ping["load"], ping["queued"]) == (1, 1)
    executor.delete(first)
    assert executor.end(second)["state"] == 3


def test_put_waits_at_most_a_second(executor: Executor) -> None:
    job_id = new_id()
    begin = time.monotonic()
    answer = executor.put(job_id, body("sleep", "600"), wait=LONG)
    assert answer.status_code == 202
    assert answer.headers["Preference-Applied"] == "wait=1"
    assert 0.9 < time.monotonic() - begin < LONG / 2
    assert answer.json()["state"] == 2
    executor.delete(job_id)


def test_get_waits_for_the_end(executor: Executor) -> None:
    job_id = executor.start(body(script("echo started", "while [ ! -e go ]; do sleep 0.01; done")))
    threading.Timer(0.3, (executor.data / "jobs" / "live" / job_id / "work" / "go").touch).start()
    begin = time.monotonic()
    assert executor.get(job_id, wait=LONG)["state"] == 3
    assert 0.2 < time.monotonic() - begin < LONG / 2


def test_get_answers_new_log_when_it_is_a_second_old(executor: Executor) -> None:
    lines = ["echo started", "while [ ! -e go ]; do sleep 0.01; done", "echo first; echo second", "sleep 60"]
    job_id = executor.start(body(script(*lines)))
    seen = executor.get(job_id, log_from=0)["log_next"]
    threading.Timer(0.3, (executor.data / "jobs" / "live" / job_id / "work" / "go").touch).start()
    begin = time.monotonic()
    job = executor.get(job_id, wait=LONG, log_from=seen)
    assert 1.0 < time.monotonic() - begin < LONG / 2
    assert base64.b64decode(job["log"]) == b"first\nsecond\n"
    assert (job["state"], job["log_from"], job["log_next"]) == (2, seen, seen + 13)
    executor.delete(job_id)


def test_get_answers_at_once_when_much_log_is_there(executor: Executor) -> None:
    lines = ["echo started", "while [ ! -e go ]; do sleep 0.01; done", "head -c 100000 /dev/zero", "sleep 600"]

    def seconds() -> float:
        job_id = executor.start(body(script(*lines)))
        (executor.data / "jobs" / "live" / job_id / "work" / "go").touch()
        begin = time.monotonic()
        job = executor.get(job_id, wait=LONG, log_from=8)
        took = time.monotonic() - begin
        assert job["log_next"] - job["log_from"] == 65536
        wait_until(lambda: executor.get(job_id)["log_size"] == 100_008)
        executor.delete(job_id)
        return took

    assert any(seconds() < LOG_AGE for _ in range(10))  # a busy machine may be late each time, but not ten times


def test_get_gives_up_after_the_time(executor: Executor) -> None:
    job_id = executor.start(body(script("echo started", "sleep 60")))
    begin = time.monotonic()
    answer = executor.call("GET", f"tasks/{job_id}", wait=1, params={"log_from": 8})
    assert (answer.status_code, answer.headers["Preference-Applied"]) == (202, "wait=1")
    assert 0.9 < time.monotonic() - begin < LONG / 2
    executor.delete(job_id)


def test_unknown_things(executor: Executor) -> None:
    assert problem(executor.call("GET", f"tasks/{new_id()}")) == (404, "job-unknown")
    assert problem(executor.call("POST", f"tasks/{new_id()}/ack")) == (404, "job-unknown")
    assert problem(executor.call("GET", "tasks/none")) == (422, "invalid")
    assert problem(executor.put("../../etc", body())) == (404, "not-found")
    assert problem(executor.put(f"{new_id()}1234567890", body())) == (422, "invalid")
    assert problem(executor.call("GET", f"tasks/{new_id()}", params={"log_from": "-1"})) == (404, "job-unknown")
    refused = executor.call("PATCH", f"tasks/{new_id()}")
    assert problem(refused) == (405, "method-not-allowed")
    assert {"GET", "PUT", "DELETE"} <= set(refused.headers["Allow"].split(", "))


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"name": None}, "/name"),
        ({"args": "x"}, "/args"),
        ({"args": ["a", 1]}, "/args/1"),
        ({"args": ["a\0b"]}, "/args/0"),
        ({"env": {"A=B": "c"}}, "/env/A=B"),
        ({"env": {"A": "\ud800"}}, "/env/A"),
        ({"timeout": 0}, "/timeout"),
        ({"fence": -1}, "/fence"),
        ({"fence": True}, "/fence"),
        ({"unknown": 1}, "/unknown"),
    ],
)
def test_faults_are_pointed_at(executor: Executor, fields: dict[str, Any], pointer: str) -> None:
    refused = executor.put(new_id(), body() | fields)
    assert problem(refused) == (422, "invalid")
    assert [fault["pointer"] for fault in refused.json()["errors"]] == [pointer]


def test_bad_bodies(executor: Executor) -> None:
    path = f"tasks/{new_id()}"
    assert problem(executor.call("PUT", path, data=b"{")) == (415, "unsupported-media-type")
    session = executor.session
    url = f"{executor.server.url}/v1/{path}"
    json = {"Content-Type": "application/json"}
    for data in (b"", b"{", b"[" * 100_000, b'{"a":1,"a":2}', b"NaN", b"\xff", b"1" * 5000):
        assert problem(session.put(url, data=data, headers=json)) == (400, "bad-json")
    assert problem(session.put(url, data=b" " * (17 * 2**20), headers=json)) == (413, "too-large")
    assert executor.call("GET", "ping").status_code == 200


def test_apidocs_need_nothing_from_outside(executor: Executor) -> None:
    page = executor.session.get(f"{executor.server.url}/apidocs/")
    assert page.status_code == 200
    for word in ("googleapis", 'src="http', 'stylesheet" href="http'):
        assert word not in page.text


def test_apispec_has_every_route_and_its_examples_run(executor: Executor) -> None:
    spec = executor.session.get(f"{executor.server.url}/apispec.json").json()
    paths = spec["paths"]
    assert {path: set(methods) for path, methods in paths.items()} == {
        "/v1/tasks": {"get", "post"},
        "/v1/tasks/{task_id}": {"put", "get", "delete"},
        "/v1/tasks/{task_id}/ack": {"post"},
        "/v1/tasks/ack": {"post"},
        "/v1/ping": {"get"},
        "/metrics": {"get"},
        "/healthz": {"get"},
        "/readyz": {"get"},
    }
    put = paths["/v1/tasks/{task_id}"]["put"]
    example = put["requestBody"]["content"]["application/json"]["example"]
    job = executor.run(example)
    assert (job["state"], job["output"]) == (3, {"colour": "blue"})
    node = paths["/v1/tasks"]["post"]["requestBody"]["content"]["application/json"]["example"]
    assert executor.call("POST", "tasks", json=node).status_code == 202
    described = spec["components"]["schemas"]["Job"]["properties"]
    assert set(executor.get(job["id"])) == set(described)
    wait_until(lambda: executor.call("GET", "ping").json()["load"] == 0)
