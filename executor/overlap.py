"""Where a text may have been cut in the middle of a value: how much of the value lies at the edge.

Apart from ``masking`` because it is about bytes alone. Values have up to 16 KiB and logs end anywhere, so the time must
not grow with the square of their lengths, whatever they hold.
"""

ANCHOR = 8  # bytes: what is at least so long is looked for by its beginning first, which is seldom there


def at_end(text: bytes, value: bytes) -> int:
    """Return how many bytes at the end of ``text`` are the beginning of ``value``, but not all of it."""
    tail = text[-(len(value) - 1) :] if len(value) > 1 else b""
    start = tail.find(value[:ANCHOR])
    if start >= 0:
        return _border(value, tail[start:])
    lengths = range(min(len(tail), ANCHOR - 1), 0, -1)
    return next((length for length in lengths if tail.endswith(value[:length])), 0)


def at_start(text: bytes, value: bytes) -> int:
    """Return how many bytes at the start of ``text`` are the end of ``value``, but not all of it."""
    return at_end(text[: len(value) - 1][::-1], value[::-1])


def _border(value: bytes, text: bytes) -> int:
    """Return the length of the longest beginning of ``value`` that ends ``text``, the shorter of the two.

    By the prefix function of both, one behind the other.
    """
    joined = [*value[: len(text)], None, *text]
    borders = [0]
    for item in joined[1:]:
        length = borders[-1]
        while length and joined[length] != item:
            length = borders[length - 1]
        borders.append(length + (joined[length] == item))
    return borders[-1]
