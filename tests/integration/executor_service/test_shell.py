"""The engine shell on a real executor."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from executor_support import Executor, alive, body, new_id, script


def artifacts(executor: Executor) -> Path:
    return Path(executor.settings["GORCH_EXECUTOR_ARTIFACT_DIRS"])


def test_success_says_when_and_what(executor: Executor) -> None:
    job = executor.run(body("echo", "hello"))
    assert (job["state"], job["exit_code"], job["signal"], job["reason"]) == (3, 0, None, None)
    assert job["log"] == b"hello\n"
    assert job["created_at"] <= job["started_at"] <= job["stopped_at"]


def test_failure_has_the_exit_status_and_the_last_lines(executor: Executor) -> None:
    job = executor.run(body(script("for i in 1 2 3 4 5 6 7; do echo line $i; done", "echo oops >&2", "exit 3")))
    assert (job["state"], job["exit_code"], job["reason_code"]) == (4, 3, "exit")
    assert job["reason"] == "exit status 3: line 4\nline 5\nline 6\nline 7\noops"


def test_signal_is_told_from_an_exit_status(executor: Executor) -> None:
    killed = executor.run(body(script("echo bang", "kill -SEGV $$")))
    assert (killed["state"], killed["exit_code"], killed["signal"]) == (4, None, "SIGSEGV")
    assert (killed["reason_code"], killed["reason"]) == ("signal", "killed by SIGSEGV: bang")
    plain = executor.run(body(script("exit 139")))
    assert (plain["exit_code"], plain["signal"], plain["reason_code"]) == (139, None, "exit")


def test_missing_artifact_says_where_it_was_looked_for(executor: Executor) -> None:
    job = executor.run(body("no-such-program"))
    assert (job["state"], job["reason_code"], job["exit_code"]) == (4, "artifact", None)
    assert f"{artifacts(executor)}/no-such-program" in job["reason"]
    assert "PATH (/" in job["reason"]
    absolute = executor.run(body("/no/such/program"))
    assert absolute["reason"] == "artifact '/no/such/program' not found; looked in: /no/such/program"
    nested = executor.run(body("sub/program"))
    assert nested["reason"] == f"artifact 'sub/program' not found; looked in: {artifacts(executor)}/sub/program"
    assert executor.run(body(""))["reason"] == "the node has no artifact: nothing to run"


def test_artifact_directories_come_before_path(executor: Executor) -> None:
    own = artifacts(executor) / "true"
    own.write_text(script("echo mine"))
    assert "is not executable" in executor.run(body("true"))["reason"]
    own.chmod(0o755)
    assert executor.run(body("true"))["log"] == b"mine\n"
    own.unlink()
    assert executor.run(body("true"))["log"] == b""


def test_script_without_interpreter_gets_a_hint(executor: Executor) -> None:
    bare = artifacts(executor) / "bare"
    bare.write_text("echo hello\n")
    bare.chmod(0o755)
    job = executor.run(body("./bare"))
    assert (job["state"], job["reason_code"]) == (4, "artifact")
    assert "Exec format error (a script must begin with a line such as #!/bin/sh)" in job["reason"]


def test_inline_python(executor: Executor) -> None:
    job = executor.run(body(script("import sys", "print(sys.argv[1:])", interpreter="/usr/bin/env python3"), "a", "b"))
    assert (job["state"], job["log"]) == (3, b"['a', 'b']\n")


@pytest.mark.parametrize(
    "argument",
    ["", " ", "a b", "$HOME", "`id`", "$(id)", "; exit 9", "*", "a\nb", "'\"", "\\", "-n", "ü €", "&& false"],
)
def test_arguments_arrive_as_they_are(executor: Executor, argument: str) -> None:
    show = script("import sys", "sys.stdout.buffer.write(sys.argv[1].encode())", interpreter="/usr/bin/env python3")
    assert executor.run(body(show, argument))["log"] == argument.encode()


def test_environment_is_clean(executor: Executor) -> None:
    assert executor.worker().environ()["SECRET_OF_THE_SERVICE"] == "visible"
    job = executor.run(body("/usr/bin/env", env={"MODE": "fast", "GORCH_NODE": "not this"}, name="my node"))
    seen = dict(line.split("=", 1) for line in job["log"].decode().splitlines())
    run, _, _ = job["id"].split(".")
    assert seen.pop("MODE") == "fast"
    assert seen.pop("GORCH_TASK_ID") == run
    assert seen.pop("GORCH_NODE") == "my node"
    assert seen.pop("GORCH_ATTEMPT") == "1"
    assert seen.pop("GORCH_OUTPUT").startswith(str(executor.data))
    assert set(seen) <= {"PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "USER", "LOGNAME"}


def test_standard_input_is_empty_and_the_working_directory_its_own(executor: Executor) -> None:
    job = executor.run(body(script("cat", "pwd", "ls -A", "echo x > output.log", "echo x > exit")))
    assert job["state"] == 3
    assert job["log"].decode() == f"{executor.data}/jobs/live/{job['id']}/work\n"


def test_nothing_of_the_executor_is_handed_to_the_process(executor: Executor) -> None:
    assert executor.run(body(script("ls /proc/$$/fd")))["log"].split() == [b"0", b"1", b"10", b"2"]  # 10: the script


def test_private_files(executor: Executor) -> None:
    job = executor.run(body("echo", "secret"))
    folder = executor.data / "jobs" / "live" / job["id"]
    assert {
        path.name: oct(path.stat().st_mode)[-3:] for path in [folder, folder / "output.log", folder / "node.json"]
    } == {
        job["id"]: "700",
        "output.log": "600",
        "node.json": "600",
    }


def test_outputs_from_the_log_for_declared_keys(executor: Executor) -> None:
    lines = ["echo colour=red", "echo colour=blue", "echo size=1", " echo ' indented=1'", "printf last=one"]
    job = executor.run(body(script(*lines), output={"colour": "", "indented": None, "last": "", "missing": ""}))
    assert job["output"] == {"colour": "blue", "last": "one"}


def test_outputs_from_the_file_beat_the_log(executor: Executor) -> None:
    lines = ["echo colour=red", "echo colour=green >> $GORCH_OUTPUT", "echo free=a=b >> $GORCH_OUTPUT"]
    assert executor.run(body(script(*lines), output={"colour": ""}))["output"] == {"colour": "green", "free": "a=b"}


def test_too_large_outputs_fail_the_node_and_kill_what_it_left(executor: Executor) -> None:
    mark = f"sleep 61{os.getpid()}"
    big = script(f"{mark} &", "printf 'big=' > $GORCH_OUTPUT", "head -c 65537 /dev/zero | tr '\\0' x >> $GORCH_OUTPUT")
    job = executor.run(body(big))
    assert (job["state"], job["reason_code"], job["output"]) == (4, "output", {})
    assert job["reason"] == "output 'big' is larger than 65536 bytes"
    assert not alive(mark)


def test_many_outputs_may_be_one_mebibyte_together(executor: Executor) -> None:
    lines = ["for i in $(seq 17); do printf \"k$i=\"; head -c 65000 /dev/zero | tr '\\0' x; echo; done > $GORCH_OUTPUT"]
    job = executor.run(body(script(*lines)))
    assert (job["state"], job["reason"]) == (4, "the outputs are together larger than 1048576 bytes")


def test_a_pipe_in_place_of_the_output_file_does_not_hang(executor: Executor) -> None:
    assert executor.run(body(script("mkfifo $GORCH_OUTPUT")))["state"] == 3


def test_binary_log_survives(executor: Executor) -> None:
    job = executor.run(body(script(r"printf '\000\377\n\351'", "exit 1")))
    assert job["log"] == b"\x00\xff\n\xe9"


def test_timeout_counts_from_the_start_of_the_process(executor: Executor) -> None:
    job = executor.run(body(script("echo begin", "sleep 60"), timeout=0.3))
    assert (job["state"], job["reason_code"], job["signal"]) == (10, "timeout", "SIGTERM")
    assert job["reason"] == "killed after its timeout of 0.3 s"


@pytest.mark.parametrize(
    "node",
    [
        body("/bin/true", "x" * 2**20),
        body("/bin/true", *["x" * 10_000] * 400),
        body("/bin/true", env={"BIG": "x" * 2**20}),
        body("/bin/true", "x" * 2**20, options={"nice": 1}),
    ],
    ids=["one", "many", "env", "options"],
)
def test_too_long_arguments_are_a_failure_of_the_node(executor: Executor, node: dict[str, Any]) -> None:
    job = executor.run(node)
    assert (job["state"], job["reason_code"]) == (4, "argument")
    assert job["reason"] == (
        "cannot pass on its arguments and variables (Linux takes 128 KiB of each and about 2 MiB of all): Argument list"
        " too long"
    )


@pytest.mark.parametrize("bad", ["a\0b", "a\ud800b"], ids=["NUL", "surrogate"])
@pytest.mark.parametrize(
    ("field", "pointer"),
    [
        (lambda bad: {"args": ["fine", bad]}, "/args/1"),
        (lambda bad: {"artifact": bad}, "/artifact"),
        (lambda bad: {"env": {"A": bad}}, "/env/A"),
        (lambda bad: {"env": {bad: "a"}}, "/env/{}"),
        (lambda bad: {"output": {bad: ""}}, "/output/{}"),
        (lambda bad: {"name": bad}, "/name"),
        (lambda bad: {"target": bad}, "/target"),
    ],
    ids=["args", "artifact", "value", "variable", "output", "name", "target"],
)
def test_what_no_process_can_be_given_is_refused(
    executor: Executor, field: Callable[[str], dict[str, Any]], pointer: str, bad: str
) -> None:
    answer = executor.put(new_id(), body() | field(bad))
    assert answer.status_code == 422
    (fault,) = answer.json()["errors"]
    assert fault["pointer"] == pointer.format(bad)
    assert "NUL" in fault["detail"] or "surrogate" in fault["detail"]
