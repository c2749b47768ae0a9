"""The page of a task: watched while it runs, found again by its URL, cancelled, and run again."""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from browser_support import Shots, serious_faults
from support import Services
from tasks_page_support import end, failing, gate, submit

WORKERS = 2  # the page shows the same, whichever of them answers

HOSTILE = '<img src=x onerror="alert(1)">'
NO_LAYOUT = json.dumps({"type": "urn:gorchestrator:problem:no-layout", "status": 503, "detail": "It takes too long."})


def heading(page: Page, name: str) -> None:
    """Check that the page shows the task of this name."""
    expect(page.get_by_role("heading", level=1)).to_have_text(name)


def state(page: Page, name: str) -> None:
    """Check the badge of the task."""
    expect(page.locator("#state")).to_have_text(name)


@pytest.fixture
def mixed(service: Services) -> str:
    """Return a task that has ended: one node good, one bad, one that was not run."""
    nodes = [{"name": "good"}, failing("bad", needs=["good"]), {"name": "behind", "needs": ["bad"]}]
    return end(service, submit(service, "mixed", *nodes, labels={"team": "web"}))


def test_a_task_is_watched_until_it_has_ended(service: Services, page: Page, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    task = submit(
        service,
        "watched",
        gate(first, "a"),
        gate(second, "b", needs=["a"]),
        failing("c", needs=["a"]),
        {"name": "d", "needs": ["c"]},
    )
    page.goto(f"{service.url}/tasks/{task}?view=table")
    heading(page, "watched")
    state(page, "running")
    bar = page.get_by_role("progressbar")
    expect(bar).to_have_attribute("aria-valuenow", "0")
    first.touch()
    expect(bar).to_have_attribute("aria-valuenow", "3")  # a, c and d have ended
    expect(bar).to_have_attribute("aria-valuetext", re.compile("1 success, 1 failure, 1 notrunnable, 1 running"))
    second.touch()
    state(page, "failure")
    expect(page.locator("#reason")).to_contain_text("1 node ended in failure (c)")
    expect(page.get_by_role("button", name="Cancel")).to_be_hidden()
    expect(page.get_by_role("button", name="Rerun from failed")).to_be_visible()


def test_the_url_shows_the_same_again(service: Services, page: Page, mixed: str) -> None:
    page.goto(f"{service.url}/tasks/{mixed}")
    heading(page, "mixed")
    page.get_by_role("tab", name="Timeline").click()
    expect(page).to_have_url(re.compile(r"\?view=timeline$"))
    page.get_by_role("tab", name="Table").click()
    page.get_by_text("bad", exact=True).first.dblclick()
    drawer = page.get_by_role("complementary")
    expect(drawer).to_contain_text("exit status 3")
    expect(page).to_have_url(re.compile(r"\?view=table&node=bad$"))
    page.reload()
    expect(page.get_by_role("tab", name="Table")).to_have_attribute("aria-selected", "true")
    expect(drawer).to_contain_text("exit status 3")
    page.keyboard.press("Escape")
    page.go_back()
    expect(page.get_by_role("tab", name="Timeline")).to_have_attribute("aria-selected", "true")
    expect(drawer).to_be_hidden()
    page.go_forward()
    expect(page.get_by_role("tab", name="Table")).to_have_attribute("aria-selected", "true")
    expect(drawer).to_contain_text("exit status 3")
    page.goto(f"{service.url}/tasks/{mixed}?view=graph&node=behind")
    expect(drawer.get_by_role("heading", name="behind")).to_be_visible()
    page.go_back()
    expect(drawer.get_by_role("heading", name="bad")).to_be_visible()
    expect(page.get_by_role("tab", name="Table")).to_have_attribute("aria-selected", "true")


@pytest.mark.parametrize("query", ["view=constructor", "view=", "node=", "node=nobody", "node=99", "node=-1"])
def test_a_url_that_nobody_wrote_shows_the_task(service: Services, page: Page, mixed: str, query: str) -> None:
    page.goto(f"{service.url}/tasks/{mixed}?{query}")
    heading(page, "mixed")
    expect(page.get_by_role("tab", name="Graph")).to_have_attribute("aria-selected", "true")
    expect(page.get_by_role("complementary")).to_be_hidden()


def test_tabs_are_moved_through_with_the_arrows(service: Services, page: Page, mixed: str) -> None:
    page.goto(f"{service.url}/tasks/{mixed}")
    page.get_by_role("tab", name="Graph").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="Table")).to_be_focused()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="Graph")).to_have_attribute("aria-selected", "true")


def test_a_running_task_is_cancelled(service: Services, page: Page, tmp_path: Path) -> None:
    task = submit(service, "long", gate(tmp_path / "never", "a"))
    page.goto(f"{service.url}/tasks/{task}")
    page.get_by_role("button", name="Cancel …").click()
    expect(page.get_by_role("dialog")).to_contain_text("will be killed")
    page.get_by_role("button", name="Back").click()
    state(page, "running")
    page.get_by_role("button", name="Cancel …").click()
    page.get_by_role("button", name="Cancel the task").click()
    state(page, "canceled")
    expect(page.get_by_text("being canceled")).to_be_hidden()
    expect(page.locator("#reason")).to_contain_text("canceled by 127.0.0.1")


def test_a_cancel_of_somebody_else_is_shown_while_what_runs_is_killed(service: Services, page: Page) -> None:
    stubborn = {"name": "a", "engine": "shell", "artifact": "sh", "args": ["-c", "trap '' TERM; echo up; sleep 100"]}
    task = submit(service, "stubborn", stubborn)
    page.goto(f"{service.url}/tasks/{task}?node=a")
    expect(page.get_by_role("complementary")).to_contain_text("up")  # it refuses to end from now on
    service.remote.cancel(task)
    expect(page.locator("#state")).to_have_text("runningbeing canceled")
    expect(page.get_by_role("button", name="Cancel …")).to_be_disabled()
    state(page, "canceled")


def test_a_task_that_cannot_be_drawn_says_so(service: Services, page: Page, mixed: str) -> None:
    answers = iter([{"status": 502, "body": "<h1>away"}, {"status": 503, "body": NO_LAYOUT}])
    page.route("**/layout", lambda route: route.fulfill(**next(answers)))  # the first one passes: it is asked again
    page.faults.expected += ["502", "503"]  # type: ignore[attr-defined]
    page.goto(f"{service.url}/tasks/{mixed}")
    expect(page.get_by_text("It takes too long. The table and the timeline show them.")).to_be_visible()
    page.get_by_role("tab", name="Table").click()
    expect(page.get_by_role("row", name="behind")).to_be_visible()


def test_a_rerun_shows_what_it_does_and_leads_to_the_new_task(service: Services, page: Page, mixed: str) -> None:
    page.goto(f"{service.url}/tasks/{mixed}")
    page.get_by_role("button", name="Rerun from failed …").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Runs: 2 nodes")
    expect(dialog.get_by_role("listitem")).to_have_text(["bad", "behind", "good"])
    dialog.get_by_role("button", name="Run 2 nodes").click()
    expect(page.get_by_role("link", name=f"rerun of {mixed[:8]}")).to_be_visible()
    state(page, "failure")
    assert mixed not in page.url
    page.get_by_role("link", name=f"rerun of {mixed[:8]}").click()
    expect(page).to_have_url(re.compile(mixed))


def test_labels_lead_to_the_list(service: Services, page: Page, mixed: str) -> None:
    page.goto(f"{service.url}/tasks/{mixed}")
    page.get_by_role("link", name="team=web").click()
    expect(page).to_have_url(re.compile(r"/\?label=team%3Dweb"))


def test_a_task_that_is_not_there(service: Services, page: Page) -> None:
    page.faults.expected.append("404")  # type: ignore[attr-defined]
    for task in ("0" * 32, "%E0%A4%A", "<b>"):
        page.goto(f"{service.url}/tasks/{task}")
        expect(page.get_by_text("There is no such task")).to_be_visible()
    page.get_by_role("link", name="Show all tasks").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Tasks")


def test_names_are_text(service: Services, page: Page) -> None:
    names = [HOSTILE, "\u05d0\u05d1\u05d2 exe.gnp", "x" * 255]
    task = end(service, submit(service, HOSTILE, *[{"name": name} for name in names]))
    for view in ("graph", "table", "timeline"):
        page.goto(f"{service.url}/tasks/{task}?view={view}&node=0")
        heading(page, HOSTILE)
        expect(page.get_by_role("complementary")).to_contain_text(HOSTILE)
        assert page.locator("main img").count() == 0


def test_a_service_that_was_lost_is_caught_up_with(service: Services, page: Page, tmp_path: Path) -> None:
    path = tmp_path / "gate"
    task = submit(service, "lost", gate(path, "a"), {"name": "b", "needs": ["a"]})
    page.faults.expected += [
        "ERR_CONNECTION_REFUSED",
        "ERR_INCOMPLETE_CHUNKED_ENCODING",
        "ERR_EMPTY_RESPONSE",
        "ERR_SOCKET_NOT_CONNECTED",
        "ERR_CONNECTION_RESET",
    ]  # type: ignore[attr-defined]
    page.goto(f"{service.url}/tasks/{task}")
    state(page, "running")
    page.evaluate("globalThis.sameDocument = true")
    service.orchestrator.kill()
    expect(page.get_by_text("The service does not answer")).to_be_visible()
    path.touch()
    service.orchestrator.start()
    state(page, "success")
    expect(page.get_by_text("The service does not answer")).to_be_hidden()
    assert page.evaluate("globalThis.sameDocument")


def test_it_can_be_used_by_everybody(service: Services, shots: Shots, mixed: str) -> None:
    for view in ("graph", "table", "timeline"):
        shots.name = f"task-{view}"
        for way, page in shots.views(f"{service.url}/tasks/{mixed}?view={view}&node=bad"):
            expect(page.get_by_role("complementary")).to_contain_text("exit status 3")
            assert serious_faults(page) == []
            shots.take(page, f"-drawer-{way}")
            page.keyboard.press("Escape")  # narrow, the drawer covers the view
            expect(page.get_by_role("complementary")).to_be_hidden()
            assert serious_faults(page) == []
