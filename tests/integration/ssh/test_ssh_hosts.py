"""Hosts of all kinds: other shells, programs that are missing, full disks, file systems without execution."""

import re
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from beds import needs
from disk_support import filled, mounted
from executor.ssh.request import COMMAND
from executor_support import Executor, alive, script
from integration.ssh.test_ssh_breaks import fails
from integration.ssh.test_ssh_runs import gate, node, tosca
from ssh_support import HOST, Sshd, mark
from support import wait_until

SUCCESS, FAILURE, CANCELED = 3, 4, 11
#: What the other side and tests need; setsid is not one of them.
PROGRAMS = ("chmod", "grep", "head", "ls", "mkdir", "mkfifo", "rm", "sh", "sleep", "stat", "tail", "tr", "true", "wc")
ODD = "two\nlines 'and' \"quotes\" $(id) \\ `x` größe"
#: Variables named like those of the other side, or of meaning to some shells.
NAMES = (
    *("_d", "_id", "_prog", "_script", "_setsid", "_path", "_place", "_wanted", "_from", "_each", "_home", "_first"),
    *("gorch_name", "gorch_status", "n", "p", "IFS", "HOME", "PWD", "CDPATH", "ENV", "OPTARG", "SHLVL", "LC_ALL"),
)


@pytest.fixture
def reaching(server: Sshd, executor: Executor) -> Iterator[Callable[[Sshd], Executor]]:
    """Have the module's executor reach another server than the module's until the test ends."""
    before = server.hosts.read_text()

    def reach(other: Sshd) -> Executor:
        files = re.sub(r"(private_key|known_hosts): ", rf"\1: {other.folder}/", other.hosts.read_text())
        server.hosts.write_text(files)
        return executor

    yield reach
    server.hosts.write_text(before)


@pytest.fixture
def forced(new_server: Callable[..., Sshd]) -> Callable[[str], Sshd]:
    """Start an sshd that runs this command, whatever it is asked for."""
    return lambda command: new_server(f"ForceCommand {command}")


def farm(folder: Path, *programs: str, to: str = "") -> Path:
    """Return a folder of links to programs, or to one that has them all."""
    folder.mkdir()
    for name in programs:
        (folder / name).symlink_to(to or shutil.which(name) or name)
    return folder


def through(shell: Path | str, path: Path | str = "") -> str:
    """Return what runs our command by another shell than /bin/sh, perhaps with another PATH."""
    return (f"PATH={path} " if path else "") + COMMAND.replace("/bin/sh", str(shell))


@pytest.fixture(params=["dash", "bash", "busybox"])
def other_shell(
    request: pytest.FixtureRequest, forced: Callable[[str], Sshd], reaching: Callable[[Sshd], Executor], tmp_path: Path
) -> Executor:
    """An executor with a host whose /bin/sh is this one; what busybox has is all that its host has."""
    needs(request.param)
    program = shutil.which(request.param) or ""
    if request.param == "busybox":
        applets = subprocess.run([program, "--list"], capture_output=True, text=True, check=True).stdout.split()
        tools = farm(tmp_path / "bin", *applets, to=program)
        return reaching(forced(through(tools / "sh", tools)))
    return reaching(forced(through(farm(tmp_path / "bin", "sh", to=program) / "sh")))


# -- shells


def test_variables_named_like_those_of_the_other_side(other_shell: Executor) -> None:
    env = {name: f"{name} {ODD}" for name in NAMES}
    job = other_shell.run(node("env", "-0", env=env))
    assert job["state"] == SUCCESS, job
    found = dict(item.split("=", 1) for item in job["log"].decode().split("\0") if item)
    assert {name: found[name] for name in env} == env
    assert found["GORCH_OUTPUT"].endswith("/output")
    ours = {name for name in found if name.startswith(("_", "gorch_")) and name != "_"}
    assert ours == {name for name in NAMES if name.startswith(("_", "gorch_"))}


def test_inputs_and_outputs_named_like_those_of_the_other_side(other_shell: Executor) -> None:
    names = [name for name in NAMES if name.startswith(("_", "gorch_", "n", "p"))]
    inputs = [f"{name}={name} {ODD}" for name in names[::2]]
    job = other_shell.run(tosca("true\nset -u\n", *inputs, output=dict.fromkeys(names, "")))
    assert job["state"] == SUCCESS, job
    assert job["output"] == {name: f"{name} {ODD}" for name in names[::2]}


@pytest.mark.parametrize("name", ["UID", "PPID", "SHELLOPTS", "_", "RANDOM", "BASH_COMMAND", "OPTIND"])
def test_a_variable_that_shells_do_not_let_through(executor: Executor, name: str) -> None:
    for refused in (node("true", env={name: "1"}), tosca("true\ntrue\n", f"{name}=1")):
        job = executor.run(refused)
        assert (job["state"], job["reason_code"]) == (FAILURE, "argument")
        assert f"the variable {name} cannot be given to another host" in job["reason"]


def test_what_has_left_its_session_is_found(other_shell: Executor) -> None:
    seconds = mark()
    text = script(
        "trap '' TERM",
        f"(setsid sh -c 'trap : TERM; while :; do sleep {seconds}; done' >/dev/null 2>&1 &)",
        f"(sh -c 'trap \"\" TERM; sleep {seconds}' &)",
        f"echo begun; sleep {seconds}; sleep {seconds}",
    )
    job_id = other_shell.start(node(text))
    wait_until(lambda: len(alive(f"sleep {seconds}")) >= 3, what="all of it runs")
    other_shell.delete(job_id)
    assert other_shell.end(job_id)["state"] == CANCELED
    assert not alive(seconds)


@pytest.mark.parametrize("shell", ["fish", "tcsh", *filter(shutil.which, ["csh", "zsh", "ksh"])])
def test_login_shells_of_another_kind(
    forced: Callable[[str], Sshd], reaching: Callable[[Sshd], Executor], shell: str
) -> None:
    needs(shell)
    executor = reaching(forced(f'exec {shell} -c "$SSH_ORIGINAL_COMMAND"'))
    assert executor.run(node(script('echo "$A $1"'), "it's", env={"A": "$b"}))["log"] == b"$b it's\n"


def test_a_banner_is_not_the_reason(new_server: Callable[..., Sshd], reaching: Callable[[Sshd], Executor]) -> None:
    server = new_server("Banner {folder}/banner")
    (server.folder / "banner").write_text("Permission denied to strangers\nWithout work you are timed out\n")
    server.make_key("other")
    server.hosts.write_text(f"{HOST}:\n{server.entry()}stranger:\n{server.entry(private_key='other')}")
    executor = reaching(server)
    assert executor.run(node("echo", "hello"))["log"] == b"hello\n"
    reason = fails(executor, "stranger")
    assert "it does not let this user in" in reason
    assert "strangers" not in reason


def test_a_shell_that_never_stops_to_talk(forced: Callable[[str], Sshd], reaching: Callable[[Sshd], Executor]) -> None:
    assert "it runs no shell for us: " in fails(reaching(forced("yes be good")))


# -- programs


def test_a_host_without_setsid_whose_grep_does_not_know_nul(
    forced: Callable[[str], Sshd], reaching: Callable[[Sshd], Executor], tmp_path: Path
) -> None:
    tools = farm(tmp_path / "bin", *PROGRAMS)
    (tools / "grep").unlink()
    (tools / "grep").write_text(f'#!/bin/sh\ncase $1 in *z*) exit 2 ;; esac\nexec {shutil.which("grep")} "$@"\n')
    (tools / "grep").chmod(0o755)
    executor = reaching(forced(through("/bin/sh", tools)))
    assert executor.run(node("true"))["state"] == SUCCESS
    seconds = mark()
    ignoring = f"(trap '' TERM; sleep {seconds}; sleep {seconds}) & echo begun; sleep {seconds}"
    job_id = executor.start(node(script("trap '' TERM", f"(sleep {seconds} >/dev/null 2>&1 &)", ignoring)))
    wait_until(lambda: len(alive(f"sleep {seconds}")) == 3, what="all of it runs")
    executor.delete(job_id)
    assert executor.end(job_id)["state"] == CANCELED
    assert not alive(seconds)


@pytest.mark.parametrize("program", ["mkfifo", "head"])
def test_a_host_without_what_is_needed(
    forced: Callable[[str], Sshd], reaching: Callable[[Sshd], Executor], tmp_path: Path, program: str
) -> None:
    tools = farm(tmp_path / "bin", *(name for name in PROGRAMS if name != program))
    assert f"{HOST}: the host lacks " in (reason := fails(reaching(forced(through("/bin/sh", tools)))))
    assert program in reason


# -- hosts that do not answer, disks


@contextmanager
def silent() -> Iterator[int]:
    """A port at which somebody takes connections, and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_host_that_says_nothing(new_server: Callable[..., Sshd], new_executor: Callable[..., Executor]) -> None:
    server = new_server()
    executor = new_executor(server, SSH_CONNECT_TIMEOUT="1")
    with silent() as port:
        server.hosts.write_text(f"{HOST}:\n{server.entry(port=port)}")
        assert f"cannot connect to {HOST}: it does not answer" in fails(executor)


@pytest.fixture
def small(new_server: Callable[..., Sshd]) -> Iterator[Sshd]:
    """A host on which the directories of jobs have a small file system of their own."""
    server = new_server()
    with mounted(server.home / ".gorchestrator"):
        yield server


def test_a_full_disk_before_the_start(small: Sshd, reaching: Callable[[Sshd], Executor]) -> None:
    executor = reaching(small)
    long = script("true", "#" * 100_000)
    with filled(small.home / ".gorchestrator"):
        for refused in (long, "true"):
            assert "No space left on device" in fails(executor, artifact=refused)
    wait_until(lambda: not small.jobs, what="nothing is left")
    assert executor.run(node(long))["state"] == SUCCESS


def test_a_disk_that_gets_full_keeps_the_exit_status(
    small: Sshd, reaching: Callable[[Sshd], Executor], tmp_path: Path
) -> None:
    executor = reaching(small)
    path, wait = gate(tmp_path)
    job_id = executor.start(node(script("echo begun", wait, f"touch {tmp_path}/ended", "exit 6")))
    with filled(small.home / ".gorchestrator"):
        small.stop()
        small.cut()
        path.touch()
        wait_until((tmp_path / "ended").exists, what="it has ended")
        wait_until(lambda: list(small.home.glob(".gorchestrator/*/status")), what="its status is to be written")
        small.start()
    job = executor.end(job_id)
    assert (job["state"], job["exit_code"]) == (FAILURE, 6), job


def test_values_that_a_full_disk_does_not_take(
    small: Sshd, reaching: Callable[[Sshd], Executor], tmp_path: Path
) -> None:
    executor = reaching(small)
    path, wait = gate(tmp_path)
    job_id = executor.start(
        tosca(f"echo begun\n{wait}\nLONG=$(head -c 9999 /dev/zero | tr '\\0' x)\n", output={"LONG": ""})
    )
    with filled(small.home / ".gorchestrator"):
        path.touch()
        assert executor.end(job_id)["state"] == FAILURE


def test_a_home_without_execution(small: Sshd, reaching: Callable[[Sshd], Executor]) -> None:
    executor = reaching(small)
    subprocess.run(["mount", "-o", "remount,noexec", str(small.home / ".gorchestrator")], check=True)
    text = 'echo "$0 $1 $-"'
    for first, flag in ((" /bin/sh -e ", "e"), ("/bin/sh", ""), ("/usr/bin/env\tsh", "")):
        job = executor.run(node(script(text, interpreter=first), "a b"))
        assert job["state"] == SUCCESS, job
        name, _, rest = job["log"].decode().partition(" ")
        assert "/script." in name
        assert rest.startswith(f"a b {flag}")
    assert executor.run(tosca("A=1\ntrue\n", output={"A": ""}))["output"] == {"A": "1"}
    shutil.copy("/bin/echo", Path(executor.settings["GORCH_EXECUTOR_ARTIFACT_DIRS"]) / "say")
    job = executor.run(node("say", "hello"))
    assert (job["reason_code"], "mounted noexec" in job["reason"]) == ("artifact", True)
