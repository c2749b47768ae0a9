"""The stream of a container's log: frames of eight bytes of header, whose last four are the length of what follows."""

import struct
from collections.abc import Iterable, Iterator

HEADER = struct.Struct(">B3xL")  # the stream, stdout or stderr, makes no difference here


def payloads(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield what the frames in some pieces carry. A frame that is cut off in the end is left out."""
    rest = b""
    for piece in pieces:
        rest += piece
        found, start = [], 0
        while len(rest) - start >= HEADER.size:
            first = start + HEADER.size
            end = first + HEADER.unpack_from(rest, start)[1]
            if end > len(rest):
                break
            found.append(rest[first:end])
            start = end
        rest = rest[start:]
        if found:
            yield b"".join(found)
