"""Properties and attributes of anything that has a type: what is assigned, else the type's default."""

from collections.abc import Mapping
from typing import Any

from gorchestrator.tosca.faults import Place
from gorchestrator.tosca.reading.shapes import as_map, listed, place_in
from gorchestrator.tosca.topology.scope import Context, Scope, Slot, Slots
from gorchestrator.tosca.types.values import PropertyDef


def assigned(
    section: Any,
    place: Place,
    declared: Mapping[str, PropertyDef],
    label: str,
    scope: Scope,
    context: Context,
    *,
    lenient: bool = False,
) -> Slots:
    """Return a slot for each declared property that has a value.

    Unknown ones are faults, and so are required ones without a value (``lenient``: warnings). ``place``: of the section
    ``properties``, of which ``section`` is what stands there.
    """
    given = as_map(section, place, scope.report)
    slots: Slots = {}
    for name in given:
        if name not in declared:
            known = listed(declared)
            scope.report.fault(place_in(given, name, place), f"{label} has no property {name}; there are {known}")
    for name, definition in declared.items():
        if given.get(name) is not None:
            slots[name] = Slot(f"{label}.{name}", given[name], place_in(given, name, place), context, definition)
        elif definition.has_default and definition.default is not None:
            slots[name] = Slot(f"{label}.{name}", definition.default, definition.place, context, definition)
        elif definition.needs_value:
            note = scope.report.warn if lenient else scope.report.fault
            note(place_in(given, name, place), f"{label} needs a value for its property {name}")
    return slots


def attributes(
    section: Any, place: Place, declared: Mapping[str, PropertyDef], label: str, scope: Scope, context: Context
) -> Slots:
    """Return a slot for each attribute that has a value before the run; unknown ones are faults."""
    given = as_map(section, place, scope.report)
    slots: Slots = {}
    for name, value in given.items():
        if name not in declared:
            known = listed(declared)
            scope.report.fault(place_in(given, name, place), f"{label} has no attribute {name}; there are {known}")
        elif value is not None:
            at, label_of = place_in(given, name, place), f"{label}.{name}"
            if _is_long(value, declared[name], scope):
                slots[name] = Slot(label_of, value["value"], place_in(value, "value", at), context, declared[name])
            else:
                slots[name] = Slot(label_of, value, at, context, declared[name])
    for name, definition in declared.items():
        if name not in given and definition.has_default and definition.default is not None:
            slots[name] = Slot(f"{label}.{name}", definition.default, definition.place, context, definition)
    return slots


def _is_long(value: Any, definition: PropertyDef, scope: Scope) -> bool:
    """Whether an attribute is given in the long notation, a map with ``value``; not so a map that has such a key."""
    if not isinstance(value, dict) or "value" not in value or not set(value) <= {"value", "description"}:
        return False
    data = scope.types.find("data", definition.type, definition.place.file)
    if data is not None and data.value is None:
        return bool(data.properties) and "value" not in data.properties
    kind = definition.type if data is None or data.value is None else data.value.type
    return kind not in ("map", "json")
