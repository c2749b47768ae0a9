"""Requirements: each becomes a link to the node template that fulfils it, whatever notation it is written in."""

from dataclasses import dataclass
from typing import Any

from gorchestrator.tosca.faults import Place
from gorchestrator.tosca.reading.shapes import as_text, kind_of, listed, named, only, place_in
from gorchestrator.tosca.topology import matching
from gorchestrator.tosca.topology.evaluation import Evaluator
from gorchestrator.tosca.topology.relationships import link_to
from gorchestrator.tosca.topology.scope import NodeDraft, Scope
from gorchestrator.tosca.types.definitions import RequirementDef

_KEYS = ("node", "capability", "relationship", "node_filter", "occurrences", "description", "metadata")


@dataclass(slots=True)
class Wanted:
    """A requirement as a template assigns it; ``definition``: None if the type does not declare it."""

    source: NodeDraft
    name: str
    place: Place
    definition: RequirementDef | None
    node: str = ""
    capability: str = ""
    relationship: Any = None
    node_filter: Any = None
    assigned: bool = True


def resolve_requirements(scope: Scope, evaluator: Evaluator, exposed: set[tuple[str, str]]) -> None:
    """Give each node its links. First those whose target is named, then those that are matched by what they ask for.

    ``exposed``: node and requirement that a substitution mapping hands out: these may stay open.
    """
    dangling: list[Wanted] = []
    for node in scope.nodes.values():
        wanted = _assigned(node, scope)
        for each in wanted:
            target = scope.nodes.get(each.node)
            if target is not None:
                if each.node_filter is not None:
                    scope.report.warn(each.place, f"the node_filter of {each.name} is ignored: its node is named")
                link_to(each, target, scope)
            else:
                dangling.append(each)
        dangling.extend(_missing(node, wanted, scope, exposed))
        _check_counts(node, wanted, scope)
    for each in dangling:
        found = matching.match(each, scope, evaluator)
        if found is not None:
            link_to(each, found, scope)


def _assigned(node: NodeDraft, scope: Scope) -> list[Wanted]:
    """Return the requirements that a template assigns."""
    section = node.content.get("requirements")
    at = place_in(node.content, "requirements", node.place)
    found = [_read(node, name, raw, place, scope) for name, raw, place in named(section, at, scope.report)]
    return [each for each in found if each is not None]


def _read(node: NodeDraft, name: str, raw: Any, place: Place, scope: Scope) -> Wanted | None:
    definition = node.type.requirements.get(name)
    wanted = Wanted(node, name, place, definition)
    if isinstance(raw, str):
        wanted.node = raw
    elif isinstance(raw, dict):
        only(raw, place, _KEYS, scope.report)
        wanted.node = as_text(raw.get("node"), place_in(raw, "node", place), scope.report)
        wanted.capability = as_text(raw.get("capability"), place_in(raw, "capability", place), scope.report)
        wanted.relationship, wanted.node_filter = raw.get("relationship"), raw.get("node_filter")
        wanted.place = place_in(raw, "node", place) if "node" in raw else place
        if "occurrences" in raw:
            scope.report.warn(place_in(raw, "occurrences", place), "ignored: each entry leads to one node")
    elif raw is not None:
        scope.report.fault(place, f"must name a node or be a map, but is {kind_of(raw)}")
        return None
    return wanted if _meant(wanted, scope) else None


def _meant(wanted: Wanted, scope: Scope) -> bool:
    """Whether a requirement has a meaning: its node is a template or a type, or its type declares it."""
    name, source = wanted.name, wanted.source
    if wanted.node and wanted.node not in scope.nodes and scope.types.find("node", wanted.node) is None:
        known = listed(scope.nodes)
        scope.report.fault(wanted.place, f"{wanted.node} is neither a node template nor a node type; there are {known}")
        return False
    if wanted.definition is not None:
        return True
    known = listed(source.type.requirements)
    if wanted.node not in scope.nodes:
        scope.report.fault(wanted.place, f"{source.type.name} has no requirement {name}; there are {known}")
        return False
    scope.report.warn(wanted.place, f"{source.type.name} has no requirement {name} (there are {known}): taken as it is")
    return True


def _missing(node: NodeDraft, wanted: list[Wanted], scope: Scope, exposed: set[tuple[str, str]]) -> list[Wanted]:
    """Return the requirements that the type needs and the template does not mention."""
    counts = _counts(wanted)
    missing = []
    for name, definition in node.type.requirements.items():
        if counts.get(name, 0) or definition.occurrences[0] == 0:
            continue
        if node.substituted or (node.name, name) in exposed:
            why = "what could replace it has to fulfil it" if node.substituted else "substitution mappings hand it out"
            scope.report.warn(node.place, f"the requirement {name} stays open: {why}")
        else:
            missing.append(Wanted(node, name, node.place, definition, assigned=False))
    return missing


def _check_counts(node: NodeDraft, wanted: list[Wanted], scope: Scope) -> None:
    for name, count in _counts(wanted).items():
        definition = node.type.requirements.get(name)
        most = definition.occurrences[1] if definition is not None else None
        least = definition.occurrences[0] if definition is not None else 0
        if (most is not None and count > most) or count < least:
            limit = f"at most {most}" if most is not None and count > most else f"at least {least}"
            scope.report.fault(node.place, f"has the requirement {name} {count} times, but {limit} may be")


def _counts(wanted: list[Wanted]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for each in wanted:
        counts[each.name] = counts.get(each.name, 0) + 1
    return counts
