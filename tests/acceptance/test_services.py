"""The services as people start them: by ``gorch``, by gunicorn by hand, wrongly."""

import json
import shutil
import signal
import socket
import subprocess
import sys
from contextlib import suppress

import psutil
import pytest
import requests

from gorchestrator.common import serving
from gorchestrator.remote import Remote, Unreachable
from support import PATIENCE, ROOT, Server, clean_environment, run_gorch, start_services, wait_until


@pytest.fixture
def start(tmp_path, certs):
    """Start a server and stop it in the end; it may be any command that prints its URL."""
    started = []

    def begin(*arguments, **settings):
        folder = tmp_path / f"server{len(started)}"
        folder.mkdir()
        env = {"GORCH_CERTS": str(certs), "GORCH_DATA": str(folder / "data"), **settings}
        server = Server(list(arguments), env, folder)
        started.append(server)
        server.start()
        return server

    yield begin
    for server in started:
        server.stop()


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


def answers(remote):
    try:
        return remote.ping()["status"] == "success"
    except Unreachable:
        return False


def test_every_line_of_the_log_is_json_with_an_event(start):
    server = start("serve")
    remote = Remote(server.url)
    wait_until(lambda: answers(remote))
    remote.wait(remote.submit({"name": "x", "nodes": [{"name": "a"}]}))
    remote.close()
    server.stop()
    lines = [json.loads(line) for line in server.log.splitlines()]
    assert all({"time", "level", "logger", "event", "message"} <= set(line) for line in lines)
    assert {"request", "task_final"} <= {line["event"] for line in lines}
    assert {"gunicorn.error"} <= {line["logger"] for line in lines}
    request = next(line for line in lines if line["event"] == "request" and line["path"] == "/v1/tasks")
    assert (request["method"], request["status"]) == ("POST", 202)


def test_relative_paths_are_those_of_whoever_starts_it(tmp_path, certs):
    shutil.copytree(certs, tmp_path / "certs")
    settings = {"GORCH_CERTS": "certs", "GORCH_DATA": "data", "PYTHONPATH": str(ROOT)}
    server = Server(["serve"], settings, tmp_path, cwd=tmp_path)
    remote = None
    try:
        server.start()
        remote = Remote(server.url)
        wait_until(lambda: answers(remote))
        assert (tmp_path / "data" / "gorchestrator.db").is_file()
    finally:
        if remote:
            remote.close()
        server.stop()


def test_a_worker_that_dies_is_replaced(start):
    server = start("serve", "--workers", "1")
    remote = Remote(server.url)
    wait_until(lambda: answers(remote))
    arbiter = psutil.Process(server.process.pid)
    (worker,) = arbiter.children()
    worker.kill()
    wait_until(lambda: [child.pid for child in arbiter.children()] not in ([], [worker.pid]), what="another worker")
    wait_until(lambda: answers(remote))
    remote.close()
    server.stop()
    assert server.process.returncode == 0


def test_a_stop_is_quick_even_with_an_open_connection(start):
    server = start("serve")
    remote = Remote(server.url)
    wait_until(lambda: answers(remote))
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(serving.KEEPALIVE / 2) == 0
    remote.close()


def test_the_api_over_https(start, certs):
    files = ["--certfile", str(certs / "orchestrator.pem"), "--keyfile", str(certs / "orchestrator.key")]
    server = start("serve", *files)
    assert server.url.startswith("https://")
    done = wait_until(lambda: _ping(server.url, certs), what="an answer over https")
    assert "success" in done.stdout
    unknown = run_gorch("ping", "--url", server.url)
    assert unknown.returncode == 2
    assert "TLS failed" in unknown.stderr
    assert "--ca" in unknown.stderr


def _ping(url, certs):
    done = run_gorch("ping", "--url", url, "--ca", certs / "ca.pem")
    return done if done.returncode == 0 else None


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


def test_what_a_node_leaves_running_does_not_hold_the_executors_port(tmp_path, certs):
    script = "#!/bin/sh\nsleep 600 > /dev/null 2>&1 &\necho pid=$!\n"
    node = {"name": "daemon", "engine": "shell", "artifact": script, "output": {"pid": ""}}
    for services in start_services(tmp_path, certs):
        remote = services.remote
        task = remote.wait(remote.submit({"name": "daemon", "nodes": [node]}))
        daemon = psutil.Process(int(task["nodes"][0]["output"]["pid"]))
        try:
            services.executor.stop()
            assert daemon.is_running()
            serving.listen("127.0.0.1", int(services.executor.url.rpartition(":")[2])).close()
        finally:
            daemon.kill()


LIST = """
import sys
from gorchestrator.cli.entry import gorch
try:
    gorch.main(["list", "--url", "http://127.0.0.1:9"])
except SystemExit:
    print(*sys.modules)
"""


def test_start_up_of_the_command_is_quick():
    """Not a timed assert: what takes its time is not imported for `gorch list`."""
    environment = {name: value for name, value in clean_environment().items() if not name.startswith("COVERAGE")}
    done = subprocess.run(
        [sys.executable, "-c", LIST], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.split())
    assert "requests" in loaded
    assert not loaded & {"rich", "cryptography", "gevent", "flask", "sqlalchemy", "marshmallow", "psutil"}
