"""Which engine runs an artifact, and on which host."""

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from gorchestrator.tosca.faults import Report
from gorchestrator.tosca.model import Artifact, Topology
from gorchestrator.tosca.plan import Step

SCRIPT = "script"  # shell on the executor, or toscassh on the node's host
SHELLS = {"shell", "ssh", "toscassh"}  # engines that run scripts
_HERE = {"shell", "docker"}  # they run on the executor's machine
_SSH = {"ssh", "toscassh"}
_THIS = "localhost"  # what a playbook is limited to so that it does nothing to other hosts of the inventory

_BY_TYPE = {
    "tosca.artifacts.Implementation.Bash": SCRIPT,
    "tosca.artifacts.Implementation.Python": SCRIPT,
    "tosca.artifacts.Deployment.Image.Container": "docker",
}
_BY_EXTENSION = {
    "sh": SCRIPT,
    "bash": SCRIPT,
    "py": SCRIPT,
    "yml": "ansible",
    "yaml": "ansible",
}
_BY_WORD = {
    "ansible": "ansible",
    "playbook": "ansible",
    "shell": SCRIPT,
    "bash": SCRIPT,
    "python": SCRIPT,
}
_GENERAL = {  # types that say nothing of what is in a file
    "",
    "tosca.artifacts.Root",
    "tosca.artifacts.File",
    "tosca.artifacts.Implementation",
    "tosca.artifacts.Deployment",
}
_ADDRESSES = ("public_address", "private_address", "ip_address")


@dataclass(frozen=True, slots=True)
class Options:
    """How a plan becomes a gorch.

    ``local``: scripts run on the executor's machine instead of the nodes' hosts. ``engines``: engines by the name of an
    artifact type (full, or its last part) or an extension, before ours. ``hosts``: addresses of Compute nodes by their
    names in the template.
    """

    local: bool = False
    engines: Mapping[str, str] = field(default_factory=dict)
    hosts: Mapping[str, str] = field(default_factory=dict)


def engine_of(artifact: Artifact, options: Options) -> str | None:
    """Return the engine's name, or SCRIPT; None if nothing tells."""
    extension = posixpath.splitext(artifact.file)[1][1:].lower()
    types = [each for each in (artifact.type, *artifact.derived_from) if each]
    chosen = next((options.engines[name] for name in names(artifact) if name in options.engines), None)
    said = chosen or next(filter(None, map(_of_type, types)), None)
    if said is None and (artifact.content or b"").startswith(b"#!"):
        return SCRIPT
    if said is None and artifact.type not in _GENERAL and _BY_EXTENSION.get(extension) != SCRIPT:
        return None  # other things than playbooks are written in YAML
    return said or _BY_EXTENSION.get(extension)


def names(artifact: Artifact) -> tuple[str, ...]:
    """Return the names by which ``--engine`` may mean an artifact: of its types, and its extension."""
    types = [each for each in (artifact.type, *artifact.derived_from) if each]
    extension = posixpath.splitext(artifact.file)[1][1:]
    return (
        *types,
        *map(_last, types),
        *(f"{dot}{each}" for each in (extension, extension.lower()) for dot in ("", ".")),
    )


def _of_type(name: str) -> str | None:
    """Return what a type says by its name: a normative one, or one that has a word such as Ansible in it."""
    for known, engine in _BY_TYPE.items():
        if f"{name}.".startswith(f"{known}."):
            return engine
    words = {word.lower() for word in re.findall(r"[A-Z]?[a-z]+", _last(name))}
    if "docker" in words and words <= {"docker", "image", "container"}:
        return "docker"
    return next((engine for word, engine in _BY_WORD.items() if word in words), None)


def _last(name: str) -> str:
    return name.rpartition(".")[2]


class Targets:
    """Where operations run."""

    def __init__(self, topology: Topology, options: Options, report: Report) -> None:
        self._topology = topology
        self._options = options
        self._report = report

    def of(self, step: Step, engine: str) -> tuple[str, str]:
        """Return engine and target: on the Compute node, or on the executor's machine."""
        if engine in _HERE:
            return engine, ""
        wanted = self._options.local or (step.operation is not None and step.operation.host == "ORCHESTRATOR")
        target = "" if wanted else self._host(step)
        if engine in _SSH and not target:
            text = f"{step.name} is to run by {engine}, and there is no host for it: its node is on no Compute node"
            self._report.fault(step.place, text)
        elif not wanted and not target:
            at = self._node(step)
            self._report.warn(step.place, f"{at} is on no Compute node: {step.name} runs on the executor's machine")
        if engine == SCRIPT:
            return ("toscassh", target) if target else ("shell", "")
        return engine, target or (_THIS if engine == "ansible" else "")

    def _host(self, step: Step) -> str:
        """Return the host on which an operation runs: the address of its Compute node, else that one's name."""
        node = self._node(step)
        compute = self._topology.compute_of(node) if node in self._topology.nodes else None
        return self.address(compute) or compute if compute is not None else ""

    def address(self, compute: str) -> str | None:
        """Return the address of a Compute node, if it is known."""
        if compute in self._options.hosts:
            return self._options.hosts[compute]
        node = self._topology.nodes[compute]
        values = [section.get(name) for name in _ADDRESSES for section in (node.attributes, node.properties)]
        endpoint = node.capabilities.get("endpoint", {}).get("ip_address")
        return next((each for each in (*values, endpoint) if isinstance(each, str) and each), None)

    def _node(self, step: Step) -> str:
        """Return the node that ``operation_host`` means, else the one that the plan says."""
        said = step.operation.host if step.operation is not None else ""
        node = self._topology.nodes[step.node]
        if said in ("SOURCE", "TARGET") and step.relationship is None:
            text = f"operation_host {said} means nothing here, as {step.name} is of no relationship"
            self._report.warn(step.place, text)
            return step.runs_on
        if said in self._topology.nodes:
            return said
        if said == "HOST":
            return self._topology.host_of(step.runs_on) or step.runs_on
        if said == "TARGET" and step.relationship is not None:
            return node.requirements[step.relationship].target
        return step.node if said == "SOURCE" else step.runs_on
