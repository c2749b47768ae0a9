"""The log of the drawer while things change under it: attempts, lines that come and go, searches that go on."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from drawer_support import opened, printed, printing, until
from support import Services, wait_until
from tasks_page_support import end, submit

PARTS = "all => all.map(line => Array.from(line.querySelectorAll('span'), part => [part.innerText, part.className]))"
LONG = "for i in $(seq 400); do printf '%1000s\\n' | tr ' ' x; done;"  # lines of 1,000 characters


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
    wait_until(lambda: page.evaluate("true") and held)  # routes are called while the page is asked for something
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


def follows(page: Page) -> Locator:
    """Return the button "Follow", if it is pressed."""
    return page.locator("button[aria-pressed=true]").filter(has_text="Follow")


def at_end(log: Locator) -> bool:
    """Return whether the end of a log is in sight."""
    found: bool = log.evaluate("log => log.scrollHeight - log.scrollTop - log.clientHeight < 2")
    return found


def test_long_lines_are_followed(service: Services, page: Page, tmp_path: Path) -> None:
    more, ends = tmp_path / "more", tmp_path / "ends"
    task = submit(service, "long", printing(f"{LONG} echo first; {until(more)}; {LONG} echo second; {until(ends)}"))
    log = opened(page, service, task)
    expect(log.get_by_text("first", exact=True)).to_be_in_viewport()
    more.touch()
    expect(log.get_by_text("second", exact=True)).to_be_in_viewport()
    expect(follows(page)).to_be_visible()
    wrap = page.get_by_role("button", name="Wrap")
    for pressed in ("false", "true"):
        wrap.click()
        expect(wrap).to_have_attribute("aria-pressed", pressed)
        wait_until(lambda: at_end(log))
        expect(follows(page)).to_be_visible()
    ends.touch()
    expect(log.get_by_text("second", exact=True)).to_be_in_viewport()


def test_a_step_back_is_enough_to_stay_and_the_end_to_follow(service: Services, page: Page, tmp_path: Path) -> None:
    gates = [tmp_path / name for name in ("more", "ends")]
    script = f"seq 300; {until(gates[0])}; echo more; {until(gates[1])}"
    log = opened(page, service, printed(service, submit(service, "back", printing(script)), "300"))
    expect(log.get_by_text("300", exact=True)).to_be_in_viewport()
    log.hover()
    page.mouse.wheel(0, -8)
    expect(follows(page)).to_have_count(0)
    gates[0].touch()
    expect(log.get_by_text("more")).to_be_attached()
    assert not at_end(log)
    page.mouse.wheel(0, 400)
    expect(follows(page)).to_be_visible()
    wait_until(lambda: at_end(log))
    gates[1].touch()


def test_only_a_place_that_is_out_of_sight_ends_the_following(service: Services, page: Page, tmp_path: Path) -> None:
    ends = tmp_path / "ends"
    script = f"echo first; {LONG} echo last; {until(ends)}"
    log = opened(page, service, printed(service, submit(service, "places", printing(script)), "last"))
    expect(log.get_by_text("last")).to_be_in_viewport()
    search = page.get_by_role("searchbox", name="Search the log")
    search.fill("last")
    expect(page.locator(".log-search")).to_contain_text("1 of 1")
    expect(follows(page)).to_be_visible()
    search.fill("first")
    expect(log.get_by_text("first")).to_be_in_viewport()
    expect(follows(page)).to_have_count(0)
    expect(page.locator(".log-status")).to_contain_text("It goes on below.")
    ends.touch()
    expect(log.get_by_text("first")).to_be_in_viewport()


def found(page: Page, words: str | None = None) -> Locator:
    """Return the words that tell how many places were found, and which one is shown; search for others before."""
    if words is not None:
        page.get_by_role("searchbox", name="Search the log").fill(words)
    return page.locator(".log-search").get_by_role("status")


def current(page: Page) -> str:
    """Return the line of the place that is shown."""
    line: str = page.evaluate("[...CSS.highlights.get('current')][0].startContainer.parentElement.textContent")
    return line


def places(words: str, first: int, last: int) -> int:
    """Return how often something comes in the numbers from first to last."""
    return "\n".join(map(str, range(first, last + 1))).count(words)


def test_a_search_keeps_its_place_when_earlier_lines_come(service: Services, page: Page) -> None:
    log = opened(page, service, end(service, submit(service, "place", printing("seq 3000"))))
    expect(log.get_by_text("3000", exact=True)).to_be_attached()
    here, before = places("77", 1001, 3000), places("77", 1, 1000)
    expect(found(page, "77")).to_have_text(f"{here} of {here}")
    page.keyboard.press("Shift+Enter")
    expect(found(page)).to_have_text(f"{here - 1} of {here}")
    line = current(page)
    earlier_lines(page).click()
    expect(found(page)).to_have_text(f"{before + here - 1} of {before + here}")
    assert current(page) == line


def test_what_was_found_goes_with_its_log(service: Services, page: Page) -> None:
    node = printing("seq 300; exit 1", retry={"limit": 1, "delay": 0, "jitter": 0})
    log = opened(page, service, end(service, submit(service, "gone", node)))
    expect(log.get_by_text("300", exact=True)).to_be_attached()
    here = places("77", 1, 300)
    expect(found(page, "77")).to_have_text(f"{here} of {here}")
    attempts = page.get_by_role("combobox", name="Attempt")
    for attempt in ("attempt 1", "last attempt"):
        with page.expect_response("**/log?*"):
            attempts.select_option(attempt)
        expect(found(page)).to_have_text(str(here))
    assert page.evaluate("[CSS.highlights.get('found').size, CSS.highlights.get('current').size]") == [here, 0]


def test_what_was_found_goes_when_too_many_lines_come(service: Services, page: Page, tmp_path: Path) -> None:
    more, ends = tmp_path / "more", tmp_path / "ends"
    task = submit(service, "many", printing(f"seq 3000; {until(more)}; seq 3001 20000; {until(ends)}"))
    log = opened(page, service, printed(service, task, "3000"))
    expect(log.get_by_text("3000", exact=True)).to_be_attached()
    expect(found(page, "99")).not_to_have_text("")
    more.touch()
    expect(log.get_by_text("20000", exact=True)).to_be_attached()
    expect(found(page)).to_have_text(str(places("99", 15_001, 20_000)))
    page.keyboard.press("Enter")
    expect(log.get_by_text("19999", exact=True)).to_be_in_viewport()
    ends.touch()


def test_the_last_places_are_found_where_there_are_too_many(service: Services, page: Page) -> None:
    task = submit(service, "most", printing("yes 'x x x x' | head -n 1999; echo last x"))
    log = opened(page, service, end(service, task))
    expect(log.get_by_text("last")).to_be_in_viewport()
    expect(found(page, "x")).to_have_text("5000 of 5000+")
    assert current(page) == "last x"
    page.keyboard.press("Enter")
    expect(found(page)).to_have_text("1 of 5000+")
    expect(log.locator(".lines > .line").nth(749)).to_be_in_viewport()  # of 1999 lines with four and one with one


def test_the_line_that_has_not_ended_is_coloured_and_searched(service: Services, page: Page, tmp_path: Path) -> None:
    more, ends = tmp_path / "more", tmp_path / "ends"
    script = rf"printf '\033[31mred\nstill a needle'; {until(more)}; printf ', a needle\na needle'; {until(ends)}"
    log = opened(page, service, submit(service, "open", printing(script)))
    lines, rest = log.locator(".lines > .line"), log.locator("> .line")
    expect(rest).to_have_text("still a needle")
    assert rest.evaluate_all(PARTS) == [[["still a needle", "ansi-1"]]]
    expect(found(page, "needle")).to_have_text("1 of 1")
    more.touch()
    expect(found(page)).to_have_text("1 of 3")
    expect(rest).to_have_text("a needle")
    page.keyboard.press("Shift+Enter")
    expect(found(page)).to_have_text("3 of 3")
    ends.touch()
    expect(lines).to_have_text(["red", "still a needle, a needle", "a needle"])
    expect(rest).to_be_empty()
    expect(found(page)).to_have_text("3 of 3")
    assert lines.evaluate_all(PARTS)[2] == [["a needle", "ansi-1"]]
