"""The examples for systemd and gunicorn: what systemd says of the units, and what the services do for it."""

import configparser
import http.client
import re
import shutil
import signal
import socket
import subprocess
import sys
from contextlib import closing, suppress
from pathlib import Path

import pytest
from docutils import nodes

from docs_support import doctree
from support import ROOT, Server, clean_environment, wait_until

FOLDER = ROOT / "examples" / "deployment"
UNITS = ("gorchestrator", "gorchestrator-executor")
PROGRAM = "/opt/gorchestrator/current/bin/gorch"


class Unit(configparser.ConfigParser):
    """A unit. Of a key that is there several times only the last value is seen."""

    def __init__(self, name):
        super().__init__(interpolation=None, strict=False, delimiters=["="], comment_prefixes=["#"])
        self.optionxform = str
        self.read_string((FOLDER / f"{name}.service").read_text("utf-8"))
        self.service = self["Service"]


@pytest.fixture(params=UNITS)
def name(request):
    return request.param


def analyze(tmp_path, name, *command):
    """Have systemd look at a unit whose program is there; skips the test where it is not."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("there is no systemd-analyze: only the keys are looked at")
    text = (FOLDER / f"{name}.service").read_text("utf-8")
    assert PROGRAM in text
    path = tmp_path / f"{name}.service"
    path.write_text(text.replace(PROGRAM, sys.executable))
    return subprocess.run(["systemd-analyze", *command, path], capture_output=True, text=True, check=False)


def test_systemd_finds_no_fault(tmp_path, name):
    done = analyze(tmp_path, name, "verify", "--man=no")
    assert (done.returncode, done.stderr) == (0, "")


def test_systemd_would_find_a_fault(tmp_path):
    done = analyze(tmp_path, UNITS[0], "verify", "--man=no")
    broken = tmp_path / "broken.service"
    broken.write_text((tmp_path / f"{UNITS[0]}.service").read_text().replace("KillMode=mixed", "KillMode=sometimes"))
    done = subprocess.run(["systemd-analyze", "verify", broken], capture_output=True, text=True, check=False)
    assert "kill mode" in done.stderr.lower()


@pytest.mark.parametrize(("name", "most"), [(UNITS[0], 2.0), (UNITS[1], 6.0)], indirect=["name"])
def test_how_exposed_systemd_thinks_it_is(tmp_path, name, most):
    done = analyze(tmp_path, name, "security", "--offline=true", "--no-pager")
    if "unrecognized option" in done.stderr:
        pytest.skip("this systemd-analyze looks only at units that are loaded")
    found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", done.stdout)
    assert found, done.stdout + done.stderr
    assert float(found[1]) <= most


def test_the_keys_that_matter(name):
    service = Unit(name).service
    executor = name == "gorchestrator-executor"
    assert service["ExecStart"] == f"{PROGRAM} {'executor' if executor else 'serve'}"
    assert service["KillMode"] == ("process" if executor else "mixed")
    assert service["OOMPolicy"] == "continue"
    assert (service["Type"], service["Restart"], service["StateDirectoryMode"]) == ("notify", "always", "0700")
    assert service["RestartPreventExitStatus"] == "2 3"
    assert int(service["LimitNOFILE"]) >= 4096
    assert service["User"] != "root"
    variable, _, place = service["Environment"].partition("=")
    assert variable == ("GORCH_EXECUTOR_CONFIG" if executor else "GORCH_CONFIG")
    assert place == f"/etc/gorchestrator/{'executor' if executor else 'orchestrator'}.toml"


def test_the_orchestrator_may_do_what_it_does():
    """Its drawers set limits for themselves, and it looks up in /proc/sys which boot this is."""
    text = (FOLDER / "gorchestrator.service").read_text("utf-8")
    denied = re.findall(r"^SystemCallFilter=~(.*)$", text, re.MULTILINE)
    assert denied == ["@privileged"]
    assert "ProcSubset" not in Unit("gorchestrator").service
    assert "AF_UNIX" in Unit("gorchestrator").service["RestrictAddressFamilies"]


def test_the_executor_has_nothing_that_breaks_jobs():
    section = next(
        found
        for found in doctree(ROOT / "docs" / "deployment.rst").findall(nodes.section)
        if found.next_node(nodes.title).astext().startswith("Hardening")
    )
    rows = list(section.next_node(nodes.table).findall(nodes.row))[1:]
    named = [each.astext() for row in rows for each in row.next_node(nodes.entry).findall(nodes.literal)]
    keys = {each.partition("=")[0] for each in named}
    assert len(keys) >= 20
    service = Unit("gorchestrator-executor").service
    assert {key for key in keys if key in service} == {"KillMode", "OOMPolicy", "TasksMax", "ProtectSystem"}
    assert (service["TasksMax"], service["ProtectSystem"]) == ("infinity", "full")
    assert keys - {"KillMode", "OOMPolicy"} >= {"PrivateTmp", "DynamicUser", "MemoryMax", "RemoveIPC"}


@pytest.mark.parametrize("arguments", [["serve"], ["executor"]])
def test_a_service_tells_systemd_that_it_listens(tmp_path, certs, arguments):
    settings = {
        "GORCH_DATA": str(tmp_path / "data"),
        "GORCH_EXECUTOR_DATA": str(tmp_path / "data"),
        "GORCH_CERTS": str(certs),
        "GORCH_EXECUTOR_CERTS": str(certs),
        "NOTIFY_SOCKET": str(tmp_path / "notify"),
    }
    server = Server(arguments, settings, tmp_path)
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as notify:
        notify.bind(settings["NOTIFY_SOCKET"])
        notify.settimeout(60)
        try:
            server.start()
            assert b"READY=1" in notify.recv(4096)
        finally:
            server.stop()


class Unix(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path):
        super().__init__("localhost")
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)


def test_a_gunicorn_configuration_of_ones_own(tmp_path, certs):
    path = tmp_path / "gunicorn.conf.py"
    text = (FOLDER / "gunicorn.conf.py").read_text("utf-8")
    assert "/run/gorchestrator/" in text
    path.write_text(text.replace("/run/gorchestrator/", f"{tmp_path}/").replace("workers = 4", "workers = 1"))
    command = [sys.executable, "-P", "-m", "gunicorn", "-c", str(path), "gorchestrator.app:create_app()"]
    settings = {"GORCH_DATA": str(tmp_path / "data"), "GORCH_CERTS": str(certs), "PYTHONPATH": str(ROOT)}
    settings |= {"GORCH_TRUSTED_PROXIES": "unix", "GORCH_EXECUTORS": "executor=https://127.0.0.1:1"}
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=tmp_path, env=clean_environment(**settings), stdout=log, stderr=log)
    try:
        wait_until(lambda: _answer(tmp_path / "api.sock") == 200, what="an answer over the socket")
        assert (tmp_path / "api.sock").stat().st_mode & 0o777 == 0o770
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)
    log = (tmp_path / "log").read_text()
    assert '"peer": "192.0.2.9"' in log  # whom the other end of the socket names
    assert "gorchestrator.common.gunicorn_worker.Worker" in log


def _answer(path: Path) -> int:
    with suppress(OSError), closing(Unix(path)) as connection:
        connection.request("GET", "/v1/ping", headers={"X-Forwarded-For": "192.0.2.9"})
        return connection.getresponse().status
    return 0
