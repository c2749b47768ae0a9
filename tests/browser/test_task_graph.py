"""The graph of a task on its canvas: what is painted where, and what keys, clicks and the small map do."""

import itertools
import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from support import Services, wait_until
from tasks_page_support import end, failing, gate, submit

ICON = 17  # pixels of the drawing from the left side of a node to the middle of its shape
MARGIN = 24  # around a graph that is fitted in, as camera.js has it
LARGEST = 1.25


@pytest.fixture(scope="module")
def diamond(service: Services) -> str:
    """Return a task that has ended: a, then b and c, then d, and e apart; c ends last."""
    slow = {"name": "c", "engine": "sleep", "args": ["0.3"], "needs": ["a"]}
    others = [{"name": "b", "needs": ["a"]}, slow, {"name": "d", "needs": ["b", "c"]}, {"name": "e"}]
    return end(service, submit(service, "diamond", {"name": "a"}, *others))


class Picture:
    """The canvas of a task whose whole graph is seen: where nodes are on it, and what is painted there."""

    def __init__(self, page: Page, service: Services, task: str) -> None:
        self._page = page
        self._layout = page.request.get(f"{service.url}/v1/tasks/{task}/layout").json()
        self._canvas = page.locator(".graph-canvas")
        self.node_width: float = self._layout["node_width"]
        expect(page.locator(".graph-note")).to_be_empty()
        wait_until(lambda: len(set(self.pixels(0, 0, 20, 20))) > 1, what="the graph is painted")

    def at(self, node: int, aside: float = ICON) -> tuple[float, float]:
        """Return where a place of a node is on the canvas: pixels of the drawing from the middle of its left side."""
        view = self._canvas.bounding_box()
        assert view is not None
        width, height = self._layout["width"], self._layout["height"]
        scale = min(LARGEST, (view["width"] - 2 * MARGIN) / width, (view["height"] - 2 * MARGIN) / height)
        x, y = self._layout["nodes"][node]
        x += aside - self.node_width / 2
        return view["width"] / 2 + (x - width / 2) * scale, view["height"] / 2 + (y - height / 2) * scale

    def pixels(self, node: int, aside: float = ICON, width: int = 22, height: int = 22) -> list[str]:
        """Return the colours around a place of a node, row by row."""
        x, y = self.at(node, aside)
        read = """(canvas, [x, y, width, height]) => {
            const copy = new OffscreenCanvas(width, height).getContext("2d", {willReadFrequently: true});
            copy.drawImage(canvas, -Math.round(x), -Math.round(y));
            const data = copy.getImageData(0, 0, width, height).data;
            return Array.from({length: width * height}, (_, at) => data.slice(4 * at, 4 * at + 3).join(" "));
        }"""
        found: list[str] = self._canvas.evaluate(read, [x - width / 2, y - height / 2, width, height])
        return found

    def click(self, node: int, count: int = 1) -> None:
        """Click on a node."""
        x, y = self.at(node)
        self._canvas.click(position={"x": x, "y": y}, click_count=count)

    def whole(self) -> str:
        """Return what changes with every pixel."""
        found: str = self._canvas.evaluate("canvas => canvas.toDataURL()")
        return found


def opened(page: Page, service: Services, task: str, query: str = "") -> Picture:
    """Open the graph of a task."""
    page.goto(f"{service.url}/tasks/{task}{query}")
    return Picture(page, service, task)


def canvas(page: Page) -> Locator:
    """Return the canvas as people and screen readers find it."""
    return page.get_by_role("application", name=re.compile("Graph of"))


def says(page: Page, words: str) -> None:
    """Wait until this is said of the selected node."""
    expect(page.locator("#graph [aria-live]")).to_have_text(words)


def test_keys_go_from_node_to_node(service: Services, page: Page, diamond: str) -> None:
    picture = opened(page, service, diamond)
    canvas(page).focus()
    page.keyboard.press("Home")
    expect(page).to_have_url(re.compile(r"\?node=[ae]$"))
    page.goto(f"{service.url}/tasks/{diamond}?node=a")
    expect(page.get_by_role("complementary").get_by_role("heading", name="a", exact=True)).to_be_focused()
    page.keyboard.press("Escape")  # of the drawer; the node stays selected
    expect(canvas(page)).to_be_focused()
    says(page, "a, state success. no predecessors; 2 successors: b, c.")
    page.keyboard.press("ArrowRight")
    expect(page).to_have_url(re.compile(r"\?node=[bc]$"))
    upper, lower = ("b", "c") if picture.at(1)[1] < picture.at(2)[1] else ("c", "b")
    for key, node in (("ArrowUp", upper), ("ArrowDown", lower), ("ArrowDown", lower)):  # where a layer ends, one stays
        page.keyboard.press(key)
        expect(page).to_have_url(re.compile(rf"\?node={node}$"))
    page.keyboard.press("ArrowRight")
    says(page, "d, state success. 2 predecessors: b, c; no successors.")
    page.keyboard.press("ArrowRight")
    says(page, "d, state success. 2 predecessors: b, c; no successors.")
    expect(page.get_by_role("complementary")).to_be_hidden()
    page.keyboard.press("Enter")
    expect(page.get_by_role("complementary").get_by_role("heading", name="d", exact=True)).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    says(page, "Nothing is selected.")
    expect(page).to_have_url(re.compile(rf"{diamond}$"))


def test_keys_and_the_map_move_the_picture(service: Services, page: Page, diamond: str) -> None:
    picture = opened(page, service, diamond)
    small = page.locator(".graph-map")
    expect(small).to_be_hidden()  # all is seen
    fitting = picture.whole()
    canvas(page).focus()
    for _ in range(5):
        page.keyboard.press("+")
    expect(small).to_be_visible()
    near = picture.whole()
    assert near != fitting
    page.keyboard.press("ArrowRight")
    wait_until(lambda: picture.whole() != near, what="an arrow moves the picture")
    panned = picture.whole()
    small.click(position={"x": 3, "y": 3})
    wait_until(lambda: picture.whole() != panned, what="the map leads elsewhere")
    expect(canvas(page)).to_be_focused()
    for way in ("0", "f"):
        page.keyboard.press("-")
        wait_until(lambda: picture.whole() != fitting, what="it is smaller")
        page.keyboard.press(way)
        wait_until(lambda: picture.whole() == fitting, what=f"{way} shows all")
    page.get_by_role("button", name="Zoom in").click()
    wait_until(lambda: picture.whole() != fitting)
    page.get_by_role("button", name="Show all").click()
    wait_until(lambda: picture.whole() == fitting)


def test_a_click_shows_predecessors_and_successors_and_dims_the_others(
    service: Services, page: Page, diamond: str
) -> None:
    picture = opened(page, service, diamond)
    before = [picture.pixels(node) for node in range(5)]
    picture.click(1)
    expect(page).to_have_url(re.compile(r"\?node=b$"))
    says(page, "b, state success. 1 predecessor: a; 1 successor: d.")
    wait_until(lambda: picture.pixels(4) != before[4], what="what is apart is dimmed")
    assert picture.pixels(2) != before[2]
    assert [picture.pixels(node) for node in (0, 1, 3)] == [before[node] for node in (0, 1, 3)]
    expect(page.get_by_role("complementary")).to_be_hidden()
    picture.click(1, count=2)
    expect(page.get_by_role("complementary").get_by_role("heading", name="b", exact=True)).to_be_visible()


def test_the_path_that_holds_up_the_end_is_marked(service: Services, page: Page, diamond: str) -> None:
    picture = opened(page, service, diamond)
    expect(page.locator("#graph").get_by_text("holds up the end")).to_be_visible()
    text = page.evaluate("getComputedStyle(document.body).color").removeprefix("rgb(").removesuffix(")")
    colour = " ".join(text.split(", "))
    marked = [node for node in range(5) if colour in picture.pixels(node, 0, 7, 5)]
    assert marked == [0, 2, 3]


def test_states_differ_by_shape_as_well_as_by_colour(service: Services, page: Page, tmp_path: Path) -> None:
    late = {"name": "late", "engine": "sleep", "args": ["60"], "timeout": 0.2}
    nodes = [
        {"name": "good"},
        failing("bad"),
        late,
        {"name": "behind", "needs": ["bad"]},
        gate(tmp_path / "never", "runs"),
        {"name": "waits", "needs": ["runs"]},
    ]
    task = submit(service, "states", *nodes)
    picture = opened(page, service, task)
    expect(page.get_by_role("progressbar")).to_have_attribute(
        "aria-valuetext", "1 success, 1 failure, 1 timeout, 1 notrunnable, 1 running, 1 torun of 6"
    )

    def shapes() -> tuple[set[str], set[str]]:
        found = [picture.pixels(node) for node in range(6)]
        # The fill of its node is in the corner of each; what is not in that colour is the shape.
        return {"".join(".#"[pixel != each[0]] for pixel in each) for each in found}, {each[0] for each in found}

    wait_until(lambda: [len(found) for found in shapes()] == [6, 6], what="six shapes in six colours")
    service.remote.cancel(task)
    expect(page.locator("#state")).to_have_text("canceled")
    wait_until(lambda: len(shapes()[0]) == 5, what="what ran and what waited are canceled")


def test_a_node_that_is_selected_elsewhere_is_shown_and_stays_in_sight(service: Services, page: Page) -> None:
    nodes: list[dict[str, object]] = [{"name": "n0"}]
    nodes += [{"name": f"n{number}", "needs": [f"n{number - 1}"]} for number in range(1, 40)]
    task = end(service, submit(service, "far", *nodes))
    page.goto(f"{service.url}/tasks/{task}?view=table&node=n20")
    expect(page.get_by_role("complementary").get_by_role("heading", name="n20")).to_be_focused()
    page.get_by_role("tab", name="Graph").click()
    small = page.locator(".graph-map")
    expect(small).to_be_visible()  # not all is seen, so that names can be read
    page.set_viewport_size({"width": 1000, "height": 700})
    page.get_by_role("button", name="Zoom in").click()
    expect(small).to_be_visible()
    view = canvas(page).bounding_box()
    assert view is not None
    steps = itertools.cycle((-1, 1))

    def in_the_middle() -> str | None:
        """Move the pointer, for what is below it may have moved since, and return what it points at."""
        page.mouse.move(view["x"] + view["width"] / 2 + next(steps), view["y"] + view["height"] / 2)
        return canvas(page).get_attribute("title")

    wait_until(lambda: in_the_middle() == "n20", what="the node that is selected is in the middle")


def test_what_failed_is_told_by_its_shape_from_afar(service: Services, page: Page) -> None:
    nodes: list[dict[str, object]] = [{"name": "n0"}]
    nodes += [{"name": f"n{number}", "needs": [f"n{number - 1}"]} for number in range(1, 60)]
    nodes[30] = failing("n30", allow_failure=True, needs=["n29"])
    picture = opened(page, service, end(service, submit(service, "long", *nodes)))
    ground, good, bad = (picture.pixels(node, aside, 1, 1) for node, aside in ((0, -40), (29, 20), (30, 20)))
    assert len({*ground, *good, *bad}) == 3
    middle = picture.node_width / 2
    assert picture.pixels(29, middle, 1, 1) == good
    assert picture.pixels(30, middle, 1, 1) == ground
