"""The log of the drawer while things change under it: attempts, lines that come and go, searches that go on."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from drawer_support import opened, printed, printing, until
from support import Services, wait_until
from tasks_page_support import end, submit

PARTS = "all => all.map(line => Array.from(line.querySelectorAll('span'), part => [part.innerText, part.className]))"


def test_sequences_of_private_use_and_with_colons_are_understood(service: Services, page: Page) -> None:
    script = r"""
        printf '\033[>4;2mprivate\033[?4m \033[1 mbetween\n'
        printf '\033[38:2::250:10:10mspace\033[m \033[38:2:250:10:10mnone\033[m \033[38:5:9mindex\033[m\n'
        printf '\033[48:2::250:10:10;1mon red\033[m \033[58;2;1;4;9mline\033[m \033[58:5:9;3mslanted\033[m\n'
        printf '\033[4:3mwave\033[4:0m ends \033[1:2mnothing\033[31\n'
    """
    log = opened(page, service, end(service, submit(service, "sequences", printing(script))))
    lines = log.locator(".lines > .line")
    expect(lines).to_have_text(["private between", "space none index", "on red line slanted", "wave ends nothing"])
    assert lines.evaluate_all(PARTS) == [
        [],
        [["space", "ansi-9"], ["none", "ansi-9"], ["index", "ansi-9"]],
        [["on red", "ansi-bold ansi-on-9"], ["slanted", "ansi-italic"]],
        [["wave", "ansi-underline"]],
    ]


def held_earlier_lines(page: Page) -> list[Route]:
    """Click on "Earlier lines", whose request does not reach the service before somebody has it continue."""
    held: list[Route] = []

    def hold(route: Route) -> None:
        follows = "prefer" in route.request.headers
        route.continue_() if follows else held.append(route)

    page.route("**/log?offset=*", hold)
    earlier_lines(page).click()
    wait_until(lambda: held or page.wait_for_timeout(20))
    return held


def earlier_lines(page: Page) -> Locator:
    """Return the button that asks for earlier lines, even while it is hidden."""
    return page.get_by_role("button", name="Earlier lines", include_hidden=True)


def go_on(page: Page, held: list[Route]) -> None:
    """Let the service answer what was held, and wait until the page has done with it."""
    expect(earlier_lines(page)).to_have_attribute("aria-disabled", "true")
    held.pop().continue_()
    expect(earlier_lines(page)).not_to_have_attribute("aria-disabled", "true")


def test_earlier_lines_that_come_late_do_not_get_into_the_next_attempt(
    service: Services, page: Page, tmp_path: Path
) -> None:
    script = f"if mkdir {tmp_path}/first 2>/dev/null; then seq 3000; {until(tmp_path / 'fail')}; exit 1; fi; "
    script += f"echo second; {until(tmp_path / 'end')}"
    node = printing(script, retry={"limit": 1, "delay": 0, "jitter": 0})
    log = opened(page, service, printed(service, submit(service, "late", node), "3000"))
    held = held_earlier_lines(page)
    (tmp_path / "fail").touch()
    lines = log.locator(".lines > .line")
    expect(lines).to_have_text(["second"])
    go_on(page, held)
    expect(lines).to_have_text(["second"])
    (tmp_path / "end").touch()


@pytest.mark.parametrize(("last", "first"), [(13_000, 1), (30_000, 10_001)], ids=["all stay", "there is no room"])
def test_earlier_lines_that_come_late_leave_no_hole(
    service: Services, page: Page, tmp_path: Path, last: int, first: int
) -> None:
    more = tmp_path / "more"
    task = submit(service, "hole", printing(f"seq 3000; {until(more)}; seq 3001 {last}"))
    log = opened(page, service, printed(service, task, "3000"))
    held = held_earlier_lines(page)
    more.touch()
    expect(log.get_by_text(str(last), exact=True)).to_be_attached()
    go_on(page, held)
    found = log.locator(".lines > .line").evaluate_all("all => all.map(line => Number(line.textContent))")
    assert found == list(range(first, last + 1))


def test_a_log_that_is_refused_leaves_nothing_of_the_one_before(service: Services, page: Page) -> None:
    page.faults.expected = ["404"]  # type: ignore[attr-defined]
    node = printing("seq 3000; exit 1", retry={"limit": 1, "delay": 0, "jitter": 0})
    log = opened(page, service, end(service, submit(service, "refused", node)))
    lines = log.locator(".lines > .line")
    expect(lines).to_have_count(2000)
    problem = {"type": "urn:gorchestrator:problem:task-unknown", "detail": "It was deleted."}
    page.route("**/log?*attempt=1*", lambda route: route.fulfill(status=404, body=json.dumps(problem)))
    attempts = page.get_by_role("combobox", name="Attempt")
    attempts.select_option("attempt 1")
    status = page.locator(".log-status")
    expect(status).to_have_text("It was deleted.")
    expect(lines).to_have_count(0)
    expect(earlier_lines(page)).to_be_hidden()
    expect(page.get_by_role("button", name="Follow", exact=True)).to_be_hidden()
    attempts.select_option("last attempt")
    expect(lines).to_have_count(2000)
    expect(status).to_be_empty()
    expect(earlier_lines(page)).to_be_visible()


def test_the_log_takes_the_focus_of_what_goes(service: Services, page: Page, tmp_path: Path) -> None:
    ends = tmp_path / "ends"
    task = submit(service, "focus", printing(f"seq 3000; {until(ends)}"))
    log = opened(page, service, printed(service, task, "3000"))
    expect(earlier_lines(page)).to_be_visible()
    earlier_lines(page).focus()
    page.keyboard.press("Enter")
    expect(earlier_lines(page)).to_be_hidden()
    expect(log).to_be_focused()
    follow = page.get_by_role("button", name="Follow")
    follow.click()
    expect(follow).to_be_focused()
    ends.touch()
    expect(follow).to_be_hidden()
    expect(log).to_be_focused()
