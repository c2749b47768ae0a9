"""Imperative workflows: their steps, activity by activity, in the order that their authors gave.

A step runs when all steps that name it in ``on_success`` have succeeded; those that none names are the first ones. The
activities of a step run one after the other, on all members of a group side by side. An inlined workflow stands in the
place of its activity, a delegated one is the standard lifecycle of the step's target. A gorch has no branch for a
failure and asks for no state before a node, so steps to which only ``on_failure`` leads and conditions that only a run
can decide are left out, with a warning.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from gorchestrator.tosca.faults import Report
from gorchestrator.tosca.model import Activity, Operation, Topology, Workflow, WorkflowStep
from gorchestrator.tosca.plan import Plan, Step
from gorchestrator.tosca.planning.conditions import Conditions
from gorchestrator.tosca.planning.declarative import configuration, lifecycle

_LIFECYCLES = {
    "deploy": ("create", "configure", "start"),
    "install": ("create", "configure", "start"),
    "undeploy": ("stop", "delete"),
    "uninstall": ("stop", "delete"),
}
_AT_TARGET = {"pre_configure_target", "post_configure_target", "add_source", "remove_source"}


def workflow(topology: Topology, name: str, report: Report) -> Plan:
    """Return the plan of a workflow, with a place for each activity."""
    plan = Plan()
    found = topology.workflows.get(name)
    if found is None:
        known = ", ".join(sorted(topology.workflows)) or "none"
        report.fault(topology.place, f"there is no workflow {name}; there are: {known}")
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
        self._conditions = Conditions(topology, report)

    def weave(self, flow: Workflow, prefix: str, after: Iterable[str]) -> list[str]:
        """Add a workflow behind the steps ``after``; return the names of those that end it."""
        self._conditions.check(flow)
        steps = self._reached(flow)
        # Each step is entered through one place and left through another, so that cycles stay what they are.
        begins = {name: self._place(f"{prefix}{name}.begin", step) for name, step in steps.items()}
        ends = {
            name: self._place(f"{prefix}{name}.end", step, self._step(step, f"{prefix}{name}", begins[name]))
            for name, step in steps.items()
        }
        first = set(steps)
        for name, step in steps.items():
            for follower in step.on_success:
                self._plan.order(ends[name], begins[follower])
                first.discard(follower)
        for name in first:
            for each in after:
                self._plan.order(each, begins[name])
        return [ends[name] for name, step in steps.items() if not step.on_success]

    def _reached(self, flow: Workflow) -> dict[str, WorkflowStep]:
        """Return the steps that run if all goes well; the others are told."""
        failing = {name for step in flow.steps.values() for name in step.on_failure}
        followers = {name for step in flow.steps.values() for name in step.on_success}
        well = _behind(flow, [name for name in flow.steps if name not in failing | followers])
        left = _behind(flow, failing) - well
        for name in sorted(left):
            text = f"the step {name} is left out: only a failure leads to it, and a gorch has no branch for one"
            self._report.warn(flow.steps[name].place, text)
        for step in flow.steps.values():
            if step.on_failure and step.name not in left and not left.issuperset(step.on_failure):
                others = ", ".join(step.on_failure)
                self._report.warn(step.place, f"on_failure is left out ({others}): a gorch has no branch for a failure")
        return {name: step for name, step in flow.steps.items() if name not in left}

    def _add(self, name: str, step: Step, after: Iterable[str]) -> str:
        """Add a step by its name, or by one beside it if it is taken; return the one."""
        while name in self._plan.steps:
            name += "'"
        self._plan.add(replace(step, name=name), after)
        return name

    def _place(self, name: str, step: WorkflowStep, after: Iterable[str] = ()) -> str:
        node = next(iter(self._conditions.members(step.target)), step.target)
        return self._add(name, Step(name, node, node, step.place), after)

    def _step(self, step: WorkflowStep, name: str, begin: str) -> list[str]:
        """Add the activities of a step behind its begin; return the names of the last ones."""
        members = self._conditions.wanted(step)
        ends = [begin]
        several = len(step.activities) > 1
        for number, activity in enumerate(step.activities if members else (), 1):
            ends = self._activity(step, activity, members, f"{name}.{number}" if several else name, ends)
        return ends

    def _activity(
        self, step: WorkflowStep, activity: Activity, members: Sequence[str], name: str, after: Sequence[str]
    ) -> list[str]:
        if activity.kind == "inline":
            inlined = self._topology.workflows.get(activity.argument)
            if inlined is not None:
                return self.weave(inlined, f"{name}/", after)
            self._report.fault(activity.place, f"there is no workflow {activity.argument}")
            return list(after)
        several = len(self._conditions.members(step.target)) > 1
        ends = []
        for member in members:
            own = f"{name}@{member}" if several else name
            ends += self._on(step, activity, member, own, after)
        return ends or list(after)

    def _on(self, step: WorkflowStep, activity: Activity, node: str, name: str, after: Sequence[str]) -> list[str]:
        """Add one activity on one node."""
        if activity.kind == "delegate":
            return self._delegate(activity, node, name, after)
        if activity.kind != "call_operation":
            return [self._add(name, Step(name, node, node, activity.place), after)]
        requirements = self._topology.nodes[node].requirements
        links: list[int | None] = [None]
        if step.relationship:
            links = [at for at, each in enumerate(requirements) if each.requirement == step.relationship]
        ends = []
        for link in links:
            operation = self._operation(step, activity, node, link)
            host = step.operation_host or (operation.host if operation else "")
            runs_on = node
            if link is not None and (host == "TARGET" or (not host and operation and operation.name in _AT_TARGET)):
                runs_on = requirements[link].target
            ends.append(self._add(name, Step(name, node, runs_on, activity.place, operation, link), after))
        return ends or list(after)

    def _operation(self, step: WorkflowStep, activity: Activity, node: str, link: int | None) -> Operation | None:
        """Return what is called; ``link``: the place of the requirement whose operation it is."""
        template = self._topology.nodes[node]
        interfaces = template.interfaces if link is None else template.requirements[link].interfaces
        interface, _, name = activity.argument.rpartition(".")
        found = interfaces.get(interface) or interfaces.get(interface.rpartition(".")[2]) or {}
        operation = found.get(name)
        if operation is None:
            known = (
                ", ".join(sorted(f"{each}.{name}" for each, names in interfaces.items() for name in names)) or "none"
            )
            text = f"{node} has no operation {activity.argument}; there are: {known}"
            self._report.fault(activity.place, text)
            return None
        host = step.operation_host or operation.host
        return replace(operation, host=host, inputs={**operation.inputs, **activity.inputs})

    def _delegate(self, activity: Activity, node: str, name: str, after: Sequence[str]) -> list[str]:
        operations = _LIFECYCLES.get(activity.argument)
        if operations is None:
            known = ", ".join(_LIFECYCLES)
            text = f"{activity.argument} cannot be delegated to: only the lifecycle of the target can ({known})"
            self._report.fault(activity.place, text)
            return list(after)
        if activity.inputs:
            self._report.warn(activity.place, f"inputs of {activity.argument} are ignored: it takes none")
        for each in self._topology.nodes[node].requirements:
            if any(operation.primary is not None for operation in configuration(each).values()):
                text = f"the operations of {node}.{each.requirement} are left out: a workflow calls them itself"
                self._report.warn(activity.place, text)
        known_operations: Mapping[str, Operation] = lifecycle(self._topology, node)
        last = list(after)
        for operation in operations:
            own = f"{name}.{operation}"
            last = [self._add(own, Step(own, node, node, activity.place, known_operations.get(operation)), last)]
        return last


def _behind(flow: Workflow, begin: Iterable[str]) -> set[str]:
    """Return steps with all that follow where they succeed."""
    found: set[str] = set()
    waiting = list(begin)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting.extend(flow.steps[name].on_success)
    return found
