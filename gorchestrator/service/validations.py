"""What there is to say of a gorch before it runs: its shape, the executors that would take it, how it is drawn."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from gorchestrator.client.executor import RemoteExecutor
from gorchestrator.client.fleet import Fleet
from gorchestrator.common.hub import breathe
from gorchestrator.domain.demand import Demand, demand, unmet
from gorchestrator.domain.digraph import topological_order
from gorchestrator.domain.errors import Fault
from gorchestrator.domain.graph import Graph
from gorchestrator.domain.shape import by_layer, critical_path, layers
from gorchestrator.service.layouts import Layouts
from gorchestrator.service.submissions import Submissions


@dataclass(frozen=True, slots=True)
class Taker:
    """Whether an executor would take all of a graph; the reason why it would not, or cannot now."""

    name: str
    takes: bool
    reason: str | None


@dataclass(frozen=True, slots=True)
class Validation:
    """What is known of a sound graph. ``layout``: its drawing, packed with zlib, if that was asked for."""

    graph: Graph
    layers: Sequence[Sequence[int]]
    critical_path: Sequence[int]
    executors: Sequence[Taker]
    layout: bytes | None


class Validations:
    """Looks at graphs without running them."""

    def __init__(self, submissions: Submissions, layouts: Layouts, fleet: Fleet) -> None:
        self._submissions = submissions
        self._layouts = layouts
        self._fleet = fleet

    def validate(
        self, document: Mapping[str, Any], faults: Sequence[Fault] = (), *, layout: bool = False
    ) -> Validation:
        """Return what is known of a gorch. Raises InvalidGorch with ``faults`` and all others, and NoLayout."""
        graph = self._submissions.validate(document, faults)
        needs = [node.needs for node in graph.nodes]
        order, _ = topological_order(needs, breathe)
        layer = layers(needs, order, breathe)
        names = {executor.name for executor in self._fleet}
        wanted = demand(graph.nodes, names, cache(self._fleet.aim), breathe)
        return Validation(
            graph=graph,
            layers=by_layer(layer),
            critical_path=critical_path(needs, layer, breathe),
            executors=[self._taker(wanted, executor) for executor in self._fleet],
            layout=self._layouts.of_graph(graph) if layout else None,
        )

    def _taker(self, wanted: Demand, executor: RemoteExecutor) -> Taker:
        info, fault = executor.contact.info, executor.contact.fault
        why = fault.reason if fault is not None else None
        if info is None:
            reason = f"its engines are not known: {why or 'it was not asked yet'}"
            return Taker(executor.name, takes=False, reason=reason)
        engines = {
            name: None if about.get("ok", True) else str(about.get("reason")) for name, about in info.engines.items()
        }
        found = unmet(wanted, self._fleet.aims(executor), engines)
        return Taker(executor.name, takes=found is None, reason=found or why)
