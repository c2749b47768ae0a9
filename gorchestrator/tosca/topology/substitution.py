"""Substitution mappings: checked, and named as what the service leaves undone.

A topology that could stand for a node is deployed as it is; a node that an imported topology could stand for is
deployed as a node of its own type, with a warning, for no topology is put in its place.
"""

from collections.abc import Callable
from typing import Any

from gorchestrator.tosca.faults import Place
from gorchestrator.tosca.reading.shapes import as_map, as_text, as_texts, entries, kind_of, listed, only, place_in
from gorchestrator.tosca.topology.inputs import declared_in
from gorchestrator.tosca.topology.matching import check_filter
from gorchestrator.tosca.topology.scope import NodeDraft, Scope
from gorchestrator.tosca.types.definitions import EntityType

_KEYS = (
    "node_type",
    "properties",
    "attributes",
    "capabilities",
    "requirements",
    "interfaces",
    "substitution_filter",
    "inputs",
    "outputs",
    "description",
    "metadata",
)
_FILTER_KEYS = ("node_filter",)
_PAIR = 2  # a node template and one of its capabilities or requirements


def imported(scope: Scope) -> set[str]:
    """Return the node types that imported topologies could stand for, each with a warning that none is put in place."""
    found = set()
    for part in scope.document.parts[1:]:
        topology = part.content.get("topology_template")
        if topology is None:
            continue
        place = part.content.at("topology_template")
        content = as_map(topology, place, scope.report)
        kind = _checked_type(content, place, scope)
        if kind is not None:
            found.add(kind.name)
            scope.report.warn(place, f"not put in place of nodes of type {kind.name}: substitution is not supported")
        else:
            scope.report.warn(place, "ignored: of an imported file only the definitions are used")
    return found


def exposed_requirements(topology: dict[str, Any]) -> set[tuple[str, str]]:
    """Return node and requirement of each one that the template's own mapping hands out."""
    mappings = topology.get("substitution_mappings")
    section = mappings.get("requirements") if isinstance(mappings, dict) else None
    values = [*section.values()] if isinstance(section, dict) else []
    pairs = [value.get("mapping") if isinstance(value, dict) else value for value in values]
    return {(str(pair[0]), str(pair[1])) for pair in pairs if isinstance(pair, list) and len(pair) == _PAIR}


def check_own(topology: dict[str, Any], place: Place, scope: Scope) -> None:
    """Check the mapping of the template itself, and warn that nothing makes use of it."""
    if topology.get("substitution_mappings") is None:
        return
    at = place_in(topology, "substitution_mappings", place)
    kind = _checked_type(topology, place, scope)
    content = as_map(topology["substitution_mappings"], at, scope.report)
    only(content, at, _KEYS, scope.report)
    if kind is not None:
        _check_names(content, at, kind, scope)
    filtering = content.get("substitution_filter")
    if filtering is not None:
        there = place_in(content, "substitution_filter", at)
        inner = as_map(filtering, there, scope.report)
        only(inner, there, _FILTER_KEYS, scope.report)
        check_filter(inner.get("node_filter"), place_in(inner, "node_filter", there), scope.report)
    scope.report.warn(at, "ignored: the template is deployed by itself")


def _checked_type(topology: dict[str, Any], place: Place, scope: Scope) -> EntityType | None:
    """Return the node type of a mapping; its required properties must be inputs of the topology, or be mapped."""
    if topology.get("substitution_mappings") is None:
        return None
    at = place_in(topology, "substitution_mappings", place)
    content = as_map(topology["substitution_mappings"], at, scope.report)
    there = place_in(content, "node_type", at)
    name = as_text(content.get("node_type"), there, scope.report)
    kind = scope.types.find("node", name) if name else None
    if kind is None:
        scope.report.fault(there, f"unknown node type {name}" if name else "substitution mappings need a node_type")
        return None
    mapped = as_map(content.get("properties"), place_in(content, "properties", at), scope.report)
    declared = declared_in(topology.get("inputs"), place_in(topology, "inputs", place), scope)
    for key, definition in kind.properties.items():
        if definition.needs_value and key not in declared and key not in mapped:
            scope.report.fault(at, f"{kind.name} needs the property {key}, and the topology has no input {key}")
    return kind


def _check_names(content: dict[str, Any], place: Place, kind: EntityType, scope: Scope) -> None:
    """Check that what is mapped exists in the node type, and what it is mapped to in the topology."""
    for section, known in (
        ("properties", kind.properties),
        ("attributes", kind.attributes),
        ("capabilities", kind.capabilities),
        ("requirements", kind.requirements),
        ("interfaces", kind.interfaces),
    ):
        at = place_in(content, section, place)
        for name, raw, there in entries(content.get(section), at, scope.report):
            if name not in known:
                scope.report.fault(there, f"{kind.name} has no {name} among its {section}; there are {listed(known)}")
            elif section == "capabilities":
                _check_pair(raw, there, lambda node: node.capabilities, scope)
            elif section == "requirements":
                _check_pair(raw, there, lambda node: node.type.requirements, scope)


def _check_pair(raw: Any, place: Place, known_in: Callable[[NodeDraft], Any], scope: Scope) -> None:
    """Check a mapping to a node and one of its capabilities or requirements."""
    raw = raw.get("mapping") if isinstance(raw, dict) else raw
    if raw is None:
        return
    pair = as_texts(raw, place, scope.report)
    if len(pair) != _PAIR:
        scope.report.fault(place, f"must be a list of a node template and a name, but is {kind_of(raw)}")
        return
    node = scope.nodes.get(pair[0])
    if node is None:
        scope.report.fault(place, f"unknown node template {pair[0]}; there are {listed(scope.nodes)}")
    elif pair[1] not in known_in(node) and pair[1] not in {link.name for link in node.links}:
        scope.report.fault(place, f"{node.name} has no {pair[1]}; there are {listed(list(known_in(node)))}")
