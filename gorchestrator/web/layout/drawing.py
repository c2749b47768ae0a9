"""The drawing of a whole graph: its parts, each placed and drawn, on one page.

Left to right: within a part, x grows with the layer. Coordinates are whole pixels, at the scale at which a node has the
width and height of :mod:`gorchestrator.web.layout.part`.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from gorchestrator.domain.digraph import topological_order
from gorchestrator.domain.shape import components, layers
from gorchestrator.web.layout import grid, sugiyama
from gorchestrator.web.layout.packing import pack
from gorchestrator.web.layout.part import HEIGHT, WIDTH, Part
from gorchestrator.web.layout.placement import Edge, Piece

MOST_EDGES = 200_000  # more than anybody can tell apart; a browser would not draw them either
_BESIDE, _BELOW = 80, 40  # between two parts
_BORDER = 20  # of the page


def draw(needs: Sequence[Sequence[int]], *, simple: bool = False) -> dict[str, Any]:
    """Return the drawing of the graph in which each node has these predecessors, without a cycle, ready for JSON.

    ``nodes``: the middle of each, ``[x, y]``. ``edges``: ``[from, to, [x, y, x, y, …]]``, from border to border, but
    for the longest ones, ``omitted`` in number, where there are too many. ``simple``: without the library that has few
    edges cross.
    """
    order, successors = topological_order(needs, _no_pause)
    layer = layers(needs, order, _no_pause)
    edges = [(before, node) for node, all_before in enumerate(needs) for before in all_before]
    edges.sort(key=lambda edge: layer[edge[1]] - layer[edge[0]])
    parts = _parts(components(needs, successors), layer, needs, edges[:MOST_EDGES], simple=simple)
    about = {
        "node_width": WIDTH,
        "node_height": HEIGHT,
        "layers": max(layer, default=-1) + 1,
        "omitted": max(0, len(edges) - MOST_EDGES),
    }
    return about | _page(parts, len(needs))


def _no_pause() -> None:
    """Nobody waits for this process."""


def _parts(
    members: Sequence[Sequence[int]],
    layer: Sequence[int],
    needs: Sequence[Sequence[int]],
    edges: Sequence[Edge],
    *,
    simple: bool,
) -> list[Part]:
    part_of = {node: number for number, nodes in enumerate(members) for node in nodes}
    edges_of: Mapping[int, list[Edge]] = defaultdict(list)
    for edge in edges:
        edges_of[part_of[edge[0]]].append(edge)
    pieces: Mapping[int, list[Piece]] = defaultdict(list)
    for piece in [] if simple else sugiyama.place(layer, edges):
        pieces[part_of[next(iter(piece.rows))]].append(piece)
    for number, nodes in enumerate(members):
        placed = {node for piece in pieces[number] for node in piece.rows}
        if rest := [node for node in nodes if node not in placed]:  # all, or some of layer 0
            pieces[number].append(grid.place(layer, needs, rest))
    return [
        Part({node: layer[node] for node in nodes}, pieces[number], edges_of[number])
        for number, nodes in enumerate(members)
    ]


def _page(parts: Sequence[Part], size: int) -> dict[str, Any]:
    corners = pack([(part.width + _BESIDE, part.height + _BELOW) for part in parts])
    nodes: list[tuple[int, int]] = [(0, 0)] * size
    lines: list[tuple[int, int, list[int]]] = []
    width = height = 0
    for part, corner in zip(parts, corners, strict=True):
        left, top = corner[0] + _BORDER, corner[1] + _BORDER
        width, height = max(width, left + part.width), max(height, top + part.height)
        for node, (x, y) in part.nodes().items():
            nodes[node] = (left + x, top + y)
        for (start, end), points in part.edges().items():
            lines.append((start, end, [at for x, y in points for at in (left + x, top + y)]))
    lines.sort(key=lambda line: line[:2])
    return {"width": width + _BORDER, "height": height + _BORDER, "nodes": nodes, "edges": lines}
