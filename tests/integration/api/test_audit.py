"""The audit of a service: what each request leaves there, whichever worker took it, and who may read it."""

import json
import sqlite3
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner

from gorchestrator.cli.entry import gorch
from gorchestrator.domain.access import Role
from support import run_gorch, wait_until

AUDIT, TASKS = "/v1/audit", "/v1/tasks"
GORCH = {"name": "audited", "nodes": [{"name": "a"}]}


def local(*arguments):
    """Run a command that works on the database itself, in this process."""
    return CliRunner().invoke(gorch, [str(each) for each in arguments])


def as_(token):
    return {"Authorization": f"Bearer {token['token']}"}


@pytest.fixture(scope="module")
def orchestrator(start):
    return start(GORCH_ACCESS="required")


@pytest.fixture(scope="module")
def data(orchestrator):
    return Path(orchestrator.settings["GORCH_DATA"])


@pytest.fixture(scope="module")
def tokens(orchestrator, data):
    found = {}
    for role in (*Role, "label"):
        name, label = (role.label, ()) if isinstance(role, Role) else ("admin", ("--label", "team=red"))
        whose = f"red {name}" if label else name
        done = local("token", "create", "--json", "--name", whose, "--role", name, *label, "--data", data)
        assert done.exit_code == 0, done.stderr
        found[role] = json.loads(done.stdout)
    for worker in orchestrator.workers():
        with orchestrator.connection_to(worker) as over:
            asked = partial(orchestrator.api.call, "GET", TASKS, headers=as_(found["label"]), over=over)
            wait_until(lambda asked=asked: asked().status == 200, what="the worker knows the last token")
    return found


@pytest.fixture(scope="module")
def task(orchestrator, tokens):
    """Return a task that was submitted twice (but taken once), cancelled twice, and run again."""
    call, operator = orchestrator.api.call, as_(tokens[Role.OPERATOR])
    slow = {"nodes": [{"name": "a", "engine": "sleep", "args": ["600"]}]}
    found = [call("POST", TASKS, slow, headers=operator | {"Idempotency-Key": "audited"}).json["id"] for _ in range(2)]
    assert found[0] == found[1]
    assert call("POST", TASKS, {"nodes": 1}, headers=operator).status == 422
    for _ in range(2):
        headers = as_(tokens[Role.ADMIN]) | {"Prefer": "wait=20"}
        call("DELETE", f"{TASKS}/{found[0]}", headers=headers)
    assert call("POST", f"{TASKS}/{found[0]}/rerun", {"preview": True}, headers=operator).status == 200
    assert call("POST", f"{TASKS}/{found[0]}/rerun", {}, headers=operator).status == 202
    return found[0]


def lines(orchestrator, tokens, query=""):
    answer = orchestrator.api.call("GET", f"{AUDIT}?{query}", headers=as_(tokens[Role.ADMIN]))
    assert answer.status == 200, answer.json
    return answer.json


def verify(data, *options):
    return local("audit", "--verify", "--data", data, *options)


def test_each_change_has_its_line_and_nothing_else_has(orchestrator, tokens, task):
    found = lines(orchestrator, tokens)["lines"]
    assert [line["number"] for line in found] == list(range(len(found), 0, -1))
    changes = [(line["action"], line["actor"], line["source"], line["details"]) for line in found[:-4]][::-1]
    slow = {"name": "", "nodes": 1}
    assert changes == [
        ("task.submit", "operator", "127.0.0.1", slow),
        ("task.cancel", "admin", "127.0.0.1", {}),
        ("task.rerun", "operator", "127.0.0.1", {"rerun_of": task} | slow),
    ]
    assert {line["subject"] for line in found[1:-4]} == {task}
    made = [(line["action"], line["source"], line["subject"]) for line in found[-4:]][::-1]
    assert made == [("token.create", "local", tokens[each]["id"]) for each in (*Role, "label")]
    assert found[-4]["details"] == {"name": "red admin", "role": "admin", "label": ["team", "red"]}


def test_lines_are_filtered_and_come_in_pages(orchestrator, tokens, task):
    everything = lines(orchestrator, tokens)["lines"]
    for query, wanted in (
        (f"subject={task}", {"task.submit", "task.cancel"}),
        ("actor=operator", {"task.submit", "task.rerun"}),
        ("action=task.cancel", {"task.cancel"}),
        (f"action=task.cancel&actor=admin&subject={task}&since=2026-01-01&until=2100-01-01T00:00:00Z", {"task.cancel"}),
        ("until=2020-01-01T00:00:00Z", set()),
        (f"since={everything[0]['date']}", {"task.rerun"}),
    ):
        assert {line["action"] for line in lines(orchestrator, tokens, query)["lines"]} == wanted, query
    found, query = [], "limit=2"
    while query:
        page = lines(orchestrator, tokens, query)
        found += page["lines"]
        query = page["next"] and f"limit=2&cursor={page['next']}"
    assert found == everything


@pytest.mark.parametrize(
    "query",
    [
        "cursor=x",
        "cursor=LTE",
        "cursor=OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5",
        "action=task.fly",
        "since=yesterday",
        "limit=0",
    ],
)
def test_what_cannot_be_meant_is_refused(orchestrator, tokens, query):
    orchestrator.api.call("GET", f"{AUDIT}?{query}", headers=as_(tokens[Role.ADMIN])).is_problem(422, "bad-query")


def test_only_who_may_see_everything_may_read_it(orchestrator, tokens):
    for who in (Role.VIEWER, Role.OPERATOR, "label"):
        answer = orchestrator.api.call("GET", AUDIT, headers=as_(tokens[who]))
        answer.is_problem(403, "forbidden")
    assert "team=red" in answer.json["detail"]


def test_the_command_shows_and_verifies_it(orchestrator, tokens, task, data):
    env = {"GORCH_TOKEN": tokens[Role.ADMIN]["token"], "GORCH_URL": orchestrator.url}
    done = run_gorch("audit", "--subject", task, env=env)
    assert (done.returncode, done.stdout.count(task)) == (0, 2), done.stderr
    done = run_gorch("audit", "--limit", 1, "--json", env=env)
    page = json.loads(done.stdout)
    assert page["lines"][0]["action"] == "task.rerun"
    done = run_gorch("audit", "--limit", 1, "--cursor", page["next"], env=env)
    assert "task.cancel" in done.stdout
    done = run_gorch("audit", "--verify", "--data", data)
    assert (done.returncode, done.stdout) == (0, "The audit holds: 7 lines, from 1 to 7\n"), done.stderr
    for wrong in (["--data", data], ["--verify", "--actor", "x"]):
        assert local("audit", *wrong).exit_code == 2


def test_a_change_shows_and_so_does_a_key_that_is_another_one_or_missing(orchestrator, tokens, task, data, tmp_path):
    copy = tmp_path / "copy"
    copy.mkdir()
    assert local("backup", copy / "gorchestrator.db", "--data", data).exit_code == 0
    for name in ("audit.key", "audit.key.end"):
        (copy / name).write_bytes((data / name).read_bytes())
    assert verify(copy).exit_code == 0
    with closing(sqlite3.connect(copy / "gorchestrator.db")) as opened, opened:
        opened.execute("UPDATE audit SET actor = 'nobody' WHERE number = 5")
    done = verify(copy)
    text = "line 5 was changed, or is not where it was written"
    assert (done.exit_code, done.stderr) == (1, f"The audit does not hold: {text}.\n")
    done = verify(copy, "--json")
    assert (done.exit_code, json.loads(done.stdout)) == (
        1,
        {"holds": False, "lines": 4, "pruned": 0, "line": 5, "fault": text},
    )
    (copy / "audit.key").write_bytes(bytes(32))
    assert "signed with another key" in verify(copy).stderr
    (copy / "audit.key").unlink()
    assert "audit.key is missing" in verify(copy).stderr
    assert not (copy / "audit.key").exists()
