"""Fixtures: Chromium, driven by Playwright, and pages that fail their test on whatever their console complains of."""

import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from browser_support import Faults, Shots
from support import Services, start_services

PATIENCE = 30_000  # milliseconds: a machine that runs the tests is slow and has other work
# Without a window of its own it takes half the processor's time; the other two have one that nobody sees.
_NAMES = ("chromium-headless-shell", "chromium", "chromium-browser")
CHROMIUM = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), None)


@pytest.fixture(scope="module", autouse=True)
def _unmeasured_services(unmeasured: None) -> None:
    """Halve what the start of each service costs: the tests of the API measure their coverage."""


@pytest.fixture(scope="module")
def service(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, certs: Path, unmeasured: None
) -> Iterator[Services]:
    """Return the two services, one pair for a module: one worker, unless it names their number in ``WORKERS``."""
    workers = {"GORCH_WORKERS": str(getattr(request.module, "WORKERS", 1))}
    yield from start_services(tmp_path_factory.mktemp("service"), certs, workers)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Return a browser, one for all pages; none is ever downloaded."""
    if CHROMIUM is None:
        assert not os.environ.get("CI"), "CI needs chromium: .ci/run installs it"
        pytest.skip("there is no chromium on this machine; `apt-get install chromium`, or name one in CHROMIUM")
    # As root, Chromium has no sandbox; /dev/shm of a container may be too small for it.
    # Without --disable-gpu it looks for one and draws in a process more.
    options = ["--disable-dev-shm-usage", "--disable-gpu", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=options)
        expect.set_options(timeout=PATIENCE)
        yield browser
        browser.close()


@pytest.fixture
def new_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Return what opens pages, with the options of a browser context; whatever their consoles say fails the test.

    A test that expects a complaint, such as of a service that is down, names it in ``page.faults.expected``.
    """
    contexts: list[BrowserContext] = []
    watched: list[Faults] = []

    def new_page(**options: object) -> Page:
        options = {"viewport": {"width": 1280, "height": 800}, "timezone_id": "Europe/Berlin"} | options
        context = browser.new_context(**options)  # type: ignore[arg-type]
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        page = context.new_page()
        page.faults = Faults(page)  # type: ignore[attr-defined]
        watched.append(page.faults)  # type: ignore[attr-defined]
        return page

    yield new_page
    for context in contexts:
        context.close()
    assert [fault for faults in watched for fault in faults.unexpected()] == []


@pytest.fixture
def page(new_page: Callable[..., Page]) -> Page:
    """Return a page of a fresh context."""
    return new_page()


@pytest.fixture
def shots(request: pytest.FixtureRequest, tmp_path: Path, new_page: Callable[..., Page]) -> Shots:
    """Return what saves screenshots: below the folder that ``GORCH_SCREENSHOTS`` names, else in the test's own."""
    folder = Path(os.environ.get("GORCH_SCREENSHOTS") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    module, test = (name.removeprefix("test_") for name in (request.path.stem, request.node.name))
    return Shots(folder, re.sub(r"\W+", "-", f"{module}-{test}"), new_page)
