"""Who may do what: each route for each role, tasks that a label hides, and tokens that end."""

import http.client
import json
import re
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from gorchestrator.domain.access import Role
from support import PATIENCE, ROOT, clean_environment, run_gorch, wait_until

TASKS = "/v1/tasks"
DATA = b'data: {"seq'
NOBODY = None
#: Who may call each route. One that is missing here fails the test, whatever the guard says.
NEEDED = {
    ("/v1/tasks", "GET"): Role.VIEWER,
    ("/v1/tasks", "POST"): Role.OPERATOR,
    ("/v1/tasks/<task_id>", "GET"): Role.VIEWER,
    ("/v1/tasks/<task_id>", "DELETE"): Role.OPERATOR,
    ("/v1/tasks/<task_id>/events", "GET"): Role.VIEWER,
    ("/v1/tasks/<task_id>/layout", "GET"): Role.VIEWER,
    ("/v1/tasks/<task_id>/rerun", "POST"): Role.OPERATOR,
    ("/v1/tasks/<task_id>/nodes/<path:node>", "GET"): Role.VIEWER,
    ("/v1/tasks/<task_id>/nodes/<path:node>/attempts", "GET"): Role.VIEWER,
    ("/v1/tasks/<task_id>/nodes/<path:node>/log", "GET"): Role.VIEWER,
    ("/v1/tasks/<task_id>/nodes/<path:node>/resolve", "POST"): Role.OPERATOR,
    ("/v1/tasks/<task_id>/nodes/<path:node>/why", "GET"): Role.VIEWER,
    ("/v1/events", "GET"): Role.VIEWER,
    ("/v1/examples", "GET"): Role.VIEWER,
    ("/v1/ping", "GET"): Role.VIEWER,
    ("/v1/validate", "POST"): Role.VIEWER,
    ("/v1/audit", "GET"): Role.ADMIN,
    ("/v1/session", "GET"): Role.VIEWER,
    ("/v1/session", "POST"): None,
    ("/v1/session", "DELETE"): None,
    ("/metrics", "GET"): Role.VIEWER,
    ("/healthz", "GET"): None,
    ("/readyz", "GET"): None,
}
#: The pages, which hold no data, and the API's docs, by their blueprints.
OPEN = {"web": None, "flasgger": None, "apidocs_pages": None}
RULES = """
from gevent import monkey
monkey.patch_all()
import json, os, sys
from pathlib import Path
from gorchestrator.app import create_app
from gorchestrator.config import Config
app = create_app(Config(data=Path(sys.argv[1]), log_level="error"))
print(json.dumps([(rule.endpoint, rule.rule, sorted(rule.methods)) for rule in app.url_map.iter_rules()]), flush=True)
os._exit(0)
"""


def make_token(orchestrator, name, role, *options):
    data = orchestrator.settings["GORCH_DATA"]
    done = run_gorch("token", "create", "--json", "--name", name, "--role", role, *options, "--data", data)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def with_token(token):
    return {} if token is None else {"Authorization": f"Bearer {token['token']}"}


@pytest.fixture(scope="module")
def orchestrator(start):
    return start(GORCH_ACCESS="required")


@pytest.fixture(scope="module")
def tokens(orchestrator):
    """Return a token for each role, None for nobody, and that of the red team."""
    found = {role: make_token(orchestrator, role.label, role.label) for role in Role}
    found["red"] = make_token(orchestrator, "red team", "operator", "--label", "team=red")

    def known():
        """Whether both workers know the last one: each call may be answered by either."""
        shown = with_token(found["red"])
        return {orchestrator.api.call("GET", TASKS, headers=shown).status for _ in range(10)} == {200}

    wait_until(known, what="both workers know the tokens")
    return {NOBODY: None, **found}


@pytest.fixture(scope="module")
def rules(tmp_path_factory):
    """Return each route of the application: endpoint, rule and method."""
    command = [sys.executable, "-c", RULES, str(tmp_path_factory.mktemp("rules"))]
    done = subprocess.run(command, env=clean_environment(), cwd=ROOT, capture_output=True, check=True)
    return [
        (endpoint, rule, method)
        for endpoint, rule, methods in json.loads(done.stdout)
        for method in {*methods} - {"HEAD", "OPTIONS"}  # which go where GET goes, and tell nothing
    ]


@pytest.fixture
def as_(orchestrator, tokens):
    """Return what calls the service as somebody."""
    return lambda who, method, path, body=None: orchestrator.api.call(
        method, path, body, headers=with_token(tokens[who])
    )


def status_of(orchestrator, method, path, token):
    """Return the status of an answer, which may have no end."""
    with closing(http.client.HTTPConnection("127.0.0.1", orchestrator.api.port, timeout=PATIENCE)) as connection:
        connection.request(method, path, headers=with_token(token))
        return connection.getresponse().status


def test_every_route_for_every_role(orchestrator, tokens, rules):
    assert {(rule, method) for _, rule, method in rules} >= NEEDED.keys()
    wrong = []
    for endpoint, rule, method in rules:
        path = re.sub(r"<(?:path:)?\w+>", "nothing", rule)
        needed = NEEDED[rule, method] if (rule, method) in NEEDED else OPEN[endpoint.partition(".")[0]]
        for who in (NOBODY, *Role):
            status = status_of(orchestrator, method, path, tokens[who])
            wanted = 0 if needed is None else 401 if who is NOBODY else 403 if who < needed else 0
            if status != wanted if wanted else status in {401, 403}:
                wrong.append(f"{method} {rule} as {who}: {status}, not {wanted}")
    assert wrong == []


def test_who_is_not_known_is_told_what_to_send(orchestrator, tokens):
    for headers in ({}, {"Authorization": "Basic Zm9vOmJhcg=="}, {"Authorization": "Bearer gorch_00000000_no"}):
        answer = orchestrator.api.call("GET", TASKS, headers=headers)
        answer.is_problem(401, "unauthorized")
        assert answer.headers["www-authenticate"] == 'Bearer realm="gorchestrator"'
    other = tokens[Role.ADMIN]["token"][:-2] + "xx"
    orchestrator.api.call("GET", TASKS, headers={"Authorization": f"Bearer {other}"}).is_problem(401, "unauthorized")


def test_who_may_not_is_told_the_role(as_):
    answer = as_(Role.VIEWER, "POST", TASKS, {"nodes": [{"name": "a"}]})
    answer.is_problem(403, "forbidden")
    assert "role operator" in answer.json["detail"]
    assert "'viewer' is viewer only" in answer.json["detail"]


def test_the_journal_names_whose_token_it_was(as_):
    task = as_(Role.OPERATOR, "POST", TASKS, {"nodes": [{"name": "a", "engine": "sleep", "args": ["60"]}]}).json["id"]
    assert as_(Role.ADMIN, "DELETE", f"{TASKS}/{task}").status == 202
    assert as_(Role.VIEWER, "GET", f"{TASKS}/{task}").json["cancel_actor"] == "admin"


def test_a_label_hides_all_other_tasks(orchestrator, tokens, as_, rules):
    gorch = {"nodes": [{"name": "a"}]}
    blue = as_(Role.OPERATOR, "POST", TASKS, gorch | {"labels": {"team": "blue"}}).json["id"]
    with closing(orchestrator.api.connect()) as connection:
        connection.request("GET", "/v1/events", headers=with_token(tokens["red"]))
        stream = connection.getresponse()
        mine = as_("red", "POST", TASKS, gorch | {"labels": {"app": "x"}}).json["id"]
        also = as_("red", "POST", TASKS, gorch | {"labels": {"team": "red"}}).json["id"]
        lines = []
        while not {mine, also} <= (seen := {json.loads(line[6:])["task"] for line in lines if line[:11] == DATA}):
            lines.append(stream.readline())
    assert seen == {mine, also}
    assert not [line for line in lines if line.startswith(b":")]  # no beat tells that something is hidden
    assert as_(Role.VIEWER, "GET", f"{TASKS}/{mine}").json["labels"] == {"app": "x", "team": "red"}
    assert {each["id"] for each in as_("red", "GET", f"{TASKS}?limit=1000").json["tasks"]} == {mine, also}
    assert [each["id"] for each in as_("red", "GET", f"{TASKS}?label=app").json["tasks"]] == [mine]
    of_tasks = [(method, rule) for _, rule, method in rules if "<" in rule and rule.startswith("/v1/")]
    assert len(of_tasks) >= 9
    for method, rule in of_tasks:
        path = rule.replace("<task_id>", blue).replace("<path:node>", "a")
        assert blue in path, rule
        as_("red", method, path).is_problem(404, "task-unknown")
    answer = as_("red", "POST", TASKS, gorch | {"labels": {"team": "blue"}})
    answer.is_problem(403, "forbidden")
    assert "team=red" in answer.json["detail"]
    assert as_("red", "POST", TASKS, gorch | {"labels": ["team"]}).status == 422


def test_each_has_idempotency_keys_of_their_own(orchestrator, tokens):
    def submit(who):
        headers = with_token(tokens[who]) | {"Idempotency-Key": "the-same"}
        return orchestrator.api.call("POST", TASKS, {"nodes": [{"name": "a"}]}, headers=headers).json["id"]

    assert submit(Role.OPERATOR) == submit(Role.OPERATOR)
    assert submit(Role.OPERATOR) != submit("red")


def test_who_is_not_known_is_told_that_it_is_ready_and_not_where_executors_are(orchestrator, as_):
    def told(who):
        (executor,) = as_(who, "GET", "/readyz").json["executors"]
        return executor["reachable"], executor["reason"]

    wait_until(lambda: told(Role.VIEWER)[1], what="it is known that the executor is away")
    assert "https://127.0.0.1" in told(Role.VIEWER)[1]
    assert told(NOBODY) == (False, None)


def test_a_token_that_is_revoked_opens_nothing_and_ends_what_it_has_opened(orchestrator, tokens, as_):
    token = make_token(orchestrator, "short", "viewer")
    wait_until(lambda: status_of(orchestrator, "GET", TASKS, token) == 200, what="it is known")
    runs = as_(Role.OPERATOR, "POST", TASKS, {"nodes": [{"name": "a", "engine": "sleep", "args": ["600"]}]}).json["id"]
    with closing(orchestrator.api.connect()) as connection, closing(orchestrator.api.connect()) as waits:
        connection.request("GET", "/v1/events", headers=with_token(token))
        stream = connection.getresponse()
        waits.request("GET", f"{TASKS}/{runs}", headers=with_token(token) | {"Prefer": "wait=50"})
        done = run_gorch("token", "revoke", token["id"], "--data", orchestrator.settings["GORCH_DATA"])
        assert done.returncode == 0, done.stderr
        wait_until(lambda: status_of(orchestrator, "GET", TASKS, token) == 401, what="one worker knows")
        wait_until(lambda: {status_of(orchestrator, "GET", TASKS, token) for _ in range(10)} == {401}, what="both do")
        as_(Role.OPERATOR, "DELETE", f"{TASKS}/{runs}")
        assert '"task_final"' not in stream.read().decode()  # it ends, in place of telling of the task
        assert waits.getresponse().status == 401
    answer = orchestrator.api.call("GET", TASKS, headers=with_token(token))
    assert f"The token {token['id']} was revoked" in answer.json["detail"]


def test_a_token_is_in_no_line_of_the_log(orchestrator, tokens):
    for token in filter(None, tokens.values()):
        assert token["token"] not in orchestrator.log
        assert token["token"].split("_", 2)[2] not in orchestrator.log


def test_the_command_shows_a_token_of_a_file_or_of_the_environment(orchestrator, tokens, tmp_path):
    token, file = tokens[Role.VIEWER]["token"], tmp_path / "token"
    file.write_text(token + "\n")
    url = ("--url", orchestrator.url)
    for options, env in (
        (["--token-file", file], {}),
        ([], {"GORCH_TOKEN_FILE": str(file)}),
        ([], {"GORCH_TOKEN": token}),
    ):
        done = run_gorch("list", *url, *options, env=env)
        assert done.returncode == 0, done.stderr
    done = run_gorch("list", *url)
    assert (done.returncode, "gorch token create" in done.stderr) == (2, True)
    done = run_gorch("list", *url, "--token-file", Path(__file__))
    assert (done.returncode, "has no token" in done.stderr) == (2, True)
