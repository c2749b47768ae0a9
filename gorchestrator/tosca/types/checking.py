"""Checking values against their definitions; what fits is given the form of its type, with defaults filled in."""

from typing import TYPE_CHECKING

from gorchestrator.tosca.faults import Place, Report
from gorchestrator.tosca.model import Value
from gorchestrator.tosca.reading.shapes import kind_of, listed, place_in
from gorchestrator.tosca.types.calls import call_in
from gorchestrator.tosca.types.constraints import Constraint, broken
from gorchestrator.tosca.types.scalars import Unfit, is_scalar, scalar
from gorchestrator.tosca.types.values import PropertyDef

if TYPE_CHECKING:
    from gorchestrator.tosca.types.definitions import EntityType
    from gorchestrator.tosca.types.system import TypeSystem

_DEEPEST = 100  # values within values: a data type whose default has itself in it has no end
_MOST = 100_000  # defaults that are filled in: each of few types may have some of the next


def check(value: Value, definition: PropertyDef, place: Place, types: "TypeSystem", report: Report) -> Value:
    """Return a value as its definition wants it, with a fault for all that does not fit.

    Calls of functions are left as they are, also within lists and maps. Checking a checked value changes nothing.
    """
    return _Checker(types, report).value(value, definition, place, 0, lenient=True)


class _Checker:
    """Goes down a value. ``lenient``: a number is taken for a text, outside of data types, as practice has it."""

    def __init__(self, types: "TypeSystem", report: Report) -> None:
        self._types = types
        self._report = report
        self._filled = 0

    def value(self, value: Value, wanted: PropertyDef, place: Place, depth: int, *, lenient: bool) -> Value:
        """Check one value."""
        if value is None or not wanted.type or call_in(value):
            return value
        if depth > _DEEPEST:
            self._report.fault(place, f"is nested deeper than {_DEEPEST} levels")
            return value
        try:
            return self._fitting(value, wanted, place, depth, lenient)
        except Unfit as wrong:
            self._report.fault(place, str(wrong))
            return value

    def _fitting(self, value: Value, wanted: PropertyDef, place: Place, depth: int, lenient: bool) -> Value:
        kind = wanted.type
        if kind in ("list", "map"):
            value = self._collection(value, wanted, place, depth, lenient)
        elif is_scalar(kind):
            if kind == "integer" and isinstance(value, bool):
                self._report.warn(place, f"is {str(value).lower()}, but should be an integer: taken as {int(value)}")
            value = scalar(kind, value, lenient=lenient).value
        else:
            data = self._types.find("data", kind, wanted.place.file)
            if data is None:
                self._report.fault(place, f"is of an unknown type {kind}")
                return value
            kind = data.value.type if data.value is not None else "map"
            value = self._data(value, data, place, depth, lenient)
        self._constrain(value, kind, wanted.constraints, place)
        return value

    def _collection(self, value: Value, wanted: PropertyDef, place: Place, depth: int, lenient: bool) -> Value:
        if not isinstance(value, list if wanted.type == "list" else dict):
            raise Unfit(f"must be a {wanted.type}, but is {kind_of(value)}")
        entry, key = wanted.entry_schema, wanted.key_schema
        if key is not None:
            for name in value if isinstance(value, dict) else ():
                self.value(name, key, place_in(value, name, place), depth + 1, lenient=lenient)
        if entry is None:
            return value
        if isinstance(value, list):
            return [
                self.value(each, entry, place_in(value, index, place), depth + 1, lenient=lenient)
                for index, each in enumerate(value)
            ]
        return {
            name: self.value(each, entry, place_in(value, name, place), depth + 1, lenient=lenient)
            for name, each in value.items()
        }

    def _data(self, value: Value, data: "EntityType", place: Place, depth: int, lenient: bool) -> Value:
        """Check a value of a data type: a narrower scalar, list or map, or a map with its properties."""
        if data.value is not None:
            return self.value(value, data.value, place, depth, lenient=lenient)
        if not isinstance(value, dict):
            raise Unfit(f"must be a {data.name}, a map, but is {kind_of(value)}")
        if not data.properties:
            return value
        checked = {
            name: self.value(given, data.properties[name], place_in(value, name, place), depth + 1, lenient=False)
            for name, given in value.items()
            if name in data.properties
        }
        for name in value:
            if name not in data.properties:
                known = listed(data.properties)
                self._report.fault(place_in(value, name, place), f"{data.name} has no {name}; there are {known}")
        return checked | self._missing(checked, data, place, depth)

    def _missing(self, given: dict[str, Value], data: "EntityType", place: Place, depth: int) -> dict[str, Value]:
        """Return the defaults of the fields that have no value, with a fault for those that need one."""
        found = {}
        for name, field in data.properties.items():
            if given.get(name) is not None:
                continue
            if field.has_default and field.default is not None:
                self._filled += 1
                if self._filled > _MOST:
                    self._report.fault(field.place, f"this is filled in more than {_MOST} times for one value")
                    break
                found[name] = self.value(field.default, field, field.place, depth + 1, lenient=False)
            elif field.needs_value:
                self._report.fault(place, f"{data.name} needs a value for {name}")
        return found

    def _constrain(self, value: Value, kind: str, constraints: tuple[Constraint, ...], place: Place) -> None:
        for each in constraints:
            parts = each.argument if isinstance(each.argument, list) else [each.argument]
            if any(call_in(part) for part in parts):
                self._report.warn(each.place, "ignored: a constraint that has to be worked out is not checked")
                continue
            try:
                wrong = broken(value, kind, each)
            except Unfit as error:
                self._report.fault(each.place, f"this constraint {error}" if "must" in str(error) else str(error))
                continue
            if wrong:
                self._report.fault(place, wrong)
