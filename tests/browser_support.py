"""Parts of the tests in a browser: what its console complains of, screenshots, and the check of accessibility."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import ConsoleMessage, Page

SERIOUS = {"serious", "critical"}
NARROW = {"width": 390, "height": 844}
# A refused style or script is said in the console too, but not everywhere; this event is.
_CSP = """addEventListener("securitypolicyviolation", (event) =>
    console.error(`Content-Security-Policy: ${event.violatedDirective} refuses ${event.blockedURI}`))"""


@dataclass
class Faults:
    """What a page has complained of. ``expected``: patterns of what is to be so."""

    page: Page
    seen: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.add_init_script(_CSP)
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.seen.append(f"page error: {error}"))

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.seen.append(f"{message.type}: {message.text} ({message.location.get('url', '')})")

    def unexpected(self) -> list[str]:
        """Return the complaints that no pattern covers."""
        return [fault for fault in self.seen if not any(re.search(pattern, fault) for pattern in self.expected)]


@dataclass
class Shots:
    """Saves screenshots of a page as others would see it: light, dark, and narrow."""

    folder: Path
    name: str
    new_page: Callable[..., Page]

    def take(self, page: Page, suffix: str = "") -> Path:
        """Save what a page shows now."""
        path = self.folder / f"{self.name}{suffix}.png"
        page.screenshot(path=path)
        return path

    def views(self, url: str) -> Iterator[tuple[str, Page]]:
        """Open ``url`` in each way and yield the name of the way and the page; save it when the caller is done."""
        ways: dict[str, dict[str, Any]] = {
            "light": {"color_scheme": "light"},
            "dark": {"color_scheme": "dark"},
            "narrow": {"color_scheme": "light", "viewport": NARROW, "device_scale_factor": 2},
        }
        for way, options in ways.items():
            page = self.new_page(**options)
            page.goto(url)
            yield way, page
            self.take(page, f"-{way}")


def serious_faults(page: Page) -> list[str]:
    """Return what axe finds in a page that keeps somebody from using it, as ``rule: where``."""
    found = Axe().run(page).response["violations"]
    return [
        f"{fault['id']} ({fault['help']}): {node['target']} {node.get('failureSummary', '')}"
        for fault in found
        if fault["impact"] in SERIOUS
        for node in fault["nodes"]
    ]
