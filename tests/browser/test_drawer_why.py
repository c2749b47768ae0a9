"""What the drawer of a task's page tells about a node: why it is in its state, its facts, and what can be answered."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from drawer_support import opened
from support import Services, start_services, wait_until
from tasks_page_support import end, gate, submit


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
