"""What runs on a host by the engines ssh and toscassh, beyond the contract of all engines."""

import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from executor_support import Executor, alive, new_id, script
from integration.ssh.conftest import SECRET
from ssh_support import HOST, Sshd, mark
from support import wait_until

SUCCESS, FAILURE = 3, 4


def node(artifact: str, *args: str, engine: str = "ssh", **fields: Any) -> dict[str, Any]:
    return {"name": "n", "engine": engine, "target": HOST, "artifact": artifact, "args": list(args), **fields}


def gate(folder: Path) -> tuple[Path, str]:
    """Return a file, and the line of a script that waits until it is there."""
    path = folder / "gate"
    return path, f"n=0; while [ ! -e {path} ] && [ $n -lt 600 ]; do sleep 0.1; n=$((n+1)); done"


def test_fifty_at_once_on_one_host(executor: Executor, server: Sshd, tmp_path: Path) -> None:
    path, wait = gate(tmp_path)
    ids = [new_id() for _ in range(50)]
    for number, job_id in enumerate(ids):
        assert executor.put(job_id, node(script("echo begun", wait, f"echo {number}")), wait=None).status_code == 202
    wait_until(lambda: _begun(server) == 50, 60, "all run at once")
    path.touch()
    for number, job_id in enumerate(ids):
        assert executor.end(job_id)["state"] == SUCCESS
        assert executor.log_of(job_id) == f"begun\n{number}\n"
    wait_until(lambda: not server.jobs, what="the directories on the host are removed")


def test_the_trace_context_is_there_too(executor: Executor) -> None:
    context = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    job = executor.put_in(context, new_id(), node(script('echo "seen=$TRACEPARENT"'), output={"seen": ""}))
    assert job["output"] == {"seen": context}


def _begun(server: Sshd) -> int:
    folder = server.home / ".gorchestrator"
    return sum((folder / job / "log").exists() and (folder / job / "log").stat().st_size > 0 for job in server.jobs)


def test_nothing_of_a_job_is_in_a_command_line(executor: Executor, server: Sshd, tmp_path: Path) -> None:
    path, wait = gate(tmp_path)
    text = script("echo begun 'text of the script'", wait, 'echo "$PLAIN $HIDDEN" | tr a-z b-za')
    env = {"PLAIN": "value of a variable", "HIDDEN": {"secret": "TOKEN"}}
    job_id = executor.start(node(text, "an argument of it", env=env))
    lines = _command_lines()
    for hidden in ("text of the script", "value of a variable", SECRET):
        assert not [line for line in lines if hidden.encode() in line]
    (private,) = server.jobs
    assert (server.home / ".gorchestrator" / private).stat().st_mode & 0o777 == 0o700
    path.touch()
    assert executor.end(job_id)["state"] == SUCCESS
    assert "wbmvf pg b wbsjbcmf dpssfdu ipstf" in executor.log_of(job_id)


def _command_lines() -> list[bytes]:
    found = []
    for each in psutil.process_iter():
        with suppress(psutil.Error):  # it has ended meanwhile
            found.append(" ".join(each.cmdline()).encode())
    return found


def test_a_file_of_the_artifact_directories_is_sent(executor: Executor) -> None:
    folder = Path(executor.settings["GORCH_EXECUTOR_ARTIFACT_DIRS"])
    shutil.copy("/bin/echo", folder / "say")  # with NULs in it, and not executable there
    (folder / "say").chmod(0o600)
    assert executor.run(node("say", "-n", "it's $HOME"))["log"] == b"it's $HOME"
    (folder / "large").write_bytes(b"#!/bin/sh\n" + b"#" * 9 * 2**20)
    job = executor.run(node("large"))
    assert (job["state"], job["reason_code"]) == (FAILURE, "artifact")
    assert "at most 8388608 are sent" in job["reason"]


def test_nothing_outside_of_the_artifact_directories_is_sent(executor: Executor) -> None:
    secret = Path(executor.settings["GORCH_EXECUTOR_ARTIFACT_DIRS"]).parent / "outside"
    secret.write_text(script("echo it was sent"))
    job = executor.run(node("../outside"))
    assert (job["reason_code"], job["log"]) == ("artifact", b"")


def test_what_the_host_has(executor: Executor, server: Sshd) -> None:
    program = server.home / "there"
    program.write_text(script('echo "$(pwd) $1"'))
    assert "not executable (chmod +x)" in executor.run(node("./there"))["reason"]
    program.chmod(0o755)
    assert executor.run(node("./there", "x"))["log"].decode() == f"{server.home} x\n"
    assert executor.run(node("printf", "%s", "a b"))["log"] == b"a b"


def test_output_while_it_runs_and_afterwards(executor: Executor, tmp_path: Path) -> None:
    path, wait = gate(tmp_path)
    text = script("echo first", wait, "head -c 3000000 /dev/zero | tr '\\0' x", "echo; echo size=3 >>$GORCH_OUTPUT")
    job_id = executor.start(node(text))
    assert executor.log_of(job_id) == "first\n"
    path.touch()
    job = executor.end(job_id)
    assert (job["state"], job["output"], job["log_size"]) == (SUCCESS, {"size": "3"}, 3000007)


def test_signals_are_as_in_a_login(executor: Executor) -> None:
    log = executor.run(node("grep", "SigIgn", "/proc/self/status"))["log"]
    assert int(log.split()[1], 16) == 0


def test_what_the_shell_of_the_user_prints_is_not_the_nodes(
    new_server: Callable[..., Sshd], new_executor: Callable[..., Executor]
) -> None:
    server = new_server()
    (server.home / ".bashrc").write_text("echo welcome, gorchestrator\necho be good >&2\n")
    assert new_executor(server).run(node("echo", "hello"))["log"] == b"hello\n"


def test_a_host_that_runs_no_shell(new_server: Callable[..., Sshd], new_executor: Callable[..., Executor]) -> None:
    job = new_executor(new_server("ForceCommand echo no shell for you")).run(node("true"))
    assert (job["state"], job["reason_code"]) == (FAILURE, "connection")
    assert "no shell for you" in job["reason"]


def test_a_host_that_takes_few_sessions(new_server: Callable[..., Sshd], new_executor: Callable[..., Executor]) -> None:
    executor = new_executor(new_server("MaxSessions 2"))
    ids = [new_id() for _ in range(10)]
    for job_id in ids:
        executor.put(job_id, node("sleep", "1"), wait=None)
    assert [executor.end(job_id)["state"] for job_id in ids] == [SUCCESS] * 10


# -- toscassh


def tosca(artifact: str, *args: str, **fields: Any) -> dict[str, Any]:
    return node(artifact, *args, engine="toscassh", **fields)


def test_inputs_and_outputs_are_variables(executor: Executor) -> None:
    text = "URL=http://$HOST/\nexport BOTH=variable\necho BOTH=line\nset -u; false || exit 0\n"
    value = "two\nlines 'and' \"quotes\" $(id) \\ `x` größe"
    names = ["URL", "BOTH", "ODD", "ABSENT"]
    job = executor.run(tosca(text, "HOST=web", f"ODD={value}", output=dict.fromkeys(names, "")))
    assert job["output"] == {"URL": "http://web/", "BOTH": "line", "ODD": value}


@pytest.mark.parametrize("interpreter", ["/bin/bash -eu", "/usr/bin/env bash", "/bin/sh", "/usr/bin/env sh"])
def test_the_interpreter_is_that_of_the_first_line(executor: Executor, interpreter: str) -> None:
    text = script('SHELL_SEEN=$(readlink /proc/$$/exe); NAMED=$0; trap "echo ended" EXIT', interpreter=interpreter)
    job = executor.run(tosca(text, output={"SHELL_SEEN": "", "NAMED": ""}))
    assert (
        Path(job["output"]["SHELL_SEEN"]).name == Path(os.path.realpath(shutil.which(_shell(interpreter)) or "")).name
    )
    assert "/script." in job["output"]["NAMED"]
    assert job["log"] == b"ended\n"


def _shell(interpreter: str) -> str:
    return "bash" if "bash" in interpreter else "sh"


def test_another_interpreter_has_its_lines(executor: Executor) -> None:
    text = script("import os", "print('LENGTH=%d' % len(os.environ['TEXT']))", interpreter="/usr/bin/env python3")
    job = executor.run(tosca(text, "TEXT=12345", output={"LENGTH": "", "TEXT": ""}))
    assert (job["state"], job["output"]) == (SUCCESS, {"LENGTH": "5"})


def test_a_script_of_the_host(executor: Executor, server: Sshd) -> None:
    (server.home / "implement.sh").write_text("RESULT=$INPUT$INPUT\n")
    job = executor.run(tosca("implement.sh", "INPUT=ab", output={"RESULT": ""}))
    assert job["output"] == {"RESULT": "abab"}


def test_the_status_of_a_script_is_its_own(executor: Executor) -> None:
    assert executor.run(tosca("#!/bin/sh -e\nX=1\nfalse\n", output={"X": ""}))["exit_code"] == 1
    assert executor.run(tosca("X=1\n(exit 5)\n", output={"X": ""}))["exit_code"] == 5


@pytest.mark.parametrize("argument", ["no sign", "2B=x", "a-b=x", "=x"])
def test_what_is_no_input(executor: Executor, argument: str) -> None:
    job = executor.run(tosca("true\ntrue\n", argument))
    assert (job["state"], job["reason_code"]) == (FAILURE, "argument")
    assert "NAME=value" in job["reason"]


def test_what_a_node_with_too_large_outputs_has_left_is_killed(executor: Executor, server: Sshd) -> None:
    """Its program has succeeded, the node has not."""
    big = "$(head -c 70000 /dev/zero | tr '\\0' x)"
    for lines, output in (
        ((f'echo "big={big}"',), {"big": ""}),
        ((f'echo "big={big}" >>"$GORCH_OUTPUT"',), {}),
        (("head -c 9000000 /dev/zero >>$GORCH_OUTPUT",), {}),
    ):
        seconds = mark()
        job = executor.run(node(script(f"sleep {seconds} >/dev/null 2>&1 &", *lines), output=output))
        assert (job["state"], job["reason_code"], job["exit_code"]) == (FAILURE, "output", 0), job
        assert not alive(f"sleep {seconds}")
    wait_until(lambda: not server.jobs, what="the directories on the host are removed")


def test_a_program_that_writes_what_the_other_side_says_of_it(executor: Executor) -> None:
    lie = 'echo "$1 of nothing" >"${GORCH_OUTPUT%/*}/fault"; exit $2'
    for word, code in (("absent", "0"), ("nonsense", "127")):
        job = executor.run(node(script(lie), word, code))
        assert job["exit_code"] == int(code), job
        assert job["reason_code"] == (None if code == "0" else "exit")
