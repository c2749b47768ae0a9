"""What a server answered, as far as it is kept, and what a node makes of it."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gorchestrator.common.wire import OUTPUT_LIMIT

LIMIT = 2**20  # bytes of a body
EXCERPT = 300  # characters of a body in a reason


class NoOutput(ValueError):
    """The answer does not have what the node wants of it; the text says why."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer. ``whole``: the body has no more than ``LIMIT`` bytes."""

    status: int
    phrase: str
    location: str | None
    body: bytes
    whole: bool

    def __str__(self) -> str:
        return f"{self.status} {self.phrase}".rstrip()

    def is_one_of(self, expected: Sequence[int | str]) -> bool:
        """Whether the status is what the node expects: numbers, and classes such as ``2xx``."""
        return self.status in expected or f"{self.status // 100}xx" in expected

    def excerpt(self, hide: Callable[[bytes], bytes]) -> str:
        """Return the begin of the body, if it is a text. ``hide`` takes secrets out, before anything is cut."""
        text = hide(self.body)[: 4 * EXCERPT].decode(errors="ignore").strip()
        return "" if "\0" in text else text[:EXCERPT]

    def outputs(self, pointers: Mapping[str, str]) -> dict[str, str]:
        """Return values of a JSON body by their JSON Pointers. Raises :class:`NoOutput`."""
        document = self._document() if pointers else None
        found = {"status": str(self.status)}
        size = 0
        for name, pointer in pointers.items():
            try:
                value = _at(document, pointer)
            except LookupError:
                raise NoOutput(f"output {name!r}: the answer has nothing at {pointer}") from None
            found[name] = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            size += len(found[name])
            if size > OUTPUT_LIMIT:
                raise NoOutput(f"the outputs are together larger than {OUTPUT_LIMIT} bytes")
        return found

    def _document(self) -> Any:
        if not self.whole:
            raise NoOutput(f"outputs are taken of answers of at most {LIMIT} bytes; this one is larger")
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            raise NoOutput("outputs are to be taken of the answer, but it is not JSON") from None


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
