"""How long a page of the list of tasks takes, of 100,000 tasks: ``python tests/benchmarks/listing.py``."""

import random
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from gevent import monkey

monkey.patch_all()

from rich.console import Console  # noqa: E402  (behind the patch)
from rich.table import Table  # noqa: E402

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from gorchestrator.common.states import State  # noqa: E402
from gorchestrator.domain.listing import Sort, Wanted  # noqa: E402
from gorchestrator.domain.records import TaskRow  # noqa: E402
from gorchestrator.store import Store, rows, tables  # noqa: E402
from gorchestrator.store.sql import inserting  # noqa: E402

TASKS = 100_000
TIMES = 9
FIRST, LAST = 1.7e9, 1.8e9  # seconds since the epoch
STATES = (*[State.SUCCESS] * 8, State.FAILURE, State.RUNNING)
NAMES = ("deploy web", "nightly build", "db migration", "cleanup")
CASES: Mapping[str, dict[str, Any]] = {
    "the newest": {},
    **{f"by {sort}": {"sort": sort} for sort in Sort},
    "a state": {"states": frozenset({State.FAILURE})},
    "a state that no task is in": {"states": frozenset({State.TIMEOUT})},
    "a part of few names": {"name": "build 996"},
    "a part of no name": {"name": "zzzz"},
    "a label of an eighth": {"labels": (("team", "a"),)},
    "a label of one": {"labels": (("ticket", "77777"),)},
    "a label with any value": {"labels": (("ticket", None),)},
    "two labels": {"labels": (("team", "a"), ("ticket", "77777"))},
    "a range of time": {"since": FIRST + 50_000, "until": FIRST + 60_000},
}


def fill(path: Path) -> None:
    """Write the tasks at once."""
    chance = random.Random(1)
    found, labelled = [], []
    for number in range(TASKS):
        task, at, state = f"{chance.getrandbits(128):032x}", FIRST + number * 10, chance.choice(STATES)
        labels = {"team": chance.choice("abcdefgh"), "ticket": str(number)}
        row = TaskRow(
            task,
            f"{chance.choice(NAMES)} {number % 997}",
            state,
            labels=labels,
            size=20,
            accepted_at=at,
            started_at=at + 1,
            stopped_at=at + 1 + chance.random() * 100 if state.final else None,
            counts={state: 20},
            fence=1,
        )
        found.append(rows.from_task(row))
        labelled += [(key, value, rows.to_micro(at), task) for key, value in labels.items()]
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN")
        inserting(tables.tasks).run(connection, found)
        inserting(tables.labels).run(connection, labelled)
        connection.execute("COMMIT")


def measured(store: Store, wanted: Wanted) -> tuple[int, list[float]]:
    """Return how many tasks a page has, and the milliseconds of several reads."""
    times, count = [], 0
    for _ in range(TIMES):
        started = time.perf_counter()
        page, _seq = store.reader.tasks(wanted)
        times.append((time.perf_counter() - started) * 1000)
        count = len(page.tasks)
    return count, times


def main() -> None:
    """Fill a store, read pages, print."""
    table = Table("a page of 100", "tasks", "median, ms", "worst, ms")
    with tempfile.TemporaryDirectory() as place:
        store = Store.open(Path(place) / "db")
        fill(store.path)
        for name, fields in CASES.items():
            count, times = measured(store, Wanted(now=LAST, **fields))
            table.add_row(name, str(count), f"{statistics.median(times):.1f}", f"{max(times):.1f}")
        store.close()
    table.caption = f"of {TASKS:,} tasks; wanted: at most 50 ms"
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
