"""Inputs of a topology or of a workflow: what was given, else the default, checked against what is declared."""

from collections.abc import Mapping
from typing import Any

from gorchestrator.tosca.faults import Place
from gorchestrator.tosca.model import Value
from gorchestrator.tosca.reading.shapes import entries, listed, place_in
from gorchestrator.tosca.topology.scope import Context, Scope, Slot, Slots
from gorchestrator.tosca.types.values import PropertyDef, read_definition

_GIVEN = "inputs"  # stands for the file in messages about what was given


def declared_in(section: Any, place: Place, scope: Scope) -> dict[str, PropertyDef]:
    """Return the parameters that a section ``inputs`` declares."""
    return {
        name: read_definition(name, raw, at, scope.report) for name, raw, at in entries(section, place, scope.report)
    }


def slots_for(declared: Mapping[str, PropertyDef], given: Mapping[str, Value], scope: Scope, within: Slots) -> Slots:
    """Return a slot for each declared input that has a value or needs none; what is missing is left out.

    ``within``: the inputs that defaults may ask for.
    """
    slots: Slots = {}
    for name, definition in declared.items():
        context = Context(within)
        if given.get(name) is not None:
            slots[name] = Slot(name, given[name], place_in(given, name, Place(_GIVEN)), context, definition)
        elif definition.has_default and definition.default is not None:
            slots[name] = Slot(name, definition.default, definition.place.below("default"), context, definition)
        elif not definition.needs_value:
            slots[name] = Slot(name, None, definition.place, context)
    return slots


def resolve_inputs(section: Any, place: Place, given: Mapping[str, Value], scope: Scope, others: set[str]) -> None:
    """Fill the scope's inputs; a required one without a value is a fault, and so is one that nothing declares.

    ``others``: names that workflows declare, which may be given as well.
    """
    declared = declared_in(section, place, scope)
    scope.inputs.update(slots_for(declared, given, scope, scope.inputs))
    for name, definition in declared.items():
        if name not in scope.inputs:
            kind = f" ({definition.description.strip()})" if definition.description else ""
            text = f"the input {name} is required and has no value{kind}: give it one (-i FILE)"
            scope.report.fault(definition.place, text)
            failed = Slot(name, None, definition.place, scope.outside, done=True, failed=True)
            scope.inputs[name] = failed
    for name in given:
        if name not in declared and name not in others:
            known = listed({*declared, *others})
            scope.report.fault(
                place_in(given, name, Place(_GIVEN)), f"the template has no input {name}; there are {known}"
            )
