"""How fast the store is, durably, and how long it holds the hub: ``python tests/benchmarks/bench_store.py``.

Prints a table. ``late`` is how much a greenlet that sleeps for 1 ms was woken too late, at worst.
"""

from gevent import monkey

monkey.patch_all()

import gc  # noqa: E402
import statistics  # noqa: E402
import sys  # noqa: E402
import tempfile  # noqa: E402
import time  # noqa: E402
from collections.abc import Callable  # noqa: E402
from pathlib import Path  # noqa: E402

import gevent  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from gorchestrator.common.states import State  # noqa: E402
from gorchestrator.domain.records import Acceptance, TaskRow  # noqa: E402
from gorchestrator.store import Store  # noqa: E402
from store_support import ME, OTHER, TASK, node_change  # noqa: E402

SIZE = 10_000
SPEC = '{"name":"node","engine":"shell","artifact":"/bin/true","args":["%s"]}' % ("x" * 150)


class Bench:
    """Runs and prints one line of the table after the other."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.late = 0.0
        gevent.spawn(self._tick)

    def _tick(self) -> None:
        while True:
            begun = time.perf_counter()
            gevent.sleep(0.001)
            self.late = max(self.late, time.perf_counter() - begun - 0.001)

    def line(self, name: str, count: int, work: Callable[[], object]) -> None:
        """Do some work; ``count`` is how many nodes or changes it has."""
        self.late = 0.0
        begun = time.perf_counter()
        work()
        took = time.perf_counter() - begun
        gevent.sleep(0.005)
        print(f"{name:<42}{took * 1e3:>10.1f} ms{count / took:>12,.0f} /s{self.late * 1e3:>10.1f} ms late")  # noqa: T201

    def accept(self, task: str, size: int) -> None:
        """Accept a task."""
        row = TaskRow(task, "bench", size=size, accepted_at=time.time())
        self.store.journal.accept(Acceptance(row, None, [(i, f"n{i}", SPEC) for i in range(size)], ME))

    def post(self, state: State) -> None:
        """Change every node without waiting, and wait for the last one."""
        for number in range(SIZE):
            self.store.journal.post(node_change(number, state, started_at=1.5, output={"result": "7"}))
            if number % 50 == 0:
                gevent.sleep(1e-6)  # 0 would not let timers and sockets have their turn
        self.store.journal.write(node_change(0, state))

    def write_at_once(self) -> None:
        """Change every node, each in a greenlet that waits."""
        greenlets = []
        for number in range(SIZE):
            greenlets.append(gevent.spawn(self.store.journal.write, node_change(number)))
            if number % 50 == 0:
                gevent.sleep(1e-6)
        gevent.joinall(greenlets, raise_error=True)

    def write_one_by_one(self) -> None:
        """Print the latency of single writes."""
        took = []
        for _ in range(2000):
            begun = time.perf_counter()
            self.store.journal.write(node_change(0, task=OTHER))
            took.append(time.perf_counter() - begun)
        quantiles = statistics.quantiles(took, n=100)
        print(f"{'  one write: median, p99':<42}{quantiles[49] * 1e3:>10.2f} ms{quantiles[98] * 1e3:>11.2f} ms")  # noqa: T201


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store.open(Path(folder) / "bench.db")
        gc.freeze()  # as the service does, so that collections look at new objects only
        bench = Bench(store)
        bench.accept(OTHER, 1)
        bench.line("2,000 writes, one after the other", 2000, bench.write_one_by_one)
        bench.line(f"accept {SIZE:,} nodes", SIZE, lambda: bench.accept(TASK, SIZE))
        bench.line(f"{SIZE:,} posts", SIZE, lambda: bench.post(State.RUNNING))
        bench.line(f"{SIZE:,} writes at once", SIZE, bench.write_at_once)
        heard: list[int] = []
        store.tailer.listen(lambda events: heard.append(len(events)))
        bench.line(f"{SIZE:,} posts, followed by a listener", SIZE, lambda: bench.post(State.SUCCESS))
        bench.line(f"read {SIZE:,} nodes", SIZE, lambda: store.reader.nodes(TASK))
        bench.line("read one task", 1, lambda: store.reader.task(TASK))
        bench.line("read one node", 1, lambda: store.reader.node(TASK, 7))
        store.close()


if __name__ == "__main__":
    main()
