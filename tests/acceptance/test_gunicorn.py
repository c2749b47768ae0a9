"""The services as people start them by gunicorn by hand, also wrongly."""

import signal
import socket
import subprocess
import sys
from contextlib import suppress

import pytest
import requests

from acceptance.test_services import answers
from gorchestrator.common import serving
from gorchestrator.remote import Remote
from support import PATIENCE, ROOT, clean_environment, wait_until


def gunicorn(folder, *arguments, **settings):
    """Start gunicorn by hand and return the process; its output goes to a file."""
    with (folder / "out").open("wb") as out:
        return subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "--no-control-socket", *arguments],
            cwd=ROOT,
            env=clean_environment(**settings),
            stdout=out,
            stderr=subprocess.STDOUT,
        )


@pytest.mark.parametrize(
    "configuration", [[], ["-c", "python:gorchestrator.gunicorn_conf"]], ids=["plain", "configuration"]
)
def test_gunicorn_ends_where_the_database_is_damaged(tmp_path, certs, configuration):
    """It does not start workers for ever, and says why; with our configuration only once, and without a traceback."""
    database = tmp_path / "data" / "gorchestrator.db"
    database.parent.mkdir()
    database.write_bytes(b"garbage" * 10_000)
    settings = {"GORCH_CERTS": str(certs), "GORCH_DATA": str(database.parent), "GORCH_LOG_FORMAT": "json"}
    arguments = ["-k", "gevent", "-w", "2", "-b", "127.0.0.1:0", *configuration, "wsgi:orchestrator()"]
    with gunicorn(tmp_path, *arguments, **settings) as process:
        status = process.wait(PATIENCE)
    told = (tmp_path / "out").read_text()
    text = f"The database {database} is damaged (file is not a database)"
    assert f"gorch restore FILE --data {database.parent}" in told
    if configuration:
        assert (status, told.count(text), told.count("Traceback")) == (3, 1, 0)
    else:
        assert text in told
        assert status in {1, 3}  # 1: gunicorn stumbles over the second worker while it ends for the first one


def free_port():
    with serving.listen("127.0.0.1", 0) as sock:
        return sock.getsockname()[1]


@pytest.mark.parametrize("configuration", ["python:gorchestrator.gunicorn_conf", ""], ids=["with -c", "without"])
def test_gunicorn_by_hand_serves_the_orchestrator(tmp_path, certs, configuration):
    port = free_port()
    settings = {"GORCH_PORT": str(port), "GORCH_CERTS": str(certs), "GORCH_DATA": str(tmp_path / "data")}
    options = ["-c", configuration] if configuration else ["-b", f"127.0.0.1:{port}"]
    process = gunicorn(tmp_path, "-k", "gevent", "-w", "2", *options, "wsgi:orchestrator()", **settings)
    remote = Remote(f"http://127.0.0.1:{port}")
    try:
        wait_until(lambda: answers(remote), what="an answer")
        assert remote.wait(remote.submit({"name": "x", "nodes": [{"name": "a"}]}))["state"] == 3
    finally:
        remote.close()
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE)


@pytest.mark.parametrize("given", ["-b", "fd"])
def test_gunicorn_by_hand_does_not_listen_for_other_machines(tmp_path, certs, given):
    settings = {"GORCH_CERTS": str(certs), "GORCH_DATA": str(tmp_path / "data")}
    with serving.listen("0.0.0.0", 0) as sock, (tmp_path / "out").open("wb") as out:
        bind = "0.0.0.0:0" if given == "-b" else f"fd://{sock.fileno()}"
        arguments = ["-c", "python:gorchestrator.gunicorn_conf", "-b", bind, "wsgi:orchestrator()"]
        process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "--no-control-socket", *arguments],
            cwd=ROOT,
            env=clean_environment(**settings),
            stdout=out,
            stderr=subprocess.STDOUT,
            pass_fds=[sock.fileno()],
        )
        assert process.wait(PATIENCE) == 2
    said = (tmp_path / "out").read_text()
    assert "Error: bind: '0.0.0.0' is open to other machines" in said
    assert "GORCH_INSECURE=true" in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("setting", "here", "there"),
    [(None, 200, 403), ("GORCH_INSECURE=true", 200, 200), ("GORCH_ACCESS=required", 401, 401)],
)
def test_without_our_configuration_callers_on_other_machines_are_refused(tmp_path, certs, setting, here, there):
    """The callers are made up by the PROXY protocol: a machine of tests may have no second address."""
    port = free_port()
    settings = {"GORCH_CERTS": str(certs), "GORCH_DATA": str(tmp_path / "data")}
    settings |= dict([setting.split("=")]) if setting else {}
    own = tmp_path / "own.py"
    own.write_text("proxy_protocol = True\n")
    options = ["-k", "gevent", "-c", str(own), "-b", f"0.0.0.0:{port}"]
    process = gunicorn(tmp_path, *options, "wsgi:orchestrator()", **settings)
    try:
        wait_until(lambda: _as(port, "127.0.0.1").startswith(f"HTTP/1.1 {here} "), what="an answer to this machine")
        answer = _as(port, "192.0.2.7")
        assert answer.startswith(f"HTTP/1.1 {there} ")
        if there == 403:
            assert "urn:gorchestrator:problem:peer-not-allowed" in answer
            assert "(GORCH_ACCESS=required)" in answer
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE)


def _as(port, peer):
    request = "GET /v1/tasks HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    with suppress(ConnectionError), socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as sock:
        sock.sendall(f"PROXY TCP4 {peer} 127.0.0.1 1234 {port}\r\n{request}".encode())
        return b"".join(iter(lambda: sock.recv(65536), b"")).decode()
    return ""  # it does not listen yet


@pytest.mark.parametrize("configuration", ["python:executor.gunicorn_conf", ""], ids=["with -c", "without"])
def test_gunicorn_by_hand_serves_the_executor(tmp_path, certs, configuration):
    port = free_port()
    settings = {"GORCH_EXECUTOR_CERTS": str(certs), "GORCH_EXECUTOR_DATA": str(tmp_path / "data")}
    settings["GORCH_EXECUTOR_PORT"] = str(port)
    tls = ["--certfile", certs / "executor.pem", "--keyfile", certs / "executor.key", "--ca-certs", certs / "ca.pem"]
    by_hand = ["-b", f"127.0.0.1:{port}", *map(str, tls), "--cert-reqs", "2"]
    options = ["-c", configuration] if configuration else by_hand
    process = gunicorn(tmp_path, "-k", "gevent", *options, "wsgi:executor()", **settings)
    try:
        own = (str(certs / "orchestrator.pem"), str(certs / "orchestrator.key"))
        found = wait_until(lambda: _get(f"https://127.0.0.1:{port}/v1/ping", own, certs), what="an answer")
        assert found["status"] == "success"
        assert "shell" in found["engines"]
        with pytest.raises(requests.ConnectionError):
            requests.get(f"https://127.0.0.1:{port}/v1/ping", verify=str(certs / "ca.pem"), timeout=5)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE)


def _get(url, cert, certs):
    try:
        return requests.get(url, cert=cert, verify=str(certs / "ca.pem"), timeout=5).json()
    except requests.RequestException:
        return None


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["-c", "python:gorchestrator.gunicorn_conf", "--preload", "gorchestrator.app:create_app()"], "--preload"),
        (["-c", "python:executor.gunicorn_conf", "-w", "2", "executor.app:create_app()"], "leave out --workers"),
        (["-c", "python:executor.gunicorn_conf", "--preload", "executor.app:create_app()"], "--preload"),
    ],
)
def test_what_gunicorn_may_not_be_told(tmp_path, certs, arguments, part):
    settings = {
        "GORCH_CERTS": str(certs),
        "GORCH_EXECUTOR_CERTS": str(certs),
        "GORCH_DATA": str(tmp_path / "o"),
        "GORCH_EXECUTOR_DATA": str(tmp_path / "e"),
    }
    process = gunicorn(tmp_path, "-b", "127.0.0.1:0", *arguments, **settings)
    assert process.wait(PATIENCE) == 2
    said = (tmp_path / "out").read_text()
    assert part in said
    assert "Traceback" not in said


def test_wrong_settings_are_told_without_a_traceback_by_gunicorn_too(tmp_path):
    process = gunicorn(tmp_path, "-c", "python:gorchestrator.gunicorn_conf", "wsgi:orchestrator()", GORCH_PRT="1")
    assert process.wait(PATIENCE) == 2
    assert (tmp_path / "out").read_text() == "Error: GORCH_PRT: no such setting; did you mean GORCH_PORT?\n"
