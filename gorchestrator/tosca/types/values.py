"""Definitions of values: properties, attributes, inputs and outputs, as types and templates write them."""

from dataclasses import dataclass, replace
from typing import Any

from gorchestrator.tosca.faults import Place, Report
from gorchestrator.tosca.model import Value
from gorchestrator.tosca.reading.shapes import as_text, kind_of, only, place_in
from gorchestrator.tosca.types.constraints import Constraint, read_constraints
from gorchestrator.tosca.types.scalars import is_scalar

_KEYS = (
    "type",
    "description",
    "required",
    "default",
    "value",
    "status",
    "constraints",
    "key_schema",
    "entry_schema",
    "external-schema",
    "external_schema",
    "metadata",
)
_COLLECTIONS = ("list", "map")
_DEEPEST = 20  # schemas within schemas


@dataclass(frozen=True, slots=True)
class PropertyDef:
    """What a value may be. ``type`` is as written; its place tells in which file that is.

    ``entry_schema`` and ``key_schema``: of what a list or map holds; None: anything.
    """

    name: str
    type: str
    place: Place
    required: bool = True
    default: Value = None
    has_default: bool = False
    constraints: tuple[Constraint, ...] = ()
    entry_schema: "PropertyDef | None" = None
    key_schema: "PropertyDef | None" = None
    description: str = ""

    @property
    def needs_value(self) -> bool:
        """Whether a value has to be given."""
        return self.required and not self.has_default and self.type != "null"


def read_definition(
    name: str, raw: Any, place: Place, report: Report, base: PropertyDef | None = None, depth: int = 0
) -> PropertyDef:
    """Return a definition written as a map, or as the name of a type; a fault tells what is wrong with it.

    ``base``: the definition that it refines: what it leaves out together with its type is as there, and a value alone
    is a new default (unless it is the name of the type once more).
    """
    if base is not None and not isinstance(raw, dict):
        same = raw is None or (isinstance(raw, str) and type_called(raw) == base.type)
        return base if same else replace(base, default=raw, has_default=True, place=place)
    if isinstance(raw, str):
        return PropertyDef(name, type_called(raw), place)
    if not isinstance(raw, dict):
        report.fault(place, f"must be a map with a type, or the name of one, but is {kind_of(raw)}")
        return PropertyDef(name, "", place, required=False)
    if base is None and raw and not any(key in raw for key in _KEYS):
        report.warn(place, "defines no type: taken as a value of any")
        return PropertyDef(name, "", place, required=False, default=raw, has_default=True)
    only(raw, place, _KEYS, report, lenient=True)
    if base is None or "type" in raw:
        base = PropertyDef(name, _type_of(raw, place, report), place)
    given = "default" if "default" in raw else "value"
    constraints = base.constraints
    if "constraints" in raw:
        constraints = read_constraints(raw["constraints"], place_in(raw, "constraints", place), report)
    return replace(
        base,
        place=place,
        required=_flag(raw, place, base.required, report),
        default=raw.get(given, base.default),
        has_default=given in raw or base.has_default,
        constraints=constraints,
        entry_schema=_schema("entry_schema", raw, place, report, depth) or base.entry_schema,
        key_schema=_schema("key_schema", raw, place, report, depth) or base.key_schema,
        description=as_text(raw.get("description"), place_in(raw, "description", place), report) or base.description,
    )


def _type_of(raw: dict[str, Any], place: Place, report: Report) -> str:
    """Return the type that a definition names; a value alone says enough of itself."""
    if raw.get("type") is None and ("value" in raw or "default" in raw):
        return ""
    name = as_text(raw.get("type"), place_in(raw, "type", place), report)
    if not name and raw.get("type") is None:
        report.fault(place, "needs a type")
    return type_called(name)


def type_called(written: str) -> str:
    """Return a type's name as it is written, without the prefix that TOSCA lets its primitive types have."""
    bare = written.removeprefix("tosca:")
    return bare if is_primitive(bare) else written


def is_primitive(name: str) -> bool:
    """Whether a type is one that TOSCA knows without a definition."""
    return is_scalar(name) or name in _COLLECTIONS


def _flag(raw: dict[str, Any], place: Place, otherwise: bool, report: Report) -> bool:
    """Return whether a value is required."""
    flag = raw.get("required", otherwise)
    if not isinstance(flag, bool):
        report.fault(place_in(raw, "required", place), f"must be true or false, but is {kind_of(flag)}")
        return otherwise
    return flag


def _schema(key: str, raw: dict[str, Any], place: Place, report: Report, depth: int) -> PropertyDef | None:
    if raw.get(key) is None:
        return None
    at = place_in(raw, key, place)
    if depth == _DEEPEST:
        report.fault(at, f"schemas are nested deeper than {_DEEPEST} levels")
        return None
    return read_definition(key, raw[key], at, report, depth=depth + 1)
