"""Nodes placed in a simple way, in O(V log V + E): for what the library cannot do in time, so that there is a picture.

Each layer is ordered once by the mean row of the predecessors, and stands in the middle. Long edges are led around.
"""

from collections.abc import Sequence

from gorchestrator.domain.shape import by_layer
from gorchestrator.web.layout.placement import Piece


def place(layer: Sequence[int], needs: Sequence[Sequence[int]], part: Sequence[int]) -> Piece:
    """Return a piece with the nodes of a part of the graph."""
    rows: dict[int, float] = {}
    for places in by_layer([layer[node] for node in part]):
        nodes = [part[place] for place in places]
        middle = {node: _middle([rows[before] for before in needs[node]]) for node in nodes}
        nodes.sort(key=middle.__getitem__)
        rows.update({node: row - (len(nodes) - 1) / 2 for row, node in enumerate(nodes)})
    return Piece(rows)


def _middle(rows: Sequence[float]) -> float:
    return sum(rows) / len(rows) if rows else 0.0
