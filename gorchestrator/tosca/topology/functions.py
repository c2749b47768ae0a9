"""The functions of TOSCA: which maps are calls of one, how many arguments each takes, and those that make texts.

What looks something up in the topology is in :mod:`lookups`. A value that only a run can know stays a
:class:`~gorchestrator.tosca.model.Runtime`, and a text around it becomes a :class:`~gorchestrator.tosca.model.Text`.
"""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from gorchestrator.tosca.faults import Place
from gorchestrator.tosca.model import Runtime, Text, Token, Value
from gorchestrator.tosca.reading.scalars import as_written
from gorchestrator.tosca.reading.shapes import kind_of
from gorchestrator.tosca.topology import lookups
from gorchestrator.tosca.topology.scope import Context

if TYPE_CHECKING:
    from gorchestrator.tosca.topology.evaluation import Evaluator

_Function = Callable[["Evaluator", list[Any], Place, Context], Value]


def call(evaluator: "Evaluator", name: str, arguments: Any, place: Place, context: Context) -> Value:
    """Evaluate a call. Raises Unresolved."""
    function, least, most, form = _FUNCTIONS[name]
    given = arguments if isinstance(arguments, list) else [arguments]
    if isinstance(arguments, dict) or len(given) < least or (most is not None and len(given) > most):
        raise evaluator.refusal(place, f"must be called as {name}: {form}")
    return function(evaluator, given, place, context)


def _concat(evaluator: "Evaluator", arguments: list[Any], place: Place, context: Context) -> Value:
    return _joined(evaluator, evaluator.evaluate(arguments, place, context), "", place)


def _join(evaluator: "Evaluator", arguments: list[Any], place: Place, context: Context) -> Value:
    parts, *delimiter = evaluator.evaluate(arguments, place, context)
    if not isinstance(parts, list):
        raise evaluator.refusal(place, f"join needs a list of texts that is known before the run, not {_told(parts)}")
    if delimiter and not isinstance(delimiter[0], str):
        raise evaluator.refusal(place, f"the delimiter of join must be a text, but is {_told(delimiter[0])}")
    return _joined(evaluator, parts, delimiter[0] if delimiter else "", place)


def _joined(evaluator: "Evaluator", values: list[Value], delimiter: str, place: Place) -> Value:
    parts: list[str | Runtime | Token] = []
    length = 0
    for index, value in enumerate(values):
        if index and delimiter:
            parts.append(delimiter)
        if isinstance(value, (dict, list)):
            raise evaluator.refusal(place, f"a text cannot be made of {_told(value)}")
        added = value.parts if isinstance(value, Text) else (_text(value),)
        length += sum(len(each) if isinstance(each, str) else 1 for each in added)
        if length > _LONGEST:
            raise evaluator.refusal(place, f"comes to a text of more than {_LONGEST} characters")
        parts.extend(added)
    if all(isinstance(part, str) for part in parts):
        return "".join(map(str, parts))
    return Text(tuple(_merged(parts)))


def _merged(parts: list[str | Runtime | Token]) -> list[str | Runtime | Token]:
    """Put constants that stand side by side together."""
    merged: list[str | Runtime | Token] = []
    for part in parts:
        if isinstance(part, str) and merged and isinstance(merged[-1], str):
            merged[-1] += part
        elif part != "":
            merged.append(part)
    return merged


def _text(value: Value) -> str | Runtime | Token:
    if isinstance(value, (Runtime, Token)):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return as_written(value)
    return "" if value is None else str(value)


def _token(evaluator: "Evaluator", arguments: list[Any], place: Place, context: Context) -> Value:
    value, separators, index = evaluator.evaluate(arguments, place, context)
    if not isinstance(separators, str) or not separators:
        raise evaluator.refusal(place, f"the separator of token must be a text, but is {_told(separators)}")
    if isinstance(index, bool) or not isinstance(index, int) or index < 0:
        raise evaluator.refusal(place, f"the index of token must be a number from 0, but is {_told(index)}")
    if isinstance(value, (Runtime, Text, Token)):
        return Token(value, separators, index)
    if isinstance(value, (dict, list)) or value is None:
        raise evaluator.refusal(place, f"token needs a text, not {_told(value)}")
    tokens = re.split(f"[{re.escape(separators)}]", str(_text(value)))
    if index >= len(tokens):
        raise evaluator.refusal(place, f"token {index} was asked for of a text that has {len(tokens)}")
    return tokens[index]


def _told(value: Value) -> str:
    if isinstance(value, (Runtime, Text, Token)):
        return "a value that is known at run time only"
    return kind_of(value)


_LONGEST = 1 << 20  # characters: a few values that repeat each other would come to more than any memory holds

_FUNCTIONS: dict[str, tuple[_Function, int, int | None, str]] = {
    "concat": (_concat, 1, None, "[text, …]"),
    "join": (_join, 1, 2, "[[text, …], delimiter]"),
    "token": (_token, 3, 3, "[text, separator, index]"),
    "get_input": (lookups.get_input, 1, None, "NAME"),
    "get_property": (lookups.get_property, 2, None, "[NODE, requirement or capability (may be left out), NAME, …]"),
    "get_attribute": (lookups.get_attribute, 2, None, "[NODE, requirement or capability (may be left out), NAME, …]"),
    "get_operation_output": (lookups.get_operation_output, 4, 4, "[NODE, INTERFACE, OPERATION, NAME]"),
    "get_artifact": (lookups.get_artifact, 2, 4, "[NODE, NAME]"),
    "get_nodes_of_type": (lookups.get_nodes_of_type, 1, 1, "TYPE"),
}
