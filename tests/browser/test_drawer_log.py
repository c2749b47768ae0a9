"""The log of the drawer while things change under it: attempts, lines that come and go, searches that go on."""

from playwright.sync_api import Page, expect

from drawer_support import opened, printing
from support import Services
from tasks_page_support import end, submit

PARTS = (
    "lines => lines.map(line => Array.from(line.querySelectorAll('span'), part => [part.innerText, part.className]))"
)


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
