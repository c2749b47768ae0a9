"""``drain = "finish"``: an executor that is told to stop ends after its jobs, and answers until then."""

from collections.abc import Callable

from executor_support import Executor, alive, body, new_id, script
from support import PATIENCE, wait_until

GO = ("echo started", "while [ ! -e go ]; do sleep 0.01; done")
DRAINING = (503, "urn:gorchestrator:problem:draining")


def let_go(executor: Executor, job_id: str) -> None:
    (executor.data / "jobs" / "live" / job_id / "work" / "go").touch()


def receipt(executor: Executor, job_id: str) -> None:
    """Fetch a result for good, so that the executor need not wait for it when it is stopped."""
    assert executor.call("POST", f"tasks/{job_id}/ack").status_code == 204


def told_to_stop(executor: Executor) -> None:
    """Send SIGTERM, and return when the executor has taken note of it."""
    assert executor.server.process
    executor.server.process.terminate()
    wait_until(lambda: executor.call("GET", "ping").json()["draining"])


def test_it_ends_after_what_runs(new_executor: Callable[..., Executor]) -> None:
    executor = new_executor(drain="finish", capacity="1")
    runs = executor.start(body(script(*GO, "exit 6")))
    waits = new_id()
    executor.put(waits, body("echo", "hello"), wait=None)
    told_to_stop(executor)
    refused = executor.put(new_id(), body())
    assert (refused.status_code, refused.json()["type"]) == DRAINING
    fresh = executor.new_session()  # it still takes connections
    assert fresh.get(f"{executor.server.url}/v1/tasks/{runs}", timeout=PATIENCE).json()["state"] == 2
    fresh.close()
    let_go(executor, runs)
    assert executor.end(runs)["exit_code"] == 6
    receipt(executor, runs)
    assert executor.server.process
    assert executor.server.process.wait(PATIENCE) == 0
    executor.start_server()
    assert executor.end(waits)["state"] == 3
    receipt(executor, waits)


def test_a_result_that_nobody_fetches_is_kept(new_executor: Callable[..., Executor]) -> None:
    executor = new_executor(drain="finish")
    runs = executor.start(body(script(*GO, "exit 6")))
    told_to_stop(executor)
    let_go(executor, runs)
    assert executor.server.process
    assert executor.server.process.wait(PATIENCE) == 0
    executor.start_server()
    assert executor.end(runs)["exit_code"] == 6
    receipt(executor, runs)


def test_it_takes_no_longer_than_it_may(new_executor: Callable[..., Executor]) -> None:
    executor = new_executor(drain="finish", drain_timeout="0.2")
    runs = executor.start(body(script(*GO, "exit 6")))
    assert executor.server.process
    executor.server.process.terminate()
    assert executor.server.process.wait(PATIENCE) == 0
    assert alive(runs)
    executor.start_server()
    let_go(executor, runs)
    assert executor.end(runs)["exit_code"] == 6


def test_the_second_signal_ends_it_at_once(new_executor: Callable[..., Executor]) -> None:
    executor = new_executor(drain="finish")
    runs = executor.start(body(script(*GO)))
    told_to_stop(executor)
    assert executor.server.process
    executor.server.process.terminate()
    assert executor.server.process.wait(PATIENCE) == 0
    assert alive(runs)


def test_a_worker_that_dies_while_finishing_is_replaced_by_one_that_finishes(
    new_executor: Callable[..., Executor],
) -> None:
    executor = new_executor(drain="finish")
    runs = executor.start(body(script(*GO, "exit 6")))
    told_to_stop(executor)
    old = executor.worker()
    old.kill()
    wait_until(lambda: executor.worker().pid != old.pid)
    wait_until(executor._answers)
    wait_until(lambda: executor.call("GET", "ping").json()["draining"])
    let_go(executor, runs)
    assert executor.end(runs)["exit_code"] == 6
    receipt(executor, runs)
    assert executor.server.process
    assert executor.server.process.wait(PATIENCE) == 0
