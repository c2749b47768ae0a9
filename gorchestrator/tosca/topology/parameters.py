"""Inputs of operations: declared by types, assigned by templates, of one operation or of its whole interface."""

from dataclasses import dataclass, field
from typing import Any

from gorchestrator.tosca.faults import Place
from gorchestrator.tosca.model import Value
from gorchestrator.tosca.reading.shapes import as_texts, entries, kind_of
from gorchestrator.tosca.topology.scope import Context, Scope, Slot, Slots
from gorchestrator.tosca.types.values import PropertyDef, read_definition

_DEFINITION_KEYS = frozenset(
    ("type", "description", "required", "default", "value", "constraints", "entry_schema", "key_schema", "status")
)


@dataclass(slots=True)
class Parameters:
    """What is declared and assigned so far; a later layer goes before an earlier one."""

    declared: dict[str, PropertyDef] = field(default_factory=dict)
    assigned: dict[str, tuple[Value, Place]] = field(default_factory=dict)

    def add(self, section: Any, place: Place, scope: Scope) -> None:
        """Add a layer: each entry declares an input (perhaps with a value), or assigns one."""
        for name, raw, at in entries(section, place, scope.report):
            if not _declares(raw, scope):
                self.assigned[name] = (raw, at)
                continue
            self.declared[name] = definition = read_definition(name, raw, at, scope.report)
            given = "value" if "value" in raw else "default"
            if raw.get(given) is not None:
                self.assigned[name] = (raw[given], definition.place.below(given))

    def slots(self, shared: "Parameters", label: str, context: Context) -> Slots:
        """Return a slot for each input that has a value; ``shared``: those of the whole interface."""
        declared = shared.declared | self.declared
        values = shared.assigned | self.assigned
        return {
            name: Slot(f"{label}.{name}", value, place, context, declared.get(name))
            for name, (value, place) in values.items()
        }


def _declares(raw: Any, scope: Scope) -> bool:
    """Whether an entry is a declaration: a map of what one may have, with the name of a type or with a default."""
    if not isinstance(raw, dict) or not _DEFINITION_KEYS.issuperset(raw):
        return False
    if "type" not in raw:
        return "default" in raw
    return isinstance(raw["type"], str) and scope.types.is_data(raw["type"])


def path_of(raw: Any, place: Place, scope: Scope) -> tuple[str, ...]:
    """Return the path of the attribute that an operation's output sets: [SELF, attribute], or a map with it."""
    if isinstance(raw, dict):
        raw = raw.get("mapping", raw.get("value"))
    if raw is None:
        return ()
    path = tuple(as_texts(raw, place, scope.report))
    if len(path) <= 1:
        scope.report.fault(place, f"must be a list of a node and its attribute, but is {kind_of(raw)}")
    return path
