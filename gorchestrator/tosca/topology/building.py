"""The last step: every draft's values are evaluated, and it becomes what the rest of the way works with."""

from gorchestrator.tosca.model import Interfaces, NodeTemplate, Operation, Relationship
from gorchestrator.tosca.topology.evaluation import Evaluator
from gorchestrator.tosca.topology.scope import Link, NodeDraft, OperationDraft, OperationDrafts, Scope
from gorchestrator.tosca.types.values import PropertyDef


def build_nodes(scope: Scope, evaluator: Evaluator) -> dict[str, NodeTemplate]:
    """Return the node templates with everything evaluated."""
    return {name: _node(draft, scope, evaluator) for name, draft in scope.nodes.items()}


def _node(draft: NodeDraft, scope: Scope, evaluator: Evaluator) -> NodeTemplate:
    for capability in draft.capabilities.values():
        evaluator.settle_all(capability.attributes)
    return NodeTemplate(
        draft.name,
        draft.type.name,
        draft.place,
        draft.type.derived_from,
        evaluator.settle_all(draft.properties),
        evaluator.settle_all(draft.attributes),
        {name: evaluator.settle_all(each.properties) for name, each in draft.capabilities.items()},
        draft.artifacts,
        _interfaces(draft.interfaces, evaluator),
        [_relationship(link, evaluator) for link in draft.links],
        {name: _kind(each, scope) for name, each in (draft.type.attributes | draft.type.properties).items()},
    )


def _kind(definition: PropertyDef, scope: Scope) -> str:
    """Return the type of a value; of a data type that is a narrower scalar, list or map, that one."""
    data = scope.types.find("data", definition.type, definition.place.file)
    return data.value.type if data is not None and data.value is not None else definition.type


def _relationship(link: Link, evaluator: Evaluator) -> Relationship:
    evaluator.settle_all(link.attributes)
    return Relationship(
        link.name,
        link.type.name,
        link.source.name,
        link.target.name,
        link.place,
        link.type.derived_from,
        link.capability,
        evaluator.settle_all(link.properties),
        _interfaces(link.interfaces, evaluator),
    )


def _interfaces(drafts: OperationDrafts, evaluator: Evaluator) -> Interfaces:
    return {
        interface: {name: _operation(draft, evaluator) for name, draft in operations.items()}
        for interface, operations in drafts.items()
    }


def _operation(draft: OperationDraft, evaluator: Evaluator) -> Operation:
    return Operation(
        draft.interface,
        draft.name,
        draft.place,
        draft.primary,
        draft.dependencies,
        draft.timeout,
        draft.host,
        evaluator.settle_all(draft.inputs),
        draft.outputs,
    )
