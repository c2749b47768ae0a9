"""How a graph ended, by how its nodes did, and the prose for it."""

from collections.abc import Iterable, Sequence

from gorchestrator.common.reasons import ReasonCode
from gorchestrator.common.states import State
from gorchestrator.domain.graph import Node
from gorchestrator.domain.records import NodeRow
from gorchestrator.engine.stopping import Stop

_NAMED = 3  # nodes named in a reason


_MAY_BE_ALLOWED = frozenset({State.FAILURE, State.TIMEOUT})


def lets_go_on(node: Node, row: NodeRow) -> bool:
    """Whether the successors of an ended node may run."""
    return row.state is State.SUCCESS or (node.allow_failure and row.state in _MAY_BE_ALLOWED)


def of_graph(
    nodes: Sequence[Node], rows: Sequence[NodeRow], stop: Stop | None
) -> tuple[State, ReasonCode | None, str | None]:
    """Return the state of a graph whose nodes have all ended, and why."""
    ended: dict[State, list[str]] = {}
    for node, row in zip(nodes, rows, strict=True):
        ended.setdefault(State.SUCCESS if lets_go_on(node, row) else row.state, []).append(node.name)
    if State.CANCELED in ended:
        why = stop.reason if stop and stop.state is State.CANCELED else "canceled"
        return State.CANCELED, ReasonCode.CANCELED, f"{why}; {_count(ended[State.CANCELED])} stopped"
    late = [nodes[row.node].name for row in rows if row.reason_code == ReasonCode.DEADLINE]
    if late:
        why = stop.reason if stop else "the graph's deadline has passed"
        return State.TIMEOUT, ReasonCode.DEADLINE, f"{why}; {_count(late)} stopped ({_some(late)})"
    unsuccessful = [
        f"{_count(ended[state])} ended in {state.label} ({_some(ended[state])})"
        for state in (State.FAILURE, State.TIMEOUT, State.NOTRUNNABLE)
        if state in ended
    ]
    if unsuccessful:
        return State.FAILURE, ReasonCode.NODES, "; ".join(unsuccessful)
    return State.SUCCESS, None, None


def why_not_run(nodes: Sequence[Node], predecessors: Iterable[NodeRow]) -> str:
    """Return which of a node's predecessors did not succeed."""
    bad = [row for row in predecessors if not lets_go_on(nodes[row.node], row)]
    return "predecessor " + _some([f"{nodes[row.node].name!r} ended in {row.state.label}" for row in bad])


def _count(names: list[str]) -> str:
    return f"{len(names)} node{'s' if len(names) > 1 else ''}"


def _some(names: list[str]) -> str:
    return ", ".join(names[:_NAMED]) + (", …" if len(names) > _NAMED else "")
