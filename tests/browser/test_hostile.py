"""Whatever others may name, print or answer is text on every page, in its own direction, and breaks no layout."""

import json
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from support import Services
from tasks_page_support import end, submit

VIEWPORTS = ({"width": 1280, "height": 800}, {"width": 390, "height": 844})
TAG = "<img src=x onerror=document.title='broken'>"
TURNED = "\u202egnp.exe\u202c \u2066left\u2069 \u200f\u05d0"  # marks that turn the text behind them
LONG = "x" * 10_000
NAMES = [
    TAG,
    "\u05d0\u05d1\u05d2 exe.gnp \u200f",
    "'\"><svg onload=document.title='broken'>",
    "y" * 255,
    "&lt;b&gt; {{7*7}}",
]


def is_text(page: Page, title: str) -> None:
    """Check that nothing of it became markup, and that the page is not wider than the window."""
    expect(page).to_have_title(title)
    assert page.locator("main :is(img, script, iframe, b), .notices img").count() == 0
    assert page.locator("svg[onload]").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.fixture(scope="module")
def hostile(service: Services) -> str:
    """Return a task that has ended, hostile wherever the service lets it be."""
    printing = 'printf \'out=%s\\n\' "$1" >> "$GORCH_OUTPUT"; printf \'%s\\033]0;broken\\007\\001\\n\' "$@"; exit 3'
    args = ["-c", printing, "sh", TAG, TURNED, LONG, "\u0001\u0007\u001b[31m", "a\nb"]
    bad = {"engine": "shell", "artifact": "sh", "args": args, "output": {"out": ""}, "env": {"EVIL": TAG + TURNED}}
    nodes = [{"name": name, **(bad if place == 0 else {}), "target": TAG} for place, name in enumerate(NAMES)]
    nodes[1]["needs"] = [TAG]
    return end(service, submit(service, TAG, *nodes, labels={TAG: "z" * 255, "<b>": NAMES[1]}))


@pytest.mark.parametrize("view", ["graph", "table", "timeline"])
@pytest.mark.parametrize("viewport", VIEWPORTS)
def test_a_task_and_all_about_its_nodes(
    service: Services, new_page: Callable[..., Page], hostile: str, view: str, viewport: dict[str, int]
) -> None:
    page = new_page(viewport=viewport)
    page.goto(f"{service.url}/tasks/{hostile}?view={view}&node=0")
    drawer = page.get_by_role("complementary")
    expect(drawer).to_contain_text(TAG)
    expect(drawer).to_contain_text("exit status 3")
    expect(drawer.get_by_role("log").or_(drawer).first).to_contain_text(LONG[:500])
    is_text(page, f"{TAG} · gorchestrator")
    page.keyboard.press("Escape")
    expect(drawer).to_be_hidden()
    is_text(page, f"{TAG} · gorchestrator")
    for name in NAMES if view != "graph" else []:
        expect(page.locator(f"#{view} bdi").get_by_text(name, exact=True).first).to_be_attached()
    page.get_by_role("button", name="Rerun from failed …").click()
    expect(page.get_by_role("dialog")).to_contain_text(TAG)
    is_text(page, f"{TAG} · gorchestrator")


def test_the_list_of_tasks(service: Services, new_page: Callable[..., Page], hostile: str) -> None:
    for viewport in VIEWPORTS:
        page = new_page(viewport=viewport)
        page.goto(service.url)
        expect(page.get_by_role("link", name=TAG)).to_be_visible()
        page.get_by_role("checkbox", name="Select all").check()
        page.get_by_role("button", name="Rerun from failed …").click()
        expect(page.get_by_role("dialog")).to_contain_text(TAG)
        is_text(page, "Tasks · gorchestrator")
    page.goto(f"{service.url}/?name={TAG}&label={TAG}&label={'z' * 255}&state={TAG}&sort={TAG}&cursor={TAG}")
    page.faults.expected = ["422", "400"]
    expect(page.get_by_text("The list cannot be shown.")).to_be_visible()
    is_text(page, "Tasks · gorchestrator")


def test_an_executor_that_says_what_it_likes(service: Services, new_page: Callable[..., Page]) -> None:
    engines = {
        TAG: {"ok": False, "reason": TURNED + TAG + LONG, "fields": ["args", TAG, "options." + LONG]},
        NAMES[1]: {"ok": True, "reason": None, "fields": []},
        LONG: {"ok": True, "reason": None, "fields": None},
    }
    there = {"name": TAG, "url": f"https://{LONG}", "reachable": True, "reason": None, "since": None}
    away = {"name": LONG, "url": TAG, "reachable": False, "reason": LONG + TAG, "since": None, "engines": None}
    body = json.dumps({"executors": [there | {"capacity": 4, "load": 9, "engines": engines}, away]})
    for viewport in VIEWPORTS:
        page = new_page(viewport=viewport)
        page.route("**/v1/ping", lambda route: route.fulfill(body=body, content_type="application/json"))
        page.goto(f"{service.url}/executors")
        card = page.get_by_role("region", name=TAG)
        expect(card.get_by_role("rowheader", name=TAG)).to_be_visible()
        expect(card.get_by_role("meter")).to_have_attribute("aria-valuenow", "4")
        expect(page.get_by_text("2 executors, 1 not reachable")).to_be_visible()
        is_text(page, "Executors · gorchestrator")


def test_what_is_submitted_and_what_is_answered(service: Services, new_page: Callable[..., Page]) -> None:
    gorch = {
        "name": TURNED,
        "nodes": [{"name": LONG}, {"name": TAG, "engine": TAG, "args": [TURNED, LONG]}, {TAG: LONG}],
    }
    for viewport in VIEWPORTS:
        page = new_page(viewport=viewport)
        page.faults.expected = ["422"]
        page.goto(f"{service.url}/submit")
        page.get_by_role("textbox", name="Gorch as JSON").fill(json.dumps(gorch, ensure_ascii=False))
        faults = page.get_by_role("list", name="Faults")
        expect(faults).to_contain_text("has a length of 10000; at most 255 is taken")
        expect(faults).to_contain_text("must not contain control characters")
        is_text(page, "Submit · gorchestrator")
