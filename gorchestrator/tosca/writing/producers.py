"""Who produces what: for a value that is known at run time only, the step that has it as an output.

An attribute may be set by any operation of its node. Where one says so (``outputs`` of an operation, since 1.3), that
one counts; else the last one before the reader that has the attribute's name in its script or in what that depends on;
else the last one of which that cannot be known, as its file is not here.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

from gorchestrator.tosca.model import Operation, Runtime, Topology
from gorchestrator.tosca.plan import Plan, Step


class Produced(NamedTuple):
    """The step that produces a value, and the name of its output."""

    step: str
    output: str


class Producers:
    """Finds them. ``needs`` are those of the plan, and what was added so that a reader waits for a producer."""

    def __init__(self, topology: Topology, plan: Plan) -> None:
        self._topology = topology
        self._steps = plan.steps
        self.needs: dict[str, set[str]] = {name: set(plan.needs.get(name, ())) for name in plan.steps}
        self._numbers = {name: number for number, name in enumerate(plan.steps)}
        self._known: dict[Produced, bool | None] = {}

    def find(self, wanted: Runtime, reader: str) -> Produced | None:
        """Return what produces a value before ``reader`` runs; one beside it becomes one before it. None: nothing."""
        before, beside = [], []
        for name, output in self._candidates(wanted):
            if self._is_before(name, reader):
                before.append(Produced(name, output))
            elif name != reader and not self._is_before(reader, name):
                beside.append(Produced(name, output))
        chosen = self._chosen(before, wanted) or self._chosen(beside, wanted)
        if chosen is not None and chosen not in before:
            self._put_before(chosen.step, reader)
        return chosen

    def last(self, wanted: Runtime) -> Produced | None:
        """Return what produces a value by the end. None: nothing."""
        return self._chosen(list(self._candidates(wanted)), wanted)

    def order(self) -> Sequence[str]:
        """Return all steps so that each comes after what it needs."""
        return _sorted(self.needs)

    def _candidates(self, wanted: Runtime) -> Iterator[Produced]:
        """Yield who may produce it, in order; for what belongs to a relationship, only operations of that one."""
        steps = self._working.get(wanted.node, ())
        if wanted.relationship is not None:
            steps = [each for each in steps if each.node == wanted.node and each.relationship == wanted.relationship]
        said: list[Produced] = []
        others: list[Produced] = []
        for step in sorted(steps, key=lambda step: self._before[step.name].bit_count()):
            if wanted.operation is not None:
                if _is_owner(step, wanted) and _is_called(step.operation, wanted.operation):
                    others.append(Produced(step.name, _output(wanted)))
                continue
            said.extend(Produced(step.name, name) for name in self._setting(step, wanted))
            others.append(Produced(step.name, _output(wanted)))
        yield from said or others

    def _setting(self, step: Step, wanted: Runtime) -> Iterator[str]:
        """Yield the outputs of a step that it says to set this attribute by."""
        path = (wanted.name, *map(str, wanted.path))
        ways = (path, (wanted.capability, *path)) if wanted.capability else (path,)
        for name, (entity, *attribute) in ((name, path) for name, path in _said(step) if path):
            if self._is_meant(entity, step, wanted) and tuple(map(str, attribute)) in ways:
                yield name

    def _is_meant(self, entity: str, step: Step, wanted: Runtime) -> bool:
        of_relationship = entity == "SELF" and step.relationship is not None
        if of_relationship or wanted.relationship is not None:
            return of_relationship and _is_owner(step, wanted)
        return self._meant(entity, step) == wanted.node

    def _meant(self, entity: str, step: Step) -> str:
        if entity == "TARGET" and step.relationship is not None:
            return self._topology.nodes[step.node].requirements[step.relationship].target
        if entity == "HOST":
            return self._topology.host_of(step.node) or ""
        return step.node if entity in ("SELF", "SOURCE") else entity

    def _chosen(self, found: Sequence[Produced], wanted: Runtime) -> Produced | None:
        """Return the last one that sets it for sure; else the last one of the node itself that may."""
        if wanted.operation is not None:
            return found[-1] if found else None
        sure = [each for each in found if self._sets(each)]
        perhaps = [each for each in found if self._sets(each) is None and _is_owner(self._steps[each.step], wanted)]
        chosen = sure or perhaps
        return chosen[-1] if chosen else None

    def _sets(self, produced: Produced) -> bool | None:
        """Whether a step has this output, by what it says or what its files hold; None if they are not here."""
        if produced not in self._known:
            operation = self._steps[produced.step].operation
            self._known[produced] = None if operation is None else _mentions(operation, produced.output)
        return self._known[produced]

    @cached_property
    def _working(self) -> Mapping[str, Sequence[Step]]:
        """The steps that run something, by each node whose attributes they may set."""
        found: dict[str, list[Step]] = {}
        for step in self._steps.values():
            if step.operation is None or step.operation.primary is None:
                continue
            said = {self._meant(path[0], step) for _, path in _said(step) if path}
            for node in {step.node, step.runs_on, *said}:
                found.setdefault(node, []).append(step)
        return found

    def _is_before(self, first: str, then: str) -> bool:
        return bool(self._before[then] >> self._numbers[first] & 1)

    def _put_before(self, first: str, then: str) -> None:
        """Have one step wait for another, and so all that wait for it."""
        self.needs[then].add(first)
        number = self._numbers[then]
        added = self._before[first] | 1 << self._numbers[first]
        for name, mask in self._before.items():
            if name == then or mask >> number & 1:
                self._before[name] = mask | added

    @cached_property
    def _before(self) -> dict[str, int]:
        """Those that come before each step, as one bit for each: what comes later has more of them."""
        masks: dict[str, int] = {}
        for name in self.order():
            mask = 0
            for need in self.needs[name]:
                mask |= masks[need] | 1 << self._numbers[need]
            masks[name] = mask
        return masks


def _said(step: Step) -> Iterable[tuple[str, tuple[str, ...]]]:
    return step.operation.outputs.items() if step.operation else ()


def _is_owner(step: Step, wanted: Runtime) -> bool:
    """Whether a step's operation is one of the very node or relationship that has the value."""
    return step.relationship == wanted.relationship and step.node == wanted.node


def _output(wanted: Runtime) -> str:
    """Return the output's name; of a part of an attribute its path with underscores."""
    return "_".join((wanted.name, *map(str, wanted.path)))


def _is_called(operation: Operation | None, called: tuple[str, str]) -> bool:
    interface, name = called
    if operation is None:
        return False
    return operation.name == name and operation.interface.rpartition(".")[2] == interface.rpartition(".")[2]


def _mentions(operation: Operation, name: str) -> bool | None:
    """Whether an operation has a name among its outputs or in its files; None if the one that it runs is not here."""
    if name in operation.outputs:
        return True
    word = re.compile(rb"(?<![A-Za-z0-9_])%b(?![A-Za-z0-9_])" % re.escape(name).encode())
    artifacts = [each for each in (operation.primary, *operation.dependencies) if each is not None]
    if any(each.content is not None and word.search(each.content) for each in artifacts):
        return True
    return False if operation.primary is not None and operation.primary.content is not None else None


def _sorted(needs: Mapping[str, set[str]]) -> Sequence[str]:
    followers: dict[str, list[str]] = {name: [] for name in needs}
    missing = {name: len(before) for name, before in needs.items()}
    for name, before in needs.items():
        for each in sorted(before):
            followers[each].append(name)
    order = [name for name, count in missing.items() if not count]
    for name in order:  # it grows meanwhile
        for follower in followers[name]:
            missing[follower] -= 1
            if not missing[follower]:
                order.append(follower)
    return order
