"""The example gorchs: in the installed package as ``gorchestrator.examples``, in a checkout as ``examples/``."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from gorchestrator.common.states import State

EXPECTED = "expected.json"
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
    folder = _folder()
    expected = json.loads(folder.joinpath(EXPECTED).read_text("utf-8"))
    return [_example(folder, file, ends) for file, ends in expected.items()]


def _example(folder: Traversable, file: str, ends: Json) -> Example:
    gorch = json.loads(folder.joinpath(file).read_text("utf-8"))
    nodes = {name: State(state) for name, state in ends["nodes"].items()}
    return Example(file, gorch, State(ends["state"]), nodes, ends.get("output", {}), ends.get("needs", ""))


def _folder() -> Traversable:
    try:
        installed = files("gorchestrator.examples")
    except ModuleNotFoundError:
        return Path(__file__).resolve().parents[2] / "examples"
    return installed


def _different(what: str, expected: State, item: Json) -> Iterator[str]:
    seen = State(item["state"])
    if seen is not expected:
        reason = f": {item['reason']}" if item.get("reason") else ""
        yield f"{what} has to be {expected.label} and is {seen.label}{reason}"
