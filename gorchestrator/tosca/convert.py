"""The way through: from a file to a gorch, each phase after the other."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gorchestrator.tosca.faults import Fault, Place, Report
from gorchestrator.tosca.model import Topology, Value
from gorchestrator.tosca.plan import Plan
from gorchestrator.tosca.planning import deploy, run_workflow, undeploy
from gorchestrator.tosca.reading.imports import load
from gorchestrator.tosca.reading.source import Map, parse
from gorchestrator.tosca.topology import resolve
from gorchestrator.tosca.types.system import TypeSystem
from gorchestrator.tosca.writing import Options, Written, to_gorch


@dataclass(frozen=True, slots=True)
class Request:
    """What is wanted of a template: its deployment, or ``undeploy``, or one of its workflows.

    ``compact``: leave out operations that have no implementation. ``allow_network``: follow imports that are URLs.
    ``strict``: warnings count as faults.
    """

    inputs: Mapping[str, Value]
    workflow: str = ""
    undeploy: bool = False
    compact: bool = True
    allow_network: bool = False
    strict: bool = False
    options: Options = field(default_factory=Options)


@dataclass(frozen=True, slots=True)
class Conversion:
    """A template as a gorch, and what of the template was ignored."""

    written: Written
    warnings: tuple[Fault, ...]

    @property
    def gorch(self) -> dict[str, Any]:
        """The document."""
        return self.written.gorch


def convert(path: Path, request: Request) -> Conversion:
    """Return the gorch of a service template or CSAR. Raises ToscaError with all that is wrong in one phase."""
    report = Report()
    document = load(path, report, allow_network=request.allow_network)
    report.check()
    types = TypeSystem(document, report)
    topology = resolve(document, types, request.inputs, report)
    report.check()
    plan = _plan(topology, request, report)
    report.check()
    if request.undeploy:
        topology.outputs = {}  # of what was deployed; nothing of it is left then
    written = to_gorch(topology, plan, request.options, report)
    report.check(strict=request.strict)
    return Conversion(written, tuple(report.warnings))


def read_inputs(path: Path) -> dict[str, Value]:
    """Return the inputs in a file of YAML or JSON. Raises ToscaError, and OSError if it cannot be read."""
    content = path.read_bytes()
    lines = (line.strip() for line in content.splitlines())
    if all(not line or line.startswith((b"#", b"---")) for line in lines):
        return Map(Place(path.name))
    return parse(content, path.name)


def _plan(topology: Topology, request: Request, report: Report) -> Plan:
    name = request.workflow or ("undeploy" if request.undeploy else "deploy")
    if request.workflow or name in topology.workflows:  # a template's own one goes before what its types imply
        return run_workflow(topology, name, report, compact=request.compact)
    make = undeploy if request.undeploy else deploy
    return make(topology, report, compact=request.compact)
