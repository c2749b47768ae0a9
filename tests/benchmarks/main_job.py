"""How fast the main job is, beside tools that promise nothing: ``python tests/benchmarks/main_job.py``.

Both services run as they do in earnest: everything durable, mutual TLS on. Times are from the POST to the answer of a
request that waits for the end. ``--small`` runs all of it with a few nodes, to see that it works.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from gorchestrator import certificates
from gorchestrator.common.states import State
from support import Services, start_services

WIDTH = 100  # nodes of a layer
BLOCKED = "appears to be blocked"
MONITOR = {"GEVENT_MONITOR_THREAD_ENABLE": "1", "GEVENT_MAX_BLOCKING_TIME": "0.01"}
CORES = os.cpu_count() or 1

Json = dict[str, Any]


def layers(size: int) -> list[Json]:
    """Return nil nodes in layers; each needs three nodes of the layer above."""
    nodes: list[Json] = []
    for number in range(size):
        above = (number // WIDTH - 1) * WIDTH
        needs = [f"n{above + (number + step) % WIDTH}" for step in (0, 31, 62)] if number >= WIDTH else []
        nodes.append({"name": f"n{number}", "engine": "nil", "needs": needs})
    return nodes


def chain(size: int) -> list[Json]:
    """Return nodes that run ``true`` one after the other."""
    return [
        {"name": f"n{number}", "engine": "shell", "artifact": "/bin/true", "needs": [f"n{number - 1}"] * (number > 0)}
        for number in range(size)
    ]


def side_by_side(size: int) -> list[Json]:
    """Return nodes that run ``true`` all at once."""
    return [{"name": f"n{number}", "engine": "shell", "artifact": "/bin/true"} for number in range(size)]


def run(services: Services, nodes: list[Json]) -> float:
    """Return the seconds from the POST of a graph to its success."""
    started = time.perf_counter()
    task = services.remote.submit({"name": "benchmark", "nodes": nodes})
    found = services.remote.wait(task)
    took = time.perf_counter() - started
    if found["state"] != State.SUCCESS:
        raise SystemExit(f"the graph ended in {found['state']}: {found['reason']}")
    return took


def timed(*command: str, stdin: str = "") -> float | None:
    """Return the seconds that a command takes, None if it is not installed."""
    if shutil.which(command[0]) is None:
        return None
    started = time.perf_counter()
    subprocess.run(command, input=stdin, text=True, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def xargs(size: int) -> float | None:
    """Run ``true`` as often, side by side, with xargs."""
    return timed("xargs", "-P", "16", "-n", "1", "/bin/true", stdin="\n".join(map(str, range(size))))


def ninja(folder: Path, size: int, *, in_a_row: bool) -> float | None:
    """Run ``true`` as often with ninja, one after the other or side by side."""
    lines = ["rule true", "  command = /bin/true"]
    for number in range(size):
        above = f" n{number - 1}" if in_a_row and number else ""
        lines.append(f"build n{number}: true{above}")
    file = folder / "build.ninja"
    file.write_text("\n".join(lines) + "\n")
    return timed("ninja", "-C", str(folder), "-j", "16", "--quiet")


ASK = """
import select, sys, time, requests
session = requests.Session()
session.trust_env = False
print("ready", flush=True)
while not select.select([sys.stdin], [], [], 0.01)[0]:
    started = time.perf_counter()
    session.get(sys.argv[1], timeout=30).raise_for_status()
    print((time.perf_counter() - started) * 1000)
"""


@contextmanager
def other_requests(services: Services) -> Iterator[list[float]]:
    """Ask for another, small graph again and again meanwhile; yields the milliseconds of each answer, in the end.

    A process of its own asks: a thread would measure this process's interpreter lock.
    """
    task = services.remote.submit({"name": "other", "nodes": [{"name": "a"}]})
    took: list[float] = []
    command = [sys.executable, "-c", ASK, f"{services.url}/v1/tasks/{task}"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as asking:
        assert asking.stdin
        assert asking.stdout
        asking.stdout.readline()
        yield took
        asking.stdin.close()
        took.extend(map(float, asking.stdout.read().split()))


def peak_memory(services: Services) -> float:
    """Return the largest resident size that a worker of the orchestrator has had, in MB."""
    assert services.orchestrator.process
    workers = psutil.Process(services.orchestrator.process.pid).children()
    peaks = []
    for worker in workers:
        status = Path(f"/proc/{worker.pid}/status").read_text()
        peaks.append(int(status.split("VmHWM:")[1].split()[0]) / 1000)
    return max(peaks)


def percentile(values: list[float], percent: float) -> float:
    """Return a percentile of some values."""
    return statistics.quantiles(values, n=1000, method="inclusive")[int(percent * 10) - 1] if len(values) > 1 else 0.0


def measure(services: Services, folder: Path, scale: Callable[[int], int]) -> Table:
    """Run all of it; ``scale`` makes the sizes smaller."""
    table = Table("what", "nodes", "total s", "ms a node", "wanted", "beside it")
    run(services, side_by_side(scale(100)))  # connections and shims are there before anything is measured

    for size in (scale(400), scale(2000), scale(10_000)):
        took = run(services, layers(size))
        table.add_row("nil, 3 predecessors", str(size), f"{took:.3f}", f"{took / size * 1000:.3f}", "10,000 in 3 s", "")
    with other_requests(services) as answers:
        run(services, layers(scale(10_000)))
    table.add_row("GET of another graph meanwhile, p99", "", f"{percentile(answers, 99) / 1000:.4f}", "", "0.050 s", "")
    table.add_row("peak memory of a worker", "", f"{peak_memory(services):.0f} MB", "", "150 MB", "")

    size = scale(40)
    took = min(run(services, chain(size)) for _ in range(3))
    beside = _beside(took, ("ninja", ninja(folder, size, in_a_row=True)))
    table.add_row("chain of /bin/true", str(size), f"{took:.3f}", f"{took / size * 1000:.2f}", "10 ms a node", beside)

    size = scale(1000)
    took = run(services, side_by_side(size))
    ninja_took = ninja(folder, size, in_a_row=False)
    beside = _beside(took, ("xargs -P 16", xargs(size)), ("ninja -j 16", ninja_took))
    table.add_row(
        "/bin/true side by side", str(size), f"{took:.3f}", f"{took / size * 1000:.2f}", "200 nodes/s", beside
    )
    table.caption = f"{size / took:.0f} nodes/s side by side; {CORES} cores"
    return table


def times_held(services: Services, size: int) -> int:
    """Return how often gevent's own monitor saw the hub held for more than 10 ms while a graph ran and was shown."""
    errors = services.orchestrator.folder / "err"
    before = errors.read_text().count(BLOCKED)
    run(services, layers(size))
    return errors.read_text().count(BLOCKED) - before


def _beside(took: float, *others: tuple[str, float | None]) -> str:
    """Return the times of other tools, and how many times as long ours is."""
    return ", ".join(f"{name}: {time:.3f} s ({took / time:.1f} x)" for name, time in others if time)


def main() -> None:
    """Start the services, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--small", action="store_true", help="a hundredth of the nodes")
    small = parser.parse_args().small

    def scale(size: int) -> int:
        return max(4, size // 100) if small else size

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        certificates.write(folder / "certs")
        for services in start_services(folder, folder / "certs", {"GORCH_WORKERS": "1"}):
            table = measure(services, folder, scale)
        watched = folder / "watched"
        watched.mkdir()
        for services in start_services(watched, folder / "certs", {"GORCH_WORKERS": "1", **MONITOR}):
            held = times_held(services, scale(10_000))
            table.add_row("hub held for more than 10 ms", str(scale(10_000)), f"{held} times", "", "about never", "")
        Console(width=130).print(table)


if __name__ == "__main__":
    main()
