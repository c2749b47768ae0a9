"""Constraints: what a value must be besides being of its type."""

import re
import warnings
from dataclasses import dataclass
from typing import Any

import re2

from gorchestrator.tosca.faults import Place, Report
from gorchestrator.tosca.model import Value
from gorchestrator.tosca.reading.scalars import as_written
from gorchestrator.tosca.reading.shapes import entries, items, kind_of, listed
from gorchestrator.tosca.types.scalars import Unfit, is_scalar, scalar

_COMPARISONS = {
    "equal": "equal to",
    "greater_than": "greater than",
    "greater_or_equal": "at least",
    "less_than": "less than",
    "less_or_equal": "at most",
}
_LENGTHS = {"length": "equal to", "min_length": "at least", "max_length": "at most"}
_OPERATORS = (*_COMPARISONS, *_LENGTHS, "in_range", "valid_values", "pattern", "schema")
_UNORDERED = ("boolean", "json", "null", "range", "xml")
_LONGEST = 4096  # characters that a pattern is tried on
_QUIET = re2.Options()
_QUIET.log_errors = False


@dataclass(frozen=True, slots=True)
class Constraint:
    """One condition, such as ``in_range: [1, 4]``."""

    operator: str
    argument: Value
    place: Place


def read_constraints(raw: Any, place: Place, report: Report) -> tuple[Constraint, ...]:
    """Return the constraints of a list of maps (or of one map, as some write it); what is none becomes a fault."""
    if isinstance(raw, dict):
        return _read(raw, place, report)
    return tuple(each for item, at in items(raw, place, report) for each in _read(item, at, report))


def _read(raw: Any, place: Place, report: Report) -> tuple[Constraint, ...]:
    found = []
    for operator, argument, at in entries(raw, place, report):
        if operator not in _OPERATORS:
            report.fault(at, f"unknown constraint {operator}; there are {listed(_OPERATORS)}")
        elif operator == "schema":
            report.warn(at, "ignored: a value is not checked against a schema")
        elif _is_well_formed(operator, argument, at, report):
            found.append(Constraint(operator, argument, at))
    return tuple(found)


def _is_well_formed(operator: str, argument: Value, place: Place, report: Report) -> bool:
    """Whether an operator has an argument that it can work with."""
    wanted = ""
    if operator == "in_range" and not (isinstance(argument, list) and len(argument) == len(("lower", "upper"))):
        wanted = "a list of a lower and an upper bound"
    elif operator == "valid_values" and not isinstance(argument, list):
        wanted = "a list of values"
    elif operator in _LENGTHS and (isinstance(argument, bool) or not isinstance(argument, int)):
        wanted = "an integer"
    elif operator == "pattern":
        try:
            _compiled(argument)
        except (re.error, TypeError, OverflowError, RecursionError) as error:
            wanted = f"a regular expression ({error})" if isinstance(argument, str) else "a regular expression"
    if wanted:
        report.fault(place, f"{operator} needs {wanted}, but has {kind_of(argument)}")
    return not wanted


def broken(value: Value, kind: str, constraint: Constraint) -> str:
    """Say how a value, which is of type ``kind``, fails a constraint; "" if it holds.

    Unfit is raised where the constraint's own argument is not of that type.
    """
    operator, argument = constraint.operator, constraint.argument
    if operator in _LENGTHS:
        return _length(value, operator, argument)
    if operator == "pattern":
        return _pattern(value, argument)
    if operator == "valid_values":
        fits = any(_same(value, each, kind) for each in argument)
        return "" if fits else f"{_told(value)} is none of {', '.join(map(_told, argument))}"
    if operator == "in_range":
        return _range(value, kind, argument)
    return (
        ""
        if _compare(operator, value, argument, kind)
        else f"{_told(value)} is not {_COMPARISONS[operator]} {argument}"
    )


def _length(value: Value, operator: str, wanted: int) -> str:
    if not isinstance(value, (str, list, dict)):
        return f"{_told(value)} has no length"
    size = len(value)
    holds = {"length": size == wanted, "min_length": size >= wanted, "max_length": size <= wanted}[operator]
    return "" if holds else f"has a length of {size}, which is not {_LENGTHS[operator]} {wanted}"


def _pattern(value: Value, pattern: str) -> str:
    text = as_written(value) if isinstance(value, (int, float)) else value
    if not isinstance(text, str):
        return f"a pattern is for texts, but this is {kind_of(value)}"
    if len(text) > _LONGEST:
        return f"is too long for a pattern: {len(text)} of at most {_LONGEST} characters"
    return "" if _compiled(pattern).fullmatch(text) else f"{_told(value)} does not match the pattern {pattern}"


def _compiled(pattern: str) -> Any:
    """Return what matches in time that grows with the text alone, where a pattern lets it."""
    try:
        return re2.compile(pattern, _QUIET)
    except re2.error:  # it looks around, or back
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what Python may take otherwise one day
            return re.compile(pattern)


def _same(value: Value, wanted: Value, kind: str) -> bool:
    if not is_scalar(kind):
        return bool(value == wanted)
    return bool(scalar(kind, value).rank == scalar(kind, wanted, lenient=True).rank)


def _compare(operator: str, value: Value, bound: Value, kind: str) -> bool:
    if operator == "equal":
        return _same(value, bound, kind)
    if not is_scalar(kind) or kind in _UNORDERED:
        raise Unfit(f"{operator} is not for {kind}")
    rank, limit = scalar(kind, value).rank, scalar(kind, bound, lenient=True).rank
    holds = {
        "greater_than": rank > limit,
        "greater_or_equal": rank >= limit,
        "less_than": rank < limit,
        "less_or_equal": rank <= limit,
    }
    return bool(holds[operator])


def _range(value: Value, kind: str, bounds: list[Value]) -> str:
    """Check a value, or both ends of a range, against bounds, either of which may be UNBOUNDED."""
    ends, of = (value, "integer") if kind == "range" else ([value], kind)
    lower, upper = bounds
    for end in ends:
        if end == "UNBOUNDED":
            if upper != "UNBOUNDED":
                return f"is unbounded, but must be within {lower} and {upper}"
            continue
        above = lower == "UNBOUNDED" or _compare("greater_or_equal", end, lower, of)
        if not above or not (upper == "UNBOUNDED" or _compare("less_or_equal", end, upper, of)):
            return f"{_told(end)} is not within {lower} and {upper}"
    return ""


def _told(value: Value) -> str:
    return f"{value!r:.60}" if isinstance(value, (str, list, dict)) else str(value)
