"""Signing in and out, and what a role is offered."""

import json
import re

import pytest
from playwright.sync_api import expect

from browser_support import serious_faults
from support import run_gorch
from tasks_page_support import gate, submit


@pytest.fixture(scope="module")
def task(service, tmp_path_factory):
    """Return a task that runs until somebody cancels it."""
    return submit(service, "guarded", gate(tmp_path_factory.mktemp("never") / "there", "a"))


@pytest.fixture(scope="module")
def tokens(service, task):
    """Return the tokens of an operator and a viewer; the first that is made closes the service to everybody else."""

    def make(name, role):
        data = service.orchestrator.settings["GORCH_DATA"]
        done = run_gorch("token", "create", "--json", "--name", name, "--role", role, "--data", data)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)["token"]

    return {"viewer": make("vera", "viewer"), "operator": make("olaf", "operator")}


@pytest.fixture
def sign_in(page, service, tokens):
    """Return what opens a page as somebody who has to sign in first; it tells where they come out."""

    def sign_in(role, path="/"):
        page.faults.expected = ["401"]  # the console names each answer that refuses something
        page.goto(service.url + path)
        page.wait_for_url("**/signin?**")
        page.get_by_label("Token").fill(tokens[role])
        page.get_by_label("Token").press("Enter")
        page.wait_for_url(lambda url: "/signin" not in url)
        return page.url.removeprefix(service.url)

    return sign_in


def test_one_signs_in_and_comes_back_to_where_one_was(page, sign_in, task):
    place = f"/tasks/{task}?view=table&node=a"
    assert sign_in("operator", place) == place
    expect(page.get_by_role("heading", level=1)).to_contain_text("guarded")
    expect(page.get_by_role("banner")).to_contain_text("olaf (operator)")
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_contain_text("guarded")


def test_no_script_can_read_the_token(page, sign_in, tokens):
    sign_in("operator")
    assert page.evaluate("document.cookie") == ""
    (cookie,) = page.context.cookies()
    assert (cookie["value"], cookie["httpOnly"], cookie["sameSite"]) == (tokens["operator"], True, "Strict")


def test_a_wrong_token_is_said_to_be_wrong(page, service, tokens, shots):
    page.faults.expected = ["401"]
    page.goto(f"{service.url}/signin?next=https://elsewhere.example/")
    field = page.get_by_label("Token")
    expect(field).to_be_focused()
    field.fill(tokens["operator"][:-1])
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("none of this service")
    expect(field).to_be_focused()
    assert serious_faults(page) == []
    shots.take(page)
    field.fill(tokens["operator"])
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{service.url}/")  # and not elsewhere


def test_a_viewer_is_offered_nothing_that_is_refused(page, service, sign_in, task):
    sign_in("viewer", f"/tasks/{task}")
    expect(page.get_by_role("banner")).to_contain_text("vera (viewer)")
    expect(page.get_by_role("button", name="Cancel")).to_have_count(0)
    page.goto(f"{service.url}/submit")
    expect(page.get_by_role("banner")).to_contain_text("vera (viewer)")
    expect(page.get_by_role("button", name=re.compile("^Submit"))).to_have_count(0)


def test_who_signs_out_has_to_sign_in_again(page, service, sign_in):
    sign_in("operator")
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(f"{service.url}/signin")
    page.goto(service.url)
    page.wait_for_url("**/signin?next=*")
    assert page.context.cookies() == []


def test_what_an_operator_does_carries_their_name(page, service, sign_in, task, tokens):
    sign_in("operator", f"/tasks/{task}")
    page.get_by_role("button", name="Cancel …").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    expect(page.locator("#state")).to_contain_text("canceled")
    answer = page.request.get(f"{service.url}/v1/tasks/{task}")
    assert answer.json()["cancel_actor"] == "olaf"
