"""Leaving out the steps that do no work, while the order that they imply stays."""

from collections import Counter

from gorchestrator.tosca.plan import Plan, Step
from gorchestrator.tosca.planning.cycles import order

_FAN = 64  # edges: where leaving out a step would make more of them, it stays as a place where they meet


def compacted(plan: Plan) -> Plan:
    """Return the plan without steps that have no implementation, and without edges that others imply."""
    sequence = order(plan.needs)
    followers = Counter(each for needs in plan.needs.values() for each in needs)
    seen: dict[str, set[str]] = {}  # for a step that is left out: the steps that stand for it
    found = Plan()
    reach = _Reach()
    for name in sequence:
        needs = set().union(*({each} if each in found.steps else seen[each] for each in plan.needs[name]), set())
        needs = reach.reduced(needs)
        if _works(plan.steps[name]) or len(needs) * followers[name] > _FAN:
            found.add(plan.steps[name], needs)
            reach.add(name, needs)
        else:
            seen[name] = needs
    if not found.steps and sequence:  # nothing works, but a gorch has at least one node
        found.add(plan.steps[sequence[-1]])
    return found


def _works(step: Step) -> bool:
    return step.operation is not None and step.operation.primary is not None


class _Reach:
    """What is before each step, as bits of a number: 10,000 steps take a kilobyte each."""

    def __init__(self) -> None:
        self._place: dict[str, int] = {}
        self._before: dict[str, int] = {}  # without the step itself

    def add(self, name: str, needs: set[str]) -> None:
        """Take in a step behind all that it needs."""
        before = 0
        for each in needs:
            before |= self._before[each] | 1 << self._place[each]
        self._place[name] = len(self._place)
        self._before[name] = before

    def reduced(self, needs: set[str]) -> set[str]:
        """Return those of these steps that are not before another of them."""
        if len(needs) < 2:  # noqa: PLR2004  (one cannot be before itself)
            return needs
        implied = 0
        for each in needs:
            implied |= self._before[each]
        return {each for each in needs if not implied >> self._place[each] & 1}
