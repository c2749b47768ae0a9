"""Numbers with keys in memory that several processes may map: one writes, the others read.

A record is appended once and stays where it is, so that to add to a number is to add to a double at a known place.
Words of eight bytes: the head (how many words are used), then for each record the length of its key in bytes and the
number of its values in one word, the key, the values. A record is there as soon as the head counts it.
"""

import math
import mmap
import struct
from collections.abc import Iterator

SIZE = 256 * 1024  # bytes
_WORD = 8
_SPARE = 32  # words behind the head for what finds no room: counted nowhere rather than failing a run
_FIRST = 1 + _SPARE
_LENGTHS = struct.Struct("=II")
_HEAD = struct.Struct("=Q")


class Cells:
    """The writer's view. ``values`` are the doubles; those of a record begin where :meth:`place` says."""

    def __init__(self, memory: mmap.mmap) -> None:
        """Go on with what is in ``memory``, of :data:`SIZE` bytes, all zero if it is new."""
        self._bytes = memoryview(memory)
        self._head = self._bytes.cast("Q")
        self.values = self._bytes.cast("d")
        self._head[0] = max(self._head[0], _FIRST)
        self._places = {key: place for key, place, _ in _records(self._bytes)}

    def place(self, key: bytes, width: int) -> int:
        """Return where the values of a record begin, which is made if it is not there."""
        found = self._places.get(key)
        return self._append(key, width) if found is None else found

    def _append(self, key: bytes, width: int) -> int:
        start = self._head[0]
        place = start + 1 + _words(len(key))
        if (place + width) * _WORD > SIZE:
            return 1
        at = start * _WORD
        self._bytes[at : at + _WORD] = _LENGTHS.pack(len(key), width)
        self._bytes[at + _WORD : at + _WORD + len(key)] = key
        self._head[0] = place + width
        self._places[key] = place
        return place

    def blank(self, prefix: bytes) -> None:
        """Take the values of all records away whose keys begin like this; who reads sees them as not a number."""
        for key, place, width in list(_records(self._bytes)):
            if key.startswith(prefix):
                for each in range(place, place + width):
                    self.values[each] = math.nan


def read(memory: mmap.mmap) -> list[tuple[bytes, tuple[float, ...]]]:
    """Return keys and values; each value is taken in one piece, whatever its writer does meanwhile."""
    with memoryview(memory) as data:
        return [(key, struct.unpack_from(f"{width}d", data, place * _WORD)) for key, place, width in _records(data)]


def _records(data: memoryview) -> Iterator[tuple[bytes, int, int]]:
    """Yield keys, the places of their values, and how many these are."""
    if len(data) < _WORD:
        return
    used = min(_HEAD.unpack_from(data)[0], len(data) // _WORD)
    at = _FIRST
    while at < used:
        length, width = _LENGTHS.unpack_from(data, at * _WORD)
        place = at + 1 + _words(length)
        yield bytes(data[(at + 1) * _WORD : (at + 1) * _WORD + length]), place, width
        at = place + width


def _words(length: int) -> int:
    return -(-length // _WORD)
