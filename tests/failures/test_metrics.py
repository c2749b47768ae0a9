"""What is counted stays right while workers die, and what is told of health is so while things fail."""

import signal
import time
from contextlib import ExitStack, closing

import psutil
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as plain

from disk_support import filled, limited, mounted
from executor_support import body, new_id, script
from failures_support import FAILURE, PATIENCE, SUCCESS
from store_support import locked
from support import wait_until

NODES = 1000
FLAKY = script('[ "$GORCH_ATTEMPT" -ge 3 ] || exit 7')
OPENMETRICS = {"Accept": "application/openmetrics-text;version=1.0.0,text/plain;q=0.5"}


def graph(size=NODES):
    """Return nodes, half of them nil and half of them shell, in layers."""
    return [
        {
            "name": f"n{number}",
            "needs": [f"n{number - 100}"] if number >= 100 else [],
            **({"engine": "shell", "artifact": "/bin/true"} if number % 2 else {}),
        }
        for number in range(size)
    ]


def samples(text):
    return {
        (each.name, *(value for _, value in sorted(each.labels.items()))): each.value
        for family in plain(text)
        for each in family.samples
    }


def metrics(house, over=None):
    """Return the samples of the orchestrator by name and values of labels."""
    answer = house.api.call("GET", "/metrics", over=over)
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    return samples(answer.data.decode())


def of_executor(house):
    answer = house.executor.session.get(f"{house.executor.server.url}/metrics", timeout=PATIENCE)
    assert answer.status_code == 200
    return samples(answer.text)


def counts(found):
    """Return what must never be lost nor counted twice."""
    wanted = (
        "gorch_tasks_ended_total",
        "gorch_nodes_ended_total",
        "gorch_attempts_ended_total",
        "gorch_retries_total",
        "gorch_attempt_duration_seconds_count",
        "gorch_queue_wait_seconds_count",
        "gorch_dispatch_overhead_seconds_count",
    )
    return {key: value for key, value in found.items() if key[0] in wanted and value}


def expected(graphs=1, more=()):
    """Return the counts of so many graphs."""
    half = graphs * NODES // 2
    return {
        ("gorch_tasks_ended_total", "success"): graphs,
        ("gorch_nodes_ended_total", "nil", "success"): half,
        ("gorch_nodes_ended_total", "shell", "success"): half,
        ("gorch_attempts_ended_total", "shell", "success"): half,
        ("gorch_attempt_duration_seconds_count", "shell"): half,
        ("gorch_queue_wait_seconds_count", "executor"): half,
        ("gorch_dispatch_overhead_seconds_count", "executor"): half,
        **dict(more),
    }


@pytest.fixture
def house(new_house):
    """Return a house of its own: what is counted is what the test does."""
    return new_house()


def test_counts_are_exact_whichever_workers_count_and_whichever_is_asked(house):
    with ExitStack() as stack:
        each = [stack.enter_context(house.orchestrator.connection_to(one)) for one in house.orchestrator.workers()]
        assert len(each) == 2
        tasks = [house.api.submit({"name": "counted", "nodes": graph()}, over=over) for over in each]
        for task in tasks:
            assert house.api.end(task)["state"] == SUCCESS
        for over in each:
            found = metrics(house, over)
            assert counts(found) == expected(2)
            assert found["gorch_tasks_accepted_total",] == 2
            assert found["gorch_tasks", "success"] == 2
            assert found["gorch_workers",] == 2
            assert {value for (name, *_), value in found.items() if name == "gorch_nodes"} == {0}
            assert found["gorch_journal_commit_items_sum",] >= 2 * 2 * NODES  # two changes of each shell node, and more
            assert 0 < found["gorch_journal_commit_seconds_count",] == found["gorch_journal_commit_items_count",]
            assert found["gorch_cpu_seconds_total",] > 0
    families = list(openmetrics(house.api.call("GET", "/metrics", headers=OPENMETRICS).data.decode()))
    assert "gorch_nodes_ended" in {family.name for family in families}
    own = of_executor(house)
    assert own["gorch_jobs_ended_total", "shell", "success"] == NODES
    assert own["gorch_job_duration_seconds_count", "shell"] == own["gorch_job_wait_seconds_count", "shell"] == NODES
    assert own["gorch_jobs_running",] == own["gorch_jobs_queued",] == 0
    assert (
        own["gorch_http_requests_total", "PUT", "200"] + own.get(("gorch_http_requests_total", "PUT", "202"), 0)
        >= NODES
    )


def test_every_kind_of_end_is_counted_and_nothing_of_a_user_is_a_label(house):
    flaky = {"name": "flaky", "engine": "shell", "artifact": FLAKY, "retry": {"limit": 3, "delay": 0.01}}
    fails = {"name": "secret-name", "engine": "shell", "artifact": "false", "target": "secret-target"}
    nodes = [flaky, fails, {"name": "never", "needs": ["secret-name"], "engine": "sleep"}]
    nodes.append({"name": "late", "engine": "shell", "artifact": "sleep", "args": ["60"], "timeout": 0.2})
    task = house.api.submit({"name": "secret-graph", "labels": {"a": "secret-label"}, "nodes": nodes})
    assert house.api.end(task)["state"] == FAILURE
    answer = house.api.call("GET", "/metrics").data.decode()
    assert "secret" not in answer
    assert task not in answer
    found = counts(samples(answer))
    assert found == {
        ("gorch_tasks_ended_total", "failure"): 1,
        ("gorch_nodes_ended_total", "shell", "success"): 1,
        ("gorch_nodes_ended_total", "shell", "failure"): 1,
        ("gorch_nodes_ended_total", "shell", "timeout"): 1,
        ("gorch_nodes_ended_total", "sleep", "notrunnable"): 1,
        ("gorch_attempts_ended_total", "shell", "success"): 1,
        ("gorch_attempts_ended_total", "shell", "failure"): 3,
        ("gorch_attempts_ended_total", "shell", "timeout"): 1,
        ("gorch_retries_total", "shell"): 2,
        ("gorch_attempt_duration_seconds_count", "shell"): 5,
        ("gorch_queue_wait_seconds_count", "executor"): 5,
        ("gorch_dispatch_overhead_seconds_count", "executor"): 5,
    }


def replaced(house, gone):
    """Return when others serve in the place of workers that have been told to end, or were killed."""
    ended = {worker.pid for worker in gone}

    def others():
        now = {worker.pid for worker in house.orchestrator.workers() if worker.status() != psutil.STATUS_ZOMBIE}
        return len(now) == house.orchestrator.count and not now & ended

    wait_until(others, PATIENCE, "other workers")
    wait_until(lambda: metrics(house)["gorch_workers",] == house.orchestrator.count, PATIENCE, "all of them count")
    house.in_contact()


def kill_one(house):
    gone = house.orchestrator.workers()[:1]
    gone[0].kill()
    return gone


def kill_all(house):
    gone = house.orchestrator.workers()
    for worker in gone:
        worker.kill()
    return gone


def reload(house):
    gone = house.orchestrator.workers()
    house.orchestrator.process.send_signal(signal.SIGHUP)
    return gone


def test_workers_that_are_killed_or_replaced_lose_no_count_and_none_is_counted_twice(house):
    task = house.api.submit({"nodes": graph()})
    assert house.api.end(task)["state"] == SUCCESS
    assert counts(metrics(house)) == expected()
    accepted = metrics(house)["gorch_tasks_accepted_total",]
    for times, ends in enumerate((kill_one, kill_all, reload), 1):
        replaced(house, ends(house))
        assert counts(metrics(house)) == expected(times)
        house.end(house.submit(*graph()))
        assert counts(metrics(house)) == expected(times + 1)
        assert metrics(house)["gorch_tasks_accepted_total",] == accepted + times


def test_what_a_killed_worker_had_not_committed_is_counted_once_by_the_next_one(house):
    house.arm("before-commit/result", 3)
    task = house.submit(*graph())
    house.died()
    house.end(task)
    found = metrics(house)
    for engine in ("nil", "shell"):
        assert found["gorch_nodes_ended_total", engine, "success"] == NODES // 2
    assert found["gorch_tasks_ended_total", "success"] == 1
    with closing(house.database()) as database:
        (ended,) = database.execute("SELECT count(*) FROM attempts WHERE state = 3").fetchone()
    assert found["gorch_attempts_ended_total", "shell", "success"] == ended == NODES // 2


def test_a_service_that_is_started_again_begins_at_zero(house):
    house.end(house.submit({"name": "a"}))
    assert metrics(house)["gorch_nodes_ended_total", "nil", "success"] == 1
    house.orchestrator.stop()
    house.orchestrator.start()
    found = metrics(house)
    assert counts(found) == {}
    assert found["gorch_tasks", "success"] == 1  # as it is stored
    assert len(list((house.folder / "orchestrator" / "data" / "metrics").iterdir())) == 1


def test_an_executor_that_is_away_is_told_and_graphs_are_accepted_all_the_same(house):
    wait_until(lambda: metrics(house)["gorch_executor_reachable", "executor"] == 1)
    assert metrics(house)["gorch_executor_capacity", "executor"] == 16
    house.executor.server.kill()
    wait_until(lambda: metrics(house)["gorch_executor_reachable", "executor"] == 0, PATIENCE)
    answer = wait_until(
        lambda: found if not (found := house.api.call("GET", "/readyz")).json["executors"][0]["reachable"] else None
    )
    assert (answer.status, answer.json["status"], answer.json["store"]) == (200, "ready", {"ok": True, "reason": None})
    assert "executor" in answer.json["executors"][0]["reason"]
    task = house.submit(house.node())
    house.restart_executor()
    house.once(task)


# -- health


def ready(house):
    """Return whether the orchestrator is ready, with the answer."""
    answer = house.api.call("GET", "/readyz")
    if answer.status != 200:
        answer.is_problem(503, "not-ready")
        assert answer.json["store"]["ok"] is False
        assert answer.json["detail"] == answer.json["store"]["reason"]
    alive = house.api.call("GET", "/healthz")
    assert (alive.status, alive.json) == (200, {"status": "alive"})  # a restart would not help
    return answer.status == 200, answer


def refused(house, why):
    found = wait_until(lambda: answer if not (answer := ready(house))[0] else None, PATIENCE, "it is not ready")
    assert why in found[1].json["store"]["reason"]


def well_again(house):
    """Return when both workers are ready again."""
    wait_until(lambda: all(ready(house)[0] for _ in range(8)), PATIENCE, "it is ready again")


def test_while_the_database_is_locked_it_is_not_ready(house):
    assert ready(house)[0]
    with locked(house.folder / "orchestrator" / "data" / "gorchestrator.db"):
        refused(house, "is locked by another process")
        wait_until(lambda: metrics(house)["gorch_store_writable",] == 0, PATIENCE)
        assert metrics(house)["gorch_tasks", "success"] == 0  # what can be read is told
    well_again(house)
    wait_until(lambda: metrics(house)["gorch_store_writable",] == 1, PATIENCE)
    assert metrics(house)["gorch_journal_faults_total",] > 0


def test_while_its_disk_is_full_it_is_not_ready(new_house, stack, tmp_path):
    folder = tmp_path / "orchestrator" / "data"
    stack.enter_context(mounted(folder))
    house = new_house()
    assert ready(house)[0]
    with filled(folder):
        refused(house, "The disk is full")
        assert metrics(house)["gorch_disk_free_bytes",] == 0
        task = house.find("none")
        assert task == ""
    well_again(house)
    house.once(house.submit(house.node()))


def test_while_no_file_can_grow_it_says_so_as_soon_as_something_needs_that(house):
    with limited(*house.orchestrator.writers()):
        answer = house.api.call("POST", "/v1/tasks", {"name": "large", "nodes": graph(200)})
        answer.is_problem(503, "store-unavailable")
        assert metrics(house)["gorch_journal_faults_total",] > 0
    well_again(house)


def test_a_worker_that_is_about_to_stop_is_not_ready(house):
    """Asked by who is connected already, and whose request comes while the worker ends."""
    with ExitStack() as stack:
        asking = []
        for _ in range(100):
            connection = stack.enter_context(closing(house.api.connect()))
            connection.connect()
            connection.sock.sendall(b"GET /readyz HTTP/1.1\r\nHost: 127.0.0.1\r\n")
            asking.append(connection)
        house.end(house.submit({"name": "a"}))  # by now all of these have been taken
        for worker in house.orchestrator.workers():
            worker.send_signal(signal.SIGTERM)
        answers = []
        for connection in asking:
            connection.sock.sendall(b"\r\n")
            answers.append(connection.sock.recv(65536).decode())
            if '"draining": true' in answers[-1]:
                break
            time.sleep(0.02)  # the signal is on its way; a worker that ends has time for the last requests
        assert "503 SERVICE UNAVAILABLE" in answers[-1], answers
        assert "urn:gorchestrator:problem:not-ready" in answers[-1]


def test_an_executor_says_whether_it_takes_jobs(new_house, stack, tmp_path):
    folder = tmp_path / "executor" / "data"
    stack.enter_context(mounted(folder))
    house = new_house(back={"drain": "finish"})
    executor = house.executor

    def ask(path):
        return executor.session.get(f"{executor.server.url}/{path}", timeout=PATIENCE)

    assert (ask("healthz").status_code, ask("healthz").json()) == (200, {"status": "alive"})
    found = ask("readyz")
    assert (found.status_code, found.json()["status"], found.json()["disk"]["ok"]) == (200, "ready", True)
    with filled(folder):
        found = ask("readyz")
        assert (found.status_code, found.json()["type"]) == (503, "urn:gorchestrator:problem:not-ready")
        assert "No room" in found.json()["disk"]["reason"]
        assert ask("healthz").status_code == 200
        assert executor.put(new_id(), body()).status_code == 503
        assert of_executor(house)["gorch_disk_full",] == 1
    assert ask("readyz").status_code == 200
    task = house.submit(house.node(gate="draining"))
    house.has_run(task)
    executor.server.process.terminate()
    wait_until(lambda: ask("readyz").status_code == 503, PATIENCE, "it is told to stop")
    found = ask("readyz")
    assert (found.json()["draining"], found.json()["disk"]["ok"], found.json()["load"]) == (True, True, 1)
    assert of_executor(house)["gorch_draining",] == 1
    house.open("draining")
    assert executor.server.process.wait(PATIENCE) == 0
    house.restart_executor()
    house.once(task)
