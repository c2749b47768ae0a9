"""The example gorchs and how each has to end."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from gorchestrator.common.examples import ExampleFile, read_all
from gorchestrator.common.states import State

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Example:
    """A gorch and how it has to end: its state, the state of each node, and some values of outputs.

    ``needs``: what has to be there beyond a fresh machine; the demo leaves out examples that need something.
    """

    file: str
    gorch: Json
    state: State
    nodes: Mapping[str, State]
    output: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    needs: str = ""

    def differences(self, task: Json) -> Iterator[str]:
        """Yield what ended in another way than it has to, in words."""
        yield from _different("the graph", self.state, task)
        for node in task["nodes"]:
            if node["name"] not in self.nodes:  # another version's, which was left unfinished
                yield f"node {node['name']} is not one of the example's"
                continue
            yield from _different(f"node {node['name']}", self.nodes[node["name"]], node)
            seen = node.get("output") or {}
            for name, value in self.output.get(node["name"], {}).items():
                if seen.get(name) != value:
                    yield f"node {node['name']}: output {name} has to be {value!r} and is {seen.get(name)!r}"


def load() -> list[Example]:
    """Return the examples that run everywhere."""
    return [each for each in load_all() if not each.needs]


def load_all() -> list[Example]:
    """Return all examples."""
    return [_example(found) for found in read_all()]


def _example(found: ExampleFile) -> Example:
    nodes = {name: State(state) for name, state in found.ends["nodes"].items()}
    output = found.ends.get("output", {})
    return Example(found.file, found.gorch, State(found.ends["state"]), nodes, output, found.needs)


def _different(what: str, expected: State, item: Json) -> Iterator[str]:
    seen = State(item["state"])
    if seen is not expected:
        reason = f": {item['reason']}" if item.get("reason") else ""
        yield f"{what} has to be {expected.label} and is {seen.label}{reason}"
