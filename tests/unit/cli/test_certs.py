"""``gorch certs``: what each command writes and says."""

import json

import pytest
from click.testing import CliRunner

from gorchestrator import certificates
from gorchestrator.cli.entry import gorch


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setenv("GORCH_CERTS", str(tmp_path / "certs"))
    return lambda *arguments: CliRunner().invoke(gorch, ["certs", *map(str, arguments)])


@pytest.fixture
def folder(tmp_path):
    certificates.write(tmp_path / "certs")
    return tmp_path / "certs"


@pytest.mark.parametrize("command", [["DIR"], ["init", "DIR"], ["--host", "a.example", "DIR"], ["init"]])
def test_a_directory_alone_is_init(run, tmp_path, command):
    done = run(*(tmp_path / "certs" if each == "DIR" else each for each in command))
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines() == [str(path) for path in certificates.files(tmp_path / "certs")]
    assert "Keep ca.key away" in done.stderr


def test_what_is_there_is_not_overwritten(run, folder):
    for command in (["init"], ["issue", "executor"]):
        done = run(*command)
        assert done.exit_code == 2
        assert "is there already, and nothing was written" in done.stderr


def test_issue_and_show(run, folder):
    assert run("issue", "build1", "--host", "build1.example", "--host", "192.0.2.1", "--days", "40").exit_code == 0
    assert run("issue", "alice", "--for", "client").exit_code == 0
    found = {each["file"].rpartition("/")[2]: each for each in json.loads(run("show", "--json").stdout)["certificates"]}
    assert list(found) == ["ca.pem", "alice.pem", "build1.pem", "executor.pem", "orchestrator.pem"]
    assert {name: (each["usages"], each["key"]) for name, each in found.items()} == {
        "ca.pem": (["ca"], "fits"),
        "alice.pem": (["client"], "fits"),
        "build1.pem": (["server"], "fits"),
        "executor.pem": (["server"], "fits"),
        "orchestrator.pem": (["server", "client"], "fits"),
    }
    build = found["build1.pem"]
    assert (build["subject"], build["issuer"]) == ("CN=build1", "CN=gorchestrator CA")
    assert build["names"] == ["build1.example", "192.0.2.1"]
    assert found["alice.pem"]["names"] == []
    issued = certificates.read(folder, "build1").certificate
    assert build["fingerprint"] == issued.fingerprint(issued.signature_hash_algorithm).hex()
    assert build["not_after"] == f"{issued.not_valid_after_utc:%Y-%m-%dT%H:%M:%S}.000000Z"
    shown = run("show", "build1").stdout
    for words in (
        "build1.pem",
        "CN=build1",
        "build1.example, 192.0.2.1",
        "server",
        build["fingerprint"],
        "(in 39 days)",
    ):
        assert words in shown
    assert "alice" not in shown
    assert run("show", folder / "alice.pem").stdout.count("CN=alice") == 1


@pytest.mark.parametrize(
    ("make", "key"),
    [
        (lambda path: path.unlink(), "absent"),
        (lambda path: path.write_text("nonsense"), "unreadable"),
        (lambda path: path.write_bytes(path.with_name("ca.key").read_bytes()), "differs"),
    ],
)
def test_show_tells_whether_the_key_fits(run, folder, make, key):
    make(folder / "executor.key")
    (found,) = json.loads(run("show", "executor", "--json").stdout)["certificates"]
    assert found["key"] == key


def test_renew_and_retire(run, folder):
    before = (folder / "ca.pem").read_bytes()
    done = run("renew", "ca", "--new-key")
    assert "ca.pem has the old CA too" in done.stderr
    refused = run("retire")
    assert (refused.exit_code, refused.stderr.count("renew that first")) == (2, 1)
    assert json.loads(run("renew", "--json").stdout) == {
        "files": [f"{folder}/executor.pem", f"{folder}/orchestrator.pem"]
    }
    assert run("retire").stdout == f"{folder}/ca.pem\n"
    assert before not in (folder / "ca.pem").read_bytes()


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["renew", "bob"], "bob.pem"),
        (["show", "bob"], "bob.pem"),
        (["issue", "a b"], "is not the name of a certificate"),
        (["issue", "bob", "--host", "a b"], "neither a host name nor an address"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(run, folder, command, words):
    done = run(*command)
    assert done.exit_code == 2
    assert words in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_help_is_of_the_group(run):
    assert "retire" in run("--help").stdout
