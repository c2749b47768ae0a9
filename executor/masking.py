"""Hiding the values of secrets in what nodes print: asterisks take their place when a log is read.

In logs as many as the secret has bytes, so that the offsets of a log stay true; elsewhere three. Which piece of a log
is asked for makes no difference: it is looked at with as many bytes around it as a secret may reach into it.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

from executor import overlap

SHORT = "***"
LEAST = 4  # bytes
LINE_LEAST = 8  # bytes: of a secret of many lines, each one so long is hidden by itself too

#: Reads at most so many bytes from an offset on: what there is, where it begins, and the size of the whole.
Read = Callable[[int, int], tuple[bytes, int, int]]


class Mask:
    """Knows what is to be hidden."""

    def __init__(self, secrets: Iterable[str]) -> None:
        values = {value for secret in secrets for value in _parts(secret)}
        ordered = sorted(values, key=len, reverse=True)
        self.reach = max(map(len, ordered), default=1) - 1  # bytes that a secret may lie beyond the first one
        self._values = ordered
        self._bytes = _pattern(ordered) if ordered else None

    def text(self, text: str) -> str:
        """Return a text without secrets."""
        if self._bytes is None:
            return text
        return self.data(text.encode(errors="replace")).decode(errors="replace")

    def data(self, data: bytes) -> bytes:
        """Return bytes without secrets."""
        return data if self._bytes is None else self._bytes.sub(SHORT.encode(), data)

    def end(self, data: bytes, most: int) -> bytes:
        """Return the last bytes without secrets; a secret that lies across the cut is shown as hidden."""
        cut = max(0, len(data) - most)
        for match in self._bytes.finditer(data) if self._bytes else ():
            if match.start() < cut < match.end():
                cut = match.start()
        return self.data(data[cut:])

    def outputs(self, outputs: Mapping[str, str]) -> dict[str, str]:
        """Return outputs without secrets, which may be in a name, or have been parted by the ``=`` behind it."""
        return {
            self.text(name): SHORT if self._parted(name, value) else self.text(value) for name, value in outputs.items()
        }

    def _parted(self, name: str, value: str) -> bool:
        both = f"{name}={value}"
        return self.text(both) != f"{self.text(name)}={self.text(value)}"

    def piece(self, read: Read, start: int, most: int, *, growing: bool) -> tuple[bytes, int, int]:
        """Return a piece of a log as ``read`` does, without secrets.

        Of a log that is ``growing`` the end is held back where a secret may have begun.
        """
        data, begin, size = read(start, most + self.reach)
        if not data:
            return data, begin, size
        before, first, _ = read(max(0, begin - self.reach), min(begin, self.reach))
        if first + len(before) != begin:  # something was left out there
            before = b""
        whole = before + data
        if self._bytes is not None:
            whole = self._bytes.sub(lambda match: b"*" * len(match[0]), whole)
        if begin > 0 and not before:
            torn = self._torn(overlap.at_start, whole)
            whole = b"*" * torn + whole[torn:]
        end = len(whole)
        if len(data) < most + self.reach:  # here the log ends, or something was left out
            torn = self._torn(overlap.at_end, whole)
            if growing and begin + len(data) >= size:
                end -= torn
            elif begin + len(data) < size:
                whole = whole[: end - torn] + b"*" * torn
        return whole[len(before) : min(end, len(before) + most)], begin, size

    def _torn(self, at_edge: Callable[[bytes, bytes], int], whole: bytes) -> int:
        """Return how many bytes of a secret may lie at an edge of what there is, its rest being beyond."""
        torn = 0
        for value in self._values:  # the longest first
            if len(value) - 1 <= torn:
                break
            torn = max(torn, at_edge(whole, value))
        return torn


def _pattern(values: Iterable[bytes]) -> re.Pattern[bytes]:
    """Return what finds these, the longest first where several begin.

    By their first bytes: a key has hundreds of lines, and to try each of them at each byte of a log takes its time.
    """
    rests: dict[bytes, list[bytes]] = defaultdict(list)
    for value in values:
        rests[value[:1]].append(re.escape(value[1:]))
    return re.compile(b"|".join(re.escape(first) + _one_of(rest) for first, rest in rests.items()))


def _one_of(patterns: Sequence[bytes]) -> bytes:
    return patterns[0] if len(patterns) == 1 else b"(?:" + b"|".join(patterns) + b")"


def _parts(secret: str) -> list[bytes]:
    lines = [line.strip() for line in secret.encode().splitlines()]
    whole = secret.encode()
    bare = whole.strip()  # lines are read without their ends
    return [whole, *([bare] if len(bare) >= LEAST else []), *(line for line in lines if len(line) >= LINE_LEAST)]
