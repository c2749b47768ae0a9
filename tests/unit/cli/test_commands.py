"""Commands that need no orchestrator."""

import json
import os
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
from click.testing import CliRunner

from gorchestrator.cli.entry import COMMANDS, gorch, main
from gorchestrator.common import serving
from gorchestrator.remote import LogPiece, Remote
from support import run_gorch


@pytest.fixture
def run(monkeypatch):
    """Run a command in this process."""
    for name in list(os.environ):
        if name.startswith("GORCH_"):
            monkeypatch.delenv(name)

    def invoke(*arguments, **options):
        return CliRunner().invoke(gorch, [str(each) for each in arguments], prog_name="gorch", **options)

    return invoke


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(run, name):
    done = run(name, "--help")
    assert done.exit_code == 0
    assert "--help" in done.output


def test_the_list_of_commands_is_in_the_help(run):
    done = run("--help")
    assert all(f"  {name} " in done.output for name in COMMANDS)
    assert "Exit status" in done.output


@pytest.mark.parametrize("arguments", [["nonsense"], ["submit"], ["submit", "/no/such/file"], ["list", "--nonsense"]])
def test_wrong_use_is_status_2(run, arguments):
    assert run(*arguments).exit_code == 2


def test_no_connection_is_status_2_and_one_line(run):
    done = run("list", env={"GORCH_URL": "http://127.0.0.1:9"})
    assert done.exit_code == 2
    assert done.stderr.startswith("Error: no orchestrator at http://127.0.0.1:9: Connection refused; is it running")
    assert done.stderr.count("\n") == 1


def test_the_url_of_the_command_wins_over_the_groups_and_the_environment(run):
    env = {"GORCH_URL": "http://127.0.0.1:7"}
    assert ":9:" in run("--url", "http://127.0.0.1:8", "list", "--url", "http://127.0.0.1:9", env=env).stderr
    assert ":8:" in run("--url", "http://127.0.0.1:8", "list", env=env).stderr
    assert ":7:" in run("list", env=env).stderr


def test_an_unexpected_error_is_one_line(monkeypatch, capsys):
    def broken(**options):
        raise ZeroDivisionError("by\nzero")

    monkeypatch.setattr(gorch, "main", broken)
    monkeypatch.setattr("sys.argv", ["gorch", "list"])
    with pytest.raises(SystemExit, match="2"):
        main()
    assert capsys.readouterr().err == "Error: ZeroDivisionError: by zero (gorch --debug … shows where)\n"
    monkeypatch.setattr("sys.argv", ["gorch", "--debug", "list"])
    with pytest.raises(ZeroDivisionError):
        main()


def test_certs(run, tmp_path):
    done = run("certs", tmp_path / "c", "--host", "worker.example", "--json")
    assert [path.rpartition("/")[2] for path in json.loads(done.output)["files"]] == [
        "ca.pem",
        "ca.key",
        "orchestrator.pem",
        "orchestrator.key",
        "executor.pem",
        "executor.key",
    ]
    again = run("certs", tmp_path / "c")
    assert again.exit_code == 2
    assert "is there already, and nothing was written; --force makes new ones" in again.output
    forced = run("certs", tmp_path / "c", "--force")
    assert forced.exit_code == 0
    assert "executor.key" in forced.stdout
    assert "neither a host name nor an address" in run("certs", tmp_path / "d", "--host", "a b").output
    (tmp_path / "file").touch()
    assert run("certs", tmp_path / "file" / "c").exit_code == 2


def test_config_shows_values_and_sources(run, tmp_path):
    file = tmp_path / "g.toml"
    file.write_text("lease = 3\n")
    env = {"GORCH_CONFIG": str(file), "GORCH_PORT": "99"}
    found = json.loads(run("config", "--json", env=env).output)
    assert found["port"]["source"] == "environment GORCH_PORT"
    assert found["lease"] == {
        "name": "lease",
        "value": 3.0,
        "unit": "seconds",
        "source": f"file {file}",
        "live": False,
        "help": found["lease"]["help"],
    }
    lines = run("config", env=env).output.splitlines()
    assert lines[0].split() == ["SETTING", "VALUE", "FROM", "MEANING"]
    assert any(line.split()[:4] == ["port", "99", "environment", "GORCH_PORT"] for line in lines)


def test_config_tells_all_faults(run):
    done = run("config", env={"GORCH_PRT": "1", "GORCH_WORKERS": "x"})
    assert done.exit_code == 2
    assert done.stderr.splitlines() == [
        "Error: GORCH_PRT: no such setting; did you mean GORCH_PORT?",
        "  GORCH_WORKERS: 'x' is not a whole number; write one, such as 8",
    ]


def test_config_of_the_executor(run):
    found = json.loads(run("config", "--executor", "--json", env={"GORCH_EXECUTOR_CAPACITY": "3"}).output)
    assert found["capacity"]["value"] == 3
    assert found["capacity"]["source"] == "environment GORCH_EXECUTOR_CAPACITY"
    faulty = run("config", "--executor", env={"GORCH_EXECUTOR_CAPACITY": "x", "GORCH_EXECUTOR_QUEU": "1"})
    assert faulty.exit_code == 2
    assert len(faulty.stderr.splitlines()) == 2


@pytest.mark.parametrize("options", [(), ("--executor",)])
def test_a_file_is_checked_before_a_service_reads_it(run, tmp_path, options):
    file = tmp_path / "new.toml"
    file.write_text("port = 1234\nbody_limit = 2048\n")
    done = run("config", *options, "--check", file)
    assert (done.exit_code, done.output) == (0, f"{file} can be used: it sets port, body_limit\n")
    file.write_text("prt = 1\nport = -1\n")
    done = run("config", *options, "--check", file)
    assert done.exit_code == 2
    assert done.stderr.splitlines() == [
        f"Error: file {file}: no such setting as 'prt'; did you mean port?",
        f"  file {file}: port: -1 is not a port; write 0 (any free one) to 65535",
    ]
    assert run("config", *options, "--check", tmp_path / "nowhere").exit_code == 2


def test_db_upgrade(run, tmp_path):
    missing = run("db", "upgrade", "--data", tmp_path)
    assert missing.exit_code == 2
    assert "There is no database" in missing.stderr
    with closing(sqlite3.connect(tmp_path / "gorchestrator.db")) as empty:
        empty.execute("PRAGMA user_version = 1")  # a file without any table
    first = run("db", "upgrade", "--data", tmp_path)
    assert first.exit_code == 0, first.output
    assert "empty → " in first.output
    assert "already" in run("db", "upgrade", "--data", tmp_path).output


def test_services_refuse_to_start_without_certificates(tmp_path):
    for name, prefix in (("serve", "GORCH_"), ("executor", "GORCH_EXECUTOR_")):
        env = {f"{prefix}CERTS": str(tmp_path / "certs")}
        done = run_gorch(name, "--port", "0", "--data", tmp_path / name, env=env)
        assert done.returncode == 2
        assert f"make certificates with `gorch certs {tmp_path}/certs`" in done.stderr
        assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["serve", "--bind", "0.0.0.0"], "is open to other machines"),
        (["serve", "--port", "70000"], "70000 is not a port"),
        (["serve", "--certfile", "/x.pem"], "certfile and keyfile belong together"),
        (["executor", "--workers", "2"], "2 is not in the range"),
        (["executor", "--capacity", "0"], "0 is too small"),
    ],
)
def test_services_refuse_wrong_settings(arguments, part):
    done = run_gorch(*arguments)
    assert done.returncode == 2
    assert part in done.stderr
    assert "Traceback" not in done.stderr


def test_a_taken_port_is_said_before_gunicorn_starts(certs, tmp_path):
    with serving.listen("127.0.0.1", 0) as sock:
        port = sock.getsockname()[1]
        settings = {"GORCH_CERTS": str(certs), "GORCH_EXECUTOR_CERTS": str(certs)}

        def begin(name):
            return run_gorch(name, "--port", port, "--data", tmp_path / name, env={} if name == "demo" else settings)

        with ThreadPoolExecutor() as pool:  # who serves waits some seconds for the port
            *servers, demo = pool.map(begin, ("serve", "executor", "demo"))
    for done in servers:
        assert done.returncode == 2
        assert f"port {port} on 127.0.0.1 is taken by another program" in done.stderr
    assert demo.returncode == 2
    assert f"Error: port {port} on 127.0.0.1 is taken by another program; choose another one" in demo.stderr


def test_logs_of_all_nodes_are_asked_for_by_name(run, monkeypatch):
    nodes = [{"id": 0, "name": "1", "executor": "x"}, {"id": 1, "name": "0", "executor": "x"}]
    monkeypatch.setattr(Remote, "task", lambda self, task: {"nodes": nodes})
    monkeypatch.setattr(Remote, "log", lambda self, task, node, **_: LogPiece(f"of {node}\n".encode(), 0, True))
    assert run("logs", "t").stdout == "of 1\nof 0\n"
