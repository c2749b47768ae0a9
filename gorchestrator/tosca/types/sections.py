"""The sections of a type over those of its parent: what it adds, and what it says anew of what it inherits."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from gorchestrator.tosca.faults import Place, Report
from gorchestrator.tosca.reading.shapes import (
    as_map,
    as_text,
    as_texts,
    entries,
    kind_of,
    named,
    only,
    place_in,
)
from gorchestrator.tosca.types.definitions import ArtifactDef, CapabilityDef, Kind, RequirementDef
from gorchestrator.tosca.types.values import PropertyDef, read_definition

if TYPE_CHECKING:
    from gorchestrator.tosca.types.system import TypeSystem

_CAPABILITY_KEYS = (
    "type",
    "description",
    "properties",
    "attributes",
    "valid_source_types",
    "occurrences",
    "metadata",
)
_REQUIREMENT_KEYS = (
    "capability",
    "node",
    "relationship",
    "node_filter",
    "occurrences",
    "description",
    "metadata",
)
_UNBOUNDED = "UNBOUNDED"


def definitions(
    raw: dict[str, Any], key: str, place: Place, inherited: dict[str, PropertyDef], types: "TypeSystem"
) -> dict[str, PropertyDef]:
    """Return the properties or attributes of a type with those that it inherits."""
    return inherited | _changed(raw, key, place, inherited, types)


def capabilities(
    raw: dict[str, Any], place: Place, inherited: dict[str, CapabilityDef], types: "TypeSystem"
) -> dict[str, CapabilityDef]:
    """Return the capabilities of a node type; one that names no type is the inherited one with changes."""
    found = dict(inherited)
    for name, content, at in entries(raw.get("capabilities"), place_in(raw, "capabilities", place), types.report):
        made = _capability(content, at, inherited.get(name), types)
        if made is not None:
            found[name] = made
    return found


def _capability(raw: Any, place: Place, base: CapabilityDef | None, types: "TypeSystem") -> CapabilityDef | None:
    report = types.report
    content = {"type": raw} if isinstance(raw, str) else as_map(raw, place, report)
    only(content, place, _CAPABILITY_KEYS, report, lenient=True)
    if "occurrences" in content:
        occurrences(content["occurrences"], place_in(content, "occurrences", place), report)
    if "type" in content or base is None:
        base = _typed(content, place, base, types)
        if base is None:
            return None
    kind = types.find("capability", base.type)
    own = kind.properties if kind is not None else {}
    attributes = kind.attributes if kind is not None else {}
    sources = as_texts(content.get("valid_source_types"), place_in(content, "valid_source_types", place), report)
    return CapabilityDef(
        base.type,
        place,
        base.properties | _changed(content, "properties", place, own | base.properties, types),
        base.attributes | _changed(content, "attributes", place, attributes | base.attributes, types),
        tuple(types.full_name("node", each, place.file) or each for each in sources) or base.valid_source_types,
    )


def _typed(raw: dict[str, Any], place: Place, base: CapabilityDef | None, types: "TypeSystem") -> CapabilityDef | None:
    """Return a capability of the type that is named here; if that derives from the inherited one, with its changes."""
    at = place_in(raw, "type", place)
    name = as_text(raw.get("type"), at, types.report)
    kind = types.find("capability", name, place.file) if name else None
    if kind is None:
        types.report.fault(at, f"unknown capability type {name}" if name else "a capability needs a type")
        return None
    if base is not None and base.type in (kind.name, *kind.derived_from):
        return replace(base, type=kind.name, valid_source_types=())
    return CapabilityDef(kind.name, place)


def _changed(
    raw: dict[str, Any], key: str, place: Place, known: dict[str, PropertyDef], types: "TypeSystem"
) -> dict[str, PropertyDef]:
    """Return only what is defined here, perhaps as a change of what is known."""
    found = {}
    for name, content, at in entries(raw.get(key), place_in(raw, key, place), types.report):
        base = known.get(name)
        if base is not None and base.place.file != at.file:  # in this file, its type may have another name
            base = replace(base, type=types.full_name("data", base.type, base.place.file) or base.type)
        found[name] = read_definition(name, content, at, types.report, base)
    return found


def requirements(
    raw: dict[str, Any], place: Place, inherited: dict[str, RequirementDef], types: "TypeSystem"
) -> dict[str, RequirementDef]:
    """Return the requirements of a node type; what one leaves out is as in the inherited one of its name."""
    found = dict(inherited)
    for name, content, at in named(raw.get("requirements"), place_in(raw, "requirements", place), types.report):
        found[name] = _requirement(content, at, inherited.get(name), types)
    return found


def _requirement(raw: Any, place: Place, base: RequirementDef | None, types: "TypeSystem") -> RequirementDef:
    report = types.report
    content = {"capability": raw} if isinstance(raw, str) else as_map(raw, place, report)
    only(content, place, _REQUIREMENT_KEYS, report, lenient=True)
    made = replace(base or RequirementDef("", place, place.file), place=place, file=place.file)
    if base is None and content.get("capability") is None:
        report.fault(place, "a requirement needs a capability")
    if "capability" in content:
        made = replace(made, capability=_named("capability", content, "capability", place, types))
    if "node" in content:
        made = replace(made, node=_named("node", content, "node", place, types))
    if "node_filter" in content:
        made = replace(made, node_filter=content["node_filter"])
    if "occurrences" in content:
        bounds = occurrences(content["occurrences"], place_in(content, "occurrences", place), report)
        made = replace(made, occurrences=bounds)
    return _related(made, content, place, types)


def _named(kind: Kind, content: dict[str, Any], key: str, place: Place, types: "TypeSystem") -> str:
    """Return the full name of a type that is named here; what is no type of this kind stays as it is written."""
    written = as_text(content.get(key), place_in(content, key, place), types.report)
    return types.full_name(kind, written, place.file) or written


def _related(made: RequirementDef, content: dict[str, Any], place: Place, types: "TypeSystem") -> RequirementDef:
    """Return a requirement with its relationship: the name of a type, or a map with it and with interfaces."""
    relationship, at = content.get("relationship"), place_in(content, "relationship", place)
    if not isinstance(relationship, dict):
        name = _named("relationship", content, "relationship", place, types)
        return replace(made, relationship=name) if name else made
    only(relationship, at, ("type", "interfaces", "description"), types.report, lenient=True)
    name = _named("relationship", relationship, "type", at, types)
    return replace(
        made,
        relationship=name or made.relationship,
        relationship_interfaces=relationship.get("interfaces", made.relationship_interfaces),
    )


def occurrences(raw: Any, place: Place, report: Report) -> tuple[int, int | None]:
    """Return least and most, None without a limit; a number alone is both."""
    pair = [raw, raw] if isinstance(raw, int) else raw
    if isinstance(pair, list) and len(pair) == len(("least", "most")):
        least, most = pair
        if _is_count(least) and (most == _UNBOUNDED or (_is_count(most) and most >= least)):
            return least, None if most == _UNBOUNDED else most
    report.fault(place, f"must be [least, most], such as [0, {_UNBOUNDED}], but is {kind_of(raw)}")
    return 0, None


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def artifacts(
    raw: dict[str, Any], place: Place, inherited: dict[str, ArtifactDef], report: Report
) -> dict[str, ArtifactDef]:
    """Return the artifacts of a node type."""
    section = entries(raw.get("artifacts"), place_in(raw, "artifacts", place), report)
    return inherited | {name: ArtifactDef(content, at, at.file) for name, content, at in section}
