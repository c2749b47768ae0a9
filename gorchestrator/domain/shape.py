"""The shape of a graph: its layers, the path that is longest, the parts that hang together. Pure arithmetic on edges.

Layer 0 has no predecessors; every other node is one behind the last of its own. ``needs`` are everywhere the
predecessors of each node, without a cycle; ``order`` has each node behind its predecessors, as
:func:`gorchestrator.domain.digraph.topological_order` returns it.
"""

from collections.abc import Sequence

from gorchestrator.domain.pace import Pace, Pause

_EDGES_PER_SLICE = 20_000  # about 2 ms of work between two pauses


def layers(needs: Sequence[Sequence[int]], order: Sequence[int], pause: Pause) -> list[int]:
    """Return the layer of each node, in O(V+E)."""
    found = [0] * len(needs)
    pace = Pace(pause, _EDGES_PER_SLICE)
    for node in order:
        found[node] = max([found[predecessor] for predecessor in needs[node]], default=-1) + 1
        pace.spend(1 + len(needs[node]))
    return found


def by_layer(layer: Sequence[int]) -> list[list[int]]:
    """Return the nodes of each layer, ascending."""
    found: list[list[int]] = [[] for _ in range(max(layer, default=-1) + 1)]
    for node, number in enumerate(layer):
        found[number].append(node)
    return found


def critical_path(needs: Sequence[Sequence[int]], layer: Sequence[int], pause: Pause) -> list[int]:
    """Return the nodes of the longest path, by number of nodes, from its first to its last one.

    Of several the one is taken whose nodes have the smaller ids, seen from its end.
    """
    if not layer:
        return []
    path = [layer.index(max(layer))]
    pace = Pace(pause, _EDGES_PER_SLICE)
    while wanted := layer[path[-1]]:
        pace.spend(1 + len(needs[path[-1]]))
        path.append(next(node for node in needs[path[-1]] if layer[node] == wanted - 1))
    return path[::-1]


def components(needs: Sequence[Sequence[int]], successors: Sequence[Sequence[int]]) -> list[list[int]]:
    """Return the parts of the graph between which there are no edges, each as its nodes, ascending."""
    seen = [False] * len(needs)
    found = []
    for start in range(len(needs)):
        if seen[start]:
            continue
        seen[start] = True
        part = [start]
        for node in part:  # grows while it is walked
            for near in (*needs[node], *successors[node]):
                if not seen[near]:
                    seen[near] = True
                    part.append(near)
        found.append(sorted(part))
    return found
