"""Groups and policies: checked like everything else; of groups a workflow needs the members, policies are ignored."""

from typing import Any

from gorchestrator.tosca.faults import Place
from gorchestrator.tosca.reading.shapes import as_map, as_text, as_texts, entries, listed, named, only, place_in
from gorchestrator.tosca.topology.evaluation import Evaluator
from gorchestrator.tosca.topology.properties import assigned
from gorchestrator.tosca.topology.scope import Scope
from gorchestrator.tosca.types.definitions import EntityType, Kind

_GROUP_KEYS = ("type", "description", "metadata", "attributes", "properties", "members", "interfaces")
_POLICY_KEYS = ("type", "description", "metadata", "properties", "targets", "triggers")


def read_groups(section: Any, place: Place, scope: Scope, evaluator: Evaluator) -> dict[str, list[str]]:
    """Return the members of each group."""
    groups = {}
    for name, raw, at in entries(section, place, scope.report):
        content = as_map(raw, at, scope.report)
        only(content, at, _GROUP_KEYS, scope.report)
        _check(name, "group", content, at, scope, evaluator)
        members = place_in(content, "members", at)
        groups[name] = _known(content.get("members"), members, set(scope.nodes), scope)
        if content.get("interfaces"):
            scope.report.warn(place_in(content, "interfaces", at), "ignored: a group has no operations of its own")
    return groups


def check_policies(
    section: Any, place: Place, groups: dict[str, list[str]], scope: Scope, evaluator: Evaluator
) -> None:
    """Check policies, and warn of each that it is ignored."""
    for name, raw, at in named(section, place, scope.report):
        content = as_map(raw, at, scope.report)
        only(content, at, _POLICY_KEYS, scope.report)
        _check(name, "policy", content, at, scope, evaluator)
        _known(content.get("targets"), place_in(content, "targets", at), {*scope.nodes, *groups}, scope)
        triggers = place_in(content, "triggers", at)
        for _, trigger, there in entries(content.get("triggers"), triggers, scope.report):
            as_map(trigger, there, scope.report)
        scope.report.warn(at, f"the policy {name} is ignored: nothing enforces it")


def _check(name: str, kind: Kind, content: dict[str, Any], place: Place, scope: Scope, evaluator: Evaluator) -> None:
    """Check type and properties."""
    found = _type_of(kind, content, place, scope)
    if found is not None:
        properties = content.get("properties"), place_in(content, "properties", place)
        evaluator.settle_all(assigned(*properties, found.properties, name, scope, scope.outside))


def _type_of(kind: Kind, content: dict[str, Any], place: Place, scope: Scope) -> EntityType | None:
    at = place_in(content, "type", place)
    name = as_text(content.get("type"), at, scope.report)
    found = scope.types.find(kind, name) if name else None
    if found is None:
        scope.report.fault(at, f"unknown {kind} type {name}" if name else f"a {kind} needs a type")
    return found


def _known(section: Any, place: Place, known: set[str], scope: Scope) -> list[str]:
    names = as_texts(section, place, scope.report)
    for name in names:
        if name not in known:
            scope.report.fault(place, f"there is no {name}; there are {listed(known)}")
    return [name for name in names if name in known]
