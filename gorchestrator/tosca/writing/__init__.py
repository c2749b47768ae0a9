"""Writing: a plan becomes a gorch, the last phase.

Each step is a node. What runs it, where, and what it gets are said by :mod:`engines`, :mod:`launcher` and :mod:`nodes`;
which output of which node a value of the run is, by :mod:`producers`.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gorchestrator.tosca.faults import Report
from gorchestrator.tosca.model import Runtime, Topology, Value
from gorchestrator.tosca.plan import Plan, Step
from gorchestrator.tosca.writing.engines import Options, Targets, names
from gorchestrator.tosca.writing.nodes import NodeWriter, Work
from gorchestrator.tosca.writing.producers import Produced, Producers
from gorchestrator.tosca.writing.values import evaluate, replaced, runtimes, with_defaults

__all__ = ["Options", "Written", "to_gorch"]

_MAX_NAME = 255
_ADDRESSES = ("public_address", "private_address")
_LOCAL = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Written:
    """A gorch, and the outputs of its topology: values of which parts are outputs of the gorch's nodes."""

    gorch: dict[str, Any]
    outputs: Mapping[str, Value]
    produced: Mapping[Runtime, Produced]

    def evaluate(self, found: Mapping[str, Mapping[str, str]]) -> dict[str, Value]:
        """Return the topology's outputs; ``found`` has the outputs of each node by its name. None: there is none."""

        def find(wanted: Runtime) -> str | None:
            source = self.produced.get(wanted)
            return None if source is None else found.get(source.step, {}).get(source.output)

        return {name: evaluate(value, find) for name, value in self.outputs.items()}


def to_gorch(topology: Topology, plan: Plan, options: Options, report: Report) -> Written:
    """Return the gorch of a plan; faults and warnings go into the report."""
    return _Writer(topology, plan, options, report).write()


class _Writer:
    def __init__(self, topology: Topology, plan: Plan, options: Options, report: Report) -> None:
        self._topology = topology
        self._plan = plan
        self._options = options
        self._report = report
        self._targets = Targets(topology, options, report)
        self._nodes = NodeWriter(self._targets, options, report)
        self._producers = Producers(topology, plan)
        self._outputs: dict[str, set[str]] = {}
        self._sources: dict[str, dict[Runtime, Produced]] = {}
        self._names = _names(plan)

    def write(self) -> Written:
        self._check_hosts()
        self._check_engines()
        inputs = {name: self._inputs(step) for name, step in self._plan.steps.items()}
        produced = {}
        outputs = {name: replaced(value, self._known) for name, value in self._topology.outputs.items()}
        sources = {wanted: self._producers.last(wanted) for wanted in runtimes(outputs)}
        outputs = with_defaults(outputs, {wanted for wanted, source in sources.items() if source is None})
        for wanted in runtimes(outputs):
            found = sources[wanted]
            if found is None:
                self._report.warn(self._topology.place.below("outputs"), f"nothing sets {_told(wanted)}")
            else:
                self._outputs.setdefault(found.step, set()).add(found.output)
                produced[wanted] = found._replace(step=self._names[found.step])
        nodes = [self._node(self._plan.steps[name], inputs[name]) for name in self._producers.order()]
        nodes = nodes or [{"name": "nothing", "engine": "nil"}]  # a gorch has at least one node
        gorch = {"name": "".join(filter(str.isprintable, self._topology.name))[:_MAX_NAME], "nodes": nodes}
        return Written(gorch, outputs, produced)

    def _check_hosts(self) -> None:
        for name in self._options.hosts:
            if name not in self._topology.nodes or self._topology.compute_of(name) != name:
                self._report.fault(self._topology.place, f"--host {name}: no Compute node has that name")

    def _check_engines(self) -> None:
        operations = [step.operation for step in self._plan.steps.values() if step.operation is not None]
        used = {name for each in operations if each.primary is not None for name in names(each.primary)}
        for name in self._options.engines:
            if name not in used:
                self._report.warn(
                    self._topology.place, f"--engine {name}: nothing that runs has this type or extension"
                )

    def _inputs(self, step: Step) -> dict[str, Value]:
        """Return the inputs of a step of which all parts are known or produced by another step."""
        inputs: dict[str, Value] = {}
        sources: dict[Runtime, Produced] = {}
        self._sources[step.name] = sources
        if step.operation is None or step.operation.primary is None:
            return inputs
        for name, raw in step.operation.inputs.items():
            value = replaced(raw, self._known)
            unset = {each for each in runtimes(value) if not self._find(each, step.name, sources)}
            value = with_defaults(value, unset)
            missing = [each for each in runtimes(value) if each in unset]
            if missing:
                wanted = ", ".join(map(_told, missing))
                self._report.warn(step.place, f"{step.name} goes without {name}: nothing here sets {wanted} before it")
            else:
                inputs[name] = value
        return inputs

    def _find(self, wanted: Runtime, reader: str, sources: dict[Runtime, Produced]) -> bool:
        found = None if set("=:") & set(wanted.name) else self._producers.find(wanted, reader)
        if found is None:
            return False
        self._outputs.setdefault(found.step, set()).add(found.output)
        sources[wanted] = found._replace(step=self._names[found.step])
        return True

    def _known(self, wanted: Runtime) -> str | None:
        """Return what is known before the run after all: addresses of hosts, and names."""
        if wanted.operation is not None or wanted.node not in self._topology.nodes:
            return None
        if wanted.name == "tosca_id":
            return wanted.node
        if wanted.name in _ADDRESSES and self._topology.nodes[wanted.node].is_a("tosca.nodes.Compute"):
            return _LOCAL if self._options.local else self._targets.address(wanted.node)
        return None

    def _node(self, step: Step, inputs: Mapping[str, Value]) -> dict[str, Any]:
        node: dict[str, Any] = {"name": self._names[step.name]}
        needs = sorted(self._names[each] for each in self._producers.needs[step.name])
        if needs:
            node["needs"] = needs
        operation = step.operation
        if operation is None or operation.primary is None:
            return {**node, "engine": "nil"}
        outputs = self._outputs.get(step.name, set()) | set(operation.outputs)
        work = Work(step, operation, operation.primary, inputs, self._sources[step.name], outputs)
        return node | self._nodes.write(work)


def _names(plan: Plan) -> dict[str, str]:
    """Return the names of the gorch's nodes: those of the steps, unless they are too long or not printable."""
    return {name: name if len(name) <= _MAX_NAME and name.isprintable() else _short(name) for name in plan.steps}


def _short(name: str) -> str:
    mark = hashlib.sha256(name.encode()).hexdigest()[:16]
    return "".join(filter(str.isprintable, name))[: _MAX_NAME - len(mark) - 1] + f"-{mark}"


def _told(wanted: Runtime) -> str:
    path = ".".join((wanted.name, *map(str, wanted.path)))
    called = f"the output {path} of {'.'.join(wanted.operation)}" if wanted.operation else f"the attribute {path}"
    return f"{called} of {wanted.node}"
