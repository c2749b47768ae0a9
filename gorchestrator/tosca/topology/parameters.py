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
_TELLING = frozenset(("required", "default", "constraints"))  # beside a type, they make a definition


@dataclass(slots=True)
class Parameters:
    """What is declared and assigned so far; a later layer goes before an earlier one.

    ``defaults``: values that types give; ``assigned``: those of templates, which go before.
    """

    declared: dict[str, PropertyDef] = field(default_factory=dict)
    defaults: dict[str, tuple[Value, Place]] = field(default_factory=dict)
    assigned: dict[str, tuple[Value, Place]] = field(default_factory=dict)

    def add(self, section: Any, place: Place, scope: Scope, *, by_type: bool) -> None:
        """Add a layer: each entry declares an input (perhaps with a value), or assigns one."""
        values = self.defaults if by_type else self.assigned
        for name, raw, at in entries(section, place, scope.report):
            if not _declares(raw, at, scope, by_type=by_type):
                values[name] = (raw, at)
                continue
            self.declared[name] = definition = read_definition(name, raw, at, scope.report)
            if definition.type and not scope.types.is_data(definition.type, at.file):
                scope.report.fault(at, f"is of an unknown type {definition.type}")
            given = "value" if "value" in raw else "default"
            if raw.get(given) is not None:
                values[name] = (raw[given], definition.place.below(given))

    def slots(self, shared: "Parameters", label: str, context: Context) -> Slots:
        """Return a slot for each input that has a value; ``shared``: those of the whole interface."""
        declared = shared.declared | self.declared
        values = shared.defaults | self.defaults | shared.assigned | self.assigned
        return {
            name: Slot(f"{label}.{name}", value, place, context, declared.get(name), handed_over=True)
            for name, (value, place) in values.items()
        }

    def missing(self, shared: "Parameters", slots: Slots) -> list[PropertyDef]:
        """Return what is declared as required and has no value."""
        declared = shared.declared | self.declared
        return [each for name, each in declared.items() if name not in slots and each.needs_value]


def _declares(raw: Any, place: Place, scope: Scope, *, by_type: bool) -> bool:
    """Whether an entry is a declaration: a map of what one may have, with the name of a type or with a default.

    A ``value`` alone makes one in a type only: a template may assign a map that has such a key.
    """
    if not isinstance(raw, dict):
        return False
    kind, is_plain = raw.get("type"), _DEFINITION_KEYS.issuperset(raw)
    if not isinstance(kind, str):
        return is_plain and "type" not in raw and ("default" in raw or (by_type and "value" in raw))
    return not _TELLING.isdisjoint(raw) or (is_plain and scope.types.is_data(kind, place.file))


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
