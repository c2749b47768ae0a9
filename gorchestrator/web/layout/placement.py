"""What those that place nodes answer: rows. From there on the drawing is arithmetic, the same for both of them.

A row is the room of one node and the gap to the next one, within a layer. Rows are relative to a piece: what the placer
has placed together. Pieces that belong to one part of the graph are drawn one below the other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

Edge = tuple[int, int]  # from and to

#: The room of an edge that passes a layer, in rows.
PASSING = 0.25


@dataclass(frozen=True)
class Piece:
    """Some nodes and their rows, and those at which long edges pass the layers between their ends, in order.

    Edges over more than one layer that have no rows here are led around.
    """

    rows: Mapping[int, float]
    passing: Mapping[Edge, Sequence[float]] = field(default_factory=dict)


def apart(first: float, second: float) -> float:
    """Return how many rows there are at least between two neighbours of a layer of these sizes: 1, or PASSING."""
    return (first + second) / 2
