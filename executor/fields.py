"""Fields that the options of several engines have in common."""

import re
from typing import Any

from marshmallow import ValidationError, fields

from gorchestrator.common import wire

_SIZE = re.compile(r"(\d{1,15})([KMGT]?)i?B?", re.IGNORECASE)
_UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}


class Size(fields.Field[int]):
    """A number of bytes, or a text such as ``512M``: K, M, G and T are powers of 1024."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> int:
        if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            return value
        found = _SIZE.fullmatch(value) if isinstance(value, str) else None
        if not found or not int(found[1]):
            raise ValidationError('must be a number of bytes above 0, or a text such as "512M"')
        return int(found[1]) * _UNITS[found[2].upper()]


class Octal(fields.Field[int]):
    """Permission bits as a text such as ``"027"``."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> int:
        if not isinstance(value, str) or not re.fullmatch(r"0?[0-7]{3}", value):
            raise ValidationError('must be three octal digits as a text, such as "027"')
        return int(value, 8)


def absolute(path: str) -> None:
    """Refuse a path that depends on where one is."""
    wire.text(path)
    if not path.startswith("/"):
        raise ValidationError("must be an absolute path")
