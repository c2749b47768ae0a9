"""The route that looks at a gorch without running it. Its docstring is the route's docs."""

from typing import Any

from flask import Response, current_app, request
from marshmallow import Schema, fields

from gorchestrator.api.context import blueprint, service
from gorchestrator.api.layouts import LayoutSchema, unpacked
from gorchestrator.api.submissions import posted, read
from gorchestrator.common.http.parameters import flag
from gorchestrator.service.validations import Validation


class PathSchema(Schema):
    """A path of a graph."""

    length = fields.Integer(metadata={"description": "how many nodes it has", "example": 2})
    nodes = fields.List(fields.Integer(), metadata={"description": "their ids, from its first one on"})


class TakerSchema(Schema):
    """An executor, and whether it would take all of a gorch."""

    name = fields.String(metadata={"example": "executor"})
    takes = fields.Boolean(metadata={"example": True})
    reason = fields.String(
        allow_none=True, metadata={"description": "why it would not, or why it cannot be reached now", "example": None}
    )


class ValidSchema(Schema):
    """The answer to a validation that found no fault."""

    valid = fields.Boolean(metadata={"example": True})
    nodes = fields.Integer(metadata={"description": "how many", "example": 2})
    edges = fields.Integer(metadata={"description": "how many", "example": 1})
    layers = fields.List(
        fields.List(fields.Integer()),
        metadata={
            "description": "ids; a node is one layer behind the last of its predecessors",
            "example": [[0], [1]],
        },
    )
    critical_path = fields.Nested(PathSchema, metadata={"description": "the path with the most nodes"})
    executors = fields.List(fields.Nested(TakerSchema))
    layout = fields.Nested(LayoutSchema, metadata={"description": "only with layout=true"})


@blueprint.post("/validate")
def validate() -> Any:
    """Validate a gorch.

    ---
    post:
      tags: [tasks]
      summary: Check a gorch without running it, and tell what it is like
      parameters:
        - in: query
          name: layout
          description: with how it is drawn
          schema: {type: boolean, default: false}
      requestBody:
        required: true
        content:
          application/json:
            schema: {$ref: "#/components/schemas/Gorch"}
            example: {name: hello, nodes: [{name: a}, {name: b, needs: [a]}]}
      responses:
        200:
          description: it has no fault
          content: {application/json: {schema: {$ref: "#/components/schemas/Valid"}}}
        400: {$ref: "#/components/responses/Problem"}
        401: {$ref: "#/components/responses/Problem"}
        403: {$ref: "#/components/responses/Problem"}
        408: {$ref: "#/components/responses/Problem"}
        413: {$ref: "#/components/responses/Problem"}
        415: {$ref: "#/components/responses/Problem"}
        421: {$ref: "#/components/responses/Problem"}
        422: {$ref: "#/components/responses/Problem"}
        503: {$ref: "#/components/responses/Problem"}
    """
    document, faults = read(posted())
    found = service().validations.validate(document, faults, layout=flag(request, "layout"))
    if found.layout is None:
        return _answer(found)
    head = current_app.json.dumps(_answer(found), separators=(",", ":")).encode()[:-1]
    return Response([head, b',"layout":', unpacked(found.layout), b"}\n"], content_type="application/json")


def _answer(found: Validation) -> dict[str, Any]:
    return {
        "valid": True,
        "nodes": len(found.graph.nodes),
        "edges": found.graph.edges,
        "layers": found.layers,
        "critical_path": {"length": len(found.critical_path), "nodes": found.critical_path},
        "executors": [{"name": each.name, "takes": each.takes, "reason": each.reason} for each in found.executors],
    }
