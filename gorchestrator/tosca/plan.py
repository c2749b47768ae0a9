"""A plan: the operations that are to be run, and which before which. Made by ``planning``, read by ``writing``."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from gorchestrator.tosca.faults import Place
from gorchestrator.tosca.model import Operation


@dataclass(frozen=True, slots=True)
class Step:
    """One operation on a node, or on one end of a relationship.

    ``name``: unique in the plan, such as ``web.create`` or ``app.database.pre_configure_source``. ``node``: whose
    variables it sees as SELF (the source of a relationship). ``runs_on``: the node on whose host it runs (the target
    for operations at the target's end). ``operation``: None for a place in the order without any work (kept only
    without ``compact``, or where an activity only sets a state).
    """

    name: str
    node: str
    runs_on: str
    place: Place
    operation: Operation | None = None
    relationship: int | None = None  # its place among the requirements of ``node``


@dataclass(slots=True)
class Plan:
    """Steps by name, and for each the names of those that must have succeeded before it."""

    steps: dict[str, Step] = field(default_factory=dict)
    needs: dict[str, set[str]] = field(default_factory=dict)

    def add(self, step: Step, after: Iterable[str] = ()) -> None:
        """Add a step behind others. ValueError if there is one of its name."""
        if step.name in self.steps:
            raise ValueError(f"two steps are called {step.name}")
        self.steps[step.name] = step
        self.needs[step.name] = set(after)

    def order(self, first: str, then: str) -> None:
        """Have one step wait for another."""
        self.needs[then].add(first)
