"""Text of others (names, reasons, what nodes print), made safe to show on a terminal or in a line of a log."""

import re

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def printable(text: str, keep: str = "") -> str:
    r"""Return ``text`` with every character that could steer a terminal or forge a line written as ``\x1b``.

    ``keep``: control characters to leave, such as the newline.
    """
    return _CONTROL.sub(lambda match: match[0] if match[0] in keep else _escaped(match[0]), text)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
