"""The frame of all pages: navigation, headers, and a policy that lets nothing in from outside."""

import re

import pytest
from playwright.sync_api import expect

PAGES = ["/", "/submit", "/executors"]


@pytest.mark.parametrize("path", PAGES)
def test_nothing_is_loaded_from_outside_and_nothing_inline_runs(page, service, path):
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    answer = page.goto(service.url + path)
    policy = answer.headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert not re.findall(r"<style|style=|<script(?![^>]* src=)|\son\w+=", answer.text())
    expect(page.locator("[aria-busy]")).to_have_count(0)
    assert [url for url in asked if not url.startswith(service.url)] == []


def test_the_answers_of_the_api_may_do_nothing_in_a_browser(page, service):
    answer = page.request.get(f"{service.url}/v1/ping")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_a_policy_that_is_broken_is_noticed(page, service):
    """What the other tests rely on."""
    page.goto(f"{service.url}/executors")
    page.evaluate("document.body.setAttribute('style', 'color: red')")
    page.wait_for_timeout(100)
    assert any("style-src" in fault for fault in page.faults.seen)
    page.faults.expected = ["style-src"]


def test_swagger_ui_works_under_its_own_policy(page, service):
    page.goto(f"{service.url}/apidocs/")
    expect(page.get_by_text("/v1/ping")).to_be_visible()


def test_the_navigation_leads_to_the_pages_by_keyboard(page, service):
    page.goto(service.url)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.get_by_role("link", name="Executors").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Executors")
    expect(page.get_by_role("navigation", name="Pages").locator("[aria-current=page]")).to_have_text("Executors")
