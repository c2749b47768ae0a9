"""How quick the page of a task is, in headless Chromium: ``python tests/benchmarks/web.py [--nodes N …]``.

Prints a table and asserts nothing. Pages come from real services, input goes through the browser as that of people
does, and what it feels like is what the browser itself measures: frames, and from an input until what follows is
painted.
"""

import argparse
import itertools
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from gorchestrator import certificates
from gorchestrator.common.states import State
from layout_support import near
from support import Services, start_services, wait_until

SECONDS = 3  # that each movement lasts
STORM = 5  # seconds that changes are looked at
CHAINS = 60  # that run beside each other: with a second for each node, some 200 changes/s
SLEEP = 0.4  # seconds; to start and to end it takes the rest of one
VISITS = 3  # of which the median counts
SIZE = {"width": 1280, "height": 800}
PATIENCE = 60_000  # milliseconds

WATCH = Path(__file__).with_name("web.js")  # what watches each page from inside


@dataclass
class Frames:
    """The times between frames, in milliseconds."""

    gaps: list[float]

    def __str__(self) -> str:
        """Tell frames per second and the length of a slow one."""
        slow = statistics.quantiles(self.gaps, n=20)[-1]
        return f"{1000 / statistics.mean(self.gaps):.0f} frames/s, 95 % within {slow:.0f} ms"


@dataclass
class Bench:
    """Services and a browser; ``table`` gets what is measured."""

    services: Services
    browser: Browser
    table: Table = field(default_factory=lambda: Table("nodes", "what", "measured", "wanted"))

    def submit(self, size: int) -> str:
        """Run a graph of nodes that do nothing and need two each; return its id when it has ended."""
        nodes = [
            {"name": f"node {number}", "needs": [f"node {before}" for before in needs]}
            for number, needs in enumerate(near(size, max(1, size // 100)))
        ]
        task = self.services.remote.submit({"name": f"{size} nodes", "nodes": nodes})
        found = self.services.remote.wait(task)
        if found["state"] != State.SUCCESS:
            raise SystemExit(f"the graph ended in {found['state']}: {found['reason']}")
        return task

    def storm(self, size: int) -> str:
        """Submit a graph in which 60 nodes get ready, begin and end in each second."""
        nodes: list[dict[str, Any]] = []
        for number in range(size):
            needs = [f"node {number - CHAINS}"] if number >= CHAINS else []
            # Chains begin one after the other, so that changes come evenly.
            length = SLEEP + (number / CHAINS if number < CHAINS else 0)
            nodes.append({"name": f"node {number}", "needs": needs, "engine": "shell", "artifact": "sleep"})
            nodes[-1]["args"] = [str(length)]
        return self.services.remote.submit({"name": f"a storm in {size} nodes", "nodes": nodes})

    @contextmanager
    def open(self, task: str) -> Iterator[Page]:
        """Open the page of a task, as somebody does who has never been there, until its graph is seen."""
        context = self.browser.new_context(viewport=SIZE)  # type: ignore[arg-type]
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        page.add_init_script(path=WATCH)
        page.goto(f"{self.services.url}/tasks/{task}")
        wait_until(lambda: page.evaluate("seen.first !== null"))
        yield page
        context.close()

    def measure(self, size: int) -> None:
        """Measure all that is wanted of graphs of this size."""
        task = self.submit(size)
        firsts = []
        for _ in range(1 + VISITS):
            with self.open(task) as page:
                firsts.append(page.evaluate("seen.first") / 1000)
        wanted = "1.5 s" if size <= 1000 else "5 s"
        self._row(size, "first picture, of a task not drawn before", f"{firsts[0]:.2f} s", f"≤ {wanted}")
        self._row(size, "first picture, later", f"{statistics.median(firsts[1:]):.2f} s", f"≤ {wanted}")
        with self.open(task) as page:
            self._movements(size, page)
            self._heap(size, page)
        self._changes(size)

    def _movements(self, size: int, page: Page) -> None:
        x, y = _middle(page, "#graph canvas")
        page.mouse.move(x, y)
        wanted = "≥ 30 frames/s" if size <= 1000 else "≥ 20 frames/s"
        self._row(size, "pan, all in sight", _frames(page, lambda: _drag(page, x, y)), wanted)
        self._row(size, "zoom in", _frames(page, lambda: _wheel(page, -40)), wanted)
        self._row(size, "pan, near", _frames(page, lambda: _drag(page, x, y)), wanted)
        self._row(size, "zoom out", _frames(page, lambda: _wheel(page, 40)), wanted)
        for view in ("table", "timeline"):
            page.click(f"#tab-{view}")
            page.mouse.move(*_middle(page, f"#{view}"))
            self._row(size, f"scroll the {view}", _frames(page, lambda: _wheel(page, 120)), "")

    def _heap(self, size: int, page: Page) -> None:
        session = page.context.new_cdp_session(page)
        for command, what in (
            ("Performance.enable", "all views opened"),
            ("HeapProfiler.collectGarbage", "without garbage"),
        ):
            session.send(command)
            metrics = {each["name"]: each["value"] for each in session.send("Performance.getMetrics")["metrics"]}
            self._row(size, f"JS heap, {what}", f"{metrics['JSHeapUsedSize'] / 1e6:.0f} MB", "≤ 200 MB")

    def _changes(self, size: int) -> None:
        task = self.storm(size)
        wait_until(lambda: self.services.remote.task(task)["state"] == State.RUNNING)
        with self.open(task) as page:
            x, y = _middle(page, "#graph canvas")
            page.evaluate("seen.changes = 0, seen.inputs = []")
            places = itertools.cycle(range(-100, 100, 25))
            begun = time.monotonic()

            def click() -> None:
                while time.monotonic() < begun + STORM:
                    page.mouse.click(x + next(places), y)
                    page.wait_for_timeout(150)

            frames = _frames(page, click)
            took = time.monotonic() - begun
            changes = page.evaluate("seen.changes") / took
            inputs = page.evaluate("seen.inputs")
        self.services.remote.cancel(task)
        self.services.remote.wait(task)
        answers = [duration for name, duration in inputs if name in {"pointerdown", "pointerup", "click"}]
        self._row(size, "changes that come", f"{changes:.0f}/s, {frames}", "200/s")
        slowest = f"at most {max(answers):.0f} ms" if answers else "all below 16 ms"
        self._row(size, "a click meanwhile, until it is painted", slowest, "≤ 100 ms")

    def _row(self, size: int, what: str, measured: object, wanted: str) -> None:
        self.table.add_row(f"{size:,}", what, str(measured), wanted)


def _middle(page: Page, selector: str) -> tuple[float, float]:
    box = page.locator(selector).first.bounding_box()
    assert box, f"{selector} is not seen"
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def _frames(page: Page, move: Callable[[], None]) -> Frames:
    page.evaluate("count()")
    move()
    times = page.evaluate("counted()")
    return Frames([second - first for first, second in itertools.pairwise(times)])


def _drag(page: Page, x: float, y: float) -> None:
    end, step = time.monotonic() + SECONDS, 0
    page.mouse.move(x, y)
    page.mouse.down()
    while time.monotonic() < end:
        step = (step + 1) % 80
        page.mouse.move(x + 4 * abs(step - 40) - 80, y + 2 * abs(step - 40) - 40)
    page.mouse.up()


def _wheel(page: Page, amount: float) -> None:
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        page.mouse.wheel(0, amount)


def main() -> None:
    """Start everything, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--nodes", type=int, nargs="+", default=[1000, 10_000])
    given = parser.parse_args()
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    options = ["--disable-dev-shm-usage", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    with tempfile.TemporaryDirectory() as place, sync_playwright() as playwright:
        folder = Path(place)
        certificates.write(folder / "certs")
        browser = playwright.chromium.launch(executable_path=chromium, args=options)
        capacity = {"GORCH_EXECUTOR_CAPACITY": str(CHAINS)}
        for services in start_services(folder, folder / "certs", executor=capacity):
            bench = Bench(services, browser)
            for size in given.nodes:
                bench.measure(size)
            Console(width=120).print(bench.table)
        browser.close()


if __name__ == "__main__":
    main()
