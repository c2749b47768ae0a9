"""The nodes of a task as a table: sorted by each column, searched, filtered, and gone through with keys."""

import re

import pytest
from playwright.sync_api import Page, expect

from support import Services, wait_until
from tasks_page_support import end, submit


@pytest.fixture(scope="module")
def various(service: Services) -> str:
    """Return a task whose nodes differ in every column."""
    again = {"limit": 2, "delay": 0}
    nodes = [
        {"name": "step 10", "target": "executor", "engine": "shell", "artifact": "true"},
        {
            "name": "step 9",
            "engine": "shell",
            "artifact": "sh",
            "args": ["-c", "exit 7"],
            "retry": again,
        },
        {"name": "alpha", "needs": ["step 9"]},
        {"name": "omega", "engine": "sleep", "args": ["0.4"]},
    ]
    return end(service, submit(service, "various", *nodes))


def shows(page: Page, *expected: str) -> None:
    """Wait until the table has exactly these names in this order."""
    names = page.locator("#table .nodes-name bdi")
    wait_until(lambda: sorted_by_place(page) == [*expected], 30, f"the rows are {expected}")
    expect(names).to_have_count(len(expected))


def sorted_by_place(page: Page) -> list[str]:
    """Return the names as they stand below each other."""
    read = """rows => rows.sort((one, other) => one.offsetTop - other.offsetTop)
        .map((row) => row.querySelector(".nodes-name").textContent)"""
    found: list[str] = page.locator("#table .rows-body [role=row]").evaluate_all(read)
    return found


@pytest.mark.parametrize(
    ("column", "first", "second"),
    [
        ("Name", ["alpha", "omega", "step 9", "step 10"], ["step 10", "step 9", "omega", "alpha"]),
        (
            "Target",
            ["step 10", "step 9", "alpha", "omega"],
            ["step 10", "step 9", "alpha", "omega"],
        ),  # others have none
        ("Engine", ["alpha", "step 10", "step 9", "omega"], ["omega", "step 10", "step 9", "alpha"]),
        ("Artifact", ["step 9", "step 10", "alpha", "omega"], ["step 10", "step 9", "alpha", "omega"]),
        ("State", ["step 9", "alpha", "step 10", "omega"], ["step 10", "omega", "alpha", "step 9"]),
        ("Attempt", ["step 9", "step 10", "omega", "alpha"], ["step 10", "omega", "step 9", "alpha"]),
    ],
)
def test_every_column_sorts_both_ways_and_then_as_the_gorch_has_it(
    service: Services, page: Page, various: str, column: str, first: list[str], second: list[str]
) -> None:
    page.goto(f"{service.url}/tasks/{various}?view=table")
    head = page.get_by_role("columnheader", name=column)
    head.get_by_role("button").focus()
    directions = ["ascending", "descending"]
    if column == "Attempt":
        directions.reverse()
    for order, direction in zip((first, second), directions, strict=True):
        page.keyboard.press("Enter")
        expect(head).to_have_attribute("aria-sort", direction)
        shows(page, *order)
    page.keyboard.press("Enter")
    expect(head).not_to_have_attribute("aria-sort", re.compile("."))
    shows(page, "step 10", "step 9", "alpha", "omega")


def test_the_longest_are_found(service: Services, page: Page, various: str) -> None:
    page.goto(f"{service.url}/tasks/{various}?view=table")
    page.get_by_role("columnheader", name="Duration").get_by_role("button").click()
    wait_until(lambda: sorted_by_place(page)[:1] == ["omega"], what="the longest comes first")
    page.get_by_role("columnheader", name="Duration").get_by_role("button").click()
    wait_until(lambda: sorted_by_place(page)[2:] == ["omega", "alpha"], what="what never ran comes last")


def test_nodes_are_searched_and_filtered(service: Services, page: Page, various: str) -> None:
    page.goto(f"{service.url}/tasks/{various}?view=table")
    found = page.locator("#table").get_by_role("status")
    expect(found).to_have_text("4 nodes")
    page.keyboard.press("/")
    page.keyboard.type("STEP")
    shows(page, "step 10", "step 9", "alpha")  # whose reason names a predecessor
    expect(found).to_have_text("3 of 4 nodes")
    page.get_by_role("checkbox", name="failure").check()
    shows(page, "step 9")
    page.get_by_role("searchbox", name="Search nodes").fill("exit status 7")  # a reason
    shows(page, "step 9")
    page.get_by_role("searchbox", name="Search nodes").fill("nothing like it")
    expect(page.get_by_text("No node is like that.")).to_be_visible()
    page.get_by_role("button", name="Show all nodes").click()
    shows(page, "step 10", "step 9", "alpha", "omega")
    expect(page.get_by_role("checkbox", name="failure")).not_to_be_checked()


def test_keys_go_through_the_rows_and_open_a_node(service: Services, page: Page, various: str) -> None:
    page.goto(f"{service.url}/tasks/{various}?view=table")
    shows(page, "step 10", "step 9", "alpha", "omega")
    ten, nine, alpha, omega = (page.locator(f"#table [data-node='{number}']") for number in range(4))
    ten.focus()
    page.keyboard.press("ArrowDown")
    expect(nine).to_be_focused()
    page.keyboard.press("End")
    expect(omega).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(omega).to_be_focused()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Space")
    expect(alpha).to_have_attribute("aria-selected", "true")
    expect(page).to_have_url(re.compile("node=alpha"))
    expect(page.get_by_role("complementary")).to_be_hidden()
    page.keyboard.press("Home")
    page.keyboard.press("Enter")
    expect(page.get_by_role("complementary").get_by_role("heading", name="step 10")).to_be_focused()
    page.keyboard.press("Escape")
    expect(ten).to_be_focused()


def test_only_rows_that_are_seen_are_in_the_document(service: Services, page: Page) -> None:
    nodes = [{"name": f"n{number}"} for number in range(2000)]
    task = end(service, submit(service, "large", *nodes))
    page.goto(f"{service.url}/tasks/{task}?view=table&node=n1500")
    row = page.locator("#table").get_by_role("row", name="n1500")
    expect(row).to_be_in_viewport()
    expect(row).to_have_attribute("aria-rowindex", "1502")
    assert page.locator("#table .rows-body > *").count() < 100
    page.keyboard.press("Escape")
    expect(row).to_be_focused()
    page.keyboard.press("End")
    expect(page.locator("#table").get_by_role("row", name="n1999")).to_be_in_viewport()
    assert page.locator("#table .rows-body > *").count() < 100
