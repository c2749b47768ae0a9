"""Conditions of a node_filter: constraints that a property of a candidate must meet, or the value that it must have."""

from gorchestrator.tosca.faults import Report
from gorchestrator.tosca.model import Value
from gorchestrator.tosca.reading.source import Map
from gorchestrator.tosca.topology.scope import Scope
from gorchestrator.tosca.types.checking import check
from gorchestrator.tosca.types.values import PropertyDef, read_definition


def met(value: Value, conditions: Value, definition: PropertyDef, scope: Scope) -> bool:
    """Whether a value meets a constraint, or each of a list of them; what is no constraint, it must equal."""
    wanted = conditions if isinstance(conditions, list) else [conditions]
    if not all(isinstance(each, dict) for each in wanted):
        return bool(value == conditions)
    declared = Map(definition.place)
    declared.put("type", definition.type, 0)
    declared.put("constraints", wanted, 0)
    found = Report()
    checked = read_definition(definition.name, declared, definition.place, found)
    check(value, checked, definition.place, scope.types, found)
    return not found.faults
