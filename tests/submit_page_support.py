"""Parts of the tests of the page that submits: what is written, what it says of it, files that are dropped."""

import json
import re
from collections.abc import Mapping
from typing import Any

from playwright.sync_api import Locator, Page, expect

from support import Services

TASK = re.compile(r"/tasks/[0-9a-f]{32}$")


def chain(size: int, name: str = "chain") -> dict[str, Any]:
    """Return a gorch of so many nodes, one behind the other."""
    nodes = [{"name": f"step {number}", "needs": [f"step {number - 1}"] if number else []} for number in range(size)]
    return {"name": name, "nodes": nodes}


def opened(page: Page, service: Services, text: str | Mapping[str, Any] = "") -> Locator:
    """Open the page and write a text; return the editor."""
    page.goto(f"{service.url}/submit")
    expect(summary(page)).to_have_text("Nothing is written yet.")
    editor = page.get_by_role("textbox", name="Gorch as JSON")
    if text:
        editor.fill(text if isinstance(text, str) else json.dumps(text))
    return editor


def summary(page: Page) -> Locator:
    """Return what is said of the text as a whole."""
    return page.get_by_role("region", name="What the service says of it").get_by_role("status")


def faults(page: Page) -> Locator:
    """Return the faults that are listed."""
    return page.get_by_role("list", name="Faults").get_by_role("listitem")


def marked(page: Page) -> list[str]:
    """Return the numbers of the lines that are marked, of those that are seen."""
    return page.locator(".row.faulty:not([hidden]) .line").all_inner_texts()


def selected(editor: Locator) -> str:
    """Return what is selected in the editor."""
    found: str = editor.evaluate("area => area.value.slice(area.selectionStart, area.selectionEnd)")
    return found


def paste(page: Page, editor: Locator, text: str) -> None:
    """Paste a text in place of what is there, as people do; filling in a long one takes Chromium a minute."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.evaluate("text => navigator.clipboard.writeText(text)", text)
    editor.focus()
    page.keyboard.press("Control+A")
    page.keyboard.press("Control+V")


def drop(page: Page, *files: tuple[str, bytes], times: int = 1) -> None:
    """Drop files, each a name and its bytes (so many times), beside the editor."""
    page.evaluate(
        """([files, times]) => {
            const dataTransfer = new DataTransfer();
            for (const [name, bytes] of files)
                dataTransfer.items.add(new File(Array(times).fill(new Uint8Array(bytes)), name));
            for (const kind of ["dragover", "drop"])
                document.body.dispatchEvent(new DragEvent(kind, { dataTransfer, bubbles: true, cancelable: true }));
        }""",
        [[(name, list(content)) for name, content in files], times],
    )


def submitted(page: Page) -> str:
    """Wait for the page of the new task; return its id."""
    page.wait_for_url(TASK)
    return page.url.rsplit("/", 1)[1]
