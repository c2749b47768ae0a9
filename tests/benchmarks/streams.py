"""What readers of events cost a running graph: ``python tests/benchmarks/streams.py [--streams N] [--nodes N]``.

One worker process runs the same graph in turn without any reader and with many that follow all of it. The readers are
one process that throws away what it reads, so what they cost is the service's work and not theirs.
"""

import argparse
import selectors
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from gorchestrator import certificates
from gorchestrator.common.states import State
from support import Services, start_services

ROUNDS = 5
ENGINES = {"nil": {"engine": "nil"}, "shell": {"engine": "shell", "artifact": "/bin/true"}}


def read(port: int, count: int) -> None:
    """Open streams of all events, say so, and read them to the end of this process."""
    selector = selectors.DefaultSelector()
    for _ in range(count):
        opened = socket.create_connection(("127.0.0.1", port))
        opened.sendall(f"GET /v1/events HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
        opened.recv(65536)
        selector.register(opened, selectors.EVENT_READ)
    sys.stdout.write("open\n")
    sys.stdout.flush()
    while True:
        for key, _ in selector.select():
            key.fileobj.recv(1 << 20)  # type: ignore[union-attr]  # each is a socket


@contextmanager
def readers(port: int, count: int) -> Iterator[None]:
    """Have a process read so many streams."""
    if not count:
        yield
        return
    process = subprocess.Popen([sys.executable, __file__, "--read", str(port), "--streams", str(count)], stdout=-1)
    try:
        assert process.stdout
        process.stdout.readline()
        yield
    finally:
        process.kill()
        process.wait()


def run(services: Services, engine: str, size: int) -> float:
    """Return the seconds from the POST of a graph of ten layers to its success."""
    layer = max(1, size // 10)
    nodes = [
        {"name": f"n{number}", "needs": [f"n{number - layer}"] if number >= layer else [], **ENGINES[engine]}
        for number in range(size)
    ]
    started = time.perf_counter()
    found = services.remote.wait(services.remote.submit({"name": "benchmark", "nodes": nodes}))
    took = time.perf_counter() - started
    if found["state"] != State.SUCCESS:
        raise SystemExit(f"the graph ended in {found['state']}: {found['reason']}")
    return took


def main() -> None:
    """Start the services, measure in turn, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--streams", type=int, default=200)
    parser.add_argument("--nodes", type=int, default=1000)
    parser.add_argument("--read", type=int, metavar="PORT", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.read:
        read(given.read, given.streams)
    table = Table("engine", "nodes", "alone, s", f"with {given.streams} readers, s", "ratio")
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        certificates.write(folder / "certs")
        for services in start_services(folder, folder / "certs", {"GORCH_WORKERS": "1"}):
            port = int(services.url.rpartition(":")[2])
            for engine in ENGINES:
                run(services, engine, given.nodes)
                times: dict[int, list[float]] = {0: [], given.streams: []}
                for _ in range(ROUNDS):
                    for count, took in times.items():
                        with readers(port, count):
                            took.append(run(services, engine, given.nodes))
                alone, beside = (statistics.median(took) for took in times.values())
                table.add_row(engine, str(given.nodes), f"{alone:.2f}", f"{beside:.2f}", f"{beside / alone:.2f}")
    table.caption = "medians; wanted: a ratio of at most 1.2"
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
