"""Hiding the values of secrets in what nodes print: asterisks take their place when a log is read.

In logs as many as the secret has bytes, so that the offsets of a log stay true; elsewhere three. Which piece of a log
is asked for makes no difference: it is looked at with as many bytes around it as a secret may reach into it.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping

from executor import forms, overlap

SHORT = "***"
HEAD = 4  # bytes

#: Reads at most so many bytes from an offset on: what there is, where it begins, and the size of the whole.
Read = Callable[[int, int], tuple[bytes, int, int]]


class Mask:
    """Knows what is to be hidden."""

    def __init__(self, secrets: Iterable[str]) -> None:
        found = [form for secret in secrets for form in forms.of(secret)]
        self.reach = max(map(len, found), default=1) - 1  # bytes that a secret may lie beyond the first one
        self._values = Values(found) if found else None

    def text(self, text: str) -> str:
        """Return a text without secrets."""
        if self._values is None:
            return text
        return self.data(text.encode(errors="replace")).decode(errors="replace")

    def data(self, data: bytes) -> bytes:
        """Return bytes without secrets."""
        return data if self._values is None else self._values.replace(data, lambda _: SHORT.encode())

    def end(self, data: bytes, most: int) -> bytes:
        """Return the last bytes without secrets; a secret that lies across the cut is shown as hidden."""
        cut = max(0, len(data) - most)
        for start, end in self._values.spans(data) if self._values else ():
            if start < cut < end:
                cut = start
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
        if self._values is not None:
            whole = self._values.replace(whole, lambda size: b"*" * size)
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
        for value in self._values.ordered if self._values else ():  # the longest first
            if len(value) - 1 <= torn:
                break
            torn = max(torn, at_edge(whole, value))
        return torn


class Values:
    """Finds values in bytes, the longest where several begin.

    By their first bytes, with which few places begin: a key has hundreds of lines, and to try each of them at each byte
    takes its time, as does making a pattern of all their bytes.
    """

    def __init__(self, values: Iterable[bytes]) -> None:
        self.ordered = sorted(set(values), key=len, reverse=True)
        size = min([HEAD, *map(len, self.ordered)])
        self._by_head: dict[bytes, list[bytes]] = defaultdict(list)
        for value in self.ordered:
            self._by_head[value[:size]].append(value)
        self._head = re.compile(_one_of(self._by_head))

    def spans(self, data: bytes) -> Iterator[tuple[int, int]]:
        """Yield where they begin and end."""
        start = 0
        while head := self._head.search(data, start):
            start = head.start()
            size = next((len(value) for value in self._by_head[head[0]] if data.startswith(value, start)), 0)
            if size:
                yield start, start + size
            start += size or 1

    def replace(self, data: bytes, shown: Callable[[int], bytes]) -> bytes:
        """Return bytes with something else in their places. ``shown`` is told how many bytes a value has."""
        pieces, end = [], 0
        for start, stop in self.spans(data):
            pieces += [data[end:start], shown(stop - start)]
            end = stop
        return b"".join([*pieces, data[end:]]) if pieces else data


def _one_of(heads: Iterable[bytes]) -> bytes:
    """Return a pattern for texts of the same length."""
    rests: dict[bytes, list[bytes]] = defaultdict(list)
    for head in heads:
        rests[head[:1]].append(re.escape(head[1:]))
    return b"|".join(b"%s(?:%s)" % (re.escape(first), b"|".join(rest)) for first, rest in rests.items())
