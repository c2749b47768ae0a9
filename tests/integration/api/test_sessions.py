"""Signing in with a browser: what the cookie is like, what it opens, and for whose pages."""

import json
from http.cookies import SimpleCookie

import pytest

from support import run_gorch, wait_until

TASKS, SESSION = "/v1/tasks", "/v1/session"
GORCH = {"nodes": [{"name": "a"}]}


@pytest.fixture(scope="module")
def orchestrator(start):
    return start(GORCH_ACCESS="required")


@pytest.fixture(scope="module")
def token(orchestrator):
    options = ("--json", "--name", "ann", "--role", "operator", "--label", "team=red")
    done = run_gorch("token", "create", *options, "--data", orchestrator.settings["GORCH_DATA"])
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    shown = {"Authorization": f"Bearer {made['token']}"}
    wait_until(lambda: {orchestrator.api.call("GET", SESSION, headers=shown).status for _ in range(10)} == {200})
    return made


@pytest.fixture
def sign_in(orchestrator, token):
    """Return what signs in; it returns the answer and its cookie."""

    def sign_in(**headers):
        answer = orchestrator.api.call("POST", SESSION, {"token": token["token"] + "\n"}, headers=headers)
        (morsel,) = SimpleCookie(answer.headers["set-cookie"]).values()
        return answer, morsel

    return sign_in


def test_the_cookie_is_for_no_script_and_no_other_site(orchestrator, sign_in):
    answer, cookie = sign_in()
    assert answer.json == {"name": "ann", "role": "operator", "label": "team=red", "way": "token"}
    assert answer.headers["cache-control"] == "no-store"
    assert cookie.key.endswith(f"_{orchestrator.api.port}")  # cookies of services on other ports do not replace it
    attributes = {name: cookie[name] for name in ("httponly", "samesite", "secure", "domain", "expires", "path")}
    assert attributes == {
        "httponly": True, "samesite": "Strict", "secure": "", "domain": "", "expires": "", "path": "/"
    }  # fmt: skip
    secure = sign_in(**{"X-Forwarded-Proto": "https"})[1]  # as a proxy before it says
    assert secure["secure"] is True
    assert secure.key.startswith("__Host-")  # no other host, and nobody without HTTPS, can have set it


def test_it_opens_the_api_for_pages_of_the_service_only(orchestrator, sign_in):
    _, cookie = sign_in()
    shown = {"Cookie": f"{cookie.key}={cookie.value}"}
    api, host = orchestrator.api, f"127.0.0.1:{orchestrator.api.port}"
    assert api.call("GET", SESSION, headers=shown).json["name"] == "ann"
    for ours in ({"Sec-Fetch-Site": "same-origin"}, {"Origin": f"http://{host}"}):
        assert api.call("POST", TASKS, GORCH, headers=shown | ours).status == 202
    others = (
        {},
        {"Sec-Fetch-Site": "same-site", "Origin": f"http://{host}"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "null"},
    )
    for other in others:
        answer = api.call("POST", TASKS, GORCH, headers=shown | other)
        answer.is_problem(403, "forbidden")
        assert "another site" in answer.json["detail"]


@pytest.mark.parametrize("where", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "http://127.0.0.1:1"}])
def test_no_other_site_signs_anybody_in_or_out(orchestrator, token, where):
    for method, sent in (("POST", {"token": token["token"]}), ("DELETE", None)):
        answer = orchestrator.api.call(method, SESSION, sent, headers=where)
        answer.is_problem(403, "forbidden")
        assert "set-cookie" not in answer.headers


def test_a_token_that_is_shown_counts_and_not_the_cookie(orchestrator, sign_in):
    _, cookie = sign_in()
    headers = {"Cookie": f"{cookie.key}={cookie.value}", "Authorization": "Bearer gorch_00000000_no"}
    orchestrator.api.call("GET", TASKS, headers=headers).is_problem(401, "unauthorized")


def test_who_signs_out_has_no_cookie_any_more(orchestrator, sign_in):
    _, cookie = sign_in()
    answer = orchestrator.api.call("DELETE", SESSION)
    assert answer.status == 204
    (gone,) = SimpleCookie(answer.headers["set-cookie"]).values()
    assert (gone.key, gone.value, gone["max-age"]) == (cookie.key, "", "0")


@pytest.mark.parametrize(
    ("sent", "status", "problem"),
    [
        ({"token": "gorch_00000000_no"}, 401, "unauthorized"),
        ({"token": 7}, 422, "invalid"),
        ({}, 422, "invalid"),
        ({"token": "x", "more": 1}, 422, "invalid"),
        ("{", 400, "bad-json"),
        ({"token": "x" * 5000}, 413, "too-large"),
    ],
)
def test_what_is_no_token_is_refused(orchestrator, token, sent, status, problem):
    answer = orchestrator.api.call("POST", SESSION, sent)
    answer.is_problem(status, problem)
    assert "set-cookie" not in answer.headers


def test_where_nobody_has_to_sign_in_nothing_is_kept_and_who_trusts_a_proxy_is_warned(start):
    orchestrator = start(workers=1, GORCH_TRUSTED_PROXIES="127.0.0.1")
    answer = orchestrator.api.call("POST", SESSION, {"token": "anything"})
    assert (answer.json["way"], "set-cookie" in answer.headers) == ("open", False)
    (told,) = orchestrator.events("open_to_all")
    assert told["level"] == "warning"
    assert "through the proxies whoever reaches those" in told["message"]
