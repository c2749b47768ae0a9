"""Imperative workflows: their steps, activity by activity, in the order that their authors gave.

A step runs when all steps that name it in ``on_success`` have succeeded; those that none names are the first ones. The
activities of a step run one after the other, on all members of a group side by side. An inlined workflow stands in the
place of its activity, a delegated one is the standard lifecycle of the step's target. A gorch has no branch for a
failure and asks for no state before a node, so ``on_failure`` and conditions that only a run can decide are left out,
with a warning.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from gorchestrator.tosca.faults import Place, Report
from gorchestrator.tosca.model import Activity, Operation, Topology, Workflow, WorkflowStep
from gorchestrator.tosca.plan import Plan, Step
from gorchestrator.tosca.planning.conditions import holds
from gorchestrator.tosca.planning.declarative import lifecycle

_LIFECYCLES = {
    "deploy": ("create", "configure", "start"),
    "install": ("create", "configure", "start"),
    "undeploy": ("stop", "delete"),
    "uninstall": ("stop", "delete"),
}


def workflow(topology: Topology, name: str, report: Report) -> Plan:
    """Return the plan of a workflow, with a place for each activity."""
    plan = Plan()
    found = topology.workflows.get(name)
    if found is None:
        known = ", ".join(sorted(topology.workflows)) or "none"
        report.fault(Place(topology.name), f"there is no workflow {name}; there are: {known}")
        return plan
    if found.missing:
        missing = ", ".join(found.missing)
        report.fault(found.place, f"the workflow {name} needs inputs that were not given: {missing}; see --inputs")
    _Weaver(topology, plan, report).weave(found, "", ())
    return plan


class _Weaver:
    def __init__(self, topology: Topology, plan: Plan, report: Report) -> None:
        self._topology = topology
        self._plan = plan
        self._report = report

    def weave(self, flow: Workflow, prefix: str, after: Iterable[str]) -> list[str]:
        """Add a workflow behind the steps ``after``; return the names of those that end it."""
        self._check(flow)
        before: dict[str, list[str]] = {name: [] for name in flow.steps}
        for name, step in flow.steps.items():
            for follower in step.on_success:
                before[follower].append(name)
        # Each step is entered through one place and left through another, so that cycles stay what they are.
        for name, step in flow.steps.items():
            self._place(f"{prefix}{name}.begin", step)
            self._place(f"{prefix}{name}.end", step, self._step(step, f"{prefix}{name}"))
        for name, earlier in before.items():
            waits = [f"{prefix}{each}.end" for each in earlier] or list(after)
            for each in waits:
                self._plan.order(each, f"{prefix}{name}.begin")
        return [f"{prefix}{name}.end" for name, step in flow.steps.items() if not step.on_success]

    def _place(self, name: str, step: WorkflowStep, after: Iterable[str] = ()) -> None:
        node = next(iter(self._members(step.target)), step.target)
        self._plan.add(Step(name, node, node, step.place), after)

    def _step(self, step: WorkflowStep, name: str) -> list[str]:
        """Add the activities of a step behind its begin; return the names of the last ones."""
        if step.on_failure:
            others = ", ".join(step.on_failure)
            self._report.warn(step.place, f"on_failure is left out ({others}): a gorch has no branch for a failure")
        ends = [f"{name}.begin"]
        if not self._is_wanted(step):
            return ends
        several = len(step.activities) > 1
        for number, activity in enumerate(step.activities, 1):
            ends = self._activity(step, activity, f"{name}.{number}" if several else name, ends)
        return ends

    def _activity(self, step: WorkflowStep, activity: Activity, name: str, after: Sequence[str]) -> list[str]:
        if activity.kind == "inline":
            inlined = self._topology.workflows.get(activity.argument)
            if inlined is not None:
                return self.weave(inlined, f"{name}/", after)
            self._report.fault(activity.place, f"there is no workflow {activity.argument}")
            return list(after)
        members = self._members(step.target)
        several = len(members) > 1
        ends = []
        for member in members:
            own = f"{name}@{member}" if several else name
            ends += self._on(step, activity, member, own, after)
        return ends or list(after)

    def _on(self, step: WorkflowStep, activity: Activity, node: str, name: str, after: Sequence[str]) -> list[str]:
        """Add one activity on one node."""
        if activity.kind == "delegate":
            return self._delegate(activity, node, name, after)
        operation, link = None, None
        if activity.kind == "call_operation":
            operation, link = self._operation(step, activity, node)
        host = step.operation_host or (operation.host if operation else "")
        runs_on = node
        if link is not None and host == "TARGET":
            runs_on = self._topology.nodes[node].requirements[link].target
        if operation is not None and step.operation_host:
            operation = replace(operation, host=step.operation_host)
        self._plan.add(Step(name, node, runs_on, activity.place, operation, link), after)
        return [name]

    def _operation(self, step: WorkflowStep, activity: Activity, node: str) -> tuple[Operation | None, int | None]:
        """Return what is called, and the place of the requirement whose operation it is."""
        template = self._topology.nodes[node]
        interfaces, link = template.interfaces, None
        if step.relationship:
            for place, relationship in enumerate(template.requirements):
                if relationship.requirement == step.relationship:
                    interfaces, link = relationship.interfaces, place
                    break
        interface, _, name = activity.argument.rpartition(".")
        found = interfaces.get(interface) or interfaces.get(interface.rpartition(".")[2]) or {}
        operation = found.get(name)
        if operation is None:
            known = (
                ", ".join(sorted(f"{each}.{name}" for each, names in interfaces.items() for name in names)) or "none"
            )
            text = f"{node} has no operation {activity.argument}; there are: {known}"
            self._report.fault(activity.place, text)
            return None, link
        if activity.inputs:
            operation = replace(operation, inputs={**operation.inputs, **activity.inputs})
        return operation, link

    def _delegate(self, activity: Activity, node: str, name: str, after: Sequence[str]) -> list[str]:
        operations = _LIFECYCLES.get(activity.argument)
        if operations is None:
            known = ", ".join(_LIFECYCLES)
            text = f"{activity.argument} cannot be delegated to: only the lifecycle of the target can ({known})"
            self._report.fault(activity.place, text)
            return list(after)
        known_operations: Mapping[str, Operation] = lifecycle(self._topology, node)
        last = list(after)
        for operation in operations:
            own = f"{name}.{operation}"
            self._plan.add(Step(own, node, node, activity.place, known_operations.get(operation)), last)
            last = [own]
        return last

    def _members(self, target: str) -> Sequence[str]:
        return [target] if target in self._topology.nodes else self._topology.groups.get(target, ())

    # -- conditions

    def _check(self, flow: Workflow) -> None:
        for condition in flow.preconditions:
            if isinstance(condition, dict):
                target = str(condition.get("target", ""))
                verdict = self._verdict(target, condition.get("condition"))
                self._tell(flow.place, verdict, f"a precondition of {flow.name} on {target}")

    def _tell(self, place: Place, verdict: bool | None, what: str) -> None:
        if verdict is None:
            self._report.warn(place, f"{what} is not looked at: only a run could tell whether it holds")
        elif not verdict:
            self._report.fault(place, f"{what} does not hold")

    def _is_wanted(self, step: WorkflowStep) -> bool:
        """Whether a step is run, as far as that is known now; one that may not be wanted is run, with a warning."""
        verdicts = [self._verdict(step.target, condition) for condition in step.filters]
        if False in verdicts:
            self._report.warn(step.place, f"{step.name} is left out: its filter does not hold")
            return False
        if None in verdicts:
            text = f"the filter of {step.name} is not looked at: only a run could tell whether it holds"
            self._report.warn(step.place, text)
        return True

    def _verdict(self, target: str, condition: object) -> bool | None:
        members = self._members(target)
        verdicts = [holds(condition, self._topology.nodes[member].properties) for member in members]
        if False in verdicts:
            return False
        return None if None in verdicts or not verdicts else True
