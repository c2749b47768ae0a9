"""The parsed gorch: nodes, their references and the edges between them. Immutable; how it runs is the engine's."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

# Engines that need no executor: the orchestrator runs them itself.
NIL = "nil"
SLEEP = "sleep"
BUILT_IN_ENGINES = frozenset({NIL, SLEEP})


@dataclass(frozen=True, slots=True)
class Reference:
    """An argument that is an ancestor's output: ``NAME=get_attribute NODE:OUTPUT``, or without ``NAME=``.

    ``index`` is its place in ``args``, ``prefix`` is ``NAME=`` or empty, ``node`` the id of the ancestor.
    """

    index: int
    prefix: str
    node: int
    output: str


@dataclass(frozen=True, slots=True)
class Node:
    """One node of a graph. ``needs`` are the ids of its predecessors, ascending and without repeats."""

    id: int
    name: str
    engine: str = NIL
    artifact: str = ""
    target: str = ""
    args: tuple[str, ...] = ()
    output: tuple[str, ...] = ()
    env: Mapping[str, Any] = field(default_factory=dict)  # a value is a text, or {"secret": NAME}
    options: Mapping[str, Any] = field(default_factory=dict)  # of its engine
    needs: tuple[int, ...] = ()
    references: tuple[Reference, ...] = ()
    timeout: float | None = None  # seconds from the start of its process
    retry: Mapping[str, Any] | None = None  # as in the document; see gorchestrator.domain.retry
    on_lost: str | None = None
    allow_failure: bool = False


@dataclass(frozen=True)
class Graph:
    """A valid graph: ``nodes[i].id == i``, every edge is between two of its nodes, and there is no cycle."""

    name: str
    nodes: tuple[Node, ...]
    labels: Mapping[str, str] = field(default_factory=dict)
    deadline: float | None = None  # seconds from its acceptance

    @cached_property
    def edges(self) -> int:
        """The number of edges."""
        return sum(len(node.needs) for node in self.nodes)
