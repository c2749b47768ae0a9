"""Secrets of an executor: nodes get their values, and nobody else is shown them."""

import json
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from executor.archive import Archive
from executor_support import Executor, body, new_id, script, started
from support import wait_until

VALUE = "s3cr3t-of-the-test"
SHOWN = b"*" * len(VALUE)
TOKEN = {"TOKEN": {"secret": "deploy-token"}}


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the executor's folder of secrets; a test that changes one has its own."""
    folder = tmp_path_factory.mktemp("secrets")
    write(folder / "deploy-token", VALUE + "\n")
    return folder


@pytest.fixture(scope="module")
def executor(tmp_path_factory: pytest.TempPathFactory, certs: Path, secrets: Path) -> Iterator[Executor]:
    """An executor that all tests of this module share: they leave it working."""
    settings = {"GORCH_EXECUTOR_SECRETS": str(secrets), "GORCH_EXECUTOR_KILL_GRACE": "0.5"}
    with started(Executor(tmp_path_factory.mktemp("executor"), certs, settings)) as found:
        yield found


def write(path: Path, text: str, mode: int = 0o600) -> None:
    path.write_text(text)
    path.chmod(mode)


def everywhere(executor: Executor) -> list[Path]:
    """Return the files of the executor in which the value stands."""
    files = [path for path in executor.folder.rglob("*") if path.is_file()]
    return [path for path in files if VALUE.encode() in path.read_bytes()]


def test_a_node_gets_it_and_nobody_else_sees_it(executor: Executor, tmp_path: Path) -> None:
    lines = ["[ ${#TOKEN} = 18 ] || exit 9", 'echo "token=$TOKEN"', 'echo "key=$TOKEN" >> $GORCH_OUTPUT']
    lines.append(f"while [ ! -e {tmp_path}/gate ]; do sleep 0.1; done")
    job_id = new_id()
    executor.put(job_id, body(script(*lines), env=TOKEN, output={"token": ""}), wait=None)
    wait_until(lambda: executor.get(job_id)["log_size"], what="it runs")
    assert not [line for line in _command_lines() if VALUE in line]
    (tmp_path / "gate").touch()
    job = executor.end(job_id)
    assert (job["state"], job["output"]) == (3, {"token": "***", "key": "***"})
    assert executor.log_of(job_id).encode() == b"token=" + SHOWN + b"\n"
    assert executor.get(job_id, log_from=0)["log_next"] == len(b"token=") + len(VALUE) + 1
    for path in everywhere(executor):  # only what the job has written, and what hides it there
        assert path.name in {"output.log", "output", "secrets.json"}
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0 or path.name == "output"


def _command_lines() -> list[str]:
    found = []
    for process in psutil.process_iter():
        try:
            found.append(" ".join(process.cmdline()))
        except psutil.Error:
            continue
    return found


def test_it_is_hidden_over_two_writes_and_in_reasons(executor: Executor) -> None:
    half = f'printf "%s" "${{TOKEN%{VALUE[9:]}}}"; sleep 0.5; echo "${{TOKEN#{VALUE[:9]}}}"; echo "$TOKEN" >&2; exit 3'
    job = executor.run(body(script(half), env=TOKEN))
    assert job["log"] == SHOWN + b"\n" + SHOWN + b"\n"
    assert job["reason"] == "exit status 3: ***\n***"


def test_it_stays_hidden_when_it_is_changed_and_the_executor_restarted(executor: Executor, secrets: Path) -> None:
    write(secrets / "changes", VALUE)
    lines = ('echo "$TOKEN"', "while [ ! -e go ]; do sleep 0.01; done", 'echo "$TOKEN"')
    job_id = executor.start(body(script(*lines), env={"TOKEN": {"secret": "changes"}}))
    write(secrets / "changes", "another one")
    executor.server.kill()
    executor.start_server()
    (executor.data / "jobs" / "live" / job_id / "work" / "go").touch()
    assert executor.end(job_id)["state"] == 3
    assert executor.log_of(job_id).encode() == (SHOWN + b"\n") * 2


def test_what_is_kept_of_it_is_what_the_job_was_started_with_and_no_longer_than_its_log(
    new_executor: Callable[..., Executor], tmp_path: Path
) -> None:
    folder = tmp_path / "secrets"
    folder.mkdir()
    for name in ("deploy-token", "other"):
        write(folder / name, VALUE)
    executor = new_executor(secrets=str(folder), capacity="1", keep_done="0")
    running = executor.start(body(script("echo $TOKEN", "sleep 600"), env=TOKEN))
    waiting = new_id()
    assert executor.put(waiting, body("true", env=TOKEN), wait=None).status_code == 202
    executor.log_of(waiting)  # a look is no start
    live = executor.data / "jobs" / "live"
    kept = live / running / "secrets.json"
    assert json.loads(kept.read_text()) == {"deploy-token": VALUE}
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    for each in (waiting, running):
        executor.delete(each)
        assert executor.end(each)["state"] == 11
        executor.log_of(each)
    assert not (live / waiting / "secrets.json").exists()
    for each in (waiting, running):
        assert executor.call("POST", f"tasks/{each}/ack").status_code < 300
    executor.server.stop()
    archive = Archive(executor.data, 0)
    for hour in archive.done.iterdir():  # long ago
        hour.rename(archive.done / "2000-01-01T00")
    assert archive.prune().count == 2
    archive.close()
    assert [path for path in everywhere(executor) if path.is_relative_to(executor.data)] == []


def test_a_secret_is_read_when_the_node_starts_and_not_when_it_is_looked_at(
    new_executor: Callable[..., Executor], tmp_path: Path
) -> None:
    write(tmp_path / "deploy-token", "as it was before")
    executor = new_executor(secrets=str(tmp_path), capacity="1")
    running = executor.start(body(script("echo started", "sleep 600")))
    waiting = new_id()
    executor.put(waiting, body(script("[ $TOKEN = " + VALUE + " ] && echo $TOKEN"), env=TOKEN), wait=None)
    executor.log_of(waiting)
    write(tmp_path / "deploy-token", VALUE)
    executor.delete(running)
    assert executor.end(waiting)["state"] == 3
    assert executor.log_of(waiting).encode() == SHOWN + b"\n"


def test_a_job_that_damages_what_is_kept_of_it_is_shown_all_the_same(executor: Executor) -> None:
    job_id = executor.start(body(script("echo $TOKEN", "echo '{\"deploy-token\": 1}' > ../secrets.json"), env=TOKEN))
    assert executor.end(job_id)["state"] == 3
    executor.server.kill()
    executor.start_server()
    assert executor.log_of(job_id).encode() == SHOWN + b"\n"


def test_one_that_is_not_there_says_what_to_do(executor: Executor) -> None:
    job = executor.run(body("true", env={"A": {"secret": "other"}}))
    assert (job["state"], job["reason_code"]) == (4, "secret")
    assert "this executor has no secret 'other': put it into the file" in job["reason"]


def test_one_that_others_can_read_is_not_used(executor: Executor, secrets: Path) -> None:
    write(secrets / "open", VALUE, 0o644)
    write(secrets / "short", "abc")
    os.symlink("deploy-token", secrets / "link")
    for name, why in (("open", "chmod 600"), ("short", "4 to 16384 bytes"), ("link", "cannot be read")):
        job = executor.run(body("true", env={"A": {"secret": name}}))
        assert job["reason_code"] == "secret"
        assert why in job["reason"]


@pytest.mark.parametrize("name", ["../deploy-token", "a/b", "", ".hidden"])
def test_names_that_lead_elsewhere_are_refused(executor: Executor, name: str) -> None:
    answer = executor.put(new_id(), body("true", env={"A": {"secret": name}}))
    assert answer.status_code == 422


def test_only_listed_variables_of_the_executor_are_secrets(
    new_executor: Callable[..., Executor], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OF_THE_SERVICE", VALUE)
    monkeypatch.setenv("NOT_FOR_NODES", VALUE)
    monkeypatch.setenv("OF_OLD", os.fsdecode(VALUE.encode() + b"\xff"))
    executor = new_executor(secret_env="OF_THE_SERVICE,OF_OLD")
    job = executor.run(body(script('echo "$A"'), env={"A": {"secret": "OF_THE_SERVICE"}}))
    assert job["log"] == SHOWN + b"\n"
    assert executor.run(body("true", env={"A": {"secret": "NOT_FOR_NODES"}}))["reason_code"] == "secret"
    job = executor.run(body("true", env={"A": {"secret": "OF_OLD"}}))
    assert (job["reason_code"], job["reason"]) == (
        "secret",
        "the secret in the executor's variable OF_OLD is not UTF-8",
    )


def test_what_is_cut_out_for_a_reason_has_no_part_of_it(executor: Executor) -> None:
    """The last line is longer than a reason, and begins within the secret, wherever it is cut."""
    tail = 'for i in 1 2 3 4 5 6 7 8; do printf "%s" "$TOKEN"; done'
    lines = [tail, "head -c 950 /dev/zero | tr '\\0' x", "exit 3"]
    job = executor.run(body(script(*lines), env=TOKEN))
    assert not any(VALUE[at : at + 4] in job["reason"] for at in range(len(VALUE) - 3))


def test_a_fault_of_a_driver_does_not_show_it(executor: Executor) -> None:
    options = {"headers": {"Authorization": "Bearer ${TOKEN}\ud800"}}
    node = {"name": "n", "engine": "http", "artifact": "http://127.0.0.1:9/", "env": TOKEN, "options": options}
    job = executor.run(node)
    assert job["state"] == 4
    assert VALUE not in str(job)
