"""The drawer of a task's page, and above all the log, which may hold anything and come at any pace."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from browser_support import Shots, serious_faults
from drawer_support import opened, printing
from support import Services, start_services, wait_until
from tasks_page_support import end, gate, submit


def colour(text: Locator) -> str:
    """Return the colour in which a text is shown."""
    found: str = text.evaluate("element => getComputedStyle(element).color")
    return found


def test_colours_are_shown_and_every_other_sequence_is_left_out(service: Services, page: Page) -> None:
    script = r"""
        printf '\033[31mred\033[0m plain \033[1;4mbold\033[22m line\033[0m\n'
        printf '\033[32mgreen goes\non\033[39m and ends\n'
        printf '\033[38;2;250;10;10mtrue\033[0m \033[38;5;196mcube\033[0m \033[7minverse\033[27m\n'
        printf '\033]0;a title\007\033[2J\033[10;3Hmoved\033[K\n'
        printf '10 %%\r50 %%\rdone\r\n'
        printf 'b\bbo\bol\bld \001\n'
    """
    log = opened(page, service, end(service, submit(service, "colours", printing(script))))
    lines = log.locator(".line")
    expect(lines).to_have_text(
        ["red plain bold line", "green goes", "on and ends", "true cube inverse", "moved", "done", "bold ␁", ""]
    )
    red = colour(log.get_by_text("red", exact=True))
    assert red == colour(log.get_by_text("true", exact=True)) == colour(log.get_by_text("cube", exact=True))
    assert red != colour(lines.nth(0))
    assert colour(log.get_by_text("green goes")) == colour(log.get_by_text("on", exact=True)) != red
    assert log.get_by_text("bold", exact=True).first.evaluate("e => getComputedStyle(e).fontWeight") == "700"


def test_what_a_node_prints_is_never_markup(service: Services, page: Page) -> None:
    hostile = "<img src=x onerror=alert(1)></pre><script>alert(2)</script>"
    script = f"echo \"$1\"; echo '{hostile}'; printf '\\342\\200\\256backwards\\n\\377\\376 no text\\n'"
    long = "x" * 10_000
    node = printing(script, env={"HOSTILE": hostile}) | {"args": ["-c", script, "sh", long]}
    page.on("dialog", lambda dialog: pytest.fail(f"a script of a log ran: {dialog.message}"))
    log = opened(page, service, end(service, submit(service, "hostile", node)))
    expect(log).to_contain_text(hostile)
    expect(log).to_contain_text("backwards")
    expect(log.locator(".line").first).to_have_text(long)
    drawer = page.get_by_role("complementary")
    expect(drawer.locator(".args li").last).to_have_text(long)
    expect(drawer.get_by_text(hostile).first).to_be_visible()
    assert page.locator("main img, main script").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_log_is_followed_until_somebody_looks_back(service: Services, page: Page, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    script = "seq 300; {} echo later; {} echo end"
    waits = [f"while ! test -e {path}; do sleep 0.05; done;" for path in (first, second)]
    log = opened(page, service, submit(service, "follows", printing(script.format(*waits))))
    last = log.get_by_text("300", exact=True)
    expect(last).to_be_in_viewport()
    follow = page.get_by_role("button", name="Follow")
    expect(follow).to_have_attribute("aria-pressed", "true")
    log.evaluate("log => log.scrollTop = 0")
    expect(follow).to_have_attribute("aria-pressed", "false")
    first.touch()
    expect(log.get_by_text("later")).to_be_attached()
    expect(log.get_by_text("1", exact=True)).to_be_in_viewport()
    follow.click()
    expect(log.get_by_text("later")).to_be_in_viewport()
    second.touch()
    expect(log.get_by_text("end", exact=True)).to_be_in_viewport()
    expect(follow).to_be_hidden()


def test_a_log_is_searched(service: Services, page: Page) -> None:
    script = r"for i in 1 2 3; do seq 200; printf 'an \033[31mEr\033[0mror (%s)\n' $i; done"
    log = opened(page, service, end(service, submit(service, "search", printing(script))))
    search = page.get_by_role("searchbox", name="Search the log")
    count = page.locator(".log-search").get_by_role("status")
    expect(log).to_contain_text("(3)")
    search.fill("error (")
    expect(count).to_have_text("3 of 3")  # the last one: it tells why it ended
    search.press("Enter")
    expect(count).to_have_text("1 of 3")
    expect(log.get_by_text("ror (1)")).to_be_in_viewport()
    page.get_by_role("button", name="Next place").click()
    expect(log.get_by_text("ror (2)")).to_be_in_viewport()
    search.press("Shift+Enter")
    expect(log.get_by_text("ror (1)")).to_be_in_viewport()
    assert page.evaluate("[CSS.highlights.get('found').size, String([...CSS.highlights.get('current')][0])]") == [
        3,
        "Error (",
    ]
    search.fill("nothing like that")
    expect(count).to_have_text("0")
    expect(page.get_by_role("button", name="Next place")).to_be_disabled()
    search.press("Escape")
    expect(search).to_have_value("")
    expect(page.get_by_role("complementary")).to_be_visible()


def test_a_flood_leaves_the_page_usable_and_earlier_lines_can_be_had(service: Services, page: Page) -> None:
    task = end(service, submit(service, "flood", printing("seq 100000")))
    log = opened(page, service, task)
    expect(log.get_by_text("100000", exact=True)).to_be_in_viewport()
    lines = log.locator(".lines > .line")
    assert lines.count() == 2000
    earlier = page.get_by_role("button", name="Earlier lines")
    log.evaluate("log => log.scrollTop = 0")
    earlier.click()
    expect(lines.nth(2000)).to_be_attached()
    found = lines.evaluate_all("all => all.map(line => line.textContent)")
    assert [int(line) for line in found] == list(range(100_001 - len(found), 100_001))  # none is missing or comes twice
    expect(log.get_by_text("98001", exact=True)).to_be_in_viewport()  # what was looked at stays where it was
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert Path(download.value.path()).read_bytes() == b"".join(b"%d\n" % number for number in range(1, 100_001))


def test_wide_lines_are_wrapped_or_not(service: Services, page: Page) -> None:
    log = opened(page, service, end(service, submit(service, "wide", printing("seq -s' ' 1000; echo '  indented'"))))
    expect(log).to_contain_text("indented")
    wide = "log => log.scrollWidth > log.clientWidth"
    wrap = page.get_by_role("button", name="Wrap")
    assert not log.evaluate(wide)
    wrap.click()
    expect(wrap).to_have_attribute("aria-pressed", "false")
    assert log.evaluate(wide)


def test_attempts_have_logs_of_their_own_and_a_pause_is_counted_down(
    service: Services, page: Page, tmp_path: Path
) -> None:
    script = f'echo "in attempt $(wc -l < {tmp_path}/count)"; exit 1'
    script = f"echo x >> {tmp_path}/count; {script}"
    node = printing(script, retry={"limit": 2, "delay": 2, "factor": 100, "jitter": 0, "max_delay": 3600})
    log = opened(page, service, submit(service, "retries", node))
    drawer = page.get_by_role("complementary")
    expect(log).to_contain_text("in attempt 2", timeout=60_000)
    expect(drawer).to_contain_text(re.compile(r"Next attempt at .*, in \d+ m \d\d s"))
    attempts = page.get_by_role("combobox", name="Attempt")
    attempts.select_option("attempt 1")
    expect(log.locator(".lines")).to_have_text("in attempt 1")
    logs = drawer.get_by_role("button", name="Log, 13 B")
    expect(logs).to_have_count(2)
    logs.last.click()
    expect(log.locator(".lines")).to_have_text("in attempt 2")
    expect(attempts).to_have_value("2")


def test_nothing_printed_is_said(service: Services, page: Page, tmp_path: Path) -> None:
    path = tmp_path / "gate"
    task = submit(service, "silent", gate(path, "a"), {"name": "b", "needs": ["a"]})
    opened(page, service, task, "a")
    drawer = page.get_by_role("complementary")
    expect(drawer).to_contain_text("Nothing has been printed yet.")
    path.touch()
    expect(drawer).to_contain_text("It has printed nothing.")


def test_nodes_that_are_called_like_numbers_are_told_apart(service: Services, page: Page) -> None:
    nodes = [printing("echo of the first", name="1"), printing("echo of the second", name="b c/d?")]
    task = end(service, submit(service, "numbers", *nodes))
    page.goto(f"{service.url}/tasks/{task}?view=table&node=b%20c%2Fd%3F")
    expect(page.get_by_role("log", name="Log")).to_contain_text("of the second")
    expect(page.get_by_role("complementary")).to_contain_text("It succeeded")


def test_a_link_to_the_node_is_copied(service: Services, page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    task = end(service, submit(service, "linked", printing("echo x")))
    opened(page, service, task)
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_text("The link is copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == page.url


def test_it_can_be_as_wide_as_the_page(service: Services, page: Page) -> None:
    task = end(service, submit(service, "wide", printing("echo x")))
    opened(page, service, task)
    page.get_by_role("button", name="Wide").click()
    box = page.get_by_role("complementary").bounding_box()
    assert box
    assert box["width"] == 1280


def test_a_log_can_be_read_by_everybody(service: Services, shots: Shots) -> None:
    line = r"\033[3%sm colour \033[9%sm bright \033[0;4%sm back \033[0m\n"
    colours = f"for i in 0 1 2 3 4 5 6 7; do printf '{line}' $i $i $i; done"
    task = end(service, submit(service, "colours", printing(colours, output={"COLOUR": "none"}, env={"KEY": "value"})))
    for _, page in shots.views(f"{service.url}/tasks/{task}?view=table&node=prints"):
        expect(page.get_by_role("log", name="Log")).to_contain_text("bright")
        assert serious_faults(page) == []


@pytest.fixture
def thrifty(tmp_path: Path, certs: Path) -> Iterator[Services]:
    """Services that keep little of what is printed."""
    limit = {"GORCH_LOG_LIMIT": "65536"}
    yield from start_services(tmp_path, certs, limit, {"GORCH_EXECUTOR_LOG_LIMIT": "65536"})


def test_what_was_left_out_of_a_log_is_said(thrifty: Services, page: Page) -> None:
    task = end(thrifty, submit(thrifty, "gap", printing("seq 100000")))
    log = opened(page, thrifty, task)
    lines = log.locator(".lines > .line")
    expect(log.get_by_text("100000", exact=True)).to_be_in_viewport()
    earlier = page.get_by_role("button", name="Earlier lines")
    while earlier.is_visible():
        before = lines.count()
        earlier.click()
        wait_until(lambda before=before: lines.count() > before)  # type: ignore[misc]
    found = lines.evaluate_all("all => all.map(line => line.textContent)")
    (left,) = [number for number, line in enumerate(found) if "left out" in line]
    assert re.fullmatch(r"\[… 51\d\.\d KiB left out …\]", found[left])
    assert found[: left - 1] == [str(number) for number in range(1, left)]
    behind = [int(line) for line in found[left + 2 :]]
    assert behind == list(range(100_001 - len(behind), 100_001))
