"""Conditions of workflows, decided as far as they are about values that are known before anything runs."""

from collections.abc import Callable, Mapping
from typing import Any

from gorchestrator.tosca.model import Runtime, Text, Token, Value

_TESTS: Mapping[str, Callable[[Any, Any], bool]] = {
    "equal": lambda value, wanted: bool(value == wanted),
    "greater_than": lambda value, wanted: bool(value > wanted),
    "greater_or_equal": lambda value, wanted: bool(value >= wanted),
    "less_than": lambda value, wanted: bool(value < wanted),
    "less_or_equal": lambda value, wanted: bool(value <= wanted),
    "in_range": lambda value, wanted: bool(wanted[0] <= value <= wanted[1]),
    "valid_values": lambda value, wanted: value in wanted,
    "length": lambda value, wanted: len(value) == wanted,
    "min_length": lambda value, wanted: len(value) >= wanted,
    "max_length": lambda value, wanted: len(value) <= wanted,
}


def holds(condition: object, known: Mapping[str, Value]) -> bool | None:
    """Return whether a condition holds for a node with these properties; None if only a run could tell.

    ``condition``: a clause (``and``, ``or``, ``not``, ``assert``) or an assertion ``{name: [constraints]}``; a list is
    an ``and`` of them.
    """
    if isinstance(condition, list):
        return _all([holds(each, known) for each in condition])
    if not isinstance(condition, dict):
        return None
    return _all([_clause(str(name), value, known) for name, value in condition.items()])


def _clause(name: str, value: object, known: Mapping[str, Value]) -> bool | None:
    if name in {"and", "assert"}:
        return holds(value, known)
    if name == "not":
        return _negated(holds(value, known))
    if name == "or":
        parts = value if isinstance(value, list) else [value]
        # One that holds is enough: not all of them fail.
        return _negated(_all([_negated(holds(each, known)) for each in parts]))
    if name not in known or isinstance(known[name], Runtime | Text | Token):
        return None
    constraints = value if isinstance(value, list) else [value]
    return _all([_constraint(each, known[name]) for each in constraints])


def _constraint(constraint: object, value: Value) -> bool | None:
    if not isinstance(constraint, dict):
        return bool(value == constraint)
    found: list[bool | None] = []
    for name, wanted in constraint.items():
        test = _TESTS.get(str(name))
        try:
            found.append(None if test is None else test(value, wanted))
        except (TypeError, IndexError, KeyError):
            found.append(None)
    return _all(found)


def _all(verdicts: list[bool | None]) -> bool | None:
    if False in verdicts:
        return False
    return None if None in verdicts else True


def _negated(verdict: bool | None) -> bool | None:
    return None if verdict is None else not verdict
