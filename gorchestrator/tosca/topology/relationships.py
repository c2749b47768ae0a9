"""Relationships: of which type a link is, which capability of its target it uses, and what it has of its own."""

from typing import TYPE_CHECKING, Any

from gorchestrator.tosca.faults import Place
from gorchestrator.tosca.reading.shapes import as_map, as_text, entries, kind_of, listed, only, place_in
from gorchestrator.tosca.topology.copying import copied
from gorchestrator.tosca.topology.interfaces import operations_of
from gorchestrator.tosca.topology.properties import assigned, attributes
from gorchestrator.tosca.topology.scope import Context, Link, NodeDraft, Owner, Scope
from gorchestrator.tosca.types.definitions import EntityType

if TYPE_CHECKING:
    from gorchestrator.tosca.topology.requirements import Wanted

_TEMPLATE_KEYS = ("type", "description", "metadata", "properties", "attributes", "interfaces", "copy")
_INLINE_KEYS = ("type", "properties", "interfaces", "description", "metadata")
_BY_CAPABILITY = (
    ("tosca.capabilities.Container", "tosca.relationships.HostedOn"),
    ("tosca.capabilities.Endpoint", "tosca.relationships.ConnectsTo"),
)
_ANY = "tosca.relationships.DependsOn"  # where nothing says more: the strictest order


def read_templates(section: Any, place: Place, scope: Scope) -> None:
    """Note the relationship templates, so that requirements can name them and functions ask them."""
    for name, raw, at in entries(section, place, scope.report):
        content = copied(as_map(raw, at, scope.report), section, at, scope.report)
        only(content, at, _TEMPLATE_KEYS, scope.report)
        kind = _type_called(as_text(content.get("type"), place_in(content, "type", at), scope.report), at, scope)
        if kind is not None:
            owner = Owner(name, kind, at)
            properties = content.get("properties"), place_in(content, "properties", at)
            owner.properties = assigned(*properties, kind.properties, name, scope, scope.outside)
            values = content.get("attributes"), place_in(content, "attributes", at)
            owner.attributes = attributes(*values, kind.attributes, name, scope, scope.outside)
            scope.relationships[name] = owner
            scope.contents[name] = content


def link_to(wanted: "Wanted", target: NodeDraft, scope: Scope) -> None:
    """Add a link for a requirement whose target is found."""
    kind, content, place, said = _relationship(wanted, target, scope)
    if kind is None:
        return
    source, label = wanted.source, f"{wanted.source.name}.{wanted.name}"
    capability = _capability(wanted, target, scope)
    link = Link(wanted.name, kind, wanted.place, source=source, target=target, capability=capability)
    context = Context(scope.inputs, link=link)
    properties = content.get("properties"), place_in(content, "properties", place)
    link.properties = assigned(*properties, kind.properties, label, scope, context, lenient=not said)
    values = content.get("attributes"), place_in(content, "attributes", place)
    link.attributes = attributes(*values, kind.attributes, label, scope, context)
    link.interfaces = operations_of(kind, _layers(wanted, content, place, scope), scope, context)
    source.links.append(link)
    if isinstance(wanted.relationship, str) and wanted.relationship in scope.relationships:
        scope.linked.setdefault(wanted.relationship, []).append(link)
    _warn_of_misfits(wanted, link, scope)


def _warn_of_misfits(wanted: "Wanted", link: Link, scope: Scope) -> None:
    """Tell where a target that was named is not of the kind that the types ask for; it is taken all the same."""
    definition, source, target = wanted.definition, link.source, link.target
    asked = scope.types.find("node", definition.node) if definition is not None and definition.node else None
    if asked is not None and not _is_a(target.type, asked.name):
        text = f"{target.name} is a {target.type.name}, but {link.name} of {source.type.name} asks for a {asked.name}"
        scope.report.warn(wanted.place, text)
    offered = target.type.capabilities.get(link.capability)
    names = offered.valid_source_types if offered is not None else ()
    kinds = [kind.name for name in names if (kind := scope.types.find("node", name)) is not None]
    if kinds and not any(_is_a(source.type, name) for name in kinds):
        text = f"{target.name}.{link.capability} is for {listed(kinds)}, but {source.name} is a {source.type.name}"
        scope.report.warn(wanted.place, text)


def _relationship(
    wanted: "Wanted", target: NodeDraft, scope: Scope
) -> tuple[EntityType | None, dict[str, Any], Place, bool]:
    """Return type and content of a link, where it stands, and whether the template says its type."""
    raw, place = wanted.relationship, wanted.place.below("relationship")
    declared = wanted.definition.relationship if wanted.definition is not None else ""
    if isinstance(raw, str):
        if raw in scope.relationships:
            return scope.relationships[raw].type, scope.contents[raw], scope.relationships[raw].place, True
        return _type_called(raw, place, scope), {}, place, True
    if raw is not None and not isinstance(raw, dict):
        scope.report.fault(place, f"must be a type, a relationship template or a map, but is {kind_of(raw)}")
        return None, {}, place, False
    content = as_map(raw, place, scope.report)
    only(content, place, _INLINE_KEYS, scope.report)
    called = as_text(content.get("type"), place_in(content, "type", place), scope.report)
    name = called or declared or _inferred(wanted, target, scope)
    return _type_called(name, place, scope), content, place, bool(called or declared)


def _layers(wanted: "Wanted", content: dict[str, Any], place: Place, scope: Scope) -> list[tuple[Any, Place, str]]:
    """Return the sections ``interfaces`` that go over the type's: of the requirement's definition, of the link."""
    own = (content.get("interfaces"), place_in(content, "interfaces", place), scope.file)
    definition = wanted.definition
    if definition is None or not definition.relationship_interfaces:
        return [own]
    return [(definition.relationship_interfaces, definition.place, definition.file), own]


def _type_called(name: str, place: Place, scope: Scope) -> EntityType | None:
    found = scope.types.find("relationship", name) if name else None
    if found is None:
        text = f"unknown relationship type {name}" if name else "a relationship template needs a type"
        more = f"; of relationship templates there are {listed(scope.relationships)}" if name else ""
        scope.report.fault(place, text + more)
    return found


def _inferred(wanted: "Wanted", target: NodeDraft, scope: Scope) -> str:
    """Return the relationship type that a capability stands for, where neither template nor type says one."""
    name = wanted.definition.capability if wanted.definition is not None else wanted.capability
    kind = target.capabilities[name].type if name in target.capabilities else scope.types.find("capability", name)
    chain = (kind.name, *kind.derived_from) if kind is not None else ()
    return next((relationship for capability, relationship in _BY_CAPABILITY if capability in chain), _ANY)


def _capability(wanted: "Wanted", target: NodeDraft, scope: Scope) -> str:
    """Return the capability of the target that fits; "" with a warning if none does."""
    declared = wanted.definition.capability if wanted.definition is not None else ""
    asked = wanted.capability or declared
    if asked in target.capabilities:
        return asked
    if not asked:
        return wanted.name if wanted.name in target.capabilities else ""
    kind = scope.types.find("capability", asked)
    fitting = [name for name, each in target.capabilities.items() if kind is not None and _is_a(each.type, kind.name)]
    if not fitting:
        scope.report.warn(wanted.place, f"{target.name} has no capability {asked}; there are {_told(target)}")
        return wanted.name if wanted.name in target.capabilities else ""
    return wanted.name if wanted.name in fitting else fitting[0]


def _is_a(kind: EntityType, name: str) -> bool:
    return name == kind.name or name in kind.derived_from


def _told(node: NodeDraft) -> str:
    return listed([f"{name} ({each.type.name})" for name, each in node.capabilities.items()])
