"""Converts each template of a folder and compares with what its ``expected.tsv`` says.

``python -m tests.tosca_conformance DIR`` prints a row for each template: accepted or refused, as expected or not, the
nodes and edges of its gorch, and how many promises of order were checked. Columns of ``expected.tsv``: path below the
folder; ``accept``, ``refuse`` or ``any``; why. Inputs that a template needs get a value that fits their definition.
Ends with status 1 if a row is a miss.
"""

import argparse
import csv
import itertools
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from gorchestrator.tosca.faults import Report, ToscaError
from gorchestrator.tosca.model import Topology
from gorchestrator.tosca.plan import Plan
from gorchestrator.tosca.planning import deploy, undeploy
from gorchestrator.tosca.reading.imports import load
from gorchestrator.tosca.topology import resolve
from gorchestrator.tosca.types.checking import check
from gorchestrator.tosca.types.system import TypeSystem
from gorchestrator.tosca.types.values import PropertyDef, read_definition
from gorchestrator.tosca.writing import Options, to_gorch

PROMISES = {  # what waits for the target's start, and what comes before its stop
    "tosca.relationships.HostedOn": ("create", "delete"),
    "tosca.relationships.DependsOn": ("create", "delete"),
    "tosca.relationships.ConnectsTo": ("configure", "stop"),
    "tosca.relationships.AttachesTo": ("configure", "stop"),
}
SAMPLES = ("x", 1, 1.0, True, "1 GB", "1 s", "1 MHz", "1 Mbps", "1.0", "2026-01-01", [1, 2], [], {}, "x" * 20)


@dataclass(frozen=True, slots=True)
class Expectation:
    """A row of ``expected.tsv``."""

    path: str
    expected: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a template. ``orders``: how many promises were checked; ``broken``: those that do not hold."""

    row: Expectation
    accepted: bool
    note: str = ""
    nodes: int = 0
    edges: int = 0
    orders: int = 0
    broken: Sequence[str] = ()

    @property
    def is_hit(self) -> bool:
        """Whether it is as expected."""
        return not self.broken and self.row.expected in ("any", "accept" if self.accepted else "refuse")


def expectations(folder: Path) -> list[Expectation]:
    """Read ``expected.tsv``."""
    with (folder / "expected.tsv").open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [Expectation(*row[:3]) for row in rows if row and not row[0].startswith("#")]


def examine(folder: Path, row: Expectation) -> Outcome:
    """Convert one template, and check the promises of order."""
    path = folder / row.path
    report = Report()
    try:
        topology = _topology(path, report)
        plan = deploy(topology, report, compact=True)
        gorch = to_gorch(topology, plan, Options(), report).gorch
        report.check()
    except ToscaError as error:
        return Outcome(row, accepted=False, note=str(error.faults[0]))
    orders = list(_orders(topology))
    broken = [f"{first} before {then}" for first, then, holds in orders if not holds]
    nodes: Sequence[Mapping[str, Any]] = gorch["nodes"]
    edges = sum(len(node.get("needs", ())) for node in nodes)
    return Outcome(row, True, "; ".join(broken[:3]), len(nodes), edges, len(orders), broken)


def _topology(path: Path, report: Report) -> Topology:
    document = load(path, report)
    report.check()
    types = TypeSystem(document, report)
    topology = resolve(document, types, _samples(document.root, types), report)
    report.check()
    return topology


# -- values for inputs that have none


def _samples(root: Any, types: TypeSystem) -> dict[str, Any]:
    """Return for each input that needs a value one that fits its definition and the properties that it becomes."""
    template = root.get("topology_template")
    inputs = template.get("inputs") if isinstance(template, dict) else None
    used = dict(_uses(template, types)) if inputs else {}
    given = {}
    for name, raw in (inputs or {}).items():
        if isinstance(raw, dict) and "default" not in raw and raw.get("required", True) is True:
            own = read_definition(name, raw, inputs.at(name), Report())
            given[name] = _sample([own, *([used[name]] if name in used else [])], types)
    return given


def _uses(template: Any, types: TypeSystem) -> Iterator[tuple[str, PropertyDef]]:
    """Yield the names of inputs with a property of a node template that is set to it."""
    for node in (template.get("node_templates") or {}).values():
        kind = types.find("node", node["type"]) if isinstance(node, dict) and "type" in node else None
        for name, value in (node.get("properties") or {}).items() if kind is not None else ():
            wanted = value.get("get_input") if isinstance(value, dict) else None
            if isinstance(wanted, str) and kind is not None and name in kind.properties:
                yield wanted, kind.properties[name]


def _sample(definitions: list[PropertyDef], types: TypeSystem) -> Any:
    """Return the first of some values that fits all definitions."""
    arguments = [each.argument for definition in definitions for each in definition.constraints]
    candidates = [*(value for each in arguments for value in (each if isinstance(each, list) else [each])), *SAMPLES]
    for candidate in candidates:
        found = Report()
        for definition in definitions:
            check(candidate, definition, definition.place, types, found)
        if not found.faults and not found.warnings:
            return candidate
    return "x"


# -- promises of order, looked up in plans that have all steps


def _orders(topology: Topology) -> Iterator[tuple[str, str, bool]]:
    up = _Reach(deploy(topology, Report(), compact=False))
    down = _Reach(undeploy(topology, Report(), compact=False))
    for name in topology.nodes:
        yield from up.each((f"{name}.create", f"{name}.configure", f"{name}.start"))
        yield from down.each((f"{name}.stop", f"{name}.delete"))
    for relationship in topology.relationships():
        source, target, at = relationship.source, relationship.target, f".{relationship.requirement}."
        if source == target:
            continue
        for kind, (waiting, last) in PROMISES.items():
            if relationship.is_a(kind):
                yield from up.each((f"{target}.start", f"{source}.{waiting}"))
                yield from down.each((f"{source}.{last}", f"{target}.stop"))
        for end, owner in (("source", source), ("target", target)):
            pre, post = f"{source}{at}pre_configure_{end}", f"{source}{at}post_configure_{end}"
            yield from up.each((pre, f"{owner}.configure", post, f"{owner}.start"), optional=True)


class _Reach:
    """Which steps of a plan are behind which."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._before: dict[str, set[str]] = {}

    def each(self, names: Sequence[str], *, optional: bool = False) -> Iterator[tuple[str, str, bool]]:
        """Yield for two neighbours each whether the first is before the other; ``optional``: where there are both."""
        known = [name for name in names if name in self._plan.steps] if optional else names
        for first, then in itertools.pairwise(known):
            yield first, then, first in self._all_before(then)

    def _all_before(self, name: str) -> set[str]:
        if name not in self._before:
            found: set[str] = set()
            waiting = list(self._plan.needs.get(name, ()))
            while waiting:
                at = waiting.pop()
                if at not in found:
                    found.add(at)
                    waiting.extend(self._plan.needs.get(at, ()))
            self._before[name] = found
        return self._before[name]


def report(folder: Path) -> list[Outcome]:
    """Examine all templates of a folder."""
    return [examine(folder, row) for row in expectations(folder)]


def main() -> int:
    """Print the report; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    outcomes = report(parser.parse_args().folder)
    table = Table("template", "expected", "found", "nodes", "edges", "orders", "note")
    for each in outcomes:
        found = "accepted" if each.accepted else "refused"
        style = "" if each.is_hit else "bold red"
        numbers = (str(each.nodes), str(each.edges), str(each.orders)) if each.accepted else ("", "", "")
        table.add_row(each.row.path, each.row.expected, found, *numbers, each.note, style=style)
    hits = sum(each.is_hit for each in outcomes)
    console = Console(width=200)
    console.print(table)
    console.print(f"{hits} of {len(outcomes)} as expected ({hits / max(1, len(outcomes)):.1%})")
    return int(hits < len(outcomes))


if __name__ == "__main__":
    sys.exit(main())
