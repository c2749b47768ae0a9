"""What a server answered, as far as it is kept, and what a node makes of it.

The parser of ``json`` in C holds the interpreter until it has ended, even in another thread: 50 ms for a list of a
million bytes, and 130 ms for one of empty lists. The one in Python, of the same library, hands it over in between.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from json.scanner import py_make_scanner  # type: ignore[attr-defined]  # typeshed has only the one in C
from typing import Any

import gevent

from gorchestrator.common.wire import OUTPUT_LIMIT, VALUE_LIMIT

LIMIT = 2**20  # bytes of a body
SMALL = 64 * 1024  # bytes of one that is parsed by C: 8 ms at most
EXCERPT = 300  # characters of a body in a reason


class NoOutput(ValueError):
    """The answer does not have what the node wants of it; the text says why."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer. ``whole``: the body has no more than ``LIMIT`` bytes. ``shown``: the begin of it as the log has it."""

    status: int
    phrase: str
    location: str | None
    body: bytes
    whole: bool
    shown: bytes

    def __str__(self) -> str:
        return f"{self.status} {self.phrase}".rstrip()

    def is_one_of(self, expected: Sequence[int | str]) -> bool:
        """Whether the status is what the node expects: numbers, and classes such as ``2xx``."""
        return self.status in expected or f"{self.status // 100}xx" in expected

    def excerpt(self) -> str:
        """Return the begin of the body, if it is a text."""
        return self.shown.decode(errors="ignore").strip()[:EXCERPT]

    def outputs(self, pointers: Mapping[str, str], hide: Callable[[str], str]) -> dict[str, str]:
        """Return values of a JSON body by their JSON Pointers, without what ``hide`` takes out.

        Raises :class:`NoOutput`.
        """
        status = {"status": str(self.status)}
        if not pointers:
            return status
        if not self.whole:
            raise NoOutput(f"outputs are taken of answers of at most {LIMIT} bytes; this one is larger")
        found = gevent.get_hub().threadpool.apply(_taken, (self.body, pointers, hide))
        if isinstance(found, NoOutput):
            raise found
        return status | found


class _Decoder(json.JSONDecoder):
    """Parses in Python."""

    def __init__(self) -> None:
        super().__init__()
        self.scan_once = py_make_scanner(self)


def _taken(body: bytes, pointers: Mapping[str, str], hide: Callable[[str], str]) -> dict[str, str] | NoOutput:
    # A fault as a value: gevent prints a traceback of whatever is raised in its threads.
    try:
        return _values(_parsed(body), pointers, hide)
    except NoOutput as fault:
        return fault
    except RecursionError:
        return NoOutput("outputs are to be taken of the answer, but it is nested too deeply")


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body, cls=None if len(body) <= SMALL else _Decoder)
    except ValueError:
        raise NoOutput("outputs are to be taken of the answer, but it is not JSON") from None


def _values(document: Any, pointers: Mapping[str, str], hide: Callable[[str], str]) -> dict[str, str]:
    found: dict[str, str] = {}
    size = 0
    for name, pointer in pointers.items():
        try:
            text = _text(_at(document, pointer))
        except LookupError:
            raise NoOutput(f"output {name!r}: the answer has nothing at {pointer}") from None
        if len(text) > VALUE_LIMIT:
            raise NoOutput(f"output {name!r} is larger than {VALUE_LIMIT} bytes")
        found[name] = hide(text)
        size += len(text)
        if size > OUTPUT_LIMIT:
            raise NoOutput(f"the outputs are together larger than {OUTPUT_LIMIT} bytes")
    return found


def _text(value: Any) -> str:
    """Return a value as an output, as far as it matters; half a surrogate pair cannot be one and becomes ``?``."""
    pieces, size = [], 0
    for piece in [value] if isinstance(value, str) else json.JSONEncoder(ensure_ascii=False).iterencode(value):
        pieces.append(piece)
        size += len(piece)
        if size > VALUE_LIMIT:
            break
    return "".join(pieces).encode(errors="replace").decode()


def _at(document: Any, pointer: str) -> Any:
    """Return what a JSON Pointer (RFC 6901) names. Raises LookupError."""
    for step in pointer.split("/")[1:]:
        key = step.replace("~1", "/").replace("~0", "~")
        if isinstance(document, dict):
            document = document[key]
        elif isinstance(document, list) and key.isascii() and key.isdigit() and (key == "0" or key[0] != "0"):
            document = document[int(key)]
        else:
            raise LookupError(key)
    return document
