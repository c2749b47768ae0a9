"""``gorch tosca``: the three tiers of the example are deployed on real services, answer, and are undeployed."""

import json
import os
import re
import stat
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from ssh_support import sshd
from support import ROOT, Services, run_gorch, start_services

TEMPLATE = ROOT / "examples" / "tosca" / "three-tier.yaml"
TIERS = ("database", "application", "web")
HOST = "127.0.0.1"
OVER_SSH = [option for name in ("back", "middle", "front") for option in ("--host", f"{name}={HOST}")]


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory, certs: Path) -> Iterator[Services]:
    """Start the services, and a host that the executor reaches by SSH by the address that the nodes are given."""
    with sshd(tmp_path_factory.mktemp("sshd")) as server:
        server.hosts.write_text(f"{HOST}:\n{server.entry()}")
        settings = {"GORCH_EXECUTOR_SSH_HOSTS": str(server.hosts)}
        yield from start_services(tmp_path_factory.mktemp("service"), certs, executor=settings)


@pytest.mark.parametrize("where", [["--local"], OVER_SSH], ids=["local", "ssh"])
def test_the_example_is_deployed_and_undeployed(services: Services, tmp_path: Path, where: list[str]) -> None:
    inputs = tmp_path / "inputs.yaml"
    inputs.write_text(f"folder: {tmp_path}/tiers\n")
    given = [TEMPLATE, "-i", inputs, *where, "--submit", "--watch", "--url", services.url]
    try:
        done = run_gorch("tosca", *given)
        assert done.returncode == 0, done.stdout + done.stderr
        outputs = dict(re.findall(r"^(url|page|database_port) +(.*?) *$", done.stdout, re.MULTILINE))
        port = (tmp_path / "tiers" / "database" / "port").read_text().strip()
        assert outputs["database_port"] == port
        assert (tmp_path / "tiers" / "application" / "upstream").read_text() == f"http://{HOST}:{port}\n"
        # The application and the web server have asked when they were started, and the database once itself.
        assert outputs["page"] == "<!DOCTYPE html><title>Three tiers</title><p>Hello, you are visitor 3</p>"
        with urllib.request.urlopen(outputs["url"], timeout=30) as response:
            assert "visitor 4" in response.read().decode()
        pids = [int((tmp_path / "tiers" / name / "pid").read_text()) for name in TIERS]
    finally:
        removed = run_gorch("tosca", *given, "--undeploy", "--json")
    assert removed.returncode == 0, removed.stdout + removed.stderr
    assert [pid for pid in pids if _runs(pid)] == []
    assert sorted(os.listdir(tmp_path / "tiers")) == []
    stopped = _stopped(json.loads(removed.stdout)["task"])
    assert sorted(stopped, key=stopped.__getitem__) == ["web", "application", "database"]


def _runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _stopped(task: dict) -> dict[str, str]:
    """Return when each tier's stop has begun."""
    return {
        node["name"].removesuffix(".stop"): node["start_date"]
        for node in task["nodes"]
        if node["name"].endswith(".stop")
    }


def test_the_gorch_is_printed_written_and_checked(services: Services, tmp_path: Path) -> None:
    printed = run_gorch("tosca", TEMPLATE, "--local")
    assert (printed.returncode, printed.stderr) == (0, "")
    out = tmp_path / "gorch.json"
    written = run_gorch("tosca", TEMPLATE, "--local", "--strict", "-o", out)
    assert (written.returncode, written.stdout, written.stderr) == (0, "", "")
    assert json.loads(out.read_text()) == json.loads(printed.stdout)
    assert stat.S_ISREG(out.stat().st_mode)
    checked = run_gorch("validate", out, "--url", services.url)
    assert checked.returncode == 0, checked.stderr


def test_without_watch_the_id_is_printed(services: Services, tmp_path: Path) -> None:
    template = tmp_path / "empty.yaml"
    template.write_text(
        "tosca_definitions_version: tosca_simple_yaml_1_3\n"
        "topology_template: {node_templates: {vm: {type: tosca.nodes.Compute}}}\n"
    )
    done = run_gorch("tosca", template, "--no-compact", "--submit", "--url", services.url)
    assert done.returncode == 0, done.stderr
    task = services.remote.wait(done.stdout.strip())
    assert [node["name"] for node in task["nodes"]] == ["vm.create", "vm.configure", "vm.start"]
    as_json = run_gorch("tosca", template, "--no-compact", "--submit", "--json", "--url", services.url)
    assert list(json.loads(as_json.stdout)) == ["id"]


def test_a_deployment_that_fails_ends_with_status_1(services: Services, tmp_path: Path) -> None:
    (tmp_path / "bad.sh").write_text("#!/bin/sh\nexit 7\n")
    template = tmp_path / "bad.yaml"
    template.write_text(
        "tosca_definitions_version: tosca_simple_yaml_1_3\n"
        "topology_template:\n"
        "  node_templates:\n"
        "    one: {type: tosca.nodes.Root, interfaces: {Standard: {create: bad.sh}}}\n"
        "    two: {type: tosca.nodes.Root, interfaces: {Standard: {create: bad.sh}}, requirements: [dependency: one]}\n"
        "  outputs:\n"
        "    id: {value: {get_operation_output: [two, Standard, create, id]}}\n"
    )
    done = run_gorch("tosca", template, "--local", "--submit", "-w", "--url", services.url)
    assert done.returncode == 1
    assert re.search(r"^one.create +failure", done.stdout, re.MULTILINE)
    assert re.search(r"^id +null *$", done.stdout, re.MULTILINE)
