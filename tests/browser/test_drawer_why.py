"""What the drawer of a task's page tells about a node: why it is in its state, its facts, and what can be answered."""

import re
from collections.abc import Callable, Iterator
from operator import ne
from pathlib import Path

import pytest
from playwright.sync_api import APIResponse, Page, Route, expect

from drawer_support import opened, printing
from support import Services, start_services, wait_until
from tasks_page_support import end, gate, submit


def until_true(page: Page, condition: Callable[[], object]) -> None:
    """Wait until a condition is true, while the page goes on."""

    def is_true() -> object:
        page.wait_for_timeout(20)
        return condition()

    wait_until(is_true)


def test_a_node_leads_to_those_it_waits_for(service: Services, page: Page, tmp_path: Path) -> None:
    path = tmp_path / "gate"
    task = submit(service, "waits", gate(path, "first"), {"name": "b", "needs": ["first"]})
    opened(page, service, task, "b")
    drawer = page.get_by_role("complementary")
    expect(drawer).to_contain_text("It waits for")
    drawer.get_by_role("button", name="first").click()
    expect(drawer.get_by_role("heading", level=2)).to_have_text("first")
    expect(drawer.get_by_role("heading", level=2)).to_be_focused()
    expect(page).to_have_url(re.compile("node=first"))
    path.touch()
    expect(drawer.locator(".drawer-head")).to_contain_text("success")


def test_what_a_node_waits_for_changes_with_its_predecessors(service: Services, page: Page, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    nodes = [gate(first, "alpha"), gate(second, "beta"), {"name": "waits", "needs": ["alpha", "beta"]}]
    task = submit(service, "predecessors", *nodes)
    wait_until(lambda: [node["state"] for node in service.remote.task(task)["nodes"]] == [2, 2, 1])
    late: list[tuple[Route, APIResponse]] = []
    page.route("**/why", lambda route: late.append((route, route.fetch())), times=1)
    opened(page, service, task, "waits")
    until_true(page, lambda: late)
    first.touch()
    expect(page.get_by_role("row", name="alpha")).to_contain_text("success")
    route, response = late.pop()
    route.fulfill(response=response)  # of the time before
    found = page.get_by_role("complementary").locator(".why li")
    expect(found).to_have_text(["beta running"])
    second.touch()
    expect(page.get_by_role("complementary").locator(".why")).to_contain_text("It succeeded")
    end(service, task)


def test_what_runs_is_counted_on(service: Services, page: Page, tmp_path: Path) -> None:
    task = submit(service, "runs", gate(tmp_path / "gate", "prints"))
    opened(page, service, task)
    drawer = page.get_by_role("complementary")
    lengths = drawer.locator("[data-since]")
    expect(lengths).to_have_count(2)  # of the node, and of its attempt
    for _ in range(4):  # and not by what happens meanwhile
        before = lengths.all_inner_texts()
        until_true(page, lambda before=before: all(map(ne, lengths.all_inner_texts(), before)))  # type: ignore[misc]
    (tmp_path / "gate").touch()
    expect(lengths).to_have_count(0)
    end(service, task)


def test_the_focus_stays_where_somebody_goes_on(service: Services, page: Page) -> None:
    names = ["alpha", "beta", "gamma"]
    task = end(service, submit(service, "focus", *({"name": name} for name in names)))
    opened(page, service, task, "alpha")
    title = page.get_by_role("complementary").get_by_role("heading", level=2)
    expect(title).to_be_focused()  # the drawer was closed
    page.get_by_role("row", name="alpha").focus()
    for name in names[1:]:
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Space")
        expect(title).to_have_text(name)
        expect(page.get_by_role("row", name=name)).to_be_focused()


ASKED = re.compile("/why$|/attempts[?]")


def cut(route: Route) -> None:
    """Do not answer at all."""
    route.abort()


def torn(route: Route) -> None:
    """Answer as a connection does that breaks in the midst of it."""
    route.fulfill(body='{"sta', content_type="application/json")


@pytest.mark.parametrize("away", [cut, torn])
def test_a_service_that_is_away_is_asked_again(service: Services, page: Page, away: Callable[[Route], None]) -> None:
    task = end(service, submit(service, "away", printing("echo x")))
    page.faults.expected.append("net::ERR_FAILED.*/(why|attempts)")  # type: ignore[attr-defined]
    page.route(ASKED, away)
    opened(page, service, task)
    said = page.get_by_text("The service does not answer.")
    expect(said).to_be_visible()
    page.unroute(ASKED)
    drawer = page.get_by_role("complementary")
    expect(drawer).to_contain_text("It succeeded")
    expect(drawer.get_by_role("button", name="Log, 2 B")).to_be_visible()
    expect(said).to_be_hidden()


def test_a_service_that_cannot_tell_says_so_in_its_place_and_is_asked_again(service: Services, page: Page) -> None:
    task = end(service, submit(service, "busy", printing("echo x")))
    page.faults.expected.append("status of 503.*/(why|attempts)")  # type: ignore[attr-defined]
    refused = []

    def refuse(route: Route) -> None:
        refused.append(route.request.url)
        route.fulfill(status=503, json={"detail": "It is just too much."})

    page.route(ASKED, refuse)
    opened(page, service, task)
    drawer = page.get_by_role("complementary")
    expect(drawer.get_by_text("It is just too much.")).to_have_count(2)
    until_true(page, lambda: len(refused) > 3)
    expect(drawer.get_by_text("It is just too much.")).to_have_count(2)
    expect(page.locator("#notices > *")).to_have_count(0)
    page.unroute(ASKED)
    expect(drawer).to_contain_text("It succeeded")
    expect(drawer.get_by_role("button", name="Log, 2 B")).to_be_visible()
    expect(drawer.get_by_text("It is just too much.")).to_have_count(0)


def let_go(page: Page, held: list[Route]) -> None:
    """Let the service answer both questions that were held, and wait until the page has taken that in."""
    until_true(page, lambda: len(held) == 2)
    why, attempts = sorted(held, key=lambda route: route.request.url, reverse=True)
    held.clear()
    with page.expect_response(why.request.url), page.expect_response(attempts.request.url):
        why.continue_()
        attempts.continue_()
    page.evaluate("() => fetch('/').then((later) => later.text())")


def test_what_did_not_change_stays(service: Services, page: Page) -> None:
    node = printing("echo x", env={"KEY": "value"}, output={"colour": ""})
    task = end(service, submit(service, "stays", node))
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route(ASKED, hold)
    opened(page, service, task)
    drawer = page.get_by_role("complementary")
    expect(drawer).to_contain_text("colour")  # its outputs have come, for which the rest is asked again
    let_go(page, held)
    expect(drawer).to_contain_text("It succeeded")
    expect(drawer).to_contain_text("Log, 2 B")
    parts = drawer.locator(".why p, .attempts li, .args li, .facts-of-node dd")
    parts.evaluate_all("elements => elements.forEach(element => element.isMarked = true)")
    let_go(page, held)
    assert parts.evaluate_all("elements => elements.filter(element => !element.isMarked).length") == 0


def test_the_focus_stays_within_what_a_node_waits_for(service: Services, page: Page, tmp_path: Path) -> None:
    names = ["alpha", "beta", "gamma"]
    nodes = [gate(tmp_path / name, name) for name in names]
    task = submit(service, "focus", *nodes, {"name": "waits", "needs": names})
    opened(page, service, task, "waits")
    why = page.get_by_role("complementary").locator(".why")
    expect(why.locator("li")).to_have_text([f"{name} running" for name in names])
    link = why.get_by_role("button", name="beta")
    link.focus()
    (tmp_path / "alpha").touch()
    expect(why.locator("li")).to_have_count(2)
    expect(link).to_be_focused()
    (tmp_path / "beta").touch()
    expect(why.locator("li")).to_have_count(1)
    expect(why).to_be_focused()  # its link is gone, but not the place
    (tmp_path / "gamma").touch()
    end(service, task)


@pytest.fixture
def forgetful(tmp_path: Path, certs: Path) -> Iterator[Services]:
    """Services that take an attempt for lost after a second and a half."""
    yield from start_services(tmp_path, certs, {"GORCH_LOST_AFTER": "1.5", "GORCH_LEASE": "1"})


def test_what_a_node_asks_is_answered(forgetful: Services, page: Page, tmp_path: Path) -> None:
    asks = gate(tmp_path / "never", "prints", on_lost="ask", output={"colour": ""})
    after = {
        "name": "b",
        "engine": "shell",
        "artifact": "echo",
        "args": ["get_attribute prints:colour"],
        "needs": ["prints"],
    }
    task = submit(forgetful, "asks", asks, after)
    wait_until(lambda: forgetful.remote.task(task)["nodes"][0]["attempt"] == 1)
    opened(page, forgetful, task)
    forgetful.executor.kill()
    page.get_by_role("button", name="It succeeded …").click(timeout=60_000)
    outputs, succeeded = page.get_by_label("Its outputs"), page.get_by_role("button", name="It succeeded", exact=True)
    for text, fault in {
        "colour=red\nblue": "name=value, one in each line; this is not: blue",
        "=blue": "this is not: =blue",
        "colour=red\ncolour=blue": "colour is there twice",
    }.items():
        outputs.fill(text)
        succeeded.click()
        expect(outputs).to_have_js_property("validity.valid", False)
        assert fault in outputs.evaluate("outputs => outputs.validationMessage")
    outputs.fill("colour=blue=ish")
    page.faults.expected.append("net::ERR_FAILED.*/resolve")  # type: ignore[attr-defined]
    page.route("**/resolve", lambda route: route.abort(), times=1)
    succeeded.click()
    expect(page.get_by_role("alert")).to_have_text("The service does not answer.")
    expect(outputs).to_have_value("colour=blue=ish")  # and it need not be typed again
    succeeded.click()
    expect(page.get_by_role("complementary")).to_contain_text("resolved as success", timeout=60_000)
    forgetful.executor.start()
    assert forgetful.remote.wait(task)["state"] == 3
    assert forgetful.remote.log(task, "b").data == b"blue=ish\n"
