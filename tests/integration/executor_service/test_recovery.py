"""Executor and keeper may die at any moment: what runs lives on, and its real end is told."""

import datetime
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import psutil
import requests

from executor_support import Executor, PlainGunicorn, alive, body, new_id, script, started
from support import PATIENCE, ROOT, clean_environment, wait_until

LONG = 40  # seconds that a poll would wait
GO = ("echo started", "while [ ! -e go ]; do sleep 0.01; done")


def let_go(executor: Executor, job_id: str) -> None:
    (executor.data / "jobs" / "live" / job_id / "work" / "go").touch()


def test_what_runs_while_the_executor_is_killed_ends_with_its_real_status(executor: Executor) -> None:
    runs = executor.start(body(script(*GO, "echo late", "exit 7")))
    ends = executor.start(body(script(*GO, "echo colour=blue", "exit 0"), output={"colour": ""}))
    killed_at = time.time()
    executor.server.kill()
    let_go(executor, ends)
    wait_until((executor.data / "jobs" / "live" / ends / "exit").exists)
    executor.start_server()
    found = executor.get(runs)
    assert found["state"] == 2
    assert _seconds(found["started_at"]) < killed_at
    let_go(executor, runs)
    job = executor.end(runs)
    assert (job["state"], job["exit_code"], job["reason"]) == (4, 7, "exit status 7: started\nlate")
    job = executor.end(ends)
    assert (job["state"], job["exit_code"], job["output"]) == (3, 0, {"colour": "blue"})
    assert executor.log_of(runs) == "started\nlate\n"


def test_what_waited_while_the_executor_was_killed_is_run(new_executor: Callable[..., Executor]) -> None:
    executor = new_executor(capacity="1")
    runs = executor.start(body(script(*GO)))
    waits = new_id()
    executor.put(waits, body("echo", "hello"), wait=None)
    executor.server.kill()
    executor.start_server()
    assert executor.get(waits)["queued"]
    let_go(executor, runs)
    assert executor.end(waits)["state"] == 3
    assert executor.end(runs)["state"] == 3


def test_what_was_cancelled_before_it_began_never_begins(new_executor: Callable[..., Executor]) -> None:
    """The executor dies when the cancel is on the disk, and its answer is not."""
    executor = new_executor(capacity="1")
    executor.start(body(script(*GO)))
    waiting = {engine: new_id() for engine in ("shell", "sleep", "http", "ssh", "docker")}
    for engine, waits in waiting.items():
        executor.put(waits, body("http://127.0.0.1:9/", "0") | {"engine": engine, "target": "no-such-host"}, wait=None)
    executor.server.kill()
    for waits in waiting.values():
        (executor.data / "jobs" / "live" / waits / "shim").symlink_to("nobody")
    executor.start_server()
    for engine, waits in waiting.items():
        job = executor.end(waits)
        assert (job["state"], job["reason_code"], job["started_at"]) == (11, "canceled", None), engine


def test_cancel_reaches_what_was_started_before_a_restart(executor: Executor) -> None:
    job_id = executor.start(body(script("trap '' TERM", "echo started", "while :; do sleep 0.01; done")))
    executor.server.kill()
    executor.start_server()
    job = executor.delete(job_id).json()
    assert (job["state"], job["signal"]) == (11, "SIGKILL")
    assert not alive(job_id)


def test_the_timeout_goes_on_while_the_executor_is_away(executor: Executor) -> None:
    job_id = executor.start(body(script("echo started", "sleep 60"), timeout=1))
    executor.server.kill()
    wait_until((executor.data / "jobs" / "live" / job_id / "exit").exists)
    executor.start_server()
    assert executor.end(job_id)["state"] == 10


def test_a_killed_keeper_harms_nothing(new_executor: Callable[..., Executor]) -> None:
    executor = new_executor()
    runs = executor.start(body(script(*GO, "exit 5")))
    (keeper,) = [each for each in executor.keepers() if each.name() == "gorch-keeper"]
    keeper.kill()
    for _ in range(3):  # more than the idle shims: a new keeper is needed
        executor.start(body(script("echo started", "sleep 60")))
    assert executor.run(body("/bin/true"))["state"] == 3
    let_go(executor, runs)
    assert executor.end(runs)["exit_code"] == 5


def test_a_killed_shim_makes_its_job_lost(executor: Executor) -> None:
    job_id = executor.start(body(script("echo started", "sleep 60")))
    shim = int(os.readlink(executor.data / "jobs" / "live" / job_id / "shim"))
    os.kill(shim, signal.SIGKILL)
    job = executor.end(job_id)
    assert (job["state"], job["reason_code"]) == (4, "lost")
    assert not alive(job_id)


def test_what_a_killed_shim_left_is_killed_and_named(executor: Executor) -> None:
    other = executor.start(body(script(*GO)))
    stubborn = "trap '' TERM; echo here; while :; do sleep 0.01; done"
    # A child that keeps its variables in a session of its own, and a main process that gave them up.
    lines = (f'setsid sh -c "{stubborn}" &', f'exec env -i sh -c "{stubborn}"')
    job_id = executor.start(body(script(*lines)))
    wait_until(lambda: executor.log_of(job_id).count("here") == 2)
    folder = executor.data / "jobs" / "live" / job_id
    main = int(os.readlink(folder / "process").partition(".")[0])
    below = [main, *(each.pid for each in psutil.Process(main).children() if each.name() != "sleep")]
    os.kill(int(os.readlink(folder / "shim")), signal.SIGKILL)
    job = executor.end(job_id)
    assert job["reason_code"] == "lost"
    said = job["reason"].partition("killed what was found of it: ")[2].split(", ")
    assert set(map(str, below)) <= set(said)
    wait_until(lambda: not any(psutil.pid_exists(pid) and _runs(pid) for pid in below))
    let_go(executor, other)
    assert executor.end(other)["state"] == 3


def test_a_number_that_was_given_to_another_process_is_left_alone(executor: Executor) -> None:
    job_id = executor.start(body(script("echo started", "sleep 60")))
    executor.server.kill()
    executor.kill_everything()
    process = executor.data / "jobs" / "live" / job_id / "process"
    _, start, boot = os.readlink(process).split(".")
    process.unlink()
    process.symlink_to(f"{os.getpid()}.{start}.{boot}")
    executor.start_server()
    assert executor.end(job_id)["reason"].endswith("; nothing was found that still runs")


def test_a_job_without_process_and_without_exit_is_lost(executor: Executor) -> None:
    job_id = executor.start(body(script("echo started", "sleep 60")))
    executor.server.kill()
    executor.kill_everything()
    executor.start_server()
    job = executor.end(job_id)
    assert (job["state"], job["reason_code"], job["exit_code"]) == (4, "lost", None)


def test_torn_files_count_as_absent(executor: Executor) -> None:
    job_id = executor.run(body("/bin/true"))["id"]
    executor.server.kill()
    live = executor.data / "jobs" / "live"
    (live / job_id / "result.json").write_text('{"state"')
    torn = new_id()
    shutil.copytree(live / job_id, live / torn, symlinks=True)
    (live / torn / "node.json").write_text("")
    executor.start_server()
    assert executor.end(job_id)["exit_code"] == 0
    assert not (live / torn).exists()


def test_term_drains_and_nothing_is_lost(new_executor: Callable[..., Executor]) -> None:
    executor = new_executor()
    runs = executor.start(body(script(*GO, "exit 6")))
    instance = executor.call("GET", "ping").json()["instance"]
    assert executor.server.process
    executor.server.process.terminate()
    executor.server.process.wait(PATIENCE)
    assert alive(runs)
    wait_until(lambda: len(executor.keepers()) == 2)  # the job's shim and its keeper; the idle ones are gone
    executor.start_server()
    let_go(executor, runs)
    assert executor.end(runs)["exit_code"] == 6
    assert executor.call("GET", "ping").json()["instance"] == instance


def test_term_ends_long_polls_at_once_and_refuses_new_work(new_executor: Callable[..., Executor]) -> None:
    executor = new_executor()
    runs = executor.start(body(script(*GO)))
    with ThreadPoolExecutor() as pool:
        other = executor.new_session()
        polling = pool.submit(_poll, other, f"{executor.server.url}/v1/tasks/{runs}")
        wait_until(lambda: executor.call("GET", "ping").ok and polling.running())
        assert executor.server.process
        begin = time.monotonic()
        executor.server.process.terminate()
        answer = polling.result(PATIENCE)
        assert time.monotonic() - begin < LONG / 2
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    assert answer.json()["type"] == "urn:gorchestrator:problem:draining"
    with suppress(requests.ConnectionError):  # the connection may be closed already
        refused = executor.put(new_id(), body())
        assert (refused.status_code, refused.json()["type"]) == (503, "urn:gorchestrator:problem:draining")
    other.close()
    executor.server.process.wait(PATIENCE)
    assert alive(runs)


def _runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _poll(session: requests.Session, url: str) -> requests.Response:
    return session.get(url, headers={"Prefer": f"wait={LONG}"}, timeout=2 * LONG)


def test_keeper_and_shims_end_when_they_are_not_needed(new_executor: Callable[..., Executor]) -> None:
    executor = new_executor()
    assert executor.run(body("/bin/true"))["state"] == 3
    assert len(executor.keepers()) == 2
    executor.server.stop()
    wait_until(lambda: not executor.keepers())
    assert list((executor.data / "shims").iterdir()) == []


def test_a_second_executor_is_refused(executor: Executor) -> None:
    holder = executor.worker().pid
    env = clean_environment(**executor.server.settings, GORCH_EXECUTOR_PORT="0", PYTHONWARNINGS="ignore")
    second = subprocess.run(
        [sys.executable, "-m", "executor"],
        env=env,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert second.returncode == 3
    said = second.stdout + second.stderr
    assert f"the data directory {executor.data} is in use by another executor (pid {holder})" in said
    assert "Traceback" not in said
    assert executor.run(body("/bin/true"))["state"] == 3


def test_gunicorn_without_our_configuration(tmp_path: Path, certs: Path) -> None:
    """As the README has it: everything on the command line; and a data directory with a long name.

    SIGHUP has gunicorn's meaning there: the next worker begins while this one ends, and gets the directory.
    """
    executor = Executor(tmp_path / ("long-" * 30), certs, kind=PlainGunicorn)
    with started(executor):
        job_id = executor.start(body(script(*GO, "exit 3")))
        executor.server.kill()
        executor.start_server()
        old = executor.worker().pid
        assert executor.server.process
        executor.server.process.send_signal(signal.SIGHUP)
        wait_until(lambda: not psutil.pid_exists(old))
        executor.session = executor.new_session()
        let_go(executor, job_id)
        assert executor.end(job_id)["exit_code"] == 3


def _seconds(text: str) -> float:
    return datetime.datetime.fromisoformat(text).timestamp()


def test_what_runs_is_found_although_its_artifact_is_gone(
    new_executor: Callable[..., Executor], tmp_path: Path
) -> None:
    """Nothing is looked up again that may have changed since it was started."""
    artifacts = tmp_path / "artifacts"
    artifacts.mkdir()
    program = artifacts / "deploy"
    program.write_text(script(*GO, "exit 6"))
    program.chmod(0o700)
    executor = new_executor(artifact_dirs=str(artifacts))
    job_id = executor.start(body("deploy"))
    executor.server.kill()
    program.unlink()
    executor.start_server()
    let_go(executor, job_id)
    job = executor.end(job_id)
    assert (job["state"], job["reason_code"], job["exit_code"]) == (4, "exit", 6)
