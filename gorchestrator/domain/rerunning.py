"""Which nodes of a graph that has ended run again, and of which the outputs are taken over."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gorchestrator.common.states import State
from gorchestrator.domain.errors import NothingToRerun
from gorchestrator.domain.pace import Pause

_PER_SLICE = 2000


@dataclass(frozen=True, slots=True)
class Plan:
    """The numbers of the nodes that run, and of those that are taken over, ascending."""

    runs: tuple[int, ...]
    reused: tuple[int, ...]


def plan(needs: Sequence[Sequence[int]], states: Sequence[State], chosen: Iterable[int], pause: Pause) -> Plan:
    """Return what runs again: the chosen nodes, those that did not succeed, and whatever comes behind either.

    ``needs``: the predecessors of each node. Raises NothingToRerun if that is none of them.
    """
    again = [state is not State.SUCCESS for state in states]
    for number in chosen:
        again[number] = True
    successors = _successors(needs, pause)
    reached = [node for node, runs in enumerate(again) if runs]
    if not reached:
        raise NothingToRerun
    for place, node in enumerate(reached):  # which grows meanwhile
        for successor in successors[node]:
            if not again[successor]:
                again[successor] = True
                reached.append(successor)
        if place % _PER_SLICE == 0:
            pause()
    return Plan(tuple(sorted(reached)), tuple(node for node, runs in enumerate(again) if not runs))


def _successors(needs: Sequence[Sequence[int]], pause: Pause) -> list[list[int]]:
    successors: list[list[int]] = [[] for _ in needs]
    for node, before in enumerate(needs):
        for predecessor in before:
            successors[predecessor].append(node)
        if node % _PER_SLICE == 0:
            pause()
    return successors
