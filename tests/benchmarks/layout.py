"""How long drawings take and how long they hold the hub: ``python tests/benchmarks/layout.py``.

Prints a table. ``late`` is how much a greenlet that sleeps for 1 ms was woken too late, at worst; the first line is
what it is anyway.
"""

from gevent import monkey

monkey.patch_all()

import json  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402
import zlib  # noqa: E402
from collections.abc import Callable  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

import gevent  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from gorchestrator.common.hub import be_quick  # noqa: E402
from gorchestrator.web.layout.drawer import Drawer  # noqa: E402
from layout_support import Needs, any_pairs, chain, complete, fan, near  # noqa: E402

SHAPES: dict[str, Needs] = {
    "1,000 nodes, 2 needs each": near(1000, 20),
    "10,000 nodes, 2 needs each": near(10_000, 100),
    "10,000 nodes, 20,000 edges, any pairs": any_pairs(10_000, 20_000),
    "a chain of 10,000": chain(10_000),
    "a fan of 10,000": fan(10_000),
    "a complete graph of 400": complete(400),
    "1,000 nodes, 100,000 edges": any_pairs(1000, 100_000),
    "10,000 nodes on their own": [[] for _ in range(10_000)],
}


class Bench:
    """Runs and prints one line of the table after the other."""

    def __init__(self) -> None:
        self.late = 0.0
        gevent.spawn(self._tick)

    def _tick(self) -> None:
        while True:
            begun = time.perf_counter()
            gevent.sleep(0.001)
            self.late = max(self.late, time.perf_counter() - begun - 0.001)

    def line(self, name: str, work: Callable[[], Any]) -> None:
        """Do some work."""
        gevent.sleep(0.01)  # what was printed before has made the ticker late
        self.late = 0.0
        begun = time.perf_counter()
        found = work()
        took, late = time.perf_counter() - begun, self.late
        drawn = json.loads(zlib.decompress(found)) if found else {}
        size = f"{len(found) / 1024:>8.0f} KB{drawn['width']:>10} x {drawn['height']}" if found else ""
        print(f"{name:<40}{took * 1e3:>8.0f} ms{late * 1e3:>8.1f} ms late{size}")  # noqa: T201


def main() -> None:
    """Print the table."""
    be_quick(lambda: True)
    drawer, bench = Drawer(), Bench()
    bench.line("nothing", lambda: gevent.sleep(1))
    for name, needs in SHAPES.items():
        graph = json.dumps({"size": len(needs), "needs": needs})
        bench.line(name, lambda graph=graph: drawer.draw(graph))  # type: ignore[misc]
    drawer.stop()


if __name__ == "__main__":
    main()
