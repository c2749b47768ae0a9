"""What is done with many tasks at once."""

import json

from playwright.sync_api import expect

from tasks_page_support import end, failing, gate, row, shows, submit

WORKERS = 2  # the page shows the same, whichever of them answers


def test_many_are_canceled_at_once(page, service, tmp_path):
    tasks = [submit(service, f"doomed {number}", gate(tmp_path / "never", "a")) for number in range(3)]
    ended = end(service, submit(service, "doomed already"))
    page.goto(f"{service.url}/?name=doomed")
    page.get_by_role("checkbox", name="Select all").check()
    expect(page.get_by_text("4 tasks selected")).to_be_visible()
    page.get_by_role("button", name="Cancel …").click()
    question = page.get_by_role("dialog", name="Cancel: 3 tasks")
    expect(question).to_contain_text("1 other selected task cannot")
    page.keyboard.press("Escape")
    expect(question).to_be_hidden()
    assert {service.remote.task(task)["state"] for task in tasks} <= {0, 2}
    page.get_by_role("button", name="Cancel …").click()
    question.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("log")).to_contain_text("3 tasks canceled")
    for task in tasks:
        expect(row(page, task).locator("td.state")).to_contain_text("canceled")
    expect(row(page, ended).locator("td.state")).to_have_text("success")
    expect(page.get_by_role("toolbar")).to_be_hidden()


def test_many_are_run_again_from_what_failed(page, service, tmp_path):
    repaired = tmp_path / "repaired"
    good = {"name": "good", "engine": "shell", "artifact": "true"}
    bad = {"name": "bad", "engine": "shell", "artifact": "test", "args": ["-e", str(repaired)], "needs": ["good"]}
    failed = [end(service, submit(service, f"again {number}", good, bad)) for number in range(2)]
    page.goto(f"{service.url}/?name=again")
    for task in failed:
        row(page, task).get_by_role("checkbox").check()
    expect(page.get_by_role("button", name="Cancel …")).to_be_disabled()
    repaired.touch()
    page.get_by_role("button", name="Rerun from failed …").click()
    page.get_by_role("dialog").get_by_role("button", name="Rerun from failed").click()
    expect(page.get_by_role("log")).to_contain_text("2 tasks started again")
    shows(page, "again 0", "again 0", "again 1", "again 1")
    expect(page.locator("td.state").filter(has_text="success")).to_have_count(2)
    again = page.get_by_role("link", name="rerun")
    assert {link.get_attribute("href") for link in again.all()} == {f"/tasks/{task}" for task in failed}


def test_what_is_refused_is_said_with_its_reason(page, service):
    task = end(service, submit(service, "refused", failing()))
    page.goto(f"{service.url}/?name=refused")
    row(page, task).get_by_role("checkbox").check()
    page.get_by_role("button", name="Rerun from failed …").click()
    problem = {"type": "urn:gorchestrator:problem:too-many-runs", "status": 409, "detail": "There are <b>too many</b>."}
    page.route("**/rerun", lambda route: route.fulfill(status=409, body=json.dumps(problem)))
    page.faults.expected = ["409"]
    page.get_by_role("dialog").get_by_role("button", name="Rerun from failed").click()
    expect(page.get_by_role("log")).to_contain_text("refused: There are <b>too many</b>.")
    page.get_by_role("button", name="Close this message").click()
    expect(page.get_by_role("log")).to_be_empty()
