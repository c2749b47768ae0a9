"""Jobs that damage their own directory, stop their supervisor or never fall silent: nobody else suffers from it."""

import base64
import os
import signal
from collections.abc import Callable

from executor_support import Executor, body, new_id, script
from support import wait_until

HERE = 'cd "$(dirname "$GORCH_OUTPUT")"'
ENDED = ("exit", "result.json")  # what is written when a job ends


def acknowledged(executor: Executor, *ids: str) -> dict[str, str]:
    answer = executor.call("POST", "tasks/ack", json={"ids": list(ids)})
    assert answer.status_code == 200, answer.text
    refused: dict[str, str] = answer.json()["refused"]
    return refused


def test_what_lies_where_results_are_written_is_replaced(executor: Executor) -> None:
    ids = []
    for make in ("mkfifo {}.new", "ln -s /dev/null {}.new", "mkfifo {}", "ln -s /dev/zero {}"):
        lines = [make.format(name) for name in ENDED]
        ids.append(executor.run(body(script(HERE, *lines, "exit 3")))["id"])
    assert [executor.get(job_id)["exit_code"] for job_id in ids] == [3] * len(ids)
    executor.server.kill()
    executor.start_server()
    assert [executor.get(job_id)["exit_code"] for job_id in ids] == [3] * len(ids)
    assert acknowledged(executor, *ids) == {}


def test_what_lies_where_results_are_read_does_not_stop_the_start(executor: Executor) -> None:
    ids = []
    for make in ("mkfifo {}", "ln -s /dev/zero {}", "mkdir {}", "echo [] > {}", "echo {{}} > {}"):
        lines = [make.format(name) for name in ENDED]
        wait = ("echo here", "while [ ! -e work/go ]; do sleep 0.01; done")
        ids.append(executor.start(body(script(HERE, *lines, *wait))))
    executor.server.kill()
    executor.start_server()
    assert [executor.get(job_id)["state"] for job_id in ids] == [2] * len(ids)
    for job_id in ids:
        (executor.data / "jobs" / "live" / job_id / "work" / "go").touch()
    assert [executor.end(job_id)["state"] for job_id in ids] == [3] * len(ids)


def test_directories_in_the_way_of_results(executor: Executor) -> None:
    ids = [
        executor.run(body(script(HERE, *(f"mkdir -p {name}{end}/x" for name in ENDED), "exit 3")))["id"]
        for end in ("", ".new")
    ]
    assert [executor.get(job_id)["exit_code"] for job_id in ids] == [3, 3]
    assert acknowledged(executor, *ids) == {}


def test_a_job_that_removes_its_directory_ends_and_can_be_acknowledged(executor: Executor) -> None:
    removal = script('rm -rf "$(dirname "$GORCH_OUTPUT")"', "exit 3")
    other, job_id = executor.run(body())["id"], executor.run(body(removal))["id"]
    job = executor.get(job_id)
    assert (job["state"], job["reason"]) == (4, "exit status 3")
    executor.server.kill()
    executor.start_server()
    assert executor.get(job_id) == job
    assert acknowledged(executor, job_id, other) == {}
    assert executor.put(job_id, body(removal)).json()["state"] == 4


def test_a_directory_that_is_gone_or_barred_when_it_is_put_away(executor: Executor) -> None:
    gone, barred = (executor.run(body())["id"] for _ in range(2))
    live = executor.data / "jobs" / "live"
    (live / gone).rename(executor.folder / "moved")
    (live / barred).chmod(0o500)
    assert acknowledged(executor, gone, barred) == {}
    assert executor.get(barred)["state"] == 3
    assert executor.put(gone, body()).status_code == 410


def test_what_cannot_be_put_away_does_not_hold_up_other_receipts(new_executor: Callable[..., Executor]) -> None:
    executor = new_executor()
    bad, good = (executor.run(body())["id"] for _ in range(2))
    acknowledged(executor, executor.run(body())["id"])
    (hour,) = (executor.data / "jobs" / "done").iterdir()
    (hour / bad / "in the way").mkdir(parents=True)
    assert acknowledged(executor, bad, good) == {bad: "internal"}
    assert not (executor.data / "jobs" / "live" / good).exists()


def test_a_log_ends_with_its_job(executor: Executor) -> None:
    daemon = 'setsid sh -c "while [ ! -e stop ]; do echo on; sleep 0.001; done" &'
    job_id = executor.start(body(script(daemon, "echo first")))
    folder = executor.data / "jobs" / "live" / job_id
    try:
        size = executor.end(job_id)["log_size"]
        wait_until(lambda: (folder / "output.log").stat().st_size > size + 100)
        job = executor.get(job_id, log_from=0)
        assert (job["log_size"], job["log_next"], len(base64.b64decode(job["log"]))) == (size, size, size)
        behind = executor.get(job_id, log_from=size + 10)
        assert (behind["log_size"], behind["log"]) == (size, "")
        executor.server.kill()
        executor.start_server()
        assert executor.get(job_id)["log_size"] == size
    finally:
        (folder / "work" / "stop").touch()


def test_a_stopped_shim_does_not_hold_up_the_start(executor: Executor) -> None:
    runs = executor.start(body(script("echo here", "while [ ! -e go ]; do sleep 0.01; done")))
    shim = int(os.readlink(executor.data / "jobs" / "live" / runs / "shim"))
    executor.server.kill()
    os.kill(shim, signal.SIGSTOP)
    try:
        executor.start_server()
        assert executor.get(runs)["state"] == 2
        said = f"its supervisor, process {shim}, does not answer"
        wait_until(lambda: executor.get(runs)["reason"] == said)
        assert executor.run(body())["state"] == 3
    finally:
        os.kill(shim, signal.SIGCONT)
    wait_until(lambda: executor.get(runs)["reason"] is None)
    (executor.data / "jobs" / "live" / runs / "work" / "go").touch()
    assert executor.end(runs)["state"] == 3


def test_the_rest_of_an_ended_job_below_a_stopped_shim(new_executor: Callable[..., Executor]) -> None:
    executor = new_executor()
    runs = executor.start(body(script("setsid sleep 60 &", "echo here", "while [ ! -e go ]; do sleep 0.01; done")))
    live = executor.data / "jobs" / "live" / runs
    shim = int(os.readlink(live / "shim"))
    executor.server.kill()
    (live / "work" / "go").touch()
    wait_until((live / "exit").exists)
    os.kill(shim, signal.SIGSTOP)
    (live / "result.json").write_text('{"state": 3, "reason_code": null}')  # it died before it told the shim
    try:
        executor.start_server()
        assert executor.get(runs)["state"] == 3
    finally:
        os.kill(shim, signal.SIGCONT)
    wait_until(lambda: not (executor.data / "shims" / f"{shim}.sock").exists())


def test_what_may_have_run_before_a_loss_of_power_is_not_run_again(new_executor: Callable[..., Executor]) -> None:
    executor = new_executor()
    ran, waited = new_id(), new_id()
    executor.server.kill()
    for job_id in (ran, waited):
        folder = executor.data / "jobs" / "live" / job_id
        folder.mkdir()
        (folder / "node.json").touch()  # its content was not on the disk yet
    (executor.data / "jobs" / "live" / ran / "shim").symlink_to("1")
    executor.start_server()
    assert executor.put(ran, body()).status_code == 410
    assert executor.put(waited, body()).json()["state"] == 3


def test_insecure_answers_to_its_names_only(new_executor: Callable[..., Executor]) -> None:
    executor = new_executor(insecure="true", allowed_hosts="runner.example")
    port = executor.server.url.rpartition(":")[2]
    for name, status in (("evil.example", 421), ("runner.example", 200), ("127.0.0.1", 200)):
        executor.session.headers["Host"] = f"{name}:{port}"
        answer = executor.call("GET", "ping")
        assert answer.status_code == status
    executor.session.headers["Host"] = f"evil.example:{port}"
    refused = executor.put(new_id(), body())
    assert refused.json()["type"] == "urn:gorchestrator:problem:host-not-allowed"
    assert "allowed_hosts (GORCH_EXECUTOR_ALLOWED_HOSTS)" in refused.json()["detail"]
