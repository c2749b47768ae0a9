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
        elif definition.required and not definition.has_default:
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
            slots[name] = Slot(f"{label}.{name}", value, place_in(given, name, place), context, declared[name])
    for name, definition in declared.items():
        if name not in given and definition.has_default and definition.default is not None:
            slots[name] = Slot(f"{label}.{name}", definition.default, definition.place, context, definition)
    return slots
