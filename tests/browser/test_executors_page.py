"""The page of the executors: what each can do, how busy it is, and that it notices one that goes and comes."""

from playwright.sync_api import expect

from browser_support import serious_faults


def test_an_executor_shows_its_engines_with_the_reason_why_one_cannot_work(page, service):
    (executor,) = service.remote.ping()["executors"]
    page.goto(f"{service.url}/executors")
    card = page.get_by_role("region", name="Executor executor")
    expect(card).to_contain_text(executor["url"])
    expect(card).to_contain_text("reachable since")
    expect(card).not_to_contain_text("only for its name")
    expect(card.get_by_role("meter")).to_have_attribute("aria-valuemax", str(executor["capacity"]))
    for engine, about in executor["engines"].items():
        row = card.get_by_role("row").filter(has=page.get_by_role("rowheader", name=engine, exact=True))
        expect(row).to_contain_text("works" if about["ok"] else "cannot work")
        if about["reason"]:
            expect(row).to_contain_text(about["reason"])


def test_an_executor_shows_whom_it_is_for(page, service):
    told = service.remote.ping()
    told["executors"][0] |= {"labels": ["gpu", "<b>big</b>"], "weight": 2.5, "default": False}
    page.route("**/v1/ping", lambda route: route.fulfill(json=told))
    page.goto(f"{service.url}/executors")
    card = page.get_by_role("region", name="Executor executor")
    expect(card.locator(".tag")).to_have_text(["gpu", "<b>big</b>"])
    expect(card).to_contain_text("only for its name and labels · weight 2.5")


def test_an_executor_that_dies_is_shown_as_away_and_found_again(page, service, shots):
    page.goto(f"{service.url}/executors")
    card = page.get_by_role("region", name="Executor executor")
    expect(card).to_contain_text("reachable since")
    service.executor.kill()
    try:
        expect(card).to_contain_text("not reachable since", timeout=60_000)
        expect(card).to_contain_text("cannot be reached")
        shots.take(page)
    finally:
        service.executor.start()
    expect(card.get_by_role("meter")).to_be_visible(timeout=60_000)
    expect(card).not_to_contain_text("not reachable")


def test_the_page_has_no_serious_fault_of_accessibility(service, shots):
    for way, page in shots.views(f"{service.url}/executors"):
        expect(page.get_by_role("meter")).to_be_visible()
        assert serious_faults(page) == [], way
