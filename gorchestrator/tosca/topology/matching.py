"""Requirements that name no node: the one template that fits is taken, and where there are more, none is guessed."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from gorchestrator.tosca.faults import Place, Report
from gorchestrator.tosca.reading.shapes import as_map, items, kind_of, listed, only, place_in
from gorchestrator.tosca.topology import constraints
from gorchestrator.tosca.topology.evaluation import Evaluator, known_at_run_time
from gorchestrator.tosca.topology.scope import NodeDraft, Owner, Scope
from gorchestrator.tosca.types.definitions import EntityType

if TYPE_CHECKING:
    from gorchestrator.tosca.topology.requirements import Wanted

_KEYS = ("properties", "capabilities")


def match(wanted: "Wanted", scope: Scope, evaluator: Evaluator) -> NodeDraft | None:
    """Return the only template that fits. A fault tells of several, or that a required one was not even mentioned."""
    place = place_in(wanted.source.content, "requirements", wanted.source.place) if wanted.assigned else wanted.place
    node_filter = wanted.node_filter
    if node_filter is None and wanted.definition is not None:
        node_filter = wanted.definition.node_filter
    others = [each for each in _of_type(wanted, scope) if each is not wanted.source]
    candidates = [each for each in others if node_filter is None or _passes(each, node_filter, scope, evaluator)]
    if wanted.node_filter is not None:
        check_filter(wanted.node_filter, place_in(wanted.node_filter, "", wanted.place), scope.report)
    if len(candidates) == 1:
        scope.report.warn(wanted.place, f"{wanted.name} is fulfilled by {candidates[0].name}, the only one that fits")
        return candidates[0]
    if candidates:
        names = listed([each.name for each in candidates])
        scope.report.fault(wanted.place, f"{wanted.name} could be fulfilled by each of {names}: name the one it is")
    elif others and node_filter is not None and (wanted.definition is None or wanted.definition.occurrences[0]):
        names = listed([each.name for each in others])
        scope.report.fault(wanted.place, f"what {wanted.name} asks for is met by none of {names}")
    elif wanted.assigned:
        scope.report.warn(wanted.place, f"nothing in the template fits {wanted.name}: the requirement stays open")
    else:
        scope.report.fault(place, f"needs the requirement {wanted.name}, and nothing in the template fits it")
    return None


def _of_type(wanted: "Wanted", scope: Scope) -> Iterator[NodeDraft]:
    """Yield the templates of the wanted node type that have the wanted capability."""
    definition = wanted.definition
    name = wanted.node or (definition.node if definition is not None else "")
    kind = scope.types.find("node", name) if name else None
    capability = wanted.capability or (definition.capability if definition is not None else "")
    for node in scope.of_type(kind.name) if kind is not None else scope.nodes.values():
        if not capability or _has_capability(node, capability, scope):
            yield node


def _has_capability(node: NodeDraft, name: str, scope: Scope) -> bool:
    if name in node.capabilities:
        return True
    kind = scope.types.find("capability", name)
    return kind is None or any(_is_a(each.type, kind.name) for each in node.capabilities.values())


def _is_a(kind: EntityType, name: str) -> bool:
    return name == kind.name or name in kind.derived_from


def check_filter(value: Any, place: Place, report: Report) -> None:
    """Add faults for a node_filter of a wrong shape: its properties and capabilities are lists of maps."""
    content = as_map(value, place, report)
    only(content, place, _KEYS, report)
    for section in _KEYS:
        at = place_in(content, section, place)
        for item, there in items(content.get(section), at, report):
            if not isinstance(item, (dict, str)):
                report.fault(there, f"must be a map with a name and its conditions, but is {kind_of(item)}")


def _passes(node: NodeDraft, node_filter: Any, scope: Scope, evaluator: Evaluator) -> bool:
    """Whether a template has the properties and capabilities that a filter asks for."""
    if not isinstance(node_filter, dict):
        return True
    return _has(node, node_filter.get("properties"), evaluator) and all(
        any(_has(owner, conditions, evaluator) for owner in _capabilities(node, name, scope))
        for name, conditions in _conditions_of_capabilities(node_filter.get("capabilities"))
    )


def _conditions_of_capabilities(section: Any) -> Iterator[tuple[str, Any]]:
    for item in section if isinstance(section, list) else ():
        for name, content in item.items() if isinstance(item, dict) else ():
            if isinstance(content, dict):
                yield str(name), content.get("properties")


def _capabilities(node: NodeDraft, name: str, scope: Scope) -> list[Owner]:
    if name in node.capabilities:
        return [node.capabilities[name]]
    kind = scope.types.find("capability", name)
    return [each for each in node.capabilities.values() if kind is not None and _is_a(each.type, kind.name)]


def _has(owner: Owner, section: Any, evaluator: Evaluator) -> bool:
    """Whether an owner's properties meet each condition of a list of maps: a constraint, or a list of them."""
    for item in section if isinstance(section, list) else ():
        for name, conditions in item.items() if isinstance(item, dict) else ():
            slot = owner.properties.get(name)
            value = evaluator.settle(slot) if slot is not None else None
            definition = slot.definition if slot is not None else None
            if value is None or definition is None or known_at_run_time(value):
                return False
            if not constraints.met(value, conditions, definition, evaluator.scope):
                return False
    return True
