"""The timeline of a task: bars of waiting, running and earlier attempts, their words, and its keys."""

import re
from itertools import pairwise
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from support import Services, wait_until
from tasks_page_support import end, failing, gate, submit


def bars(page: Page, node: str) -> Locator:
    """Return the bars of a node in their order."""
    return row(page, node).locator(".timeline-bar")


def row(page: Page, node: str) -> Locator:
    """Return the row of a node; it tells in words what its bars show."""
    name = page.locator("bdi", has_text=re.compile(f"^{node}$"))
    return page.locator("#timeline .rows-body [role=row]").filter(has=name)


def left(bar: Locator) -> float:
    """Return where a bar begins, in pixels."""
    box = bar.bounding_box()
    assert box is not None
    return box["x"]


def width(bar: Locator) -> float:
    """Return how long a bar is, in pixels."""
    box = bar.bounding_box()
    assert box is not None
    return box["width"]


def test_waiting_and_running_grow_while_time_passes(service: Services, page: Page, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    nodes = [gate(first, "a"), gate(second, "b", needs=["a"]), {"name": "c", "needs": ["b"]}]
    task = submit(service, "grows", *nodes)
    page.goto(f"{service.url}/tasks/{task}?view=timeline")
    running = row(page, "a").locator(".timeline-run.state-running")
    expect(running).to_be_visible()
    expect(row(page, "a")).to_have_attribute("aria-label", re.compile("^a: running; .*attempt 1: running since "))
    expect(bars(page, "b")).to_have_count(0)  # it waits for a, not for a place
    length = row(page, "a").locator(".timeline-length")
    before = length.inner_text()
    wait_until(lambda: length.inner_text() != before, what="the length goes on")
    expect(page.locator(".timeline-now")).to_be_visible()
    first.touch()
    expect(row(page, "b").locator(".timeline-run.state-running")).to_be_visible()
    expect(row(page, "a").locator(".timeline-run.state-success")).to_be_visible()
    assert left(row(page, "b").locator(".timeline-run")) >= left(row(page, "a").locator(".timeline-run"))
    expect(row(page, "b")).to_have_class(re.compile("critical"))
    second.touch()
    expect(row(page, "c").locator(".timeline-run.state-success")).to_be_visible()
    expect(page.locator(".timeline-now")).to_be_hidden()
    expect(row(page, "c")).to_have_attribute("aria-label", re.compile("on the path that holds up the end$"))


def test_attempts_are_bars_of_their_own_with_the_pauses_between(service: Services, page: Page, tmp_path: Path) -> None:
    script = f"echo x >> '{tmp_path}/count'; sleep 0.3; test $(wc -l < '{tmp_path}/count') -gt 2"
    again = {"limit": 3, "delay": 0.3, "factor": 1, "jitter": 0}
    flaky = {"name": "flaky", "engine": "shell", "artifact": "sh", "args": ["-c", script], "retry": again}
    task = end(service, submit(service, "attempts", flaky, failing("bad"), {"name": "behind", "needs": ["bad"]}))
    page.goto(f"{service.url}/tasks/{task}?view=timeline")
    runs = row(page, "flaky").locator(".timeline-run")
    expect(runs).to_have_count(3)
    for place, (number, state) in enumerate([(1, "failure"), (2, "failure"), (3, "success")]):
        expect(runs.nth(place)).to_have_class(re.compile(f"state-{state}"))
        expect(runs.nth(place)).to_have_attribute("title", re.compile(f"^attempt {number}: {state}\n"))
    waits = row(page, "flaky").locator(".timeline-wait")
    wait_until(lambda: waits.count() >= 2, what="the pauses are there")
    assert left(runs.nth(0)) < left(waits.last) < left(runs.nth(2))
    expect(row(page, "behind").locator(".timeline-end")).to_have_attribute("title", re.compile("^notrunnable\n"))
    page.get_by_role("button", name="Clock").click()
    expect(page.get_by_role("button", name="Clock")).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".timeline-labels span").first).to_have_text(re.compile(r"\d+:\d\d"))


def test_shapes_of_short_attempts_do_not_lie_on_each_other(service: Services, page: Page, tmp_path: Path) -> None:
    script = f"echo x >> '{tmp_path}/count'; test $(wc -l < '{tmp_path}/count') -gt 2"
    again = {"limit": 3, "delay": 0}
    flaky = {"name": "flaky", "engine": "shell", "artifact": "sh", "args": ["-c", script], "retry": again}
    task = end(service, submit(service, "short", flaky, {"name": "long", "engine": "sleep", "args": ["3"]}))
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{service.url}/tasks/{task}?view=timeline")
    expect(row(page, "flaky").locator(".timeline-run")).to_have_count(3)
    shapes = row(page, "flaky").locator(".timeline-run .shape:visible")
    wait_until(lambda: shapes.count() > 0, what="the last attempt has its shape")
    places = [(left(shape), left(shape) + width(shape)) for shape in shapes.all()]
    assert all(before[1] <= after[0] for before, after in pairwise(sorted(places)))


def test_keys_go_through_time_and_nodes(service: Services, page: Page) -> None:
    nodes = [{"name": "a", "engine": "sleep", "args": ["0.3"]}, {"name": "b", "needs": ["a"]}]
    task = end(service, submit(service, "keys", *nodes))
    page.goto(f"{service.url}/tasks/{task}?view=timeline")
    bar = row(page, "a").locator(".timeline-run")
    expect(bar).to_be_visible()
    fitting = width(bar)
    row(page, "a").focus()
    for larger in ("+", "="):
        before = width(bar)
        page.keyboard.press(larger)
        wait_until(lambda before=before: width(bar) > before * 1.2, what=f"{larger} zooms in")
    scroller = page.get_by_role("grid", name="Nodes over time")
    place = scroller.evaluate("element => element.scrollLeft")
    page.keyboard.press("ArrowRight")
    wait_until(lambda: scroller.evaluate("element => element.scrollLeft") > place, what="an arrow goes on in time")
    page.keyboard.press("0")
    wait_until(lambda: abs(width(bar) - fitting) < 1, what="0 shows all")
    page.keyboard.press("ArrowDown")
    expect(row(page, "b")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("complementary").get_by_role("heading", name="b")).to_be_focused()
    page.keyboard.press("Escape")
    expect(row(page, "b")).to_be_focused()
    expect(row(page, "b")).to_have_attribute("aria-selected", "true")
