"""The list of a service that has no task yet: it says how to submit one, and the first one appears by itself."""

from playwright.sync_api import expect

from browser_support import serious_faults


def test_an_empty_list_says_how_to_submit_and_the_first_task_appears(service, shots):
    pages = []
    for way, page in shots.views(service.url):
        expect(page.get_by_text("There is no task yet.")).to_be_visible()
        expect(page.locator("pre")).to_contain_text(f"{service.url}/v1/tasks")
        assert serious_faults(page) == [], way
        pages.append(page)
    service.remote.submit({"name": "the first", "nodes": [{"name": "a"}]})
    for page in pages:
        expect(page.get_by_role("link", name="the first")).to_be_visible()
        expect(page.get_by_text("There is no task yet.")).to_be_hidden()
