"""Imperative workflows: steps with their activities, each value evaluated with the inputs that it sees.

An inlined workflow that is given inputs becomes a workflow of its own, for its values differ from those of others.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from gorchestrator.tosca.faults import Place
from gorchestrator.tosca.model import Activity, Value, Workflow, WorkflowStep
from gorchestrator.tosca.reading.shapes import (
    as_map,
    as_text,
    as_texts,
    entries,
    items,
    kind_of,
    listed,
    named,
    only,
    place_in,
)
from gorchestrator.tosca.topology.evaluation import Evaluator
from gorchestrator.tosca.topology.implementations import read_host
from gorchestrator.tosca.topology.inputs import declared_in, slots_for
from gorchestrator.tosca.topology.scope import Context, Scope, Slot, Slots

_MOST = 1000  # workflows: each that is inlined with inputs becomes one of its own, and so do those within it
_KEYS = ("description", "metadata", "inputs", "preconditions", "steps", "implementation", "outputs")
_STEP_KEYS = (
    "target",
    "target_relationship",
    "operation_host",
    "filter",
    "activities",
    "on_success",
    "on_failure",
    "description",
)
_ACTIVITIES = {"call_operation": "operation", "set_state": "state", "delegate": "workflow", "inline": "workflow"}


class Workflows:
    """Reads the workflows of a topology."""

    def __init__(self, section: Any, place: Place, scope: Scope, evaluator: Evaluator) -> None:
        self._scope = scope
        self._evaluator = evaluator
        self._raw = {
            name: (as_map(raw, at, scope.report), at) for name, raw, at in entries(section, place, scope.report)
        }
        self._found: dict[str, Workflow] = {}
        self._groups: Mapping[str, list[str]] = {}

    def inputs(self) -> set[str]:
        """Return the names of the inputs of all workflows."""
        found = (content.get("inputs") for content, _ in self._raw.values())
        return {str(name) for section in found if isinstance(section, dict) for name in section}

    def resolve(self, given: Mapping[str, Value], groups: Mapping[str, list[str]]) -> dict[str, Workflow]:
        """Return the workflows by name; ``given``: inputs of any of them."""
        self._groups = groups
        for name in self._raw:
            self._workflow(name, name, given, {}, ())
        return self._found

    def _workflow(
        self, name: str, called: str, given: Mapping[str, Value], slots: Slots, within: tuple[str, ...]
    ) -> None:
        """Resolve one; ``given`` and ``slots``: values of its inputs; ``within``: the workflows that inline it."""
        content, place = self._raw[name]
        report = self._scope.report
        only(content, place, _KEYS, report)
        if content.get("implementation"):
            report.fault(place_in(content, "implementation", place), "a workflow in another language is not supported")
        if content.get("outputs"):
            report.warn(
                place_in(content, "outputs", place), "outputs of a workflow are ignored: those of nodes are shown"
            )
        declared = declared_in(content.get("inputs"), place_in(content, "inputs", place), self._scope)
        inputs = slots_for(declared, given, self._scope, self._scope.inputs)
        for key, slot in slots.items():
            slot.definition = declared.get(key)
            inputs[key] = slot
        missing = [key for key in declared if key not in inputs]
        unset = {key: Slot(key, None, declared[key].place, self._scope.outside) for key in missing}
        context = Context({**self._scope.inputs, **unset, **inputs})
        at = place_in(content, "steps", place)
        raw_steps = {
            step: (as_map(raw, there, report), there) for step, raw, there in entries(content.get("steps"), at, report)
        }
        steps = {
            step: self._step(step, raw, there, context, set(raw_steps), (*within, name), called)
            for step, (raw, there) in raw_steps.items()
        }
        preconditions = self._conditions(content, "preconditions", place, context)
        values = self._evaluator.settle_all(inputs)
        self._found[called] = Workflow(called, place, steps, values, preconditions, missing)

    def _step(
        self,
        name: str,
        raw: dict[str, Any],
        place: Place,
        context: Context,
        steps: set[str],
        within: tuple[str, ...],
        called: str,
    ) -> WorkflowStep:
        report = self._scope.report
        only(raw, place, _STEP_KEYS, report)
        target = as_text(raw.get("target"), place_in(raw, "target", place), report)
        relationship = as_text(raw.get("target_relationship"), place_in(raw, "target_relationship", place), report)
        self._check_target(target, relationship, raw, place)
        context = self._seen_from(target, relationship, context)
        return WorkflowStep(
            name,
            target,
            place,
            self._activities(raw, place, context, within, f"{called}.{name}"),
            relationship,
            read_host(raw.get("operation_host"), place_in(raw, "operation_host", place), self._scope),
            self._others(raw, "on_success", place, steps),
            self._others(raw, "on_failure", place, steps),
            self._conditions(raw, "filter", place, context),
        )

    def _seen_from(self, target: str, relationship: str, context: Context) -> Context:
        """Return what SELF and other words mean in a step; nothing for that of a group, whose members differ."""
        node = self._scope.nodes.get(target)
        links = [link for link in node.links if link.name == relationship] if node is not None else []
        return replace(context, node=node, link=links[0] if len(links) == 1 else None)

    def _check_target(self, target: str, relationship: str, raw: dict[str, Any], place: Place) -> None:
        at, report = place_in(raw, "target", place), self._scope.report
        if not target:
            report.fault(place, "a step needs a target: a node template or a group")
            return
        if target not in self._scope.nodes and target not in self._groups:
            known = listed([*self._scope.nodes, *self._groups])
            report.fault(at, f"unknown target {target}; there are {known}")
            return
        names = [target] if target in self._scope.nodes else self._groups[target]
        known_links = {link.name for name in names for link in self._scope.nodes[name].links}
        if relationship and relationship not in known_links:
            at = place_in(raw, "target_relationship", place)
            report.fault(at, f"{target} has no requirement {relationship}; there are {listed(known_links)}")

    def _others(self, raw: dict[str, Any], key: str, place: Place, steps: set[str]) -> list[str]:
        at = place_in(raw, key, place)
        names = as_texts(raw.get(key), at, self._scope.report)
        for name in names:
            if name not in steps:
                self._scope.report.fault(at, f"unknown step {name}; there are {listed(steps)}")
        return [name for name in names if name in steps]

    def _conditions(self, raw: dict[str, Any], key: str, place: Place, context: Context) -> list[Value]:
        """Return preconditions or filters as they are written, with their functions evaluated."""
        found = items(raw.get(key), place_in(raw, key, place), self._scope.report)
        return [self._evaluator.settle(Slot(key, item, at, context)) for item, at in found]

    def _activities(
        self, raw: dict[str, Any], place: Place, context: Context, within: tuple[str, ...], step: str
    ) -> list[Activity]:
        section, at = raw.get("activities"), place_in(raw, "activities", place)
        if section is None:
            self._scope.report.fault(place, "a step needs activities")
        found: list[Activity] = []
        for kind, value, there in named(section, at, self._scope.report):
            if kind not in _ACTIVITIES:
                known = listed(_ACTIVITIES)
                self._scope.report.fault(there, f"unknown activity {kind}; there are {known}")
                continue
            activity = self._activity(kind, value, there, context, within, f"{step}.{len(found)}")
            if activity is not None:
                found.append(activity)
        return found

    def _activity(
        self, kind: str, value: Any, place: Place, context: Context, within: tuple[str, ...], label: str
    ) -> Activity | None:
        report, slots = self._scope.report, dict[str, Slot]()
        argument = value
        if isinstance(value, dict):
            only(value, place, (_ACTIVITIES[kind], "inputs"), report)
            argument = value.get(_ACTIVITIES[kind])
            inputs = entries(value.get("inputs"), place_in(value, "inputs", place), report)
            slots = {name: Slot(f"{label}.{name}", raw, at, context) for name, raw, at in inputs}
        if not isinstance(argument, str) or not argument:
            report.fault(place, f"{kind} needs a text, but there is {kind_of(argument)}")
            return None
        if kind == "inline":
            argument = self._inlined(argument, place, slots, within, label)
        return Activity(kind, argument, place, self._evaluator.settle_all(slots))

    def _inlined(self, name: str, place: Place, slots: Slots, within: tuple[str, ...], label: str) -> str:
        """Return the name of the workflow that is inlined; with inputs, that of its own copy."""
        if name not in self._raw:
            self._scope.report.fault(place, f"unknown workflow {name}; there are {listed(self._raw)}")
        elif name in within:
            way = " → ".join((*within[within.index(name) :], name))
            self._scope.report.fault(place, f"a workflow inlines itself: {way}")
        elif slots and len(self._found) + len(within) > _MOST:
            self._scope.report.fault(place, f"more than {_MOST} workflows come of those that are inlined with inputs")
        elif slots:
            own = f"{name} ({label})"
            self._workflow(name, own, {}, slots, within)
            return own
        return name
