"""Where the path of a function leads: through capabilities and requirements to a property, and into nested values."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gorchestrator.tosca.faults import Place
from gorchestrator.tosca.model import Runtime, Text, Token, Value
from gorchestrator.tosca.reading.shapes import kind_of
from gorchestrator.tosca.topology.scope import Link, NodeDraft, Owner, Slot
from gorchestrator.tosca.types.values import PropertyDef

if TYPE_CHECKING:
    from gorchestrator.tosca.topology.evaluation import Evaluator

_WITHOUT_PARTS = ("string", "integer", "float", "boolean", "timestamp", "version")
_IMPLICIT = ("tosca_id", "tosca_name", "state")


@dataclass(frozen=True, slots=True)
class Found:
    """What a path leads to. ``slot``: None if it has no value; ``path``: what is left of it, into the value."""

    label: str
    node: str  # of whom it is an attribute: for a relationship its source
    link: Link | None  # the relationship, if it is one's
    name: str
    slot: Slot | None
    definition: PropertyDef | None
    path: list[str | int]
    capability: str = ""


def told(path: Sequence[Value]) -> str:
    """Tell a path in words."""
    return ".".join(map(str, path))


def find(owner: Owner, path: list[Value], *, attribute: bool) -> Found | None:
    """Return what a path leads to from a node, relationship or capability; None if there is no such thing.

    A capability or requirement of the name goes before a property of it, if it has what comes next.
    """
    if not path or not all(isinstance(key, (str, int)) for key in path):
        return None
    first, *rest = path
    node = owner.source.name if isinstance(owner, Link) else owner.name
    if isinstance(owner, NodeDraft) and rest:
        for each, label in _beyond(owner, first):
            through = _own(each, label[0], label[1], rest, attribute=attribute)
            if through is not None:
                return through
    own = _own(owner, node, owner.name, path, attribute=attribute)
    if own is None and attribute and isinstance(owner, NodeDraft):
        return next(filter(None, (_own(each, node, node, path, attribute=True) for each in _capabilities(owner))), None)
    return own


def names(owners: Iterable[Owner], path: list[Value], *, attribute: bool) -> set[str]:
    """Return what could have been named: beyond the capability or requirement that a path begins with, if it does."""
    found: list[Owner] = []
    for owner in owners:
        beyond = _beyond(owner, path[0]) if isinstance(owner, NodeDraft) and len(path) > 1 else []
        found.extend([each for each, _ in beyond] or [owner])
    kinds = [each.type for each in found]
    return {name for kind in kinds for name in (*kind.properties, *(kind.attributes if attribute else ()))}


def _capabilities(node: NodeDraft) -> list[Owner]:
    """Return where an attribute may be found that the node itself lacks: some name only that of a capability."""
    return list(node.capabilities.values())


def _beyond(node: NodeDraft, name: Value) -> list[tuple[Owner, tuple[str, str]]]:
    """Return the capability of a name, or what a requirement of it leads to and is, each with node and label."""
    if not isinstance(name, str):
        return []
    found: list[tuple[Owner, tuple[str, str]]] = []
    if name in node.capabilities:
        found.append((node.capabilities[name], (node.name, f"{node.name}.{name}")))
    for link in node.links:
        if link.name == name:
            target = link.target
            if link.capability in target.capabilities:
                capability = target.capabilities[link.capability]
                found.append((capability, (target.name, f"{target.name}.{link.capability}")))
            found.append((target, (target.name, target.name)))
            found.append((link, (node.name, f"{node.name}.{name}")))
    return found


def _own(owner: Owner, node: str, label: str, path: list[Value], *, attribute: bool) -> Found | None:
    """Return a property (or attribute) of an owner itself."""
    name, *rest = path
    within = "" if isinstance(owner, (NodeDraft, Link)) else owner.name
    link = owner if isinstance(owner, Link) else None
    if attribute and (name in owner.attributes or name in owner.type.attributes):
        slot = owner.attributes.get(name) or owner.properties.get(name)
        return Found(f"{label}.{name}", node, link, name, slot, owner.type.attributes.get(name), rest, within)
    if name in owner.properties or name in owner.type.properties:
        definition = owner.type.properties.get(name)
        return Found(f"{label}.{name}", node, link, name, owner.properties.get(name), definition, rest, within)
    if attribute and name in _IMPLICIT:
        return Found(f"{label}.{name}", node, link, name, None, None, rest)
    return None


def part_of(evaluator: "Evaluator", value: Value, path: Sequence[str | int], place: Place) -> Value:
    """Return a part of a nested value."""
    for index, key in enumerate(path):
        if isinstance(value, Runtime):
            rest = path[index:]
            return replace(value, path=(*value.path, *rest), default=part_if_any(value.default, rest))
        if isinstance(value, dict) and (key in value or str(key) in value):
            value = value[key if key in value else str(key)]
        elif isinstance(value, list) and isinstance(key, int) and 0 <= key < len(value):
            value = value[key]
        else:
            raise evaluator.refusal(place, f"there is no {key} in {_kind(value)}")
    return value


def part_if_any(value: Value, path: Sequence[str | int]) -> Value:
    """Return a part of a nested value; None if it has no such part, or not before the run."""
    for key in path:
        if isinstance(value, dict):
            value = value.get(key, value.get(str(key)))
        elif isinstance(value, list) and isinstance(key, int) and 0 <= key < len(value):
            value = value[key]
        else:
            return None
    return value


def _kind(value: Value) -> str:
    if isinstance(value, (Text, Token)):
        return "a text"
    return f"a list of {len(value)}" if isinstance(value, list) else kind_of(value)


def check_path(evaluator: "Evaluator", found: Found, place: Place) -> None:
    """Refuse a path that leads into what has no parts, as far as the types tell. Raises Unresolved."""
    definition = found.definition
    for key in found.path:
        if definition is None:
            return
        if definition.type in _WITHOUT_PARTS or definition.type.startswith("scalar-unit."):
            raise evaluator.refusal(place, f"{found.label} is of type {definition.type}: there is no {key} in it")
        if definition.type in ("list", "map"):
            if definition.type == "list" and not isinstance(key, int):
                raise evaluator.refusal(place, f"{found.label} is a list: it has numbers, not {key}")
            definition = definition.entry_schema
            continue
        data = evaluator.scope.types.find("data", definition.type, definition.place.file)
        if data is not None and data.properties and key not in data.properties:
            raise evaluator.refusal(place, f"{found.label}: {definition.type} has no {key}")
        definition = data.properties.get(str(key)) if data is not None else None
