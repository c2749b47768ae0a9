"""What the services tell of their health is so while things fail."""

import signal
import time
from contextlib import ExitStack, closing

from disk_support import filled, limited, mounted
from executor_support import body, new_id
from failures_support import PATIENCE
from monitoring_support import graph, metrics, of_executor
from store_support import locked
from support import wait_until


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
