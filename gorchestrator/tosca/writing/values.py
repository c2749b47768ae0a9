"""Values as texts: what a variable of a script gets, and what an output of the topology is in the end.

A value that is known is one text: lists and maps as JSON, ``true`` and ``false``, nothing for null. One that has parts
which a run only brings is a row of :data:`Piece`, which the script's launcher (or, for outputs, :func:`evaluate`) puts
together.
"""

import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gorchestrator.tosca.model import Runtime, Text, Token, Value
from gorchestrator.tosca.reading.scalars import as_written


@dataclass(frozen=True, slots=True)
class Escaped:
    """A value of the run within a JSON text: quotes and backslashes in it are escaped."""

    value: Runtime | Text | Token


Piece = str | Runtime | Token | Escaped
Find = Callable[[Runtime], Value]  # None: there is nothing to put in its place


def pieces(value: Value) -> tuple[Piece, ...]:
    """Return a value as pieces of a text; a value that is known is one piece at most."""
    return tuple(_joined(_pieces(value)))


def known(found: Sequence[Piece]) -> str | None:
    """Return the text that pieces are if all of it is known, else None."""
    return "".join(map(str, found)) if all(isinstance(each, str) for each in found) else None


def runtimes(value: Any) -> Iterator[Runtime]:
    """Yield what a value (or piece) wants of the run."""
    if isinstance(value, Runtime):
        yield value
    for part in _parts(value):
        yield from runtimes(part)


def replaced(value: Any, find: Find) -> Any:
    """Return a value with others in the place of those Runtime values for which ``find`` has one; None is none.

    Within a text they are texts.
    """
    match value:
        case Runtime():
            found = find(value)
            return value if found is None else found
        case Text(parts=parts):
            return _text([_told(replaced(part, find)) for part in parts])
        case Token():
            inner = _told(replaced(value.value, find))
            part = _token(inner, value) if isinstance(inner, str) else None
            rest = (
                Text((inner,)) if isinstance(inner, str) else inner
            )  # that it has too few is told when it is asked for
            return Token(rest, value.separators, value.index) if part is None else part
        case Mapping():
            return {key: replaced(item, find) for key, item in value.items()}
        case list() | tuple():
            return [replaced(item, find) for item in value]
        case _:
            return value


def _parts(value: Any) -> Iterable[Any]:
    match value:
        case Text(parts=parts):
            return parts
        case Token(value=inner) | Escaped(value=inner):
            return (inner,)
        case Mapping():
            return value.values()
        case list() | tuple():
            return value
        case _:
            return ()


def with_defaults(value: Any, unset: Collection[Runtime]) -> Any:
    """Return a value in which those that nothing sets are what they begin with, if anything says what that is."""
    return replaced(value, lambda wanted: default_of(wanted) if wanted in unset else None)


def default_of(wanted: Runtime) -> Value:
    """Return what a value of the run is until it is set; None if nothing says, or only the run knows."""
    return None if any(True for _ in runtimes(wanted.default)) else wanted.default


def _told(value: Value) -> Any:
    """Return a value as a part of a text has it."""
    return value if isinstance(value, Runtime | Text | Token) else "".join(map(str, pieces(value)))


def _text(parts: Sequence[Any]) -> str | Text:
    """Return parts as one text, as far as they are known."""
    return "".join(parts) if all(isinstance(part, str) for part in parts) else Text(tuple(parts))


def evaluate(value: Value, find: Find) -> Value:
    """Return a value when the run is over: None stands for what it did not bring, also in the midst of a text."""
    rest = replaced(value, find)
    return _without_runtimes(rest)


def _without_runtimes(value: Value) -> Value:
    match value:
        case Runtime() | Text() | Token():
            return None
        case dict():
            return {key: _without_runtimes(item) for key, item in value.items()}
        case list():
            return [_without_runtimes(item) for item in value]
    return value


def _token(text: str, token: Token) -> str | None:
    """Return the part that a token means; None if the text has fewer."""
    parts = re.split(f"[{re.escape(token.separators)}]", text)
    return parts[token.index] if token.index < len(parts) else None


def _pieces(value: Value) -> Iterator[Piece]:
    match value:
        case None:
            return
        case str() | Runtime() | Token():
            yield value
        case Text(parts=parts):
            yield from parts
        case dict() | list() | tuple():
            yield from _json(value)
        case _:
            yield _scalar(value)


def _json(value: Value) -> Iterator[Piece]:
    match value:
        case dict():
            items = [[f"{_quoted(key)}: ", *_json(item)] for key, item in value.items()]
            yield from _bracketed("{", items, "}")
        case list() | tuple():
            yield from _bracketed("[", [list(_json(item)) for item in value], "]")
        case Runtime() | Text() | Token():
            yield from ('"', Escaped(value), '"')
        case None:
            yield "null"
        case bool() | int() | float():
            yield _scalar(value)
        case _:
            yield _quoted(value)


def _bracketed(begin: str, items: Sequence[Sequence[Piece]], end: str) -> Iterator[Piece]:
    yield begin
    for index, item in enumerate(items):
        if index:
            yield ", "
        yield from item
    yield end


def _quoted(value: Value) -> str:
    return json.dumps(str(value), ensure_ascii=False)


def _scalar(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return as_written(value) if isinstance(value, (int, float)) else str(value)


def _joined(found: Iterator[Piece]) -> Iterator[Piece]:
    """Yield pieces with texts that stand side by side put together."""
    text = ""
    for piece in found:
        if isinstance(piece, str):
            text += piece
            continue
        if text:
            yield text
            text = ""
        yield piece
    if text:
        yield text
