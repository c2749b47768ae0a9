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
    "docker": "docker",
    "shell": SCRIPT,
    "bash": SCRIPT,
    "python": SCRIPT,
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
    given = (*types, *map(_last, types), extension, f".{extension}")
    chosen = next((options.engines[name] for name in given if name in options.engines), None)
    said = chosen or next(filter(None, map(_of_type, types)), None)
    if said is None and (artifact.content or b"").startswith(b"#!"):
        return SCRIPT
    return said or _BY_EXTENSION.get(extension)


def _of_type(name: str) -> str | None:
    """Return what a type says by its name: a normative one, or one that has a word such as Ansible in it."""
    for known, engine in _BY_TYPE.items():
        if f"{name}.".startswith(f"{known}."):
            return engine
    words = re.findall(r"[A-Z]?[a-z]+", _last(name))
    return next((_BY_WORD[word.lower()] for word in words if word.lower() in _BY_WORD), None)


def _last(name: str) -> str:
    return name.rpartition(".")[2]


class Targets:
    """Where operations run."""

    def __init__(self, topology: Topology, options: Options, report: Report) -> None:
        self._topology = topology
        self._options = options
        self._report = report

    def script_engine(self, step: Step) -> tuple[str, str]:
        """Return engine and target for a script: by SSH on the Compute node, or on the executor's machine."""
        if self._options.local or (step.operation is not None and step.operation.host == "ORCHESTRATOR"):
            return "shell", ""
        target = self.host(step)
        if not target:
            at = self._node(step)
            self._report.warn(step.place, f"{at} is on no Compute node: {step.name} runs on the executor's machine")
            return "shell", ""
        return "toscassh", target

    def host(self, step: Step) -> str:
        """Return the host on which an operation runs: the address of its Compute node, else that one's name."""
        if self._options.local:
            return ""
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
        if said in self._topology.nodes:
            return said
        if said == "HOST":
            return self._topology.host_of(step.runs_on) or step.runs_on
        if said == "TARGET" and step.relationship is not None:
            return node.requirements[step.relationship].target
        return step.node if said == "SOURCE" else step.runs_on
