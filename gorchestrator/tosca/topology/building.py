"""The last step: every draft's values are evaluated, and it becomes what the rest of the way works with."""

from gorchestrator.tosca.model import Interfaces, NodeTemplate, Operation, Relationship
from gorchestrator.tosca.topology.evaluation import Evaluator
from gorchestrator.tosca.topology.scope import Link, NodeDraft, OperationDraft, OperationDrafts, Scope


def build_nodes(scope: Scope, evaluator: Evaluator) -> dict[str, NodeTemplate]:
    """Return the node templates with everything evaluated."""
    return {name: _node(draft, evaluator) for name, draft in scope.nodes.items()}


def _node(draft: NodeDraft, evaluator: Evaluator) -> NodeTemplate:
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
    )


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
