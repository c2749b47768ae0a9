"""What is written on a picture: names and programs, made safe to show and cut to the room that there is for them."""

import re
import unicodedata
from collections.abc import Callable, Iterator

from gorchestrator.common.text import printable

_HIDDEN = re.compile("[\u061c\u200e\u200f\ufffe\uffff]")  # marks of direction, and what XML cannot hold
_JOINER = "\u200d"  # what stands behind it is drawn as one with what stands before
_TAIL = 1 / 3  # of a text that is cut: names of many nodes differ at their ends
_LONGEST = 1000  # characters that are looked at
ELLIPSIS = "…"

Measure = Callable[[str], float]  # how much room a character takes


def safe(text: str) -> str:
    r"""Return a text in which all that steers and is not seen is written as ``\x1b``; it is valid in XML."""
    return _HIDDEN.sub(lambda match: match[0].encode("unicode_escape").decode(), printable(text))


def first_line(artifact: str) -> str:
    """Return a program's name, or the first line of a script and a sign that more follows."""
    lines = artifact.strip().splitlines() or [""]
    return lines[0] if len(lines) == 1 else f"{lines[0]} {ELLIPSIS}"


def columns(character: str) -> int:
    """Return how many columns a character takes where all are equally wide."""
    if unicodedata.category(character) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def cut(text: str, room: float, measure: Measure = columns) -> str:
    """Return a text that is no wider than ``room``, safe to show; what is too long is cut before its end."""
    shown = safe(text[:_LONGEST]) + (ELLIPSIS if len(text) > _LONGEST else "")
    if sum(map(measure, shown)) <= room:
        return shown
    letters = list(_letters(shown))
    left = max(room - measure(ELLIPSIS), 0.0)
    tail = _fitting(letters[::-1], left * _TAIL, measure)[::-1]
    head = _fitting(letters, left - sum(measure(each) for letter in tail for each in letter), measure)
    return f"{''.join(head)}{ELLIPSIS}{''.join(tail)}"


def _letters(text: str) -> Iterator[str]:
    """Yield a text in parts that are not to be torn: characters with what is put on them."""
    letter = ""
    for character in text:
        if letter and columns(character) and not letter.endswith(_JOINER):
            yield letter
            letter = ""
        letter += character
    yield letter


def _fitting(letters: list[str], room: float, measure: Measure) -> list[str]:
    width = 0.0
    for count, letter in enumerate(letters):
        width += sum(map(measure, letter))
        if width > room:
            return letters[:count]
    return letters
