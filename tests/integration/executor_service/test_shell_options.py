"""The options of the engine shell: where, as whom, and within which limits a program runs."""

import grp
import os
import pwd
import stat
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from executor_support import Executor, body, new_id, script, started

NOBODY = "nobody"
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may become somebody else")


@pytest.fixture(scope="module")
def executor(certs: Path) -> Iterator[Executor]:
    """An executor whose data directory others can reach, unlike the folders of tests."""
    with TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        with started(Executor(Path(folder) / "executor", certs, {"GORCH_EXECUTOR_KILL_GRACE": "0.5"})) as found:
            yield found


def run(executor: Executor, *lines: str, output: tuple[str, ...] = (), **options: object) -> dict:
    return executor.run(body(script(*lines), options=options, output=dict.fromkeys(output, "")))


def test_it_begins_where_it_is_told(executor: Executor, tmp_path: Path) -> None:
    assert run(executor, "pwd", cwd=str(tmp_path))["log"].decode().strip() == str(tmp_path)


def test_where_it_cannot_begin_is_told(executor: Executor, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for cwd, why in (("/no/such/directory", "No such file or directory"), (f"{tmp_path}/file", "Not a directory")):
        for more in ({}, {"nice": 1}):  # which are started in different ways
            job = run(executor, "pwd", cwd=cwd, **more)
            assert (job["state"], job["reason_code"]) == (4, "argument")
            assert job["reason"] == f"cannot enter cwd {cwd}: {why}"


@as_root
def test_where_another_user_cannot_begin_is_told(executor: Executor, tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    job = run(executor, "pwd", cwd=str(tmp_path), user=NOBODY)
    assert (job["reason_code"], job["reason"]) == (
        "argument",
        f"cannot enter cwd {tmp_path} as user {NOBODY}: Permission denied",
    )


def test_niceness_and_umask(executor: Executor, tmp_path: Path) -> None:
    job = run(executor, "nice", "touch made", "umask", nice=7, umask="027", cwd=str(tmp_path))
    assert job["log"].split() == [b"7", b"0027"]
    assert (tmp_path / "made").stat().st_mode & 0o777 == 0o640


def test_limits(executor: Executor) -> None:
    limits = {"cpu": 60, "memory": "512M", "files": 40, "file_size": 2**20}
    job = run(executor, "ulimit -t", "ulimit -v", "ulimit -n", "ulimit -f", limits=limits)
    assert job["log"].split() == [b"60", b"524288", b"40", b"2048"]


def test_a_limit_that_is_reached_says_so(executor: Executor) -> None:
    job = run(executor, "echo begun", "while :; do :; done", limits={"cpu": 1})
    assert (job["state"], job["reason_code"], job["signal"]) == (4, "signal", "SIGXCPU")
    assert job["reason"] == "killed by its limit of cpu 1 s; killed by SIGXCPU: begun"
    job = run(executor, "trap '' XCPU", "while :; do :; done", limits={"cpu": 1})
    assert (job["reason_code"], job["signal"]) == ("signal", "SIGKILL")
    assert job["reason"] == "killed by its limit of cpu 1 s; killed by SIGKILL"
    job = run(executor, "exec head -c 2000000 /dev/zero > big", limits={"file_size": "1M"})
    assert (job["reason_code"], job["signal"]) == ("signal", "SIGXFSZ")
    assert job["reason"] == "killed by its limit of file_size 1048576 bytes; killed by SIGXFSZ"


def test_a_limit_that_a_program_of_a_script_has_reached_is_named_too(executor: Executor) -> None:
    job = run(executor, "head -c 2000000 /dev/zero > big", "exit $?", limits={"file_size": "1M"})
    told = "perhaps it reached its limit of file_size 1048576 bytes; exit status 153"
    assert (job["reason_code"], job["reason"].partition(":")[0]) == ("exit", told)


def test_what_was_killed_otherwise_has_reached_no_limit(executor: Executor) -> None:
    job = run(executor, "kill -KILL $$", limits={"cpu": 600, "file_size": "1G"})
    assert job["reason"] == "killed by SIGKILL"


def test_a_limit_that_cannot_be_set_is_told(executor: Executor) -> None:
    job = run(executor, "true", limits={"memory": "999999999999999T"})
    assert (job["state"], job["reason_code"]) == (4, "argument")
    assert job["reason"].startswith(f"cannot set limits.memory {999999999999999 * 2**40}: ")


def test_a_limit_that_may_have_been_reached_is_named_as_such(executor: Executor) -> None:
    job = run(executor, "kill -ABRT $$", limits={"memory": "1G"})
    assert (job["state"], job["reason_code"]) == (4, "signal")
    assert job["reason"] == "perhaps it reached its limit of memory 1073741824 bytes; killed by SIGABRT"


@as_root
def test_as_another_user(executor: Executor) -> None:
    lines = ["id -un", "id -G", "echo $HOME $USER", "touch here", 'echo "made=by $(id -un)" >> "$GORCH_OUTPUT"']
    job = run(executor, *lines, user=NOBODY)
    assert job["state"] == 3, job["log"]
    account = pwd.getpwnam(NOBODY)
    assert job["log"].decode().splitlines() == [NOBODY, str(account.pw_gid), f"{account.pw_dir} {NOBODY}"]
    assert job["output"] == {"made": f"by {NOBODY}"}


@as_root
def test_another_user_sees_nothing_of_other_jobs(executor: Executor) -> None:
    other = executor.start(body(script("echo started", "sleep 60"), env={"A": "b"}))
    live = executor.data / "jobs" / "live"
    lines = [f"cat {live}/{other}/node.json", f"ls {live}", f"cat {live}/{other}/output.log", "true"]
    job = run(executor, *lines, user=NOBODY)
    assert job["log"].count(b"Permission denied") == 3
    executor.delete(other)


@as_root
def test_another_user_passes_through_to_the_own_job_alone(executor: Executor) -> None:
    group = grp.getgrgid(pwd.getpwnam(NOBODY).pw_gid).gr_gid
    other = executor.start(body(script("echo started", "sleep 60"), options={"user": "daemon"}))
    own = executor.start(body(script("echo started", "read line < fifo || sleep 60"), options={"user": NOBODY}))
    live = executor.data / "jobs" / "live"
    found = (live / own).stat()
    assert (stat.S_IMODE(found.st_mode), found.st_gid) == (0o710, group)
    job = run(executor, f"stat {live}/{other}/output.log", f"stat {live}/{own}/output.log >&2", user=NOBODY)
    assert job["log"].count(b"Permission denied") == 1
    for each in (other, own):
        executor.delete(each)
        executor.end(each)
        assert stat.S_IMODE((live / each).stat().st_mode) == 0o700
    passed = {executor.data, executor.data / "jobs", live}
    for path in [*executor.data.iterdir(), *(executor.data / "jobs").iterdir(), *live.iterdir()]:
        mode = stat.S_IMODE(path.lstat().st_mode)
        assert mode & 0o077 == (0o011 if path in passed else 0), path


@as_root
def test_what_another_user_runs_is_killed_as_well(executor: Executor) -> None:
    job = executor.run(body(script("sleep 600 & sleep 600"), options={"user": NOBODY}, timeout=0.3))
    assert (job["state"], job["reason_code"]) == (10, "timeout")


@as_root
def test_a_user_that_is_not_there(executor: Executor) -> None:
    job = run(executor, "true", user="nobody-of-this-name")
    assert (job["reason_code"], job["reason"]) == (
        "argument",
        "there is no user 'nobody-of-this-name' on this executor's machine",
    )


@pytest.mark.parametrize(
    ("options", "pointer", "why"),
    [
        ({"cwd": "here"}, "/options/cwd", "must be an absolute path"),
        ({"cwd": "/a\0b"}, "/options/cwd", "must not contain the character NUL"),
        ({"cwd": "/\ud800"}, "/options/cwd", "lone surrogate"),
        ({"user": "a\0b"}, "/options/user", "must not contain the character NUL"),
        ({"user": "\ud800"}, "/options/user", "lone surrogate"),
        ({"umask": "999"}, "/options/umask", "three octal digits"),
        ({"nice": 20}, "/options/nice", "less than or equal to 19"),
        ({"limits": {"memory": "lots"}}, "/options/limits/memory", '"512M"'),
        ({"limits": {"space": 1}}, "/options/limits/space", "Unknown field"),
    ],
)
def test_what_makes_no_sense_is_refused(executor: Executor, options: dict, pointer: str, why: str) -> None:
    answer = executor.put(new_id(), body("true", options=options))
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:gorchestrator:problem:options-invalid")
    (fault,) = answer.json()["errors"]
    assert fault["pointer"] == pointer
    assert why in fault["detail"]
