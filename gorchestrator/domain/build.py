"""From the document of a gorch to a :class:`Graph`: every rule that spans more than one field, every fault in one go.

The shape of the document (types, lengths, unknown keys) is checked before, by the schemas of the API; nodes that have
faults already are passed along with the fields that are sound, so that one answer lists all that is wrong.
``pause`` is called every few milliseconds of work: a server passes a function that lets others run.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gorchestrator.domain.digraph import (
    describe_cycle,
    edges_of_matrix,
    edges_of_needs,
    find_cycle,
    topological_order,
)
from gorchestrator.domain.errors import Fault, InvalidGorch
from gorchestrator.domain.graph import BUILT_IN_ENGINES, NIL, SLEEP, Graph, Node, Reference
from gorchestrator.domain.pace import Pause
from gorchestrator.domain.references import Resolver

_NODES_PER_SLICE = 500
_OF_ENGINES = ("artifact", "args", "env", "output", "timeout")  # fields that an engine may not honour
# What the engines of the orchestrator honour, on executors too: whatever documents of the Go project have.
BUILT_IN_FIELDS = {
    NIL: frozenset({"artifact", "args", "output"}),
    SLEEP: frozenset({"artifact", "args", "output", "timeout"}),
}


def build(
    document: Mapping[str, Any],
    *,
    faults: Sequence[Fault] = (),
    engines: Mapping[str, frozenset[str]] | None = None,
    max_edges: int | None = None,
    pause: Pause = lambda: None,
) -> Graph:
    """Return the graph of a document of the shape that the API's schemas let through.

    ``faults`` are those already found; ``engines`` are those that executors are known to have, each with the fields of
    a node that it honours (an option as ``options.NAME``), None where that is not known; ``max_edges``: how
    many there may be. Raises :class:`InvalidGorch`
    with all faults.
    """
    found = list(faults)
    listed: Sequence[Mapping[str, Any]] = document.get("nodes") or ()
    cells = document.get("digraph")
    ids = _ids(listed, found, required=cells is not None)
    names = [""] * len(listed)
    for node_id, spec in zip(ids, listed, strict=True):
        names[node_id] = spec.get("name") or ""
    pause()
    _check_names(listed, found)
    pause()
    _check_engines(listed, engines, found)
    pause()
    _check_attempts(listed, found)
    pause()
    if cells is not None:
        _refuse_needs(listed, found)
        needs = edges_of_matrix(cells, len(listed), found, pause)
    else:
        # Of two with the same name, which is a fault already, the first one counts.
        by_name = {name: node for node, name in reversed(list(enumerate(names))) if name}
        needs = edges_of_needs([spec.get("needs") or () for spec in listed], ids, by_name, found, pause)
    edges = sum(map(len, needs))
    if max_edges is not None and edges > max_edges:  # what follows would take as long as there are edges
        text = f"has {edges} edges; at most {max_edges} are taken (setting max_edges)"
        raise InvalidGorch([*found, Fault("/digraph" if cells is not None else "/nodes", text)])
    order, _ = topological_order(needs, pause)
    cycle = find_cycle(needs, order, pause)
    if cycle:
        found.append(Fault("/digraph" if cells is not None else "/nodes", describe_cycle(cycle, names)))
    # Behind a cycle nobody's ancestors are known: references are looked at when it is mended.
    resolver = None if cycle else Resolver(names, needs, order, pause)
    nodes = _nodes(listed, ids, needs, resolver, found, pause)
    if found:
        raise InvalidGorch(found)
    return Graph(
        name=document.get("name") or "",
        nodes=tuple(nodes),
        labels=document.get("labels") or {},
        deadline=document.get("deadline"),
    )


def _ids(listed: Sequence[Mapping[str, Any]], faults: list[Fault], *, required: bool) -> list[int]:
    """Return the id of each listed node; where the ids are faulty, their places, so that the checks can go on."""
    given = [spec.get("id") for spec in listed]
    places = list(range(len(listed)))
    if all(node_id is None for node_id in given) and not required:
        return places
    before = len(faults)
    seen: dict[int, int] = {}
    for place, node_id in enumerate(given):
        pointer = f"/nodes/{place}/id"
        if node_id is None:
            faults.append(Fault(pointer, "is missing; ids are the rows of the matrix, 0 to n-1, and all or none"))
        elif not 0 <= node_id < len(listed):
            faults.append(Fault(pointer, f"is {str(node_id)[:30]}; the ids of {len(listed)} nodes are 0 to n-1"))
        elif node_id in seen:
            faults.append(Fault(pointer, f"is {node_id}, which /nodes/{seen[node_id]} has already"))
        else:
            seen[node_id] = place
    return [node_id for node_id in given if node_id is not None] if len(faults) == before else places


def _check_names(listed: Sequence[Mapping[str, Any]], faults: list[Fault]) -> None:
    seen: dict[str, int] = {}
    for place, spec in enumerate(listed):
        name = spec.get("name")
        if name and seen.setdefault(name, place) != place:
            faults.append(
                Fault(f"/nodes/{place}/name", f"is {name[:100]!r}, which /nodes/{seen[name]} is already named")
            )


def _check_engines(
    listed: Sequence[Mapping[str, Any]], engines: Mapping[str, frozenset[str]] | None, faults: list[Fault]
) -> None:
    known = None if engines is None else engines.keys() | BUILT_IN_ENGINES
    for place, spec in enumerate(listed):
        engine = spec.get("engine") or ""
        if not engine and spec.get("artifact"):
            faults.append(Fault(f"/nodes/{place}/engine", "is missing; an artifact needs an engine that runs it"))
        elif engine and known is not None and engine not in known:
            faults.append(
                Fault(f"/nodes/{place}/engine", f"{engine[:100]!r} is unknown; known are {', '.join(sorted(known))}")
            )
        elif (honoured := BUILT_IN_FIELDS.get(engine or NIL, (engines or {}).get(engine))) is not None:
            faults.extend(_not_honoured(f"/nodes/{place}", spec, engine or NIL, honoured))


def _not_honoured(pointer: str, spec: Mapping[str, Any], engine: str, honoured: frozenset[str]) -> Iterator[Fault]:
    """Yield what an engine would refuse: what cannot be honoured is not ignored."""
    for field in _OF_ENGINES:
        if spec.get(field) and field not in honoured:
            yield Fault(f"{pointer}/{field}", f"engine {engine} makes no use of it")
    for option in spec.get("options") or {}:
        if f"options.{option}" not in honoured:
            known = sorted(name.removeprefix("options.") for name in honoured if name.startswith("options."))
            which = f"has the options {', '.join(known)}" if known else "has no options"
            step = option[:100].replace("~", "~0").replace("/", "~1")
            yield Fault(f"{pointer}/options/{step}", f"engine {engine} {which}")


def _check_attempts(listed: Sequence[Mapping[str, Any]], faults: list[Fault]) -> None:
    """Refuse what is about further attempts where there are none, on whatever the node runs."""
    faults.extend(
        Fault(f"/nodes/{place}/{field}", f"is for engines of executors; {spec.get('engine') or NIL} is not tried again")
        for place, spec in enumerate(listed)
        if (spec.get("engine") or NIL) in BUILT_IN_ENGINES
        for field in ("retry", "on_lost")
        if spec.get(field) is not None
    )


def _refuse_needs(listed: Sequence[Mapping[str, Any]], faults: list[Fault]) -> None:
    faults.extend(
        Fault(f"/nodes/{place}/needs", "cannot stand beside a digraph; use one of the two")
        for place, spec in enumerate(listed)
        if spec.get("needs") is not None
    )


def _nodes(
    listed: Sequence[Mapping[str, Any]],
    ids: Sequence[int],
    needs: Sequence[tuple[int, ...]],
    resolver: Resolver | None,
    faults: list[Fault],
    pause: Pause,
) -> list[Node]:
    found: list[Node] = []
    for place, (node_id, spec) in enumerate(zip(ids, listed, strict=True)):
        args = tuple(spec.get("args") or ())
        references: tuple[Reference, ...] = ()
        if args and resolver:
            references = resolver.resolve(node_id, args, f"/nodes/{place}/args", faults)
        found.append(
            Node(
                id=node_id,
                name=spec.get("name") or "",
                engine=spec.get("engine") or NIL,
                artifact=spec.get("artifact") or "",
                target=spec.get("target") or "",
                args=args,
                output=tuple(spec.get("output") or ()),
                env=spec.get("env") or {},
                options=spec.get("options") or {},
                needs=needs[node_id],
                references=references,
                timeout=spec.get("timeout"),
                retry=spec.get("retry"),
                on_lost=spec.get("on_lost"),
                allow_failure=bool(spec.get("allow_failure")),
            )
        )
        if place % _NODES_PER_SLICE == 0:
            pause()
    found.sort(key=lambda node: node.id)
    return found
