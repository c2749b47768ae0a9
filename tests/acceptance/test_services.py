"""The services as people start them by ``gorch``."""

import json
import shutil
import signal
import subprocess
import sys

import psutil
import pytest

from gorchestrator.common import serving
from gorchestrator.remote import Remote, Unreachable
from support import ROOT, Server, clean_environment, run_gorch, start_services, wait_until


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


def answers(remote):
    try:
        return remote.ping()["status"] == "success"
    except Unreachable:
        return False


def test_a_stop_is_quick_even_with_an_open_connection_and_every_line_of_the_log_is_json_with_an_event(start):
    server = start("serve")
    remote = Remote(server.url)
    wait_until(lambda: answers(remote))
    remote.wait(remote.submit({"name": "x", "nodes": [{"name": "a"}]}))
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(serving.KEEPALIVE / 2) == 0
    remote.close()
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
