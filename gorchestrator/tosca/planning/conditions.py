"""Conditions of workflows, decided as far as they are about values that are known before anything runs."""

from collections.abc import Sequence

from gorchestrator.tosca.faults import Place, Report
from gorchestrator.tosca.model import NodeTemplate, Runtime, Text, Token, Topology, Workflow, WorkflowStep
from gorchestrator.tosca.reading.shapes import as_map, kind_of, listed, only, place_in
from gorchestrator.tosca.reading.source import Map
from gorchestrator.tosca.types.constraints import broken, read_constraints
from gorchestrator.tosca.types.scalars import Unfit

_CLAUSES = ("and", "or", "not", "assert")
_IMPLICIT = ("state", "tosca_id", "tosca_name")
_PRECONDITION = ("target", "target_relationship", "condition", "description")


class Conditions:
    """Decides preconditions and filters; what is wrong with them is a fault."""

    def __init__(self, topology: Topology, report: Report) -> None:
        self._topology = topology
        self._report = report

    def members(self, target: str) -> Sequence[str]:
        """Return the node templates that a target means: itself, or the members of a group."""
        return [target] if target in self._topology.nodes else self._topology.groups.get(target, ())

    def check(self, flow: Workflow) -> None:
        """Refuse a workflow of which a precondition does not hold, with a warning for what only a run could tell."""
        for index, raw in enumerate(flow.preconditions):
            place = raw.place if isinstance(raw, Map) else flow.place.below("preconditions", index)
            content = as_map(raw, place, self._report)
            only(content, place, _PRECONDITION, self._report)
            target = str(content.get("target", ""))
            if not self.members(target):
                known = listed([*self._topology.nodes, *self._topology.groups])
                self._report.fault(place, f"a precondition needs a target, and {target!r} is none; there are {known}")
                continue
            at = place_in(content, "condition", place)
            verdicts = [
                self._holds(content.get("condition", []), self._topology.nodes[each], at)
                for each in self.members(target)
            ]
            what = f"a precondition of {flow.name} on {target}"
            if False in verdicts:
                self._report.fault(place, f"{what} does not hold")
            elif None in verdicts:
                self._report.warn(place, f"{what} is not looked at: only a run could tell whether it holds")

    def wanted(self, step: WorkflowStep) -> list[str]:
        """Return the members of a step's target that its filter lets through; one that may not be wanted is run."""
        found = []
        for member in self.members(step.target):
            node = self._topology.nodes[member]
            verdict = _all([self._holds(each, node, step.place) for each in step.filters])
            if verdict is not False:
                found.append(member)
            if verdict is False:
                self._report.warn(step.place, f"{step.name} is left out on {member}: its filter does not hold")
            elif verdict is None:
                text = (
                    f"the filter of {step.name} is not looked at for {member}: only a run could tell whether it holds"
                )
                self._report.warn(step.place, text)
        return found

    def _holds(self, condition: object, node: NodeTemplate, place: Place) -> bool | None:
        """Return whether a condition holds for a node; None if only a run could tell.

        ``condition``: a clause (``and``, ``or``, ``not``, ``assert``) or an assertion ``{name: [constraints]}``; a list
        is an ``and`` of them.
        """
        if isinstance(condition, list):
            return _all([self._holds(each, node, place_in(condition, at, place)) for at, each in enumerate(condition)])
        if isinstance(condition, dict):
            found = [
                self._clause(name, value, node, place_in(condition, name, place)) for name, value in condition.items()
            ]
            return _all(found)
        self._report.fault(place, f"must be a condition, but is {kind_of(condition)}")
        return None

    def _clause(self, name: str, value: object, node: NodeTemplate, place: Place) -> bool | None:
        if name in ("and", "assert"):
            return self._holds(value, node, place)
        if name == "not":
            return _negated(self._holds(value, node, place))
        if name == "or":
            parts = value if isinstance(value, list) else [value]
            # One that holds is enough: not all of them fail.
            return _negated(_all([_negated(self._holds(each, node, place)) for each in parts]))
        if name not in node.kinds and name not in _IMPLICIT:
            known = listed({*node.kinds, *_IMPLICIT, *_CLAUSES})
            self._report.fault(place, f"{node.name} has no property or attribute {name}; there are {known}")
            return None
        return self._assertion(name, value, node, place)

    def _assertion(self, name: str, value: object, node: NodeTemplate, place: Place) -> bool | None:
        parts = value if isinstance(value, list) else [value]
        raw = [each if isinstance(each, dict) else {"equal": each} for each in parts]
        constraints = read_constraints(raw, place, self._report)
        known = node.properties.get(name)
        if known is None or isinstance(known, Runtime | Text | Token):
            return None
        try:
            return not any(broken(known, node.kinds.get(name, ""), each) for each in constraints)
        except Unfit as wrong:
            self._report.fault(place, str(wrong))
            return None


def _all(verdicts: list[bool | None]) -> bool | None:
    if False in verdicts:
        return False
    return None if None in verdicts else True


def _negated(verdict: bool | None) -> bool | None:
    return None if verdict is None else not verdict
