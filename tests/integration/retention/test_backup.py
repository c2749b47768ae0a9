"""A backup that is taken while a service works hard comes back as a service that goes on with all of it."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from api_support import Api, Orchestrator
from events_support import frames, streaming
from failures_support import GONE, House
from gorchestrator.domain.records import EPOCH_BITS
from support import run_gorch, wait_until

SUBMITTERS = 3
ENOUGH = 25  # tasks that have been accepted before the backup begins


class Load:
    """Threads that submit graphs as fast as they are accepted; ``accepted`` are those of which they have heard."""

    def __init__(self, house: House) -> None:
        self.accepted: list[str] = []
        self._house = house
        self._end = threading.Event()
        self._threads = [threading.Thread(target=self._submit, daemon=True) for _ in range(SUBMITTERS)]
        for thread in self._threads:
            thread.start()

    def _submit(self) -> None:
        house = self._house
        short, long = house.node("short"), house.node("long", "sleep 0.5", needs=["short"])
        beside = {"name": "beside", "engine": "sleep", "args": ["0.3"]}
        last = {"name": "last", "engine": "nil", "needs": ["long", "beside"]}
        document = {"name": "load", "labels": {"under": "load"}, "nodes": [short, long, beside, last]}
        while not self._end.is_set():
            with suppress(*GONE):
                answer = house.api.call("POST", "/v1/tasks", document)
                if answer.status == 202:
                    self.accepted.append(str(answer.json["id"]))
            self._end.wait(0.05)

    def stop(self) -> None:
        self._end.set()
        for thread in self._threads:
            thread.join()


@contextmanager
def load(house: House) -> Iterator[Load]:
    found = Load(house)
    try:
        yield found
    finally:
        found.stop()


def ended(api: Api) -> dict[str, dict[str, Any]]:
    """Return the tasks that have ended."""
    listed = api.call("GET", "/v1/tasks?limit=1000&state=success").json["tasks"]
    return {each["id"]: api.task(each["id"]) for each in listed}


def events(api: Api, last: int) -> list[int]:
    """Return the numbers of all events up to one."""
    found: list[int] = []
    with streaming(api, "/v1/events?after=0") as stream:
        for frame in frames(stream):
            if frame.data is not None:
                assert frame.event != "reset"
                found.append(frame.data["seq"])
                if found[-1] >= last:
                    break
    return found


def goes_on(api: Api, after: int) -> bool:
    """Whether a stream of all events goes on behind one; else it says that what has come since is not known."""
    with streaming(api, f"/v1/events?after={after}") as stream:
        first = next(frame for frame in frames(stream) if frame.data is not None)
        return first.event != "reset"


def last_event(orchestrator: Orchestrator) -> int:
    with closing(sqlite3.connect(orchestrator.folder / "data" / "gorchestrator.db")) as database:
        return int(database.execute("SELECT max(seq) FROM events").fetchone()[0])


def known(house: House, state: str) -> set[str]:
    """Return the tasks of which the executor has jobs: those that have not ended, or that nobody has acknowledged."""
    ids = house.executor.call("GET", "tasks", params={"state": state}).json()["ids"]
    return {each.partition(".")[0] for each in ids}


def test_a_backup_under_load_comes_back_as_a_service_that_goes_on(
    house: House, stack: ExitStack, tmp_path: Path, certs: Path
) -> None:
    backup, fresh = tmp_path / "backup.db", tmp_path / "fresh"
    waits = house.submit(house.node(gate="restored"), house.node("after", needs=["node"]))
    house.has_run(waits)
    with load(house) as busy:
        wait_until(lambda: len(busy.accepted) >= ENOUGH and ended(house.api), what="there is something to lose")
        before, as_they_were = [waits, *busy.accepted], ended(house.api)
        done = run_gorch("backup", backup, "--data", house.orchestrator.folder / "data")
        assert done.returncode == 0, done.stderr
        count = len(busy.accepted)
        wait_until(lambda: len(busy.accepted) > count + SUBMITTERS, what="others come behind the backup")
        house.orchestrator.kill()
    seen_last = last_event(house.orchestrator)

    fresh.mkdir()
    done = run_gorch("restore", backup, "--data", fresh / "data")
    assert done.returncode == 0, done.stderr
    service = Orchestrator(fresh, certs, house.orchestrator.settings["GORCH_EXECUTORS"])
    seen_first = last_event(service)
    assert seen_first < seen_last
    stack.callback(service.stop)
    service.start()
    api = service.api
    kept = {each["id"] for each in api.call("GET", "/v1/tasks?limit=1000").json["tasks"]}
    assert set(before) <= kept
    assert api.call("GET", f"/v1/tasks/{busy.accepted[-1]}").status == 404
    assert {task: api.task(task) for task in as_they_were} == as_they_were

    house.open("restored")
    for task in kept:
        found = api.end(task)["nodes"]
        assert {(node["state"], node["attempt"]) for node in found} == {(3, 1)}, found
        assert {house.runs(task, node["name"]) for node in found if node["engine"] == "shell"} == {1}
    assert service.events("run_fault") == service.events("run_fenced") == []
    wait_until(lambda: not known(house, "open") and not kept & known(house, "final"), what="all receipts")

    api.end(api.submit({"nodes": [{"name": f"n{each}", "engine": "nil"} for each in range(seen_last - seen_first)]}))
    numbers = events(api, last_event(service))
    anew = 1 << EPOCH_BITS
    behind = len(numbers) - seen_first
    assert behind > seen_last - seen_first  # more has happened since than what is lost
    assert numbers == [*range(1, seen_first + 1), *range(anew + 1, anew + 1 + behind)]
    assert goes_on(api, seen_first)
    assert not goes_on(api, seen_last)
