"""Reading a request's JSON body strictly: nothing is cut, guessed or silently overwritten.

Bodies may be many megabytes, so large ones are parsed in a native thread: the hooks below are Python functions, at
whose calls the interpreter hands over to the hub.
"""

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

import gevent
from flask import Request
from gunicorn.http.errors import ParseException
from marshmallow import Schema, ValidationError, fields

from gorchestrator.common.http.problems import BadJson, Invalid, RequestTimeout, TooLarge, UnsupportedMediaType

MEDIA_TYPE = "application/json"
INLINE = 64 * 1024  # bytes that are parsed at once, without a thread
PIECE = 16 * 1024
SLOWEST = 12.0  # seconds for a piece; a client that takes longer holds its connection for nothing
DIGITS = 20  # of an integer, with its sign: what 64 bits hold


def read_json(request: Request, limit: int) -> Any:
    """Return the body as parsed; raises a problem if it is not JSON or has more than ``limit`` bytes."""
    return parse_aside(read_body(request, limit))


def read_body(request: Request, limit: int) -> bytes:
    """Return the body as it came; raises a problem if it does not say it is JSON or has more than ``limit`` bytes."""
    if request.mimetype != MEDIA_TYPE:
        shown = f"is {request.mimetype!r}" if request.mimetype else "is missing"
        raise UnsupportedMediaType(f"The Content-Type {shown}; send JSON with `Content-Type: {MEDIA_TYPE}`.")
    return _read(request, limit)


def parse_aside(data: bytes) -> Any:
    """Return what a JSON text says, without holding the hub; raises a problem that says where it is wrong."""
    if len(data) <= INLINE:
        return parse(data)
    found, problem = gevent.get_hub().threadpool.apply(_parsed, (data,))
    if problem:
        raise problem
    return found


def load(schema: Schema, data: Any) -> Any:
    """Return what the schema makes of ``data``; raises a problem that lists every fault with its JSON Pointer."""
    try:
        return schema.load(data)
    except ValidationError as error:
        raise Invalid(errors=faults(error.messages, schema)) from None


def faults(messages: Any, shape: Schema | fields.Field[Any] | None, pointer: str = "") -> list[dict[str, str]]:
    """Flatten marshmallow's nested messages to a list of places and texts.

    ``shape``: what has found them. Messages alone do not tell a key of the document from a word of marshmallow's.
    """
    if isinstance(messages, list):
        return [fault for item in messages for fault in faults(item, shape, pointer)]
    if not isinstance(messages, Mapping):
        return [{"pointer": pointer, "detail": str(messages)}]
    return [
        fault
        for key, found in messages.items()
        for below, field, more in _below(key, found, shape)
        for fault in faults(below, field, pointer + more)
    ]


def step(key: object) -> str:
    """Return what a key adds to a JSON Pointer."""
    return "/" + str(key).replace("~", "~0").replace("/", "~1")


def _below(
    key: object, found: Any, shape: Schema | fields.Field[Any] | None
) -> Iterator[tuple[Any, Schema | fields.Field[Any] | None, str]]:
    """Yield what was found below a key, the field that has found it, and what that adds to a pointer."""
    if isinstance(shape, fields.Mapping) and isinstance(found, Mapping):  # of the key and of the value of an entry
        for part, messages in found.items():
            yield messages, shape.key_field if part == "key" else shape.value_field, step(key)
    elif isinstance(shape, fields.Mapping | fields.List):
        yield found, shape.inner if isinstance(shape, fields.List) else None, step(key)
    elif key == "_schema":  # of the whole document
        yield found, None, ""
    else:
        yield found, _field(shape, key), step(key)


def _field(shape: Schema | fields.Field[Any] | None, key: object) -> fields.Field[Any] | None:
    schema = shape.schema if isinstance(shape, fields.Nested) else shape
    known = schema.fields.items() if isinstance(schema, Schema) else ()
    return next((field for name, field in known if key == (field.data_key or name)), None)


def parse(data: bytes) -> Any:
    """Return what a JSON text says; raises a problem that says where it is wrong."""
    try:
        text = data.decode()
        if not text.strip():
            raise BadJson("The body is empty; send a JSON document.")
        return json.loads(
            text, object_pairs_hook=_object, parse_constant=_constant, parse_int=_integer, parse_float=_number
        )
    except UnicodeDecodeError as error:
        raise BadJson(f"The body is not UTF-8: {error.reason} at byte {error.start}.") from None
    except json.JSONDecodeError as error:
        raise BadJson(f"{error.msg} at line {error.lineno} column {error.colno} (char {error.pos}).") from None
    except RecursionError:
        raise BadJson("The document is nested too deeply.") from None


def _parsed(data: bytes) -> tuple[Any, BadJson | None]:
    # As a value: gevent prints a traceback of whatever is raised in its threads.
    try:
        return parse(data), None
    except BadJson as problem:
        return None, problem


class _TooSlow(Exception):
    """A piece of a body did not come in time."""


def _read(request: Request, limit: int) -> bytes:
    length = request.content_length
    if length is not None and length > limit:
        raise _too_large(limit, length)
    pieces: list[bytes] = []
    size = 0
    while piece := _piece(request, min(PIECE, limit + 1 - size)):
        pieces.append(piece)
        size += len(piece)
        if size > limit:
            raise _too_large(limit)
    return b"".join(pieces)


def _piece(request: Request, most: int) -> bytes:
    try:
        with gevent.Timeout(SLOWEST, _TooSlow):
            return request.stream.read(most)
    except _TooSlow:
        raise RequestTimeout from None
    except (OSError, ParseException) as error:
        raise BadJson(f"The body ends too early or its chunks are malformed: {error}") from None


def _too_large(limit: int, length: int | None = None) -> TooLarge:
    has = f"has {length} bytes" if length is not None else "is larger"
    return TooLarge(f"The body {has}; this service takes at most {limit} bytes (setting body_limit).", limit=limit)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise BadJson(f"The key {key[:100]!r} occurs twice in one object.")
            seen.add(key)
    return found


def _constant(name: str) -> NoReturn:
    raise BadJson(f"{name} is not JSON.")


def _integer(digits: str) -> int:
    if len(digits) > DIGITS:
        raise BadJson(f"The number {digits[:DIGITS]}… has {len(digits)} digits; at most {DIGITS - 1} are taken.")
    return int(digits)


def _number(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise BadJson(f"The number {digits[:100]} is too large.")
    return number
