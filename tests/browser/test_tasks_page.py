"""The list of tasks against the real service: filters, order, pages, names that would like to be more than text."""

import re

import pytest
from playwright.sync_api import expect

from browser_support import serious_faults
from tasks_page_support import end, failing, gate, row, shows, submit

WORKERS = 2  # the page shows the same, whichever of them answers

HOSTILE = [
    "<img src=x onerror=document.title='broken'>",
    "<script>document.title='broken'</script>",
    "\u05d0\u05d1\u05d2 (gnp.exe) \u05d3\u05d4",
    "'\"><svg onload=document.title='broken'>",
    "{{ 7 * 7 }} ${7 * 7} &lt;b&gt;",
    "x" * 255,
]


def test_filters_live_in_the_url_and_survive_a_reload(page, service):
    end(service, submit(service, "filter alpha", labels={"team": "one", "env": "test"}))
    end(service, submit(service, "filter beta", labels={"team": "two"}))
    end(service, submit(service, "filter gamma", failing(), labels={"team": "one"}))
    page.goto(service.url)
    page.keyboard.press("/")
    page.keyboard.type("FILTER")
    shows(page, "filter alpha", "filter beta", "filter gamma")
    expect(page).to_have_url(re.compile(r"/\?name=FILTER$"))
    page.get_by_role("button", name="team=one").first.click()
    shows(page, "filter alpha", "filter gamma")
    page.get_by_role("checkbox", name="failure").check()
    shows(page, "filter gamma")
    expect(page).to_have_url(re.compile(r"\?state=failure&name=FILTER&label=team%3Done$"))
    page.reload()
    shows(page, "filter gamma")
    expect(page.get_by_role("searchbox", name="Name")).to_have_value("FILTER")
    expect(page.get_by_role("checkbox", name="failure")).to_be_checked()
    page.go_back()
    shows(page, "filter alpha", "filter gamma")
    page.get_by_role("button", name="Remove the label team=one").click()
    shows(page, "filter alpha", "filter beta", "filter gamma")
    page.get_by_role("textbox", name="Label").fill("env")
    page.keyboard.press("Enter")
    shows(page, "filter alpha")
    page.get_by_role("checkbox", name="canceled").check()
    expect(page.get_by_text("No task is like that.")).to_be_visible()
    page.get_by_role("button", name="Show all tasks").click()
    expect(page).to_have_url(f"{service.url}/")
    expect(page.get_by_role("table")).to_be_visible()


def test_a_range_of_time_is_one_of_the_viewers_zone(page, service):
    task = end(service, submit(service, "ranged"))
    page.goto(f"{service.url}/?name=ranged")
    page.get_by_role("combobox", name="Accepted").select_option("in the last hour")
    shows(page, "ranged")
    expect(page).to_have_url(re.compile("range=1h"))
    page.get_by_role("combobox", name="Accepted").select_option("between …")
    page.get_by_label("Before").fill("2024-01-31T13:00")  # in Berlin
    expect(page).to_have_url(re.compile(r"until=2024-01-31T12%3A00%3A00.000Z"))
    expect(page.get_by_text("No task is like that.")).to_be_visible()
    page.get_by_label("Before").fill("")
    expect(page).not_to_have_url(re.compile("until"))
    page.get_by_label("From").fill("2024-01-31T13:00")
    expect(page).to_have_url(re.compile(r"since=2024-01-31T12%3A00%3A00.000Z"))
    shows(page, "ranged")
    page.reload()
    expect(page.get_by_label("From")).to_have_value("2024-01-31T13:00")
    accepted = service.remote.task(task)["accepted_date"]
    shown = row(page, task).locator("time").first
    expect(shown).to_have_attribute("datetime", accepted)
    expect(shown).to_have_attribute("title", re.compile(f"{re.escape(accepted)}$"))


def test_the_heads_sort_by_keyboard(page, service):
    for name in ("sorted b", "sorted a", "sorted c"):
        end(service, submit(service, name))
    page.goto(f"{service.url}/?name=sorted")
    shows(page, "sorted c", "sorted a", "sorted b", ordered=True)
    head = page.get_by_role("columnheader", name="Name")
    head.get_by_role("button").focus()
    page.keyboard.press("Enter")
    shows(page, "sorted a", "sorted b", "sorted c", ordered=True)
    expect(head).to_have_attribute("aria-sort", "ascending")
    page.keyboard.press("Enter")
    shows(page, "sorted c", "sorted b", "sorted a", ordered=True)
    expect(head).to_have_attribute("aria-sort", "descending")
    expect(page).to_have_url(re.compile("sort=-name"))


def test_pages_lead_on_and_back(page, service):
    expected = [f"paged {number:03}" for number in range(101)]
    for name in expected:
        submit(service, name)
    page.goto(f"{service.url}/?name=paged&sort=name")
    shows(page, *expected[:100], ordered=True)
    page.get_by_role("button", name="Next").click()
    shows(page, "paged 100")
    expect(page.get_by_role("button", name="Next")).to_be_disabled()
    page.reload()
    shows(page, "paged 100")
    page.get_by_role("button", name="Previous").click()
    shows(page, *expected[:100], ordered=True)
    expect(page.get_by_role("button", name="Previous")).to_be_disabled()


def test_what_the_service_refuses_is_said_with_a_way_out(page, service):
    page.faults.expected = ["422"]
    page.goto(f"{service.url}/?sort=nonsense")
    expect(page.get_by_text("The list cannot be shown.")).to_be_visible()
    page.get_by_role("button", name="Show all tasks").click()
    expect(page.get_by_text("The list cannot be shown.")).to_be_hidden()
    comes = submit(service, "comes after a refusal")
    expect(row(page, comes).locator("td.state")).to_have_text("success")


def test_a_url_that_nobody_wrote_shows_the_list(page, service):
    task = end(service, submit(service, "plain"))
    page.goto(f"{service.url}/?range=constructor&name=plain")
    expect(row(page, task)).to_be_visible()


@pytest.mark.parametrize("name", HOSTILE)
def test_names_are_text(page, service, name):
    task = end(service, submit(service, name, labels={"<b>key": name[:60]}))
    page.goto(service.url)
    link = row(page, task).locator("td.name a bdi")
    expect(link).to_have_text(name)
    expect(row(page, task).locator(".labels bdi")).to_have_text(f"<b>key={name[:60]}")
    expect(page).to_have_title("Tasks · gorchestrator")
    page.get_by_role("searchbox").fill(name)
    expect(page.locator("tbody tr")).to_have_count(1)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_it_can_be_used_by_everybody(service, shots, tmp_path):
    labels = {"team": "core", "env": "production"}
    end(service, submit(service, "everybody builds", labels=labels))
    end(
        service,
        submit(service, "everybody deploys", {"name": "a"}, failing(needs=["a"]), {"name": "c", "needs": ["f"]}),
    )
    runs = submit(
        service, "everybody migrates", {"name": "a"}, gate(tmp_path / "never", "b", needs=["a"]), labels=labels
    )
    for way, page in shots.views(f"{service.url}/?name=everybody"):
        shows(page, "everybody builds", "everybody deploys", "everybody migrates")
        expect(row(page, runs)).to_contain_text("running")
        row(page, runs).get_by_role("checkbox").check()
        assert serious_faults(page) == [], way
    service.remote.cancel(runs)
