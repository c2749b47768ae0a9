"""Graphs of many shapes, and what has to be true of any drawing."""

import random
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

Needs = list[list[int]]


def needs_of(size: int, edges: Iterable[tuple[int, int]]) -> Needs:
    found: Needs = [[] for _ in range(size)]
    for start, end in sorted(set(edges)):
        found[end].append(start)
    return found


def chain(size: int) -> Needs:
    return [[node - 1] if node else [] for node in range(size)]


def fan(size: int) -> Needs:
    """Return one node before all others, and one behind them."""
    return [[], *([0] for _ in range(size)), list(range(1, size + 1))]


def near(size: int, reach: int, seed: int = 1) -> Needs:
    """Return a graph of which each node needs two of those that come shortly before it."""
    chance = random.Random(seed)
    return needs_of(size, [(max(0, node - chance.randint(1, reach)), node) for node in range(1, size) for _ in "ab"])


def any_pairs(size: int, edges: int, seed: int = 1) -> Needs:
    chance = random.Random(seed)
    pairs: set[tuple[int, int]] = set()
    while len(pairs) < edges:
        first, second = sorted(chance.sample(range(size), 2))
        pairs.add((first, second))
    return needs_of(size, pairs)


def complete(size: int) -> Needs:
    return [list(range(node)) for node in range(size)]


def layer_of(needs: Sequence[Sequence[int]]) -> list[int]:
    """Return the layers of a graph of which each node comes behind its predecessors."""
    found: list[int] = []
    for before in needs:
        found.append(1 + max((found[node] for node in before), default=-1))
    return found


def check(needs: Sequence[Sequence[int]], drawn: Mapping[str, Any]) -> None:
    """Fail unless a drawing shows this graph, each node apart from the others and from edges that are not its own."""
    width, height, nodes = drawn["node_width"], drawn["node_height"], drawn["nodes"]
    assert len(nodes) == len(needs)
    for x, y in nodes:
        assert width / 2 <= x <= drawn["width"] - width / 2
        assert height / 2 <= y <= drawn["height"] - height / 2
    _layers_grow(needs, drawn)
    columns = _columns(nodes)
    for column in columns.values():
        assert all(second - first > height for first, second in pairwise(column)), "two nodes overlap"
    assert all(second - first > width for first, second in pairwise(sorted(columns))), "two columns overlap"
    wanted = {(before, node) for node, all_before in enumerate(needs) for before in all_before}
    assert len(drawn["edges"]) == len(wanted) - drawn["omitted"]
    assert {(start, end) for start, end, _ in drawn["edges"]} <= wanted
    for start, end, line in drawn["edges"]:
        points = list(zip(line[::2], line[1::2], strict=True))
        (x, y), (u, v) = nodes[start], nodes[end]
        assert points[0] == (x + width // 2, y)
        assert points[-1] == (u - width // 2, v)
        assert all(0 <= at <= drawn["width"] and 0 <= down <= drawn["height"] for at, down in points)
        for first, second in pairwise(points):
            _meets_no_node(first, second, columns, width, height)


def _layers_grow(needs: Sequence[Sequence[int]], drawn: Mapping[str, Any]) -> None:
    layer, nodes = layer_of(needs), drawn["nodes"]
    assert drawn["layers"] == max(layer, default=-1) + 1
    steps = {
        (nodes[node][0] - nodes[before][0]) / (layer[node] - layer[before])
        for node, all_before in enumerate(needs)
        for before in all_before
    }
    assert len(steps) <= 1, "a layer is not a column"
    assert all(step > drawn["node_width"] for step in steps)


def _columns(nodes: Sequence[Sequence[int]]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for x, y in nodes:
        found.setdefault(x, []).append(y)
    return {x: sorted(found[x]) for x in found}


def _meets_no_node(
    first: tuple[int, int], second: tuple[int, int], columns: Mapping[int, Sequence[int]], width: int, height: int
) -> None:
    """Fail if a line is in the inside of any node."""
    (x, y), (u, v) = sorted((first, second))
    for column, ys in columns.items():
        left, right = column - width / 2, column + width / 2
        if u <= left or x >= right:
            continue
        if x == u:
            low, high = sorted((y, v))
        else:
            at_left = y + (v - y) * (max(left, x) - x) / (u - x)
            at_right = y + (v - y) * (min(right, u) - x) / (u - x)
            low, high = sorted((at_left, at_right))
        assert not any(low < middle + height / 2 and high > middle - height / 2 for middle in ys), (first, second)
