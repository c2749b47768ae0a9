"""The example of docs/drivers.rst, installed as the distribution that it is, on real services."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from docs_support import files
from support import ROOT, Services, run_gorch, start_services, wait_until


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory, certs: Path, unmeasured: None) -> Iterator[Services]:
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("target")
    for name, content in files(ROOT / "docs" / "drivers.rst").items():
        (source / name).write_text(content)
    command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(target), str(source)]
    subprocess.run(command, check=True, capture_output=True)
    path = os.pathsep.join([str(target), os.environ.get("PYTHONPATH", "")])
    yield from start_services(tmp_path_factory.mktemp("services"), certs, executor={"PYTHONPATH": path})


def test_it_runs_nodes(services: Services) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        artifact = f"127.0.0.1:{listener.getsockname()[1]}"
        node = {"name": "a", "engine": "port", "artifact": artifact, "options": {"every": 0.01}}
        task = services.remote.wait(services.remote.submit({"nodes": [node]}))
    assert (task["state"], task["nodes"][0]["output"]) == (3, {"host": "127.0.0.1"})
    assert services.remote.log(task["id"], "a").data == b"it listens\n"


def test_its_timeout_and_a_cancel_interrupt_it(services: Services) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        artifact = f"127.0.0.1:{listener.getsockname()[1]}"
    nodes = [
        {"name": "late", "engine": "port", "artifact": artifact, "timeout": 0.3},
        {"name": "never", "engine": "port", "artifact": artifact},
    ]
    task = services.remote.submit({"nodes": nodes})
    wait_until(lambda: services.remote.task(task)["nodes"][0]["state"] == 10)
    services.remote.cancel(task)
    assert [node["state"] for node in services.remote.wait(task)["nodes"]] == [10, 11]


def test_what_it_does_not_honour_is_refused_at_once(services: Services) -> None:
    node = {"name": "a", "engine": "port", "artifact": "a:1", "env": {"A": "b"}, "options": {"often": 1}}
    with pytest.raises(Exception, match="2 faults") as caught:
        services.remote.submit({"nodes": [node]})
    assert {fault["pointer"]: fault["detail"] for fault in caught.value.errors} == {
        "/nodes/0/env": "engine port makes no use of it",
        "/nodes/0/options/often": "engine port has the options every",
    }


def test_it_is_among_the_engines(services: Services) -> None:
    shown = run_gorch("--url", services.url, "engines")
    assert shown.returncode == 0
    (line,) = [line for line in shown.stdout.splitlines() if line.startswith("port")]
    assert line.split() == ["port", "executor", "yes", "artifact,", "options.every,", "timeout"]
