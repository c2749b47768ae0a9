"""The functions that look something up: inputs, properties, attributes, outputs of operations, artifacts, nodes."""

from typing import TYPE_CHECKING, Any

from gorchestrator.tosca.faults import Place
from gorchestrator.tosca.model import FileName, Runtime, Value
from gorchestrator.tosca.reading.shapes import listed
from gorchestrator.tosca.topology import paths
from gorchestrator.tosca.topology.scope import Context, Link, NodeDraft, OperationDrafts, Owner

if TYPE_CHECKING:
    from gorchestrator.tosca.topology.evaluation import Evaluator

_STANDING_FOR = ("SELF", "HOST", "SOURCE", "TARGET")


def get_input(evaluator: "Evaluator", arguments: list[Any], place: Place, context: Context) -> Value:
    """Return an input, or a part of one."""
    name, *path = evaluator.evaluate(arguments, place, context)
    slot = context.inputs.get(name) if isinstance(name, str) else None
    if slot is None:
        raise evaluator.refusal(place, f"unknown input {name}; there are {listed(context.inputs)}")
    return paths.part_of(evaluator, evaluator.value(slot), path, place)


def get_property(evaluator: "Evaluator", arguments: list[Any], place: Place, context: Context) -> Value:
    """Return a property of a node, a relationship, or of a capability of either end of a requirement."""
    entity, *path = evaluator.evaluate(arguments, place, context)
    owners = _owners(evaluator, entity, place, context)
    for owner in owners:
        found = paths.find(owner, path, attribute=False)
        if found is not None:
            return _value_of(evaluator, found, place)
    known = listed(paths.names(owners, path, attribute=False))
    raise evaluator.refusal(place, f"{entity} has no property {paths.told(path)}; there are {known}")


def get_attribute(evaluator: "Evaluator", arguments: list[Any], place: Place, context: Context) -> Value:
    """Return an attribute if its value is known before the run, else what stands for it."""
    entity, *path = evaluator.evaluate(arguments, place, context)
    owners = _owners(evaluator, entity, place, context)
    for owner in owners:
        found = paths.find(owner, path, attribute=True)
        if found is not None:
            return _attribute(evaluator, found, place)
    known = listed(paths.names(owners, path, attribute=True))
    raise evaluator.refusal(place, f"{entity} has no attribute {paths.told(path)}; there are {known}")


def get_operation_output(evaluator: "Evaluator", arguments: list[Any], place: Place, context: Context) -> Value:
    """Return what stands for an output of an operation."""
    entity, interface, operation, name = evaluator.evaluate(arguments, place, context)
    if not all(isinstance(each, str) for each in (interface, operation, name)):
        raise evaluator.refusal(place, "interface, operation and output must be texts")
    owners = _owners(evaluator, entity, place, context)
    for owner in owners:
        drafts = _interfaces(owner)
        called = interface if interface in drafts else interface.rpartition(".")[2]
        if operation in drafts.get(called, {}):
            if isinstance(owner, Link):
                return Runtime(owner.source.name, name, (called, operation), relationship=owner.place_among)
            return Runtime(owner.name, name, (called, operation))
    known = {f"{one}.{each}" for owner in owners for one, each_of in _interfaces(owner).items() for each in each_of}
    raise evaluator.refusal(place, f"{entity} has no operation {interface}.{operation}; there are {listed(known)}")


def get_artifact(evaluator: "Evaluator", arguments: list[Any], place: Place, context: Context) -> Value:
    """Return the file of an artifact, as it is written."""
    entity, name, *placed = evaluator.evaluate(arguments, place, context)
    owners = [owner for owner in _owners(evaluator, entity, place, context) if isinstance(owner, NodeDraft)]
    if placed:
        evaluator.scope.report.warn(place, "location and remove are ignored: an artifact stays where it is")
    for owner in owners:
        if isinstance(name, str) and name in owner.artifacts:
            return FileName(owner.artifacts[name])
    known = {each for owner in owners for each in owner.artifacts}
    raise evaluator.refusal(place, f"{entity} has no artifact {name}; there are {listed(known)}")


def get_nodes_of_type(evaluator: "Evaluator", arguments: list[Any], place: Place, context: Context) -> Value:
    """Return the names of the node templates of a type."""
    (name,) = evaluator.evaluate(arguments, place, context)
    wanted = evaluator.scope.types.find("node", name) if isinstance(name, str) else None
    if wanted is None:
        raise evaluator.refusal(place, f"unknown node type {name}")
    return [node.name for node in evaluator.scope.of_type(wanted.name)]


def _owners(evaluator: "Evaluator", entity: Value, place: Place, context: Context) -> list[Owner]:
    """Return where to look for what is asked of an entity; more than one for HOST. Never empty."""
    if not isinstance(entity, str):
        raise evaluator.refusal(place, "the node that is asked must be a text")
    owners = _standing_for(entity, context) if entity in _STANDING_FOR else _called(evaluator, entity)
    if owners:
        return owners
    if entity == "HOST" and context.node is not None:
        raise evaluator.refusal(place, f"HOST: {context.node.name} is hosted on nothing")
    if entity in _STANDING_FOR:
        raise evaluator.refusal(place, f"{entity} has no meaning here")
    raise evaluator.refusal(place, f"unknown node template {entity}; there are {listed(evaluator.scope.nodes)}")


def _standing_for(entity: str, context: Context) -> list[Owner]:
    node, link = context.node, context.link
    if link is not None:
        ends: dict[str, list[Owner]] = {
            "SELF": [link],
            "SOURCE": [link.source],
            "TARGET": [link.target],
            "HOST": [*link.source.hosts()],
        }
        return ends[entity]
    if node is None:
        return []
    return [node] if entity == "SELF" else [*node.hosts()] if entity == "HOST" else []


def _called(evaluator: "Evaluator", name: str) -> list[Owner]:
    """Return the node of a name, or the relationships that a relationship template came to; itself, if to none."""
    scope = evaluator.scope
    if name not in scope.nodes and name in scope.linked:
        return [*scope.linked[name]]
    found = scope.nodes.get(name) or scope.relationships.get(name)
    return [found] if found is not None else []


def _interfaces(owner: Owner) -> OperationDrafts:
    return owner.interfaces if isinstance(owner, (NodeDraft, Link)) else {}


def _value_of(evaluator: "Evaluator", found: "paths.Found", place: Place) -> Value:
    """Return a property's value; where it has none, nothing, with a warning."""
    paths.check_path(evaluator, found, place)
    if found.slot is None:
        evaluator.scope.report.warn(place, f"{found.label} has no value")
        return None
    return paths.part_of(evaluator, evaluator.value(found.slot), found.path, place)


def _attribute(evaluator: "Evaluator", found: "paths.Found", place: Place) -> Value:
    """Return an attribute's value if no operation sets it, else what stands for it."""
    paths.check_path(evaluator, found, place)
    if found.name == "tosca_name":
        return found.node
    if found.slot is not None and (found.link or found.node, found.name) not in evaluator.scope.produced:
        return paths.part_of(evaluator, evaluator.value(found.slot), found.path, place)
    default = None if found.slot is None else paths.part_if_any(evaluator.value(found.slot), found.path)
    relationship = None if found.link is None else found.link.place_among
    return Runtime(found.node, found.name, None, tuple(found.path), found.capability, relationship, default)
