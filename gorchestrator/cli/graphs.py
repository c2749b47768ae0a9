"""Graphs that commands look at without running them: of a file, checked as the service does, or of a task."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gorchestrator.cli.failure import Failure
from gorchestrator.common.states import State
from gorchestrator.common.text import printable
from gorchestrator.domain.build import build
from gorchestrator.domain.digraph import edges_of_matrix
from gorchestrator.domain.errors import Fault
from gorchestrator.domain.graph import NIL, Graph, Node

_ANY_SIZE = sys.maxsize  # of nodes: what a service takes is its own affair
_BY_LABEL = {state.label: state for state in State}
_BY_NUMBER = {int(state): state for state in State}


@dataclass(frozen=True, slots=True)
class Picture:
    """A graph and, if they are to be seen, the state of each node, by its id."""

    graph: Graph
    states: Sequence[State] | None


def of_gorch(text: bytes, *, with_states: bool) -> Picture:
    """Return the graph of a gorch's JSON; its states are those that the nodes say, which a service ignores.

    Raises InvalidGorch with all faults that can be seen without knowing the executors.
    """
    from gorchestrator.api.reading import read_gorch  # noqa: PLC0415  (they take their time; --help does without)
    from gorchestrator.common.http.body import parse  # noqa: PLC0415
    from gorchestrator.common.http.problems import BadJson  # noqa: PLC0415

    try:
        document, faults = read_gorch(parse(text), _ANY_SIZE, _no_pause)
    except BadJson as problem:
        raise Failure(printable(problem.detail)) from problem
    listed: Sequence[Mapping[str, Any]] = document.get("nodes") or ()
    states = _states(listed, faults) if with_states else {}
    graph = build(document, faults=faults)
    return Picture(graph, [states[node.name] for node in graph.nodes] if with_states else None)


def of_task(task: Mapping[str, Any], *, with_states: bool) -> Picture:
    """Return the graph of a task, as the API shows it, and its states."""
    nodes = task["nodes"]
    needs = edges_of_matrix(task["digraph"], len(nodes), [], _no_pause) if "digraph" in task else None
    graph = Graph(
        task["name"],
        tuple(
            Node(
                id=place,
                name=node["name"],
                engine=node["engine"] or NIL,
                artifact=node["artifact"],
                target=node["target"],
                needs=tuple(node["needs"]) if needs is None else needs[place],
            )
            for place, node in enumerate(nodes)
        ),
    )
    return Picture(graph, [State(node["state"]) for node in nodes] if with_states else None)


def _states(listed: Sequence[Mapping[str, Any]], faults: list[Fault]) -> dict[str, State]:
    found = {}
    for place, node in enumerate(listed):
        given = node.get("state")
        state = _state(given)
        if state is None:
            faults.append(Fault(f"/nodes/{place}/state", f"{str(given)[:30]!r} is no state; write its name or number"))
        found[node.get("name", "")] = state or State.INITIAL
    return found


def _state(given: Any) -> State | None:
    """Return the state of a name or a number, that of a node that has not begun without one; None for others."""
    if given is None:
        return State.INITIAL
    if isinstance(given, str):
        return _BY_LABEL.get(given)
    return _BY_NUMBER.get(given) if type(given) is int else None


def _no_pause() -> None:
    """Nobody else waits for this process."""
