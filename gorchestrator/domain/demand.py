"""What a graph asks of an executor that would run all of it by itself: engines, and that its nodes may go there."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from gorchestrator.domain.graph import BUILT_IN_ENGINES, Node
from gorchestrator.domain.pace import Pace, Pause

_NODES_PER_SLICE = 2000
_LISTED = 10


@dataclass(frozen=True)
class Demand:
    """The engines that nodes need, and the name of the first node, both by whom these are for."""

    engines: Mapping[str, Collection[str]]
    first: Mapping[str, str]


def demand(nodes: Sequence[Node], executors: Collection[str], aim: Callable[[str], str], pause: Pause) -> Demand:
    """Return what a graph asks for where there are executors of these names; ``aim`` tells whom a target is for."""
    pace = Pace(pause, _NODES_PER_SLICE)
    engines: dict[str, set[str]] = {}
    first: dict[str, str] = {}
    for node in nodes:
        pace.spend(1)
        if node.engine in BUILT_IN_ENGINES and node.target not in executors:
            continue  # it needs none
        whom = aim(node.target)
        engines.setdefault(whom, set()).add(node.engine)
        first.setdefault(whom, node.name)
    return Demand(engines, first)


def unmet(wanted: Demand, takes_for: Collection[str], engines: Mapping[str, str | None]) -> str | None:
    """Return why an executor would not run all of the graph; None if it would.

    ``takes_for``: all for whom it is. ``engines`` are those that it has, each with what is wrong with it, or None.
    """
    needed = sorted({engine for whom, asked in wanted.engines.items() if whom in takes_for for engine in asked})
    missing = [engine for engine in needed if engine not in engines]
    reasons = []
    if missing:
        more = f" and {len(missing) - _LISTED} more" if len(missing) > _LISTED else ""
        reasons.append(f"it has no engine {', '.join(missing[:_LISTED])}{more}")
    reasons.extend(f"its engine {engine} does not work: {engines[engine]}" for engine in needed if engines.get(engine))
    others = [whom for whom in wanted.first if whom not in takes_for]
    reasons.extend(f"node {wanted.first[whom]!r} is for {whom}" for whom in others[:_LISTED])
    return "; ".join(reasons) or None
