"""What a graph asks of an executor that would run all of it by itself: engines, and nodes that name another one."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from gorchestrator.domain.graph import BUILT_IN_ENGINES, Node
from gorchestrator.domain.pace import Pace, Pause

_NODES_PER_SLICE = 2000
_LISTED = 10


@dataclass(frozen=True)
class Demand:
    """The engines that nodes need of whichever executor, and those of nodes that name one, by its name."""

    engines: frozenset[str]
    of_named: dict[str, frozenset[str]]
    first_of: dict[str, str]  # the name of the first node that names the executor


def demand(nodes: Sequence[Node], executors: Collection[str], pause: Pause) -> Demand:
    """Return what a graph asks for, where there are executors of these names."""
    pace = Pace(pause, _NODES_PER_SLICE)
    free: set[str] = set()
    named: dict[str, set[str]] = {}
    first: dict[str, str] = {}
    for node in nodes:
        if node.target in executors:
            named.setdefault(node.target, set()).add(node.engine)
            first.setdefault(node.target, node.name)
        elif node.engine not in BUILT_IN_ENGINES:
            free.add(node.engine)
        pace.spend(1)
    return Demand(frozenset(free), {name: frozenset(engines) for name, engines in named.items()}, first)


def unmet(wanted: Demand, executor: str, engines: Mapping[str, str | None]) -> str | None:
    """Return why an executor would not run all of the graph; None if it would.

    ``engines`` are those that it has, each with what is wrong with it, or None.
    """
    needed = sorted(wanted.engines | wanted.of_named.get(executor, frozenset()))
    missing = [engine for engine in needed if engine not in engines]
    reasons = []
    if missing:
        more = f" and {len(missing) - _LISTED} more" if len(missing) > _LISTED else ""
        reasons.append(f"it has no engine {', '.join(missing[:_LISTED])}{more}")
    reasons.extend(f"its engine {engine} does not work: {engines[engine]}" for engine in needed if engines.get(engine))
    others = [name for name in wanted.first_of if name != executor]
    reasons.extend(f"node {wanted.first_of[name]!r} is for executor {name!r}" for name in others[:_LISTED])
    return "; ".join(reasons) or None
