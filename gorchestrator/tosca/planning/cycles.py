"""Steps that wait for themselves: there is no order then, and their author is told the way around."""

from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter

from gorchestrator.tosca.faults import Report
from gorchestrator.tosca.plan import Plan

_NAMED = 12  # steps of a cycle in a message


def order(needs: Mapping[str, Iterable[str]]) -> list[str]:
    """Return the names in an order in which each comes behind those that it needs. Raises CycleError."""
    return list(TopologicalSorter(needs).static_order())


def refuse_cycles(plan: Plan, report: Report) -> bool:
    """Note a fault if steps of the plan wait for each other; return whether there is an order."""
    try:
        order(plan.needs)
    except CycleError as error:
        # graphlib names each step before the one that waits for it.
        cycle = list(error.args[1])
        told = " → ".join(cycle if len(cycle) <= _NAMED else [*cycle[: _NAMED - 1], "…", cycle[-1]])
        report.fault(
            plan.steps[cycle[0]].place, f"these operations wait for each other: {told}; take out one requirement"
        )
        return False
    return True
