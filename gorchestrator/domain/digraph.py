"""The edges of a gorch: from the matrix or from ``needs`` to predecessor lists, in order and without a cycle."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from itertools import compress
from typing import Any

from gorchestrator.domain.errors import Fault
from gorchestrator.domain.pace import Pace, Pause

_CELL_LIMIT = 2**63  # a cell is an integer as every JSON reader can hold it
_CELLS_PER_SLICE = 100_000  # about 2 ms of work between two pauses
_CELLS_PER_EDGE = 5  # what an edge costs, in cells
_EDGES_PER_SLICE = 20_000
_NEEDS_PER_SLICE = 5_000
_FAULTS_ENOUGH = 1000  # a matrix of a million faulty cells is not listed to its end
_FAULTS_OF_NEEDS = 500
_COMPARED_LENGTH = 64  # longer texts take far longer to compare
_COMPARED = 1000  # names that one need is compared with
_COMPARISONS = 2_000_000  # length times length, of a document: for 20 needs of 10 letters and 1,000 such names
_COMPARISONS_PER_SLICE = 20_000  # about 2 ms where they are alike
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
    pace = Pace(pause, _CELLS_PER_SLICE)
    for row_number in range(size):
        row = cells[row_number * size : (row_number + 1) * size]
        edges = 0
        if set(map(type, row)) == {int} and min(row) >= -_CELL_LIMIT and max(row) < _CELL_LIMIT:
            columns = list(compress(range(size), row))
            edges = len(columns)
            for column in columns:
                if column == row_number:
                    faults.append(_self_edge(f"/digraph/{row_number * size + column}", row_number))
                else:
                    needs[column].append(row_number)
        else:
            faults.extend(_cell_faults(row, row_number * size))
            if len(faults) > _FAULTS_ENOUGH:
                break
        pace.spend(size + _CELLS_PER_EDGE * edges)
    return [_frozen(predecessors, pace) for predecessors in needs]


def _frozen(predecessors: Sequence[int], pace: Pace) -> tuple[int, ...]:
    pace.spend(len(predecessors))
    return tuple(predecessors)


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

    ``ids`` holds the id of each listed node. What is wrong is added to ``faults``; of many only the first.
    """
    found: list[tuple[int, ...]] = [() for _ in ids]
    pace = Pace(pause, _NEEDS_PER_SLICE)
    faulty = _FaultyNeeds(by_name, faults, pause)
    for place, (node, wanted) in enumerate(zip(ids, needs, strict=True)):
        predecessors = set()
        for position, need in enumerate(wanted):
            predecessor = by_name.get(need) if isinstance(need, str) else need
            if type(predecessor) is int and 0 <= predecessor < len(ids) and predecessor != node:
                predecessors.add(predecessor)
            else:
                faulty.add(f"/nodes/{place}/needs/{position}", node, need, predecessor)
            pace.spend(1)
        found[node] = tuple(sorted(predecessors))
        pace.spend(1)
    faulty.close()
    return found


class _FaultyNeeds:
    """The faults of ``needs``. A document may have millions, and a suggestion is dear: both are for the first only."""

    def __init__(self, by_name: Mapping[str, int], faults: list[Fault], pause: Pause) -> None:
        self._by_name = by_name
        self._names = [name for name in by_name if len(name) <= _COMPARED_LENGTH][:_COMPARED]
        self._faults = faults
        self._pace = Pace(pause, _COMPARISONS_PER_SLICE)
        self._count = 0
        self._comparisons = 0

    def add(self, pointer: str, node: int, need: Any, predecessor: Any) -> None:
        """Add that a need of a node is no node, or the node itself."""
        self._count += 1
        if self._count <= _FAULTS_OF_NEEDS:
            itself = type(predecessor) is int and predecessor == node
            self._faults.append(_self_edge(pointer, node) if itself else Fault(pointer, self._unknown(need)))

    def close(self) -> None:
        """Say how many more there are."""
        more = self._count - _FAULTS_OF_NEEDS
        if more > 0:
            self._faults.append(Fault("/nodes", f"{more} more needs are faulty and not listed"))

    def _unknown(self, need: Any) -> str:
        if not isinstance(need, str):
            return "must be the name or the id of a node of this gorch"
        near = self._near(need)
        return f"there is no node named {need[:100]!r}" + (f"; is {near[0]!r} meant?" if near else "")

    def _near(self, need: str) -> list[str]:
        """Return the name that is nearest to ``need``, if one is near."""
        if len(need) > _COMPARED_LENGTH or self._comparisons >= _COMPARISONS:
            return []
        near: list[str] = []
        for name in self._names:
            work = len(need) * len(name)
            if get_close_matches(need, [name]):
                near = get_close_matches(need, [*near, name], n=1)
            self._comparisons += work
            self._pace.spend(work)
        return near


def topological_order(needs: Sequence[Sequence[int]], pause: Pause) -> tuple[list[int], list[list[int]]]:
    """Return the ids so that each comes after its predecessors, and the successors of each node.

    Nodes on a cycle and those behind it are missing from the order. Cost: O(V+E).
    """
    successors: list[list[int]] = [[] for _ in needs]
    waiting = [len(predecessors) for predecessors in needs]
    pace = Pace(pause, _EDGES_PER_SLICE)
    for node, predecessors in enumerate(needs):
        for predecessor in predecessors:
            successors[predecessor].append(node)
        pace.spend(1 + len(predecessors))
    order = [node for node, count in enumerate(waiting) if count == 0]
    for node in order:  # grows while it is walked
        for successor in successors[node]:
            waiting[successor] -= 1
            if waiting[successor] == 0:
                order.append(successor)
        pace.spend(1 + len(successors[node]))
    return order, successors


def find_cycle(needs: Sequence[Sequence[int]], order: Sequence[int], pause: Pause) -> list[int]:
    """Return the ids along one cycle, in the order of its edges, where ``order`` misses some nodes; else nothing."""
    sound = set(order)
    start = next((node for node in range(len(needs)) if node not in sound), None)
    if start is None:
        return []
    # Each node that is left has a predecessor that is left too: going back along them must come round.
    trail: list[int] = []
    place: dict[int, int] = {}
    node = start
    pace = Pace(pause, _EDGES_PER_SLICE)
    while node not in place:
        pace.spend(1 + len(needs[node]))
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
