"""What the services stand on fails while they run: disks, the database, certificates, clocks."""

import datetime
import resource
import signal
import time
from contextlib import closing, contextmanager
from pathlib import Path

import psutil
import pytest
from cryptography.hazmat.primitives import serialization

from executor_support import body
from failures_support import FAILURE, RUNNING, SUCCESS
from gorchestrator import certificates
from support import wait_until

UNAVAILABLE = "store-unavailable"
SHORT = 3.0  # seconds that a certificate holds

CLOCK = """
import os, time
_real, _file = time.time, os.environ["CLOCK_OF_THE_TEST"]
def _jumped():
    try:
        with open(_file) as file:
            return _real() + float(file.read() or 0)
    except FileNotFoundError:
        return _real()
time.time = _jumped
"""


@contextmanager
def full_disk(*processes):
    """Let no file of these processes grow, as if the disk had no space left; then let all be as before."""
    before = {each.pid: resource.prlimit(each.pid, resource.RLIMIT_FSIZE) for each in processes}
    for pid, (_, hard) in before.items():
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        for pid, limits in before.items():
            if psutil.pid_exists(pid):
                resource.prlimit(pid, resource.RLIMIT_FSIZE, limits)


def is_unavailable(house):
    """Fail unless a graph is refused with 503 and the reason, while what is there can be read."""
    answer = house.api.call("POST", "/v1/tasks", {"name": "refused", "nodes": [house.node()]})
    answer.is_problem(503, UNAVAILABLE)
    assert "database" in answer.json["detail"]
    assert "retry-after" in answer.headers
    assert house.find("refused") == ""


def test_disk_full_at_the_orchestrator(house):
    task = house.submit(house.node(gate="full"), house.node("after", needs=["node"]))
    house.has_run(task)
    house.shows(task, state=RUNNING)
    with full_disk(*house.orchestrator.workers()):
        house.open("full")
        is_unavailable(house)
        assert house.task(task)["state"] == RUNNING
        assert house.job(task, "result.json").exists()  # it stays there until it is acknowledged
        assert house.runs(task, "after") == 0
    house.once(task)
    house.once(task, name="after")


def test_database_locked(house):
    task = house.submit(house.node(gate="locked"), house.node("after", needs=["node"]))
    house.has_run(task)
    house.shows(task, state=RUNNING)
    with closing(house.database()) as database:
        database.execute("BEGIN IMMEDIATE")
        house.open("locked")
        is_unavailable(house)
        assert house.task(task)["state"] == RUNNING
        assert house.runs(task, "after") == 0
        database.execute("ROLLBACK")
    house.once(task)
    house.once(task, name="after")


def test_disk_full_at_the_executor(house):
    """What runs ends with its real status once that can be written; what is new waits until it can be accepted."""
    runs = house.submit(house.node(gate="no-space", status=8))
    house.has_run(runs)
    with full_disk(house.executor.worker(), *house.executor.keepers()):
        house.open("no-space")
        waits = house.submit(house.node())
        house.shows(waits, state=RUNNING, reason="executor")
        assert house.runs(waits) == 0
        assert house.task(runs)["state"] == RUNNING
    assert house.once(runs, FAILURE)["exit_code"] == 8
    house.once(waits)


def issue(folder: Path, authority: certificates.Issued, seconds: float) -> None:
    """Write certificates of both services that hold for so long; each file is there as a whole or not at all."""
    for name in certificates.SERVICES:
        issued = certificates.issue(authority, name, certificates.local_names(), seconds / 86400)
        key = issued.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        for suffix, text in (
            ("key", key),
            ("pem", issued.certificate.public_bytes(serialization.Encoding.PEM)),
        ):
            new = folder / f"{name}.{suffix}.new"
            new.write_bytes(text)
            new.rename(folder / f"{name}.{suffix}")


def test_certificate_expired_while_running(new_house, tmp_path):
    folder = tmp_path / "certs"
    folder.mkdir()
    authority = certificates.make_ca()
    (folder / "ca.pem").write_bytes(authority.certificate.public_bytes(serialization.Encoding.PEM))
    issue(folder, authority, 3600)
    house = new_house(folder, workers=1)
    task = house.submit(house.node(gate="expired"))
    house.has_run(task)
    issue(folder, authority, SHORT)
    ends = datetime.datetime.now() + datetime.timedelta(seconds=SHORT)
    house.executor.server.process.send_signal(signal.SIGHUP)
    wait_until(lambda: datetime.datetime.now() > ends, what="the certificates have expired")
    house.proxy.hang_up()
    house.shows(task, state=RUNNING, reason="certificate has expired", reason_code="executor_refused")
    house.open("expired")
    issue(folder, authority, 3600)
    house.executor.server.process.send_signal(signal.SIGHUP)
    house.once(task)
    house.once(house.submit(house.node()))


@pytest.mark.parametrize("jump", [-7200.0, 7200.0], ids=["back", "forward"])
def test_clock_jump(new_house, tmp_path, monkeypatch, jump):
    """Wall clocks of both services jump while a node runs: nobody's lease, timeout or contact ends because of it."""
    place = tmp_path / "clock"
    place.mkdir()
    (place / "sitecustomize.py").write_text(CLOCK)
    monkeypatch.setenv("PYTHONPATH", str(place))
    monkeypatch.setenv("CLOCK_OF_THE_TEST", str(place / "offset"))
    house = new_house(GORCH_LOST_AFTER="30", GORCH_LEASE="1")
    task = house.submit(house.node(gate="clock"), {"name": "pause", "engine": "sleep", "args": ["2.5"]})
    house.has_run(task)
    house.shows(task, state=RUNNING)
    owner = house.owner(task)
    timed = house.executor.start(body(house.node(gate="timed")["artifact"], timeout=60))
    (place / "offset").write_text(str(jump))
    started = time.monotonic()
    assert house.shows(task, "pause", state=SUCCESS)
    assert time.monotonic() - started > 1
    assert house.shows(task, state=RUNNING, reason_code=None)
    assert house.owner(task) == owner
    assert house.orchestrator.events("run_adopted") == []
    assert house.executor.get(timed)["state"] == RUNNING
    house.open("clock")
    house.open("timed")
    assert house.executor.end(timed)["state"] == SUCCESS
    house.once(task)
    house.once(house.submit(house.node()))
