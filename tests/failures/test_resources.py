"""What the services stand on fails while they run: disks, the database, clocks."""

import time
from contextlib import closing, suppress

import pytest

from disk_support import filled, limited, mounted
from executor_support import body, new_id
from failures_support import FAILURE, GONE, PATIENCE, RUNNING, SUCCESS, TORUN
from support import run_gorch, wait_until

UNAVAILABLE = "store-unavailable"

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


def is_unavailable(house):
    """Fail unless a graph is refused with 503 and the reason, while what is there can be read."""
    answer = house.api.call("POST", "/v1/tasks", {"name": "refused", "nodes": [house.node()]})
    answer.is_problem(503, UNAVAILABLE)
    assert "database" in answer.json["detail"]
    assert "retry-after" in answer.headers
    assert house.find("refused") == ""


def spoil(database):
    """Overwrite all pages of a database but the first one."""
    with database.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (database.stat().st_size - 4096))


def test_database_damaged(new_house, tmp_path):
    """The service ends with what to do, refuses to start again, and goes on from the backup."""
    house = new_house()
    database, backup = house.folder / "orchestrator" / "data" / "gorchestrator.db", tmp_path / "backup.db"
    data = ("--data", database.parent)
    advice = f"The database {database} is damaged (database disk image is malformed)."
    task = house.submit(house.node(gate="damaged"), house.node("after", needs=["node"]))
    house.has_run(task)
    house.shows(task, state=RUNNING)
    assert run_gorch("backup", backup, *data).returncode == 0
    in_use = run_gorch("restore", backup, *data)
    assert (in_use.returncode, in_use.stderr.count("is in use: stop the service")) == (2, 1)
    with closing(house.database()) as other:
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    spoil(database)
    server = house.orchestrator.process
    wait_until(lambda: refused_for_damage(house, advice) or server.poll() is not None, PATIENCE, "a word on the damage")
    assert server.wait(PATIENCE) == 3
    told = house.orchestrator.events("store_damaged")
    command = f"gorch restore FILE --data {database.parent}"
    assert {each["message"] for each in told} == {f"{advice} With the service stopped, restore a backup: {command}"}
    assert "Traceback" not in house.orchestrator.log
    house.open("damaged")
    again = run_gorch("serve", "--port", "0", env=house.orchestrator.settings)
    assert (again.returncode, again.stdout.count(f"cannot start: The database {database} is damaged")) == (3, 1)
    assert command in again.stdout
    assert "Traceback" not in again.stdout + again.stderr
    done = run_gorch("restore", backup, *data)
    assert done.returncode == 0, done.stderr
    house.orchestrator.start()
    house.once(task)
    house.once(task, name="after")


def refused_for_damage(house, advice):
    """Ask until a graph is refused; one may still be accepted by what is in memory. Whether it was refused."""
    with suppress(*GONE):
        answer = house.api.call("POST", "/v1/tasks", {"name": "refused", "nodes": [house.node()]})
        if answer.status != 202:
            answer.is_problem(503, "store-damaged")
            assert answer.json["detail"].startswith(advice)
            return True
    return False


@pytest.fixture(params=["file-system", "file-size"])
def full_disk(request, stack, new_house, tmp_path):
    """Return a function for each kind of full disk: it takes a side, and returns a house and what fills its disk."""

    def make(side):
        if request.param == "file-size":
            house = request.getfixturevalue("house")
            owner = house.executor if side == "executor" else house.orchestrator
            return house, lambda: limited(*owner.writers())
        folder = tmp_path / side / "data"
        stack.enter_context(mounted(folder))
        return new_house(), lambda: filled(folder)

    return make


def test_disk_full_at_the_orchestrator(full_disk):
    house, full = full_disk("orchestrator")
    task = house.submit(house.node(gate="full"), house.node("after", needs=["node"]))
    house.has_run(task)
    house.shows(task, state=RUNNING)
    with full():
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


def test_disk_full_at_the_executor(full_disk):
    """What runs ends with its real status once that can be written; what is new waits until it can be accepted."""
    house, full = full_disk("executor")
    runs = house.submit(house.node(gate="no-space", status=8))
    house.has_run(runs)
    house.shows(runs, state=RUNNING)
    large = house.node("node", f"# {'x' * 2**17}")  # larger than what may get free meanwhile
    with full():
        house.open("no-space")
        waits = house.submit(large)
        house.shows(waits, state=TORUN, reason="No room in", reason_code="executor_full")
        refused_for_want_of_room(house.executor, large)
        assert house.runs(waits) == 0
        assert house.task(runs)["state"] == RUNNING
        asked = [*house.executor.data.glob("jobs/live/*")]
        assert asked == [house.job(runs)]  # nothing half-written stays
    assert house.once(runs, FAILURE)["exit_code"] == 8
    house.once(waits)
    log = house.executor.server.log
    told = log.count('"event": "storage_full"')
    assert told == 1 or (told == 0 and not house.executor.data.is_mount())  # a limit stops the log, too, while it holds
    assert "Traceback" not in log


def refused_for_want_of_room(executor, node):
    answer = executor.put(new_id(), body(node["artifact"]))
    assert (answer.status_code, answer.json()["type"]) == (503, "urn:gorchestrator:problem:storage-full")
    assert str(executor.data) in answer.json()["detail"]
    assert float(answer.headers["Retry-After"]) > 0


def test_clock_jump(new_house, tmp_path, monkeypatch):
    """Wall clocks of both services jump while a node runs: nobody's lease, timeout or contact ends because of it."""
    place = tmp_path / "clock"
    place.mkdir()
    (place / "sitecustomize.py").write_text(CLOCK)
    monkeypatch.setenv("PYTHONPATH", str(place))
    monkeypatch.setenv("CLOCK_OF_THE_TEST", str(place / "offset"))
    house = new_house(GORCH_LOST_AFTER="30", GORCH_LEASE="1")
    for way, offset in {"back": -7200.0, "forward": 0.0}.items():  # the first one is undone by the second
        task = house.submit(house.node(gate=f"clock-{way}"), {"name": "pause", "engine": "sleep", "args": ["2.5"]})
        house.has_run(task)
        house.shows(task, state=RUNNING)
        owner = house.owner(task)
        timed = house.executor.start(body(house.node(gate=f"timed-{way}")["artifact"], timeout=600))
        (place / "offset").write_text(str(offset))
        started = time.monotonic()
        assert house.shows(task, "pause", state=SUCCESS)
        assert time.monotonic() - started > 1
        assert house.shows(task, state=RUNNING, reason_code=None)
        assert house.owner(task) == owner
        assert house.orchestrator.events("run_adopted") == []
        assert house.executor.get(timed)["state"] == RUNNING
        house.open(f"clock-{way}")
        house.open(f"timed-{way}")
        assert house.executor.end(timed)["state"] == SUCCESS
        house.once(task)
        house.once(house.submit(house.node()))
