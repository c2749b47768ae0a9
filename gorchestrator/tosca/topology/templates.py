"""Node templates: drafts with the values, capabilities and operations that types and templates give them."""

from dataclasses import replace
from typing import Any

from gorchestrator.tosca.faults import Place
from gorchestrator.tosca.reading.shapes import as_map, as_text, as_texts, entries, listed, only, place_in
from gorchestrator.tosca.topology.artifacts import read_artifact
from gorchestrator.tosca.topology.copying import copied, merged
from gorchestrator.tosca.topology.interfaces import operations_of
from gorchestrator.tosca.topology.properties import assigned, attributes
from gorchestrator.tosca.topology.scope import Context, NodeDraft, Owner, Scope
from gorchestrator.tosca.types.definitions import CapabilityDef, EntityType

_KEYS = (
    "type",
    "description",
    "metadata",
    "directives",
    "properties",
    "attributes",
    "requirements",
    "capabilities",
    "interfaces",
    "artifacts",
    "node_filter",
    "copy",
)
_CAPABILITY_KEYS = ("properties", "attributes", "occurrences", "description")
_ABSTRACT_TYPES = ("tosca.nodes.Abstract.Compute", "tosca.nodes.Abstract.Storage")
_ABSTRACT = ("select", "selectable", "substitute", "substitutable")


def read_nodes(section: Any, place: Place, scope: Scope, substituted: set[str]) -> None:
    """Fill the scope's nodes; ``substituted``: node types that an imported file could put a topology in place of."""
    for name, raw, at in entries(section, place, scope.report):
        content = copied(as_map(raw, at, scope.report), section, at, scope.report)
        only(content, at, _KEYS, scope.report)
        kind = _type_of(content, at, scope)
        if kind is None:
            continue
        node = NodeDraft(name, kind, at, content=content, substituted=kind.name in substituted)
        scope.add(node)
        _check_directives(node, scope)
        _fill(node, scope)
    for node in scope.nodes.values():
        _add_operations(node, scope)


def _type_of(content: dict[str, Any], place: Place, scope: Scope) -> EntityType | None:
    at = place_in(content, "type", place)
    name = as_text(content.get("type"), at, scope.report)
    found = scope.types.find("node", name) if name else None
    if not name:
        scope.report.fault(place, "a node template needs a type")
    elif found is None:
        scope.report.fault(at, f"unknown node type {name}")
    return found


def _check_directives(node: NodeDraft, scope: Scope) -> None:
    """Refuse abstract templates: which node there is, or what takes its place, nobody could tell the service."""
    at = place_in(node.content, "directives", node.place)
    for directive in as_texts(node.content.get("directives"), at, scope.report):
        if directive in _ABSTRACT:
            text = f"{node.name} is abstract ({directive}): nodes that are selected or substituted are not supported"
            scope.report.fault(at, text)
        else:
            scope.report.warn(at, f"the directive {directive} is ignored")
    if node.type.name in _ABSTRACT_TYPES:
        text = f"{node.name} is abstract: {node.type.name} stands for one of the types that derive from it; name one"
        scope.report.fault(place_in(node.content, "type", node.place), text)
    if "node_filter" in node.content:
        scope.report.warn(place_in(node.content, "node_filter", node.place), "ignored: nothing is selected by it")


def _fill(node: NodeDraft, scope: Scope) -> None:
    content, kind, context = node.content, node.type, Context(scope.inputs, node=node)
    properties = content.get("properties"), place_in(content, "properties", node.place)
    node.properties = assigned(*properties, kind.properties, node.name, scope, context, lenient=node.substituted)
    values = content.get("attributes"), place_in(content, "attributes", node.place)
    node.attributes = attributes(*values, kind.attributes, node.name, scope, context)
    _add_capabilities(node, scope, context)
    for name, artifact in kind.artifacts.items():
        found = read_artifact(name, artifact.content, artifact.place, artifact.file, scope, declared=True)
        if found is not None:
            node.artifacts[name] = found
    at = place_in(content, "artifacts", node.place)
    for name, raw, there in entries(content.get("artifacts"), at, scope.report):
        whole, file = _with_type(name, raw, there, node, scope)
        found = read_artifact(name, whole, there, file, scope, declared=True)
        if found is not None:
            node.artifacts[name] = found


def _with_type(name: str, raw: Any, place: Place, node: NodeDraft, scope: Scope) -> tuple[Any, str]:
    """Return an artifact with what the type says of it, if it has no file of its own, and to whose file it belongs."""
    by_type = node.type.artifacts.get(name)
    if by_type is None or not isinstance(raw, dict) or "file" in raw:
        return raw, scope.file
    said = by_type.content
    return merged(said if isinstance(said, dict) else {"file": said}, raw, place), by_type.file


def _add_capabilities(node: NodeDraft, scope: Scope, context: Context) -> None:
    at = place_in(node.content, "capabilities", node.place)
    section = node.content.get("capabilities")
    given = {name: (raw, there) for name, raw, there in entries(section, at, scope.report)}
    for name, (_, there) in given.items():
        if name not in node.type.capabilities:
            known = listed(node.type.capabilities)
            scope.report.fault(there, f"{node.type.name} has no capability {name}; there are {known}")
    for name, definition in node.type.capabilities.items():
        raw, there = given.get(name, (None, node.place.below("capabilities", name)))
        capability = _capability(node, name, definition, raw, there, scope, context)
        if capability is not None:
            node.capabilities[name] = capability


def _capability(
    node: NodeDraft, name: str, definition: CapabilityDef, raw: Any, place: Place, scope: Scope, context: Context
) -> Owner | None:
    kind = scope.types.find("capability", definition.type)
    if kind is None:
        return None
    kind = replace(
        kind,
        properties={**kind.properties, **definition.properties},
        attributes={**kind.attributes, **definition.attributes},
    )
    content = as_map(raw, place, scope.report)
    only(content, place, _CAPABILITY_KEYS, scope.report)
    if "occurrences" in content:
        scope.report.warn(
            place_in(content, "occurrences", place), "ignored: how often a capability is used is not counted"
        )
    owner, label = Owner(name, kind, place), f"{node.name}.{name}"
    properties = content.get("properties"), place_in(content, "properties", place)
    owner.properties = assigned(*properties, kind.properties, label, scope, context, lenient=node.substituted)
    values = content.get("attributes"), place_in(content, "attributes", place)
    owner.attributes = attributes(*values, kind.attributes, label, scope, context)
    return owner


def _add_operations(node: NodeDraft, scope: Scope) -> None:
    at = place_in(node.content, "interfaces", node.place)
    layer = (node.content.get("interfaces"), at, scope.file)
    node.interfaces = operations_of(node.type, [layer], scope, Context(scope.inputs, node=node))
