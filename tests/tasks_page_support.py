"""Parts of the tests of the list of tasks in a browser: tasks that do what a test wants, and their rows."""

from collections.abc import Mapping
from pathlib import Path

from playwright.sync_api import Locator, Page

from support import Services, wait_until


def gate(path: Path, name: str, **more: object) -> dict[str, object]:
    """Return a node that runs until a file is there."""
    script = f"while ! test -e '{path}'; do sleep 0.05; done"
    return {"name": name, "engine": "shell", "artifact": "sh", "args": ["-c", script], **more}


def submit(service: Services, name: str, *nodes: Mapping[str, object], **more: object) -> str:
    """Submit a gorch of these nodes, of one that does nothing by default; return its id."""
    return service.remote.submit({"name": name, "nodes": list(nodes) or [{"name": "a"}], **more})


def failing(name: str = "f", **more: object) -> dict[str, object]:
    """Return a node that fails."""
    return {"name": name, "engine": "shell", "artifact": "sh", "args": ["-c", "exit 3"], **more}


def end(service: Services, task: str) -> str:
    """Wait for the end of a task; return its id."""
    service.remote.wait(task)
    return task


def row(page: Page, task: str) -> Locator:
    """Return the row of a task."""
    return page.locator(f"tr[data-task='{task}']")


def shows(page: Page, *expected: str, ordered: bool = False) -> None:
    """Wait until the list has exactly these names."""
    order = list if ordered else sorted
    names = page.locator("td.name .task")
    wait_until(lambda: order(names.all_inner_texts()) == order(expected), 30, f"the list is {expected}")
