"""Parts of the tests of the drawer in a browser: nodes that print, their logs, and whether their end is in sight."""

from pathlib import Path

from playwright.sync_api import Locator, Page

from support import Services, wait_until


def printing(script: str, **more: object) -> dict[str, object]:
    """Return a node that prints what a shell script does."""
    return {"name": "prints", "engine": "shell", "artifact": "sh", "args": ["-c", script], **more}


def until(path: Path) -> str:
    """Return a command of a shell that waits until a file is there."""
    return f"while ! test -e '{path}'; do sleep 0.05; done"


def printed(service: Services, task: str, last: str) -> str:
    """Wait until the last line that the node has printed so far is this one; return the task's id."""
    end = f"{last}\n".encode()
    wait_until(lambda: service.remote.log(task, "prints").data.endswith(end), what=f"it has printed {last}")
    return task


def opened(page: Page, service: Services, task: str, node: str = "prints") -> Locator:
    """Open the drawer of a node; return its log."""
    page.goto(f"{service.url}/tasks/{task}?view=table&node={node}")
    return page.get_by_role("log", name="Log")
