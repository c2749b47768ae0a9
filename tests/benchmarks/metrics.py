"""What it costs to measure: ``python tests/benchmarks/metrics.py``. Times are processor times of this process.

A node is counted at its end, an attempt twice. Beside it the same counts with the multiprocess mode of
``prometheus_client``. ``--small`` runs all of it with few tasks, to see that it works.
"""

import argparse
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from gorchestrator.common.metrics import encode
from gorchestrator.common.states import State
from gorchestrator.domain import measures as of
from gorchestrator.domain.graph import Node
from gorchestrator.domain.measures import Measures
from gorchestrator.domain.records import AttemptRow, NodeRow
from gorchestrator.store import Store

TIMES = 100_000
OTHERS = """
import os, sys, time
from gevent import monkey
monkey.patch_all()
from prometheus_client import Counter, Histogram
ended = Counter("nodes_ended", "as ours", ["engine", "state"])
took = Histogram("attempt_seconds", "as ours", ["engine"])
times = int(sys.argv[1])
for measure in (lambda: ended.labels("shell", "success").inc(), lambda: took.labels("shell").observe(0.3)):
    measure()
    started = time.process_time()
    for _ in range(times):
        measure()
    print((time.process_time() - started) / times * 1e6)
"""


def microseconds(measure: Callable[[], object], times: int) -> float:
    """Return what a call costs."""
    measure()
    started = time.process_time()
    for _ in range(times):
        measure()
    return (time.process_time() - started) / times * 1e6


def others(times: int) -> list[float]:
    """Return the microseconds of a count and of a duration with prometheus_client."""
    with tempfile.TemporaryDirectory() as folder:
        env = os.environ | {"PROMETHEUS_MULTIPROC_DIR": folder}
        command = [sys.executable, "-c", OTHERS, str(times)]
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    return [float(line) for line in done.stdout.split()]


def counting(table: Table, times: int) -> None:
    """Measure what a node adds to the work of the engine and of the journal."""
    measures = Measures()
    measures.has_engine = lambda _: True
    add, node = measures.meter.add, Node(0, "n", engine="shell")
    waits = NodeRow("t", 0)
    ended = NodeRow("t", 0, State.SUCCESS, attempt=1)
    row = AttemptRow("t", 0, 1, "executor", "i", state=State.SUCCESS, started_at=1.0, stopped_at=1.3)
    count, duration = others(times)
    found = microseconds(lambda: add(measures.of_node(node, waits, ended, None)), times)
    table.add_row("end of a node", f"{found:.2f} µs", f"a counter {count:.2f} µs")
    found = microseconds(lambda: add(measures.of_node(node, waits, ended, row)), times)
    table.add_row("end of a node and its attempt", f"{found:.2f} µs", f"a histogram {duration:.2f} µs")
    found = microseconds(lambda: measures.queue_wait.observe(0.3, "executor"), times)
    table.add_row("a duration", f"{found:.2f} µs", "")
    found = microseconds(lambda: encode(of.METRICS, measures.meter.samples(), "", lambda: None), max(10, times // 1000))
    table.add_row("text of all metrics", f"{found / 1000:.2f} ms", "")


def stored(table: Table, tasks: int) -> None:
    """Measure how long the store takes to tell how much there is."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store.open(Path(folder) / "db")
        with closing(sqlite3.connect(store.path, isolation_level=None)) as database:
            database.execute("BEGIN")
            for number in range(tasks):
                state = 3 if number % 100 else 2
                values = (f"{number:032}", "t", state, "{}", 10, number, 1, '{"3":9,"2":1}')
                database.execute(
                    "INSERT INTO tasks (id, name, state, labels, size, accepted_at, fence, counts)"
                    " VALUES (?,?,?,?,?,?,?,?)",
                    values,
                )
            database.execute("COMMIT")
        store.reader.totals()
        took = []
        for _ in range(20):
            started = time.perf_counter()
            store.reader.totals()
            took.append(time.perf_counter() - started)
        store.close()
    what = f"tasks and nodes by state, {tasks} tasks ({tasks // 100} open)"
    table.add_row(what, f"{sorted(took)[10] * 1000:.2f} ms", "")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--small", action="store_true", help="a hundredth of it")
    scale = 100 if parser.parse_args().small else 1
    table = Table("what", "here", "prometheus_client")
    counting(table, TIMES // scale)
    stored(table, TIMES // scale)
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
