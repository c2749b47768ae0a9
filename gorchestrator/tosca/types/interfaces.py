"""Interfaces of types, in both notations: operations below ``operations`` (1.3), or directly in the interface."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from gorchestrator.tosca.faults import Place, Report
from gorchestrator.tosca.reading.shapes import as_map, as_text, entries, place_in
from gorchestrator.tosca.reading.source import Map
from gorchestrator.tosca.types.definitions import InterfaceDef, OperationDef

if TYPE_CHECKING:
    from gorchestrator.tosca.types.system import TypeSystem

_RESERVED = ("type", "derived_from", "version", "description", "metadata", "inputs", "operations", "notifications")


def of_interface_type(
    raw: dict[str, Any], name: str, place: Place, inherited: dict[str, InterfaceDef], report: Report
) -> dict[str, InterfaceDef]:
    """Return the one interface that an interface type describes."""
    base = next(iter(inherited.values()), InterfaceDef(name, place))
    return {"": _over(base, name, raw, place, report)}


def of_type(
    raw: dict[str, Any], place: Place, inherited: dict[str, InterfaceDef], types: "TypeSystem"
) -> dict[str, InterfaceDef]:
    """Return the interfaces of a node, relationship or group type over those that it inherits."""
    found = dict(inherited)
    for name, content, at in entries(raw.get("interfaces"), place_in(raw, "interfaces", place), types.report):
        found[name] = _interface(name, as_map(content, at, types.report), at, inherited.get(name), types)
    return found


def _interface(
    name: str, raw: dict[str, Any], place: Place, inherited: InterfaceDef | None, types: "TypeSystem"
) -> InterfaceDef:
    at = place_in(raw, "type", place)
    written = as_text(raw.get("type"), at, types.report)
    if inherited is not None and inherited.type and not written:
        return _over(inherited, inherited.type, raw, place, types.report)
    kind = types.find("interface", written or name, place.file)
    if kind is None:
        if written:
            types.report.fault(at, f"unknown interface type {written}")
        base = inherited or InterfaceDef("", place)
        return _over(base, base.type, raw, place, types.report)
    base = next(iter(kind.interfaces.values()))
    if inherited is not None:
        base = _refined(base, inherited, types.report)
    return _over(base, kind.name, raw, place, types.report)


def _refined(described: InterfaceDef, inherited: InterfaceDef, report: Report) -> InterfaceDef:
    """Return an inherited interface as one of another type, which may say more of its operations and inputs."""
    operations = dict(described.operations)
    for name, layers in inherited.operations.items():
        known = operations.get(name, ())
        operations[name] = (*known, *(each for each in layers if each not in known))
    inputs = _inputs((described.inputs, inherited.inputs), described.place, report)
    return InterfaceDef(described.type, described.place, inputs, operations)


def _over(base: InterfaceDef, kind: str, raw: dict[str, Any], place: Place, report: Report) -> InterfaceDef:
    """Return an interface with what is written over it."""
    operations = dict(base.operations)
    for name, content, at in _operations(raw, place, report):
        operations[name] = (*operations.get(name, ()), OperationDef(name, content, at, at.file))
    at = place_in(raw, "inputs", place)
    inputs = _inputs((base.inputs, as_map(raw.get("inputs"), at, report)), at, report)
    return InterfaceDef(kind, place, inputs, operations)


def _inputs(sections: Iterable[dict[str, Any]], place: Place, report: Report) -> Map:
    """Put sections ``inputs`` over each other."""
    inputs = Map(place)
    for section in sections:
        for name, content, there in entries(section, place, report):
            inputs.put(name, content, there.line)
    return inputs


def _operations(raw: dict[str, Any], place: Place, report: Report) -> Iterator[tuple[str, Any, Place]]:
    """Yield the operations of both notations."""
    for name, _, at in entries(raw.get("notifications"), place_in(raw, "notifications", place), report):
        report.warn(at, f"the notification {name} is ignored: nothing notifies the service")
    yield from entries(raw.get("operations"), place_in(raw, "operations", place), report)
    for name, content in raw.items():
        if name not in _RESERVED:
            yield name, content, place_in(raw, name, place)
