"""What breaks between an executor and a host: connections, jobs there, the executor. More is in ``tests/failures``."""

import base64
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from executor_support import Executor, alive, gone, new_id, script
from integration.ssh.test_ssh_runs import gate, node
from ssh_support import HOST, Sshd, mark
from support import wait_until

SUCCESS, FAILURE, TIMEOUT, CANCELED = 3, 4, 10, 11
COUNT = "n=0; while [ $n -lt 300 ]; do echo line $n; n=$((n+1)); sleep 0.01; done"


def test_a_lost_connection_loses_nothing(executor: Executor, server: Sshd) -> None:
    job_id = executor.start(node(script(COUNT, "echo out=5 >>$GORCH_OUTPUT", "exit 0")))
    for _ in range(3):
        before = executor.get(job_id)["log_size"]
        server.cut()
        wait_until(lambda before=before: executor.get(job_id)["log_size"] > before or _ended(executor, job_id), 40)
    job = executor.end(job_id)
    assert (job["state"], job["output"]) == (SUCCESS, {"out": "5"})
    assert executor.log_of(job_id) == "".join(f"line {number}\n" for number in range(300))
    wait_until(lambda: not server.jobs, 40, "its directory is removed")


def _ended(executor: Executor, job_id: str) -> bool:
    return bool(executor.get(job_id)["state"] >= SUCCESS)


def test_what_is_to_be_killed_on_a_host_that_is_away(
    new_server: Callable[..., Sshd], new_executor: Callable[..., Executor]
) -> None:
    server = new_server()
    executor = new_executor(server)
    seconds = mark()
    job_id = executor.start(node(script(f"echo begun; sleep {seconds}")))
    server.stop()
    server.cut()
    answer = executor.call("DELETE", f"tasks/{job_id}", wait=1)
    assert answer.status_code == 202
    assert answer.json()["state"] == 2
    assert alive(f"sleep {seconds}")
    server.start()
    assert executor.end(job_id)["state"] == CANCELED
    assert not alive(f"sleep {seconds}")
    assert server.jobs == []


def test_what_waits_for_the_program_is_killed(executor: Executor, server: Sshd) -> None:
    """Nobody knows then how the program ends, so it is ended: lost, as after a restart of the host."""
    seconds = mark()
    job_id = executor.start(node(script(f"echo begun; sleep {seconds}")))
    (job,) = server.jobs
    shell = int((server.home / ".gorchestrator" / job / "runner").read_text())
    os.kill(shell, signal.SIGKILL)
    job_seen = executor.end(job_id)
    assert (job_seen["state"], job_seen["reason_code"]) == (FAILURE, "lost")
    assert f"{HOST} was restarted" in job_seen["reason"]
    wait_until(gone(f"sleep {seconds}"))
    wait_until(lambda: not server.jobs, 30)


def test_a_directory_that_is_gone(executor: Executor, server: Sshd, tmp_path: Path) -> None:
    """What runs is not started again: the executor has seen it run."""
    path, wait = gate(tmp_path)
    seconds = mark()
    job_id = executor.start(node(script("echo begun", wait, 'rm -rf "${GORCH_OUTPUT%/*}"', f"sleep {seconds}")))
    path.touch()
    wait_until(lambda: alive(f"sleep {seconds}"), what="it goes on")
    server.cut()
    job = executor.end(job_id)
    assert (job["state"], job["reason_code"]) == (FAILURE, "lost")
    wait_until(gone(f"sleep {seconds}"))


def test_an_end_that_no_executor_has_seen(
    new_server: Callable[..., Sshd], new_executor: Callable[..., Executor], tmp_path: Path
) -> None:
    """It ends in time while the executor is away, and is not said to have taken too long."""
    server = new_server()
    executor = new_executor(server)
    path, wait = gate(tmp_path)
    job_id = executor.start(node(script("echo begun", wait, "echo result=7"), output={"result": ""}, timeout=15))
    executor.server.kill()
    path.touch()
    wait_until(lambda: list(server.home.glob(".gorchestrator/*/status")), what="it has ended there")
    status = next(server.home.glob(".gorchestrator/*/status"))
    wait_until(lambda: status.read_text() == "done 0\n")
    _wait_for_timeout(executor, job_id)
    executor.start_server()
    job = executor.end(job_id)
    assert (job["state"], job["output"]) == (SUCCESS, {"result": "7"})
    assert base64.b64decode(executor.get(job_id, log_from=0)["log"]) == b"begun\nresult=7\n"


def test_a_start_of_which_no_executor_knows_whether_it_came_through(
    new_server: Callable[..., Sshd], new_executor: Callable[..., Executor], tmp_path: Path
) -> None:
    """What was begun is followed, though it could not be begun like this now; what was not is not begun."""
    server = new_server()
    executor = new_executor(server)
    path, wait = gate(tmp_path)
    artifact = Path(executor.settings["GORCH_EXECUTOR_ARTIFACT_DIRS"]) / "artifact"
    artifact.write_text(script("echo begun", wait, "exit 6"))
    begun, other = executor.start(node("artifact")), executor.start(node("artifact"))
    executor.server.kill()
    server.end(other)
    for job_id in (begun, other):
        (executor.data / "jobs" / "live" / job_id / "ssh.json").unlink()
    with artifact.open("ab") as file:
        file.truncate(9 * 2**20)
    path.touch()
    executor.start_server()
    job = executor.end(begun)
    assert (job["state"], job["exit_code"]) == (FAILURE, 6), job
    job = executor.end(other)
    assert (job["reason_code"], job["exit_code"]) == ("artifact", None)
    assert "at most" in job["reason"]


def _wait_for_timeout(executor: Executor, job_id: str) -> None:
    """Make the claim of the job old enough for its timeout."""
    claim = executor.data / "jobs" / "live" / job_id / "shim"
    before = claim.lstat().st_mtime - 60
    os.utime(claim, (before, before), follow_symlinks=False)


def test_a_cancel_while_it_begins(executor: Executor, server: Sshd) -> None:
    for _ in range(8):
        seconds = mark()
        job_id = new_id()
        executor.put(job_id, node(script(f"sleep {seconds}")), wait=None)
        assert executor.delete(job_id).json()["state"] == CANCELED
        assert not alive(f"sleep {seconds}")
    wait_until(lambda: not server.jobs, 30)


# -- connections that are not made


def fails(executor: Executor, target: str = HOST, **fields: Any) -> str:
    job = executor.run({**node("true"), "target": target, **fields})
    assert (job["state"], job["reason_code"]) == (FAILURE, "connection"), job
    reason: str = job["reason"]
    return reason


@pytest.fixture
def broken(server: Sshd, executor: Executor) -> dict[str, str]:
    """Return hosts that cannot be connected to, and what is said of each."""
    if not (server.folder / "other").exists():
        server.make_key("other")
    (server.folder / "changed").write_text(f"[127.0.0.1]:{server.port} {(server.folder / 'other.pub').read_text()}")
    (server.folder / "nobody").write_text("")
    hosts = {
        "unknown_key": (server.entry(known_hosts="nobody"), "its host key is not known"),
        "changed_key": (server.entry(known_hosts="changed"), "its host key is not the known one"),
        "wrong_key": (server.entry(private_key="other"), "it does not let this user in"),
        "no_port": (server.entry(port=1), "nothing listens there"),
        "no_name": (server.entry(host="no-such-host.invalid"), "its name is not known"),
        "odd": ("  hots: x\n", "hots"),
    }
    text = server.hosts.read_text()
    if "unknown_key" not in text:
        server.hosts.write_text(text + "".join(f"{name}:\n{entry}" for name, (entry, _) in hosts.items()))
    return {name: said for name, (_, said) in hosts.items()}


@pytest.mark.parametrize("name", ["unknown_key", "changed_key", "wrong_key", "no_port", "no_name", "odd"])
def test_a_connection_that_cannot_be_made(executor: Executor, broken: dict[str, str], name: str) -> None:
    assert broken[name] in fails(executor, name)


@pytest.mark.parametrize("target", ["-oProxyCommand=touch x", "", "a b", "x;y"])
def test_a_target_that_is_no_host(executor: Executor, target: str) -> None:
    assert "host" in fails(executor, target)


def test_a_host_beside_the_target(executor: Executor) -> None:
    job = executor.run({**node("echo", "hello"), "target": "executor", "options": {"host": HOST}})
    assert (job["state"], job["log"]) == (SUCCESS, b"hello\n")


def test_a_host_key_is_learnt_where_that_is_allowed(
    new_server: Callable[..., Sshd], new_executor: Callable[..., Executor]
) -> None:
    server = new_server()
    (server.folder / "known").unlink()
    executor = new_executor(server, SSH_STRICT="accept-new")
    assert executor.run(node("true"))["state"] == SUCCESS
    assert "ssh-ed25519" in (server.folder / "known").read_text()


def test_a_host_of_the_clients_configuration(
    new_server: Callable[..., Sshd], new_executor: Callable[..., Executor], tmp_path: Path
) -> None:
    server = new_server()
    config = tmp_path / "ssh_config"
    lines = ["Host other", "HostName 127.0.0.1", f"Port {server.port}", f"IdentityFile {server.folder}/user"]
    config.write_text("\n".join([*lines, f"UserKnownHostsFile {server.folder}/known", ""]))
    executor = new_executor(server, SSH_CONFIG=str(config))
    assert executor.run({**node("true"), "target": "other"})["state"] == SUCCESS


def test_a_file_of_hosts_that_is_broken(new_server: Callable[..., Sshd], new_executor: Callable[..., Executor]) -> None:
    server = new_server()
    server.hosts.write_text("a: [\n")
    executor = new_executor(server)
    about = executor.call("GET", "ping").json()["engines"]["ssh"]
    assert not about["ok"]
    assert "is not YAML" in about["reason"]
    server.hosts.write_text(f"{HOST}:\n{server.entry()}")
    assert executor.call("GET", "ping").json()["engines"]["ssh"]["ok"]
    assert executor.run(node("true"))["state"] == SUCCESS
