"""``gorch token`` on a real database."""

import json
import os
import pwd
from contextlib import closing

import pytest
from click.testing import CliRunner

from gorchestrator.cli.entry import gorch
from gorchestrator.domain.access import digest
from gorchestrator.domain.audit import Wanted
from gorchestrator.store import auditing, connection, tokens


@pytest.fixture
def run(tmp_path):
    def call(*arguments):
        return CliRunner().invoke(gorch, ["token", *arguments, "--data", str(tmp_path / "data")])

    return call


def test_the_first_one_is_made_before_there_is_a_service(run, tmp_path):
    done = run("create", "--name", "first", "--role", "admin")
    assert done.exit_code == 0, done.output
    text = done.stdout.strip()
    (kept,) = tokens.tokens(tmp_path / "data" / "gorchestrator.db")
    assert (kept.name, kept.role.label, kept.digest) == ("first", "admin", digest(text))
    files = [(tmp_path / "data" / name).read_bytes() for name in os.listdir(tmp_path / "data")]
    assert not any(text.split("_", 2)[2].encode() in content for content in files)


def test_what_is_listed_says_what_a_token_is_and_opens_nothing(run):
    made = json.loads(run("create", "--name", "red", "--role", "viewer", "--label", "team=red=1", "--json").stdout)
    run("create", "--name", "late", "--role", "operator", "--days", "1")
    first, second = json.loads(run("list", "--json").stdout)
    assert first == {key: value for key, value in made.items() if key != "token"}
    assert (first["label"], first["state"], first["expires"]) == ("team=red=1", "valid", None)
    assert (second["name"], second["state"], bool(second["expires"])) == ("late", "valid", True)
    shown = run("list").stdout
    assert "team=red=1" in shown
    assert made["token"] not in shown


def test_a_name_is_free_again_when_its_token_has_ended(run):
    first = json.loads(run("create", "--json", "--name", "ci", "--role", "viewer").stdout)
    refused = run("create", "--name", "ci", "--role", "admin")
    assert refused.exit_code == 2
    assert f"gorch token revoke {first['id']}" in refused.output
    run("revoke", first["id"])
    assert run("create", "--name", "ci", "--role", "admin").exit_code == 0


def test_revoked_it_stays_in_the_list(run):
    made = json.loads(run("create", "--name", "ci", "--role", "viewer", "--json").stdout)
    assert f"token {made['id']} of ci is revoked" in run("revoke", made["id"]).stdout
    (found,) = json.loads(run("list", "--json").stdout)
    assert found["state"] == "revoked"
    again = json.loads(run("revoke", made["id"], "--json").stdout)
    assert again["revoked"] == found["revoked"]


def test_the_audit_has_who_made_and_who_revoked_it_once(run, tmp_path):
    made = json.loads(run("create", "--name", "ci", "--role", "viewer", "--json").stdout)
    for _ in range(2):
        run("revoke", made["id"])
    run("revoke", "nothing")
    data = tmp_path / "data"
    with closing(connection.reading(data / "gorchestrator.db")) as opened:
        lines, _ = auditing.page(opened, Wanted())
    user = pwd.getpwuid(os.getuid()).pw_name
    assert [(line.action, line.actor, line.source, line.subject) for line in lines] == [
        ("token.revoke", user, "local", made["id"]),
        ("token.create", user, "local", made["id"]),
    ]
    assert made["token"].split("_", 2)[2] not in "".join(line.details for line in lines)
    assert auditing.check(data / "gorchestrator.db", data / "audit.key").fault is None


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["list"], "There is no database"),
        (["revoke", "x"], "There is no database"),
        (["create", "--name", " ", "--role", "admin"], "write 1 to 100 characters"),
        (["create", "--name", "a\nb", "--role", "admin"], "that can be printed"),
        (["create", "--name", "a", "--role", "admin", "--label", "red"], "write KEY=VALUE"),
        (["create", "--name", "a", "--role", "king"], "'king' is not one of"),
    ],
)
def test_what_is_wrong_is_said(run, arguments, text):
    done = run(*arguments)
    assert (done.exit_code, text in done.output + str(done.exception)) == (2, True), done.output
