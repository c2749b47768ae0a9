"""The edges of a gorch: from the matrix or from ``needs`` to predecessor lists, in order and without a cycle."""

from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from itertools import compress
from typing import Any

from gorchestrator.domain.errors import Fault

Pause = Callable[[], None]

_CELL_LIMIT = 2**63  # a cell is an integer as every JSON reader can hold it
_CELLS_PER_SLICE = 100_000  # about 2 ms of work between two pauses
_FAULTS_ENOUGH = 1000  # a matrix of a million faulty cells is not listed to its end
_SHOWN_IN_A_CYCLE = 20


def edges_of_matrix(cells: Sequence[Any], size: int, faults: list[Fault], pause: Pause) -> list[tuple[int, ...]]:
    """Return the predecessors of each node for a row-major matrix of ``size * size`` integers.

    A non-zero cell at row r and column c is an edge from node r to node c. What is wrong is added to ``faults``.
    """
    needs: list[list[int]] = [[] for _ in range(size)]
    if len(cells) != size * size:
        faults.append(
            Fault("/digraph", f"has {len(cells)} cells; {size} nodes need {size} x {size} = {size * size} cells")
        )
        return [() for _ in needs]
    rows_per_slice = max(1, _CELLS_PER_SLICE // max(1, size))
    for row_number in range(size):
        row = cells[row_number * size : (row_number + 1) * size]
        if set(map(type, row)) == {int} and min(row) >= -_CELL_LIMIT and max(row) < _CELL_LIMIT:
            for column in compress(range(size), row):
                if column == row_number:
                    faults.append(_self_edge(f"/digraph/{row_number * size + column}", row_number))
                else:
                    needs[column].append(row_number)
        else:
            faults.extend(_cell_faults(row, row_number * size))
            if len(faults) > _FAULTS_ENOUGH:
                break
        if row_number % rows_per_slice == 0:
            pause()
    return [tuple(predecessors) for predecessors in needs]


def _cell_faults(row: Sequence[Any], start: int) -> list[Fault]:
    return [
        Fault(f"/digraph/{start + column}", "must be an integer of at most 64 bits")
        for column, cell in enumerate(row)
        if type(cell) is not int or not -_CELL_LIMIT <= cell < _CELL_LIMIT
    ]


def _self_edge(pointer: str, node: int) -> Fault:
    return Fault(pointer, f"is an edge from node {node} to itself; a node cannot wait for itself")


def edges_of_needs(
    needs: Sequence[Sequence[Any]], ids: Sequence[int], by_name: Mapping[str, int], faults: list[Fault], pause: Pause
) -> list[tuple[int, ...]]:
    """Return the predecessors of each node, by id, for the ``needs`` (names or ids) of the nodes as they are listed.

    ``ids`` holds the id of each listed node. What is wrong is added to ``faults``.
    """
    found: list[tuple[int, ...]] = [() for _ in ids]
    for place, (node, wanted) in enumerate(zip(ids, needs, strict=True)):
        predecessors = set()
        for position, need in enumerate(wanted):
            pointer = f"/nodes/{place}/needs/{position}"
            predecessor = by_name.get(need) if isinstance(need, str) else need
            if type(predecessor) is not int or not 0 <= predecessor < len(ids):
                faults.append(Fault(pointer, _unknown_need(need, by_name)))
            elif predecessor == node:
                faults.append(_self_edge(pointer, node))
            else:
                predecessors.add(predecessor)
        found[node] = tuple(sorted(predecessors))
        if place % 500 == 0:
            pause()
    return found


def _unknown_need(need: Any, by_name: Mapping[str, int]) -> str:
    if not isinstance(need, str):
        return "must be the name or the id of a node of this gorch"
    near = get_close_matches(need[:100], list(by_name)[:1000], n=1)
    return f"there is no node named {need[:100]!r}" + (f"; is {near[0]!r} meant?" if near else "")


def topological_order(needs: Sequence[Sequence[int]], pause: Pause) -> tuple[list[int], list[list[int]]]:
    """Return the ids so that each comes after its predecessors, and the successors of each node.

    Nodes on a cycle and those behind it are missing from the order. Cost: O(V+E).
    """
    successors: list[list[int]] = [[] for _ in needs]
    waiting = [len(predecessors) for predecessors in needs]
    for node, predecessors in enumerate(needs):
        for predecessor in predecessors:
            successors[predecessor].append(node)
    order = [node for node, count in enumerate(waiting) if count == 0]
    for place, node in enumerate(order):  # grows while it is walked
        for successor in successors[node]:
            waiting[successor] -= 1
            if waiting[successor] == 0:
                order.append(successor)
        if place % 2000 == 0:
            pause()
    return order, successors


def find_cycle(needs: Sequence[Sequence[int]], order: Sequence[int]) -> list[int]:
    """Return the ids along one cycle, in the order of its edges, where ``order`` misses some nodes; else nothing."""
    sound = set(order)
    start = next((node for node in range(len(needs)) if node not in sound), None)
    if start is None:
        return []
    # Each node that is left has a predecessor that is left too: going back along them must come round.
    trail: list[int] = []
    place: dict[int, int] = {}
    node = start
    while node not in place:
        place[node] = len(trail)
        trail.append(node)
        node = next(predecessor for predecessor in needs[node] if predecessor not in sound)
    cycle = trail[place[node] :]
    cycle.reverse()
    return cycle


def describe_cycle(cycle: Sequence[int], names: Sequence[str]) -> str:
    """Return a cycle for people: ``a -> b -> a``, cut in the middle where it is long."""
    shown = [names[node] for node in cycle]
    if len(shown) > _SHOWN_IN_A_CYCLE:
        half = _SHOWN_IN_A_CYCLE // 2
        shown = [*shown[:half], f"… {len(shown) - 2 * half} more …", *shown[-half:]]
    return "the nodes wait for each other: " + " -> ".join([*shown, names[cycle[0]]])
