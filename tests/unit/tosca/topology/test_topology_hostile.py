"""Whatever stands where something else belongs, and however much there is: a fault or a topology, never a traceback."""

import contextlib
import copy
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from gorchestrator.tosca.faults import ToscaError
from topology_support import Templates

WHOLE = Path(__file__).parent / "whole.yaml"
ODD: list[Any] = [None, 7, True, "x", "", [], {}, [None], [[1]], [{"a": 1, "b": 2}], {"a": None}, {"get_input": {}}]


def places(value: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the way to each part of a template."""
    yield way
    keys = value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        yield from places(value[key], (*way, key))


def with_odd(content: dict[str, Any], way: tuple[Any, ...], odd: Any) -> dict[str, Any]:
    """Return a template with something else in one place."""
    changed = copy.deepcopy(content)
    at: Any = changed
    for key in way[:-1]:
        at = at[key]
    at[way[-1]] = odd
    return changed


CONTENT = yaml.safe_load(WHOLE.read_text(encoding="utf-8"))
SECTIONS = [key for key in CONTENT["topology_template"] if key != "description"]


@pytest.mark.parametrize("section", SECTIONS)
def test_any_part_may_be_of_any_shape(templates: Templates, section: str) -> None:
    begin = ("topology_template", section)
    ways = [(*begin, *way) for way in places(CONTENT["topology_template"][section])]
    for index, way in enumerate(ways):
        for odd in ODD[index % 6 :: 6]:
            with contextlib.suppress(ToscaError):
                templates.resolve_content(with_odd(CONTENT, way, odd))


def test_the_whole_template_resolves(templates: Templates) -> None:
    templates.resolve("\n" + WHOLE.read_text(encoding="utf-8"))


def test_a_thousand_nodes_take_moments(templates: Templates) -> None:
    lines = ["topology_template:", "  node_templates:", "    machine: {type: tosca.nodes.Compute}"]
    for number in range(1000):
        lines += [
            f"    n{number}:",
            "      type: tosca.nodes.DBMS",
            f"      properties: {{port: {number + 1}}}",
            "      requirements:",
            "        - host: machine",
            f"        - dependency: n{max(number - 1, 0)}" if number else "        - dependency: machine",
            "      interfaces:",
            "        Standard:",
            "          operations:",
            "            create:",
            "              implementation: run.sh",
            f"              inputs: {{port: {{get_property: [n{number * 7 % 1000}, port]}}}}",
        ]
    templates.file("run.sh", "true")
    begin = time.monotonic()
    topology = templates.resolve("\n" + "\n".join(lines))
    taken = time.monotonic() - begin
    assert len(topology.nodes) == 1001
    assert sum(1 for _ in topology.relationships()) == 2000
    assert taken < 8, taken
