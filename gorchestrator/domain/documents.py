"""The stored form of a graph: the JSON of each node as it was accepted, and the matrix as it was given.

Readers answer with this text as it is, so that showing a graph needs no parsing; recovery builds the graph from it.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from gorchestrator.domain.build import build
from gorchestrator.domain.graph import Graph, Node
from gorchestrator.domain.pace import Pause

_CHARACTERS_PER_SLICE = 64 * 1024  # of a matrix: about 1 ms

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def node_to_json(node: Node, *, with_needs: bool) -> str:
    """Return the JSON object of a node; ``with_needs`` where its edges are not in a matrix."""
    spec: dict[str, Any] = {
        "id": node.id,
        "name": node.name,
        "target": node.target,
        "engine": node.engine,
        "artifact": node.artifact,
        "args": node.args,
        "env": node.env,
        "declared": node.output,
    }
    for field in ("timeout", "retry", "on_lost"):
        if getattr(node, field) is not None:
            spec[field] = getattr(node, field)
    if node.options:
        spec["options"] = node.options
    if node.allow_failure:
        spec["allow_failure"] = True
    if with_needs:
        spec["needs"] = node.needs
    return _encode(spec)


def matrix_to_json(cells: Sequence[int]) -> str:
    """Return the JSON array of a matrix."""
    return _encode(cells)


def matrix_from_json(text: str, pause: Pause) -> list[int]:
    """Return the matrix that :func:`matrix_to_json` has written, read in slices: a large one takes a quarter second."""
    cells: list[int] = []
    at, end = 1, len(text) - 1  # between the brackets
    while at < end:
        comma = text.find(",", at + _CHARACTERS_PER_SLICE)
        stop = end if comma < 0 else comma
        cells.extend(json.loads(f"[{text[at:stop]}]"))
        at = stop + 1
        pause()
    return cells


def graph_from_json(
    name: str, labels: Mapping[str, str], nodes: Sequence[str], matrix: str | None, pause: Pause
) -> Graph:
    """Return the graph that :func:`node_to_json` and :func:`matrix_to_json` have stored."""
    specs = []
    for place, text in enumerate(nodes):
        spec = json.loads(text)
        spec["output"] = spec.pop("declared")
        specs.append(spec)
        if place % 500 == 0:
            pause()
    document: dict[str, Any] = {"name": name, "labels": labels, "nodes": specs}
    if matrix is not None:
        document["digraph"] = matrix_from_json(matrix, pause)
    return build(document, pause=pause)
