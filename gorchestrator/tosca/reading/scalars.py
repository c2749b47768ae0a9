"""What a plain YAML scalar means; apart from :mod:`source`, for it is a schema of its own.

It follows YAML 1.2, which TOSCA refers to; yes, no, on and off are booleans too, as practice has it. Dates stay text,
and so do infinities and numbers beyond any use.
"""

import math
import re
from typing import Any

_CONSTANTS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"), True),
    **dict.fromkeys(("no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"), False),
}
_INTEGER = re.compile(r"[-+]?[0-9]{1,40}")
_BASED = re.compile(r"0o[0-7]{1,40}|0x[0-9a-fA-F]{1,40}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]{1,400}|[0-9]{1,400}(\.[0-9]{0,400})?)([eE][-+]?[0-9]{1,10})?")


class Number(float):
    """A float that knows how it was written: a version 1.10 is not 1.1."""

    text: str

    def __new__(cls, text: str) -> "Number":
        """Make it of its text; ValueError if that is no number."""
        number = super().__new__(cls, text)
        number.text = text
        return number


class Whole(int):
    """An integer that is written otherwise than others would write it: a mode 0640 as a text is not "640"."""

    text: str

    def __new__(cls, text: str, base: int = 10) -> "Whole":
        """Make it of its text; ValueError if that is no integer."""
        number = super().__new__(cls, text, base)
        number.text = text
        return number


def as_written(number: float) -> str:
    """Return a number as it stands in its file."""
    return number.text if isinstance(number, (Number, Whole)) else str(number)


def resolve(text: str) -> Any:
    """Return None, a bool, an int, a :class:`Number` or the text itself."""
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _INTEGER.fullmatch(text):
        number = int(text)
        return number if str(number) == text else Whole(text)
    if _BASED.fullmatch(text):
        return Whole(text, 0)
    if _FLOAT.fullmatch(text) and math.isfinite(decimal := Number(text)):
        return decimal
    return text
