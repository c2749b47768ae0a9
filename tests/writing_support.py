"""Parts of tests: resolved topologies and plans made by hand, and nodes of gorchs run here as an executor runs them."""

import os
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from gorchestrator.tosca.faults import Place, Report
from gorchestrator.tosca.model import Artifact, NodeTemplate, Operation, Relationship, Topology
from gorchestrator.tosca.plan import Plan, Step
from gorchestrator.tosca.writing import Options, Written, to_gorch

HERE = Place("mine.yaml", 1)
STANDARD = "Standard"
HOSTED_ON = "tosca.relationships.HostedOn"


def artifact(file: str, content: bytes | None = b"#!/bin/sh\ntrue\n", **other: Any) -> Artifact:
    return Artifact("", other.pop("type", ""), file, HERE, content, **other)


def operation(name: str, content: bytes | None = b"#!/bin/sh\ntrue\n", **other: Any) -> Operation:
    primary = other.pop("primary", None) or artifact(f"{name}.sh", content)
    return Operation(other.pop("interface", STANDARD), name, HERE, primary, **other)


def node(name: str, host: str = "", type_: str = "tosca.nodes.SoftwareComponent", **other: Any) -> NodeTemplate:
    requirements = [Relationship("host", HOSTED_ON, name, host, HERE)] if host else []
    return NodeTemplate(name, type_, HERE, requirements=requirements, **other)


def compute(name: str, **other: Any) -> NodeTemplate:
    return node(name, "", "tosca.nodes.Compute", **other)


def topology(*nodes: NodeTemplate, **other: Any) -> Topology:
    return Topology("mine", {each.name: each for each in nodes}, **other)


def plan(*steps: tuple[str, Operation | None, Iterable[str]]) -> Plan:
    """Return a plan of steps ``NODE.NAME``, each with its operation and the names of those before it."""
    made = Plan()
    for name, what, after in steps:
        owner = name.partition(".")[0]
        made.add(Step(name, owner, owner, HERE, what), after)
    return made


def write(found: Topology, steps: Plan, **options: Any) -> tuple[Written, Report]:
    """Return the gorch, and the warnings; fails if there are faults."""
    report = Report()
    written = to_gorch(found, steps, Options(**options), report)
    report.check()
    return written, report


def nodes_of(written: Written) -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in written.gorch["nodes"]}


def run_node(node_: Mapping[str, Any], folder: Path, values: Mapping[str, str] | None = None) -> dict[str, str]:
    """Run a node of the engine shell or toscassh; returns its outputs: of the log, and over them of the file.

    ``values``: those of references, by their text ``NODE:NAME``.
    """
    folder.mkdir(exist_ok=True)
    script, output = folder / "script", folder / "output"
    script.write_text(node_["artifact"])
    script.chmod(0o700)
    output.touch()
    args = [_resolved(each, values or {}) for each in node_.get("args", ())]
    env = {"PATH": os.environ["PATH"], "GORCH_OUTPUT": str(output), **node_.get("env", {})}
    if node_["engine"] == "toscassh":
        env |= dict(each.split("=", 1) for each in args)
        args = []
    done = subprocess.run(
        [script, *args], env=env, cwd=folder, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    declared = node_.get("output", {})
    printed = dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
    written = dict(line.split("=", 1) for line in output.read_text().splitlines())
    return {name: value for name, value in printed.items() if name in declared} | written


def _resolved(text: str, values: Mapping[str, str]) -> str:
    name, _, value = text.partition("=")
    wanted = value.removeprefix("get_attribute ")
    return text if wanted == value else f"{name}={values[wanted]}"
