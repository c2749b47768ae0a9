"""Both services under a steady mixed load, and whether their memory grows: ``python tests/soak/soak.py --seconds 600``.

Graphs succeed, fail, are cancelled and run again, lists are read, events and logs are followed, and some readers go
away in the middle. What has ended is removed soon, so that the journal and the executor keep as much in the end as in
the middle. For the warm-up there are twice as many clients: Python takes memory by the megabyte, and what it took for
the most that ever went on at once is not growth. Every few seconds the memory of each process is read; a line through
what was read after the warm-up tells the growth. Prints a table; the status is 0 if no process grows by more than 5 MB
an hour, and all graphs ended as they had to.
"""

import argparse
import itertools
import math
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psutil

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parents[2])]

from gorchestrator import certificates  # noqa: E402  (after the path)
from gorchestrator.remote import Refused, Remote, RemoteError  # noqa: E402
from support import Services, start_services  # noqa: E402

MOST = 5.0  # MB an hour
WARM_UP = 1 / 3  # of the time
EVERY = 2.0  # seconds between two looks at the memory
PAUSE = 0.3  # seconds between two graphs of a client
CLIENTS = 4
SURE = 2.0  # standard errors
KEPT = 100  # tasks and jobs that are kept when they have ended
SHAPES = ("good", "bad", "long", "wide")
ENDS = {"good": 3, "wide": 3, "bad": 4, "long": 11}  # the state in which each ends


def shell(name: str, script: str, **more: object) -> dict[str, object]:
    return {"name": name, "engine": "shell", "artifact": f"#!/bin/sh\n{script}\n", **more}


def gorch(shape: str, number: int) -> dict[str, object]:
    """Return a graph that succeeds, fails, or is to be cancelled."""
    first = shell("first", "echo begun; echo value=1", output={"value": ""})
    nodes: dict[str, list[dict[str, object]]] = {
        "good": [first, shell("second", 'echo "$1"', args=["get_attribute first:value"], needs=["first"])],
        "bad": [first, shell("second", "seq 1000; exit 3", needs=["first"], retry={"limit": 1, "delay": 0})],
        "long": [first, shell("second", "exec sleep 600", needs=["first"])],
        "wide": [{"name": f"n{each}", "needs": [f"n{each // 2}"] if each else []} for each in range(100)],
    }
    return {"name": f"{shape} {number}", "labels": {"shape": shape}, "nodes": nodes[shape]}


class Client(threading.Thread):
    """Somebody who submits one graph after the other, and looks at what comes of it."""

    def __init__(self, url: str, place: int, end: float) -> None:
        super().__init__(daemon=True)
        self._url, self._place, self._end = url, place, end
        self.counts: Counter[str] = Counter()
        self.faults: list[str] = []

    def run(self) -> None:
        with closing(Remote(self._url)) as remote:
            for number in itertools.count(self._place):
                if time.monotonic() > self._end:
                    return
                try:
                    self._round(remote, SHAPES[number % len(SHAPES)], number)
                except RemoteError as error:
                    self.faults.append(str(error))
                time.sleep(PAUSE)

    def _round(self, remote: Remote, shape: str, number: int) -> None:
        task = remote.submit(gorch(shape, number))
        if shape == "long":
            self._watch_a_little(remote, task)
            remote.cancel(task)
        state = remote.wait(task)["state"]
        self.counts[shape] += 1
        if state != ENDS[shape]:
            self.faults.append(f"{shape} {number} ended in state {state}")
        if shape == "bad":
            remote.log(task, "second")
            with closing(remote.events(task)) as events:
                list(events)
        if shape == "good" and number % 8 == 0:
            remote.tasks()
            self._rerun(remote, task)

    def _watch_a_little(self, remote: Remote, task: str) -> None:
        """Follow the events until the second node runs, and go away."""
        with closing(remote.events(task)) as events:
            for event in events:
                if event.get("kind") == "node_running" and event.get("node") == 1:
                    return

    def _rerun(self, remote: Remote, task: str) -> None:
        try:
            remote.wait(remote.rerun(task, ["second"])["id"])
        except Refused as error:
            if error.status != 404:  # it was removed meanwhile
                raise


class Memory:
    """What memory each process has had, in MB, by the seconds since the begin."""

    def __init__(self, services: Services) -> None:
        self._begun = time.monotonic()
        self._processes = dict(named(services))
        self.seen: dict[str, list[tuple[float, float]]] = {name: [] for name in self._processes}

    def look(self) -> None:
        for name, process in self._processes.items():
            self.seen[name].append((time.monotonic() - self._begun, anonymous(process.pid)))


def anonymous(pid: int) -> float:
    """Return the memory of a process beside that of files, in MB.

    What it shares with the process that has started it counts too: else it would seem to grow as it ceases to share.
    """
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith("Anonymous:"))


def named(services: Services) -> list[tuple[str, psutil.Process]]:
    """Return the processes of both services; those that appear only now and then are not among them."""
    found = []
    for service, server in (("orchestrator", services.orchestrator), ("executor", services.executor)):
        assert server.process
        master = psutil.Process(server.process.pid)
        workers = [each for each in master.children() if "gunicorn" in " ".join(each.cmdline())]
        found += [(f"{service}, gunicorn", master)]
        found += [(f"{service}, worker {place}", each) for place, each in enumerate(workers, 1)]
    return found


def growth(seen: list[tuple[float, float]]) -> tuple[float, float]:
    """Return the slope of a line through values, and its standard error, both for an hour."""
    mean_x, mean_y = (sum(values) / len(seen) for values in zip(*seen, strict=True))
    spread = sum((x - mean_x) ** 2 for x, _ in seen)
    slope = sum((x - mean_x) * (y - mean_y) for x, y in seen) / spread
    left = sum((y - mean_y - slope * (x - mean_x)) ** 2 for x, y in seen)
    return slope * 3600, math.sqrt(left / max(1, len(seen) - 2) / spread) * 3600


@contextmanager
def started(folder: Path) -> Iterator[Services]:
    certs = folder / "certs"
    certificates.write(certs)
    front = {"GORCH_WORKERS": "2", "GORCH_KEEP_COUNT": str(KEPT), "GORCH_LOG_LEVEL": "warning"}
    back = {"GORCH_EXECUTOR_KEEP_DONE_COUNT": str(KEPT), "GORCH_EXECUTOR_LOG_LEVEL": "warning"}
    services = start_services(folder, certs, front, back)
    try:
        yield next(services)
    finally:
        next(services, None)


def soak(seconds: float) -> int:
    with tempfile.TemporaryDirectory(prefix="soak-") as folder, started(Path(folder)) as services:
        begun = time.monotonic()
        ends = [begun + seconds] * CLIENTS + [begun + seconds * WARM_UP] * CLIENTS
        clients = [Client(services.url, place, end) for place, end in enumerate(ends)]
        memory = Memory(services)
        for client in clients:
            client.start()
        while time.monotonic() < begun + seconds:
            memory.look()
            time.sleep(EVERY)
        for client in clients:
            client.join()
    return told(memory, clients, seconds)


def told(memory: Memory, clients: list[Client], seconds: float) -> int:
    """Print what was seen; return the exit status."""
    counts = sum((client.counts for client in clients), Counter[str]())
    faults = [fault for client in clients for fault in client.faults]
    lines = [f"{sum(counts.values())} graphs in {seconds:g} s: {dict(counts)}"]
    lines.append(f"{'process':28} {'begin':>9} {'warm':>9} {'end':>9} {'growth an hour':>20}")
    grown = []
    for name, seen in memory.seen.items():
        warm = [each for each in seen if each[0] >= seconds * WARM_UP]
        slope, error = growth(warm)
        sizes = [f"{size:6.1f} MB" for size in (seen[0][1], warm[0][1], warm[-1][1])]
        lines.append(f"{name:28} {' '.join(sizes)} {slope:+10.1f} ± {SURE * error:.1f} MB")
        if slope > MOST:
            grown.append(f"{name} grows by more than {MOST:g} MB an hour")
    lines += [*grown, *faults[:20]]
    sys.stdout.write("\n".join(lines) + "\n")
    return 1 if grown or faults else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=600.0, help="how long it takes (%(default)s)")
    sys.exit(soak(parser.parse_args().seconds))
