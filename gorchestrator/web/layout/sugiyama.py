"""Nodes placed by fast-sugiyama: few crossings, long edges led through the layers between their ends.

Its time grows with how many layers all edges pass: 0.4 s for 35,000, 45 s for 1,300,000, which is a complete graph of
200 nodes. So it is given the shortest edges that pass no more than ``MOST_PASSED`` in all. Those between
neighbouring layers are always among these; each node that is not in layer 0 has one, so the layers stay what they are.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import fast_sugiyama

from gorchestrator.web.layout.placement import PASSING, Edge, Piece

MOST_PASSED = 80_000

# Up: layers are counted from the roots, as ours are. The other settings took 48 s for a dense graph of 1,000 nodes.
_SETTINGS: Mapping[str, Any] = {
    "minimum_length": 1,
    "vertex_spacing": 1,
    "dummy_vertices": True,
    "dummy_size": PASSING,
    "ranking_type": "up",
    "crossing_minimization": "median",
    "transpose": False,
    "check_layout": False,
}


class Misplaced(Exception):
    """The library has drawn something else than it was asked for."""


def place(layer: Sequence[int], edges: Sequence[Edge]) -> list[Piece]:
    """Return pieces with all nodes but some of layer 0. ``edges`` are sorted by how many layers they pass."""
    used = _affordable(layer, edges)
    numbers = sorted({node for edge in used for node in edge})  # nodes by the numbers that the library gets
    known = {node: number for number, node in enumerate(numbers)}
    drawn: Any = fast_sugiyama.from_edges([(known[start], known[end]) for start, end in used], **_SETTINGS)
    return [_upright(_piece(dict(positions), links, numbers, layer), layer) for positions, _, _, links in drawn]


def _affordable(layer: Sequence[int], edges: Sequence[Edge]) -> Sequence[Edge]:
    passed = 0
    for place, (start, end) in enumerate(edges):
        passed += layer[end] - layer[start] - 1
        if passed > MOST_PASSED:
            return edges[:place]
    return edges


def _piece(
    positions: Mapping[int, tuple[float, float]],
    links: Sequence[Edge] | None,
    numbers: Sequence[int],
    layer: Sequence[int],
) -> Piece:
    """Return what the library calls a layout; numbers beyond our nodes are those at which edges pass a layer."""
    rows = {numbers[number]: across for number, (across, _) in positions.items() if number < len(numbers)}
    followers: dict[int, list[int]] = defaultdict(list)
    for start, end in links or ():
        followers[start].append(end)
    passing = {}
    for number in [number for number in followers if number < len(numbers)]:
        for follower in followers[number]:
            at, along = follower, []
            while at >= len(numbers):
                along.append(positions[at][0])
                (at,) = followers[at]
            edge = (numbers[number], numbers[at])
            if len(along) != layer[edge[1]] - layer[edge[0]] - 1:
                raise Misplaced(f"an edge passes {len(along)} layers, from layer {layer[edge[0]]} to {layer[edge[1]]}")
            if along:
                passing[edge] = along
    return Piece(rows, passing)


def _upright(piece: Piece, layer: Sequence[int]) -> Piece:
    """Return the piece so that of two neighbours the one that comes first in the document is rather above."""
    ordered = sorted(piece.rows, key=lambda node: (layer[node], piece.rows[node]))
    right = sum(1 if above < below else -1 for above, below in pairwise(ordered) if layer[above] == layer[below])
    if right >= 0:
        return piece
    return Piece(
        {node: -row for node, row in piece.rows.items()},
        {edge: [-row for row in along] for edge, along in piece.passing.items()},
    )
