"""Deployments without a workflow: the lifecycles of nodes and relationships, woven as their types promise.

What is promised, for a relationship of a source S with a target T:

* each node: create, then configure, then start;
* HostedOn and DependsOn, and what derives from them: T has started before S is created;
* ConnectsTo, AttachesTo and RoutesTo, and what derives from them: T has started before S is configured;
* any other promises no order of its ends, which may be each other's peers;
* ``pre_configure_source`` between create and configure of S, behind the start of T where S is configured behind that,
  ``post_configure_source`` between its configure and start;
  the same at the target's end; ``add_target`` and ``add_source`` when both have started;
* the undeployment is the mirror: ``remove_target`` and ``remove_source`` first, then stop and delete; S is deleted
  before T stops where T had to start first, else S has stopped before T stops.
"""

from collections.abc import Iterator, Mapping
from itertools import count

from gorchestrator.tosca.faults import Report
from gorchestrator.tosca.model import Interfaces, Operation, Relationship, Topology
from gorchestrator.tosca.plan import Plan, Step

_STANDARD = ("Standard", "tosca.interfaces.node.lifecycle.Standard")
_CONFIGURE = ("Configure", "tosca.interfaces.relationship.Configure")
_ORDERS = {  # the step of the source that waits for the target's start, and the one that the target's stop waits for
    "tosca.relationships.HostedOn": ("create", "delete"),
    "tosca.relationships.DependsOn": ("create", "delete"),
    "tosca.relationships.ConnectsTo": ("configure", "stop"),
    "tosca.relationships.AttachesTo": ("configure", "stop"),
    "tosca.relationships.RoutesTo": ("configure", "stop"),
}
_UP = ("create", "configure", "start")
_DOWN = ("stop", "delete")
_ENDS = ("add_target", "add_source", "remove_target", "remove_source")


def deployment(topology: Topology, report: Report) -> Plan:
    """Return the plan that brings all nodes up, with a place for each operation, whether it does anything or not."""
    plan = _lifecycles(topology, _UP)
    for name, relationship in _named(topology):
        source, target = relationship.source, relationship.target
        for waiting, _ in _order(relationship):
            plan.order(f"{target}.start", f"{source}.{waiting}")
        weave = _Weave(plan, topology, relationship, name)
        for end, owner in (("source", source), ("target", target)):
            weave.between(f"{owner}.create", f"pre_configure_{end}", f"{owner}.configure", runs_on=owner)
            weave.between(f"{owner}.configure", f"post_configure_{end}", f"{owner}.start", runs_on=owner)
        if _order(relationship) and f"{name}.pre_configure_source" in plan.steps:
            plan.order(f"{target}.start", f"{name}.pre_configure_source")
        started = (f"{source}.start", f"{target}.start")
        weave.behind(started, "add_target", runs_on=source)
        weave.behind(started, "add_source", runs_on=target)
    _warn(topology, report)
    return plan


def undeployment(topology: Topology, report: Report) -> Plan:
    """Return the plan that takes all nodes down."""
    plan = _lifecycles(topology, _DOWN)
    for name, relationship in _named(topology):
        source, target = relationship.source, relationship.target
        for _, last in _order(relationship):
            plan.order(f"{source}.{last}", f"{target}.stop")
        weave = _Weave(plan, topology, relationship, name)
        for operation, runs_on in (("remove_target", source), ("remove_source", target)):
            weave.before((f"{source}.stop", f"{target}.stop"), operation, runs_on=runs_on)
    _warn(topology, report)
    return plan


def lifecycle(topology: Topology, node: str) -> Mapping[str, Operation]:
    """Return the operations of a node's standard lifecycle."""
    return _of(topology.nodes[node].interfaces, _STANDARD)


def configuration(relationship: Relationship) -> Mapping[str, Operation]:
    """Return the operations of a relationship that are woven between those of its ends."""
    return _of(relationship.interfaces, _CONFIGURE)


def _lifecycles(topology: Topology, names: tuple[str, ...]) -> Plan:
    plan = Plan()
    for node in topology.nodes.values():
        known = lifecycle(topology, node.name)
        before: list[str] = []
        for name in names:
            operation = known.get(name)
            place = operation.place if operation else node.place
            step = Step(f"{node.name}.{name}", node.name, node.name, place, operation)
            plan.add(step, before)
            before = [step.name]
    return plan


def _named(topology: Topology) -> Iterator[tuple[str, Relationship]]:
    """Yield the relationships, each with a name of its own: a requirement can be met more than once."""
    taken: set[str] = set()
    for node in topology.nodes.values():
        for relationship in node.requirements:
            name = f"{node.name}.{relationship.requirement}"
            numbered = (f"{name}.{number}" for number in count(1))
            name = name if name not in taken else next(each for each in numbered if each not in taken)
            taken.add(name)
            yield name, relationship


def _order(relationship: Relationship) -> list[tuple[str, str]]:
    """Return what a relationship promises, as in :data:`_ORDERS`; nothing for a node that is its own peer."""
    if relationship.source == relationship.target:
        return []
    return [order for name, order in _ORDERS.items() if relationship.is_a(name)][:1]


def _of(interfaces: Interfaces, names: tuple[str, ...]) -> Mapping[str, Operation]:
    return next((interfaces[name] for name in names if name in interfaces), {})


class _Weave:
    """Puts the operations of one relationship between those of its ends. What is not declared leaves no place."""

    def __init__(self, plan: Plan, topology: Topology, relationship: Relationship, name: str) -> None:
        self._plan = plan
        self._relationship = relationship
        self._name = name
        self._known = configuration(relationship)
        self._place = topology.nodes[relationship.source].requirements.index(relationship)

    def between(self, first: str, operation: str, then: str, *, runs_on: str) -> None:
        """Add an operation behind one step and before another."""
        if name := self.behind((first,), operation, runs_on=runs_on):
            self._plan.order(name, then)

    def before(self, steps: tuple[str, ...], operation: str, *, runs_on: str) -> None:
        """Add an operation before others."""
        if name := self.behind((), operation, runs_on=runs_on):
            for each in steps:
                self._plan.order(name, each)

    def behind(self, steps: tuple[str, ...], operation: str, *, runs_on: str) -> str | None:
        """Add an operation behind others; return the name of its step, None if there is no such operation."""
        found = self._known.get(operation)
        if found is None:
            return None
        name = f"{self._name}.{operation}"
        self._plan.add(Step(name, self._relationship.source, runs_on, found.place, found, self._place), steps)
        return name


def _warn(topology: Topology, report: Report) -> None:
    """Tell of operations that have an implementation and that no lifecycle runs."""
    for node in topology.nodes.values():
        _unused(node.interfaces, _STANDARD, {*_UP, *_DOWN}, report)
    for relationship in topology.relationships():
        known = {f"{when}_configure_{end}" for when in ("pre", "post") for end in ("source", "target")}
        _unused(relationship.interfaces, _CONFIGURE, {*known, *_ENDS}, report)


def _unused(interfaces: Interfaces, names: tuple[str, ...], known: set[str], report: Report) -> None:
    for interface, operations in interfaces.items():
        for name, operation in operations.items():
            if operation.primary is not None and (interface not in names or name not in known):
                text = f"{interface}.{name} is not part of a deployment: only a workflow can call it"
                report.warn(operation.place, text)
