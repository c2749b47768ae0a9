"""The list of tasks keeps itself up to date, and survives a loss of contact."""

from playwright.sync_api import expect

from support import wait_until
from tasks_page_support import end, gate, row, shows, submit

WORKERS = 2  # the page shows the same, whichever of them answers


def test_a_bar_moves_with_the_nodes_and_nothing_is_loaded_for_it(page, service, tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    task = submit(service, "moves", gate(first, "a"), gate(second, "b", needs=["a"]), {"name": "c", "needs": ["b"]})
    page.goto(f"{service.url}/?name=moves")
    bar = row(page, task).get_by_role("progressbar")
    expect(bar).to_have_attribute("aria-valuetext", "1 running, 2 torun of 3")
    expect(row(page, task)).to_contain_text("running")
    lists = []
    page.on("request", lambda request: lists.append(request.url) if "/v1/tasks" in request.url else None)
    first.touch()
    expect(bar).to_have_attribute("aria-valuetext", "1 success, 1 running, 1 torun of 3")
    ticking = row(page, task).locator("td.number")
    before = ticking.inner_text()
    wait_until(lambda: ticking.inner_text() != before, what="the duration goes on")
    second.touch()
    expect(bar).to_have_attribute("aria-valuetext", "3 success of 3")
    expect(bar).to_have_attribute("aria-valuenow", "3")
    expect(row(page, task).locator("td.state")).to_have_text("success")
    assert lists == []


def test_tasks_come_and_go_as_the_filters_say(page, service, tmp_path):
    open_gate = tmp_path / "gate"
    page.goto(f"{service.url}/?name=comes&state=running,initial")
    expect(page.get_by_text("No task is like that.")).to_be_visible()
    submit(service, "comes", gate(open_gate, "a"))
    submit(service, "other", {"name": "a"})
    shows(page, "comes")
    open_gate.touch()
    expect(page.get_by_text("No task is like that.")).to_be_visible()


def test_a_lost_service_is_shown_and_caught_up_with_without_a_reload(page, service, tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    task = submit(service, "survives", gate(first, "a"), gate(second, "b", needs=["a"]))
    page.goto(f"{service.url}/?name=survives")
    bar = row(page, task).get_by_role("progressbar")
    expect(bar).to_have_attribute("aria-valuetext", "1 running, 1 torun of 2")
    page.evaluate("globalThis.sameDocument = true")
    page.faults.expected = ["ERR_CONNECTION_REFUSED", "ERR_INCOMPLETE_CHUNKED", "ERR_CONNECTION_RESET", "ERR_EMPTY"]
    banner = page.get_by_role("status").filter(has_text="does not answer")
    service.orchestrator.kill()
    try:
        expect(banner).to_be_visible()
        first.touch()
    finally:
        service.orchestrator.start()
    expect(banner).to_be_hidden(timeout=60_000)
    expect(bar).to_have_attribute("aria-valuetext", "1 success, 1 running of 2", timeout=60_000)
    another = submit(service, "survives too")
    expect(row(page, another)).to_be_visible()
    second.touch()
    expect(row(page, task).locator("td.state")).to_have_text("success", timeout=60_000)
    assert page.evaluate("globalThis.sameDocument")


def test_a_hidden_tab_holds_no_connection_and_catches_up(page, service, tmp_path):
    open_gate = tmp_path / "gate"
    task = submit(service, "hidden", gate(open_gate, "a"))
    streams: list[str] = []
    page.on("request", lambda request: streams.append("open") if "/v1/events" in request.url else None)
    page.on("requestfailed", lambda request: streams.append("closed") if "/v1/events" in request.url else None)

    def seen(*expected: str) -> None:
        wait_until(lambda: page.evaluate("true") and streams == [*expected])  # events come in while something is asked

    page.goto(f"{service.url}/?name=hidden")
    expect(row(page, task)).to_contain_text("running")
    seen("open")
    hide = "hidden => { Object.defineProperty(document, 'hidden', {value: hidden, configurable: true});"
    hide += " document.dispatchEvent(new Event('visibilitychange')); }"
    page.evaluate(hide, True)
    seen("open", "closed")
    open_gate.touch()
    end(service, task)
    expect(row(page, task)).to_contain_text("running")
    page.evaluate(hide, False)
    expect(row(page, task).locator("td.state")).to_have_text("success")
    seen("open", "closed", "open")
