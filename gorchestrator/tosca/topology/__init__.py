"""Topology: the templates of a document, resolved against their types, with every value worked out.

It lives between :mod:`gorchestrator.tosca.types`, which knows no template, and planning, which knows no YAML.
"""

from collections.abc import Mapping
from typing import Any

from gorchestrator.tosca.faults import Place, Report
from gorchestrator.tosca.model import Topology, Value
from gorchestrator.tosca.reading.document import Document
from gorchestrator.tosca.reading.shapes import as_map, entries, only, place_in
from gorchestrator.tosca.topology import substitution
from gorchestrator.tosca.topology.building import build_nodes
from gorchestrator.tosca.topology.evaluation import Evaluator
from gorchestrator.tosca.topology.grouping import check_policies, read_groups
from gorchestrator.tosca.topology.inputs import resolve_inputs
from gorchestrator.tosca.topology.relationships import read_templates
from gorchestrator.tosca.topology.requirements import resolve_requirements
from gorchestrator.tosca.topology.scope import Scope, Slot
from gorchestrator.tosca.topology.templates import read_nodes
from gorchestrator.tosca.topology.workflows import Workflows
from gorchestrator.tosca.types.system import TypeSystem

_KEYS = (
    "description",
    "metadata",
    "inputs",
    "node_templates",
    "relationship_templates",
    "groups",
    "policies",
    "outputs",
    "substitution_mappings",
    "workflows",
)
_OUTPUT_KEYS = ("description", "value", "type", "required", "constraints", "entry_schema", "key_schema", "status")


def resolve(document: Document, types: TypeSystem, inputs: Mapping[str, Value], report: Report) -> Topology:
    """Return the topology of a document with these inputs. Raises ToscaError with everything that is wrong."""
    scope = Scope(document, types, report)
    evaluator = Evaluator(scope)
    root, file = document.root, document.parts[0].file
    place = root.at("topology_template")
    topology = as_map(root.get("topology_template"), place, report)
    only(topology, place, _KEYS, report)

    def section(name: str) -> tuple[Any, Place]:
        return topology.get(name), place_in(topology, name, place)

    workflows = Workflows(*section("workflows"), scope, evaluator)
    resolve_inputs(*section("inputs"), inputs, scope, workflows.inputs())
    substituted = substitution.imported(scope)
    read_templates(*section("relationship_templates"), scope)
    read_nodes(*section("node_templates"), scope, substituted)
    resolve_requirements(scope, evaluator, substitution.exposed_requirements(topology))
    nodes = build_nodes(scope, evaluator)
    groups = read_groups(*section("groups"), scope, evaluator)
    check_policies(*section("policies"), groups, scope, evaluator)
    substitution.check_own(topology, place, scope)
    values = evaluator.settle_all(scope.inputs)
    outputs = _outputs(*section("outputs"), scope, evaluator)
    found = workflows.resolve(inputs, groups)
    report.check()
    return Topology(_name(root, file), nodes, values, outputs, found, groups, Place(file, 0, ("topology_template",)))


def _outputs(section: Any, place: Place, scope: Scope, evaluator: Evaluator) -> dict[str, Value]:
    """Return the values of the outputs."""
    outputs = {}
    for name, raw, at in entries(section, place, scope.report):
        content = as_map(raw, at, scope.report)
        only(content, at, _OUTPUT_KEYS, scope.report)
        if "value" not in content:
            scope.report.fault(at, "an output needs a value")
            continue
        slot = Slot(name, content["value"], place_in(content, "value", at), scope.outside)
        outputs[name] = evaluator.settle(slot)
    return outputs


def _name(root: dict[str, Any], file: str) -> str:
    """Return the name that the template's author gave it, else that of its file."""
    metadata = root.get("metadata")
    name = metadata.get("template_name") if isinstance(metadata, dict) else root.get("template_name")
    return name if isinstance(name, str) and name else file.rpartition("/")[2].rpartition(".")[0] or file
