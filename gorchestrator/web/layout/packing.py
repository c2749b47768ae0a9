"""Boxes put together on a page: those of the parts of a graph between which there are no edges."""

import math
from collections.abc import Sequence

_RATIO = 1.6  # of the page's width to its height, about that of a screen


def pack(boxes: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the left upper corner of each box (width, height, with the gaps around it): no two overlap.

    They stand in shelves, the highest ones first; the page gets about the ratio of a screen.
    """
    room = sum(width * height for width, height in boxes)
    limit = max(math.sqrt(room * _RATIO), max((width for width, _ in boxes), default=0))
    corners = [(0, 0)] * len(boxes)
    left = top = below = 0
    for place in sorted(range(len(boxes)), key=lambda place: -boxes[place][1]):
        width, height = boxes[place]
        if left and left + width > limit:
            left, top = 0, below
        corners[place] = (left, top)
        left += width
        below = max(below, top + height)
    return corners
