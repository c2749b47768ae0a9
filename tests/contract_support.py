"""What every engine promises: the same cases over each of them."""

import os
import re
import signal
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

import psutil
import pytest

from beds import Bed
from executor_support import Executor, alive, gone, new_id
from support import wait_until

RUNNING, SUCCESS, FAILURE, TIMEOUT, CANCELED = 2, 3, 4, 10, 11
ODD = (
    "",
    " ",
    "two  words",
    "'single' \"double\" `back`",
    "$HOME $(id) ${x}",
    "a;b|c&d>e<f",
    "*?[x]~",
    "back\\slash\\n",
    "größe 日本 🎉",
    "-n",
    "--",
    "#no",
    "!x",
    "tab\there",
    "{{ braces }} {% x %}",
    "=",
)
STUBBORN = 'trap "" TERM; sh -c \'trap "" TERM; sleep {0} & setsid sleep {0} & sleep {0}\' & echo begun; sleep {0}'
# Until a gate is open, or two minutes are over.
WAIT = "n=0; while [ ! -e /tmp/gorch-{0} ] && [ $n -lt 2400 ]; do sleep 0.05; n=$((n+1)); done; rm -f /tmp/gorch-{0}"
MIB = 2**20
LINE = 100  # bytes, with its end
FIRST, LAST = 100_000_000, 100_209_999  # numbers that begin the lines of 20 MiB
PRINT = f"seq {FIRST} {LAST} | sed 's/$/ {'x' * (LINE - 11)}/'"


def seconds() -> str:
    """Return a time that marks a process: nobody else sleeps for so long."""
    return f"6{uuid.uuid4().int % 10**6:06d}"


def numbers(lines: list[bytes]) -> list[int]:
    """Return the numbers of those lines of a log that begin with one."""
    return [int(line[:9]) for line in lines if re.fullmatch(rb"\d{9} x*", line)]


def memory(process: psutil.Process, *, reset: bool = False) -> int:
    """Return the most bytes of memory that a process had since the last reset."""
    if reset:
        Path(f"/proc/{process.pid}/clear_refs").write_text("5")
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{process.pid}/status").read_text())
    assert found
    return int(found[1]) * 1024


def has_begun(bed: Bed, executor: Executor, job_id: str, mark: str, processes: int = 1) -> bool:
    """Whether a node runs, and so many processes of its program."""
    running = executor.get(job_id)["state"] == RUNNING
    return running and (not bed.runs_programs or len(alive(mark)) >= processes)


def check_dead(bed: Bed, mark: str) -> None:
    """Check that nothing is left of what was killed."""
    if bed.proves_death:
        assert not alive(mark)
    else:
        wait_until(gone(mark))


class Contract:
    """The cases, for a class of tests that names its engine.

    ``cannot``: cases that make no sense for it, and why; they are not collected.
    """

    engine: str
    cannot: Mapping[str, str] = MappingProxyType({})

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        for name in cls.cannot:
            assert hasattr(cls, name), f"{name} is no case of the contract"
            setattr(cls, name, None)

    def test_success_and_what_it_prints(self, bed: Bed, executor: Executor) -> None:
        job = executor.run(bed.node("echo out", "echo err >&2"))
        assert (job["state"], job["reason"], job["exit_code"]) == (SUCCESS, None, bed.exit_code(0))
        if bed.runs_programs:
            assert b"out" in job["log"]
            assert b"err" in job["log"]
        assert job["started_at"] <= job["stopped_at"]

    def test_a_failure_has_the_exit_code_and_the_last_lines(self, bed: Bed, executor: Executor) -> None:
        job = executor.run(bed.node("echo it went wrong", "exit 7"))
        assert (job["state"], job["reason_code"], job["exit_code"]) == (FAILURE, bed.failed, bed.exit_code(7))
        assert "it went wrong" in job["reason"]

    def test_outputs(self, bed: Bed, executor: Executor) -> None:
        job = executor.run(
            bed.node(bed.output("colour", "dark blue"), bed.output("size", "größe"), output={"colour": "", "size": ""})
        )
        assert job["output"]["colour"] == "dark blue"
        assert job["output"]["size"] == "größe"

    def test_an_output_that_is_too_large(self, bed: Bed, executor: Executor) -> None:
        big = "$(head -c 70000 /dev/zero | tr '\\0' x)"
        job = executor.run(bed.node(bed.output("big", big), output={"big": ""}))
        assert (job["state"], job["reason_code"]) == (FAILURE, "output")
        assert "'big' is larger than 65536 bytes" in job["reason"]

    def test_arguments_and_variables_arrive_as_they_are(self, bed: Bed, executor: Executor) -> None:
        env = {f"ODD_{number}": value for number, value in enumerate(ODD)}
        show = 'for each in "$@"; do printf "<%s>\\n" "$each"; done'
        shown = "; ".join(f'printf "<%s>\\n" "${name}"' for name in env)
        job = executor.run(bed.node(show, shown, args=ODD, env=env))
        assert job["state"] == SUCCESS, job["log"]
        expected = [f"<{value}>" for value in ODD]
        lines = [line for line in job["log"].decode().splitlines() if line.startswith("<") and line.endswith(">")]
        assert lines == expected + expected

    def test_a_timeout_kills_everything(self, bed: Bed, executor: Executor) -> None:
        for timeout in (bed.timeout, 4 * bed.timeout, 16 * bed.timeout):  # on a busy machine the first may be too short
            mark = seconds()
            job = executor.run(bed.node(STUBBORN.format(mark), timeout=timeout))
            assert (job["state"], job["reason_code"]) == (TIMEOUT, "timeout")
            assert job["reason"] == f"killed after its timeout of {timeout:g} s"
            check_dead(bed, f"sleep {mark}")
            if b"begun" in job["log"] or not bed.runs_programs:
                return
        pytest.fail("it has never begun")

    def test_a_cancel_kills_everything_and_proves_it(self, bed: Bed, executor: Executor) -> None:
        mark = seconds()
        job_id = new_id()
        executor.put(job_id, bed.node(STUBBORN.format(mark)), wait=None)
        wait_until(lambda: has_begun(bed, executor, job_id, f"sleep {mark}", 4), 40)
        answer = executor.delete(job_id)
        assert answer.status_code == 200, answer.text
        assert answer.json()["state"] == CANCELED
        check_dead(bed, f"sleep {mark}")

    def test_it_goes_on_while_the_executor_is_away(self, bed: Bed, new_executor: Callable[[], Executor]) -> None:
        executor = new_executor()
        mark = seconds()
        job_id = new_id()
        executor.put(job_id, bed.node("echo begun", WAIT.format(mark), "echo ended", "exit 3"), wait=None)
        wait_until(lambda: "begun" in executor.log_of(job_id), 40)
        executor.server.kill()
        changed, fails = bed.changed()
        executor.server.settings |= {f"GORCH_EXECUTOR_{name.upper()}": value for name, value in changed.items()}
        executor.start_server()
        assert executor.run(bed.node("true"))["state"] == (FAILURE if fails else SUCCESS)
        assert executor.get(job_id)["state"] < SUCCESS
        bed.open_gate(f"/tmp/gorch-{mark}")
        job = executor.end(job_id)
        assert (job["state"], job["reason_code"], job["exit_code"]) == (FAILURE, "exit", bed.exit_code(3))
        lines = executor.log_of(job_id).splitlines()
        assert (lines.count("begun"), lines.count("ended")) == (1, 1)

    def test_a_cancel_reaches_what_was_begun_before_a_restart(self, bed: Bed, executor: Executor) -> None:
        mark = seconds()
        job_id = new_id()
        executor.put(job_id, bed.node(f"echo begun; sleep {mark}"), wait=None)
        wait_until(lambda: has_begun(bed, executor, job_id, f"sleep {mark}"), 40)
        if bed.runs_programs:
            wait_until(lambda: "begun" in executor.log_of(job_id), 40)
        executor.server.kill()
        executor.start_server()
        assert executor.delete(job_id).json()["state"] == CANCELED
        assert not alive(f"sleep {mark}")

    def test_what_success_left_running_lives_on(self, bed: Bed, executor: Executor) -> None:
        mark = seconds()
        job = executor.run(bed.node(f"sleep {mark} &", "echo started"))
        assert job["state"] == SUCCESS
        if not bed.leaves_running:
            wait_until(gone(f"sleep {mark}"))
            return
        left = wait_until(lambda: alive(f"sleep {mark}"), what="what was left has become a sleep")
        try:
            assert executor.run(bed.node("true"))["state"] == SUCCESS  # meanwhile it could be killed
            assert alive(f"sleep {mark}") == left
        finally:
            for pid in alive(f"sleep {mark}"):
                os.kill(pid, signal.SIGKILL)

    def test_a_long_log_is_kept_with_its_start_and_its_end(self, bed: Bed, executor: Executor) -> None:
        executor.run(bed.node("true"))  # so that what it needs is loaded
        worker = executor.worker()
        before = memory(worker, reset=True)
        job = executor.run(bed.node(PRINT))
        assert job["state"] == SUCCESS, job["reason"]
        growth = memory(worker) - before
        pieces = executor.pieces(job["id"])
        assert len(pieces) == 2
        (start, head), (behind, tail) = pieces
        assert (start, behind + len(tail)) == (0, job["log_size"])
        assert job["log_size"] >= LINE * (LAST - FIRST + 1)
        assert len(head) + len(tail) <= MIB + 64 * 1024  # what is left out are whole blocks of the disk
        first, last = numbers(head.split(b"\n")[:-1]), numbers(tail.split(b"\n")[1:])  # without torn lines
        assert first == ([*range(FIRST, first[-1] + 1)] if bed.follows else sorted(set(first)))
        assert last == [*range(last[0], LAST + 1)]
        assert len(first) > 4_000 < len(last)
        assert growth < 10 * MIB

    def test_an_artifact_that_is_not_there(self, bed: Bed, executor: Executor) -> None:
        node, code, why = bed.missing()
        job = executor.run(node)
        assert (job["state"], job["reason_code"]) == (FAILURE, code)
        assert why in job["reason"]

    def test_many_at_once(self, bed: Bed, executor: Executor) -> None:
        ids = [new_id() for _ in range(bed.at_once)]
        for number, job_id in enumerate(ids):
            assert executor.put(job_id, bed.node(f"echo number {number}"), wait=None).status_code in (200, 202)
        for number, job_id in enumerate(ids):
            assert executor.end(job_id)["state"] == SUCCESS
            assert f"number {number}" in executor.log_of(job_id) or not bed.runs_programs

    def test_a_field_that_it_cannot_honour_is_refused(self, bed: Bed, executor: Executor) -> None:
        answer = executor.put(new_id(), bed.node("true", options={"no_such_option": 1}))
        assert answer.status_code == 422
        assert "options.no_such_option" in answer.json()["detail"]

    def test_ping_says_that_it_works(self, bed: Bed, executor: Executor) -> None:
        about = executor.call("GET", "ping").json()["engines"][bed.name]
        assert (about["ok"], about["reason"]) == (True, None)
