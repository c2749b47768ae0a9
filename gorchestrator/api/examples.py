"""The route that shows the example gorchs, for pages and people who begin. Its docstring is the route's docs."""

from typing import Any

from marshmallow import Schema, fields

from gorchestrator.api.context import blueprint
from gorchestrator.common.examples import ExampleFile, read_all


class ExampleSchema(Schema):
    """An example gorch."""

    name = fields.String(metadata={"example": "demo"})
    nodes = fields.Integer(metadata={"description": "how many it has", "example": 4})
    engines = fields.List(fields.String(), metadata={"description": "that its nodes use", "example": ["shell"]})
    needs = fields.String(
        metadata={"description": "what has to be there beyond an executor; empty if nothing", "example": "a host web1"}
    )
    gorch = fields.String(
        metadata={"description": "its JSON as it is written", "example": '{"nodes": [{"name": "a"}]}'}
    )


class ExamplesSchema(Schema):
    """All example gorchs."""

    examples = fields.List(fields.Nested(ExampleSchema))


@blueprint.get("/examples")
def examples() -> Any:
    """Show examples.

    ---
    get:
      tags: [service]
      summary: Example gorchs, as text, with what each of them needs
      responses:
        200:
          description: all of them
          content: {application/json: {schema: {$ref: "#/components/schemas/Examples"}}}
        401: {$ref: "#/components/responses/Problem"}
        403: {$ref: "#/components/responses/Problem"}
        421: {$ref: "#/components/responses/Problem"}
    """
    return {"examples": [_shown(found) for found in read_all()]}


def _shown(found: ExampleFile) -> dict[str, Any]:
    nodes = found.gorch["nodes"]
    return {
        "name": found.file.removesuffix(".json"),
        "nodes": len(nodes),
        "engines": sorted({node.get("engine") or "nil" for node in nodes}),
        "needs": found.needs,
        "gorch": found.text,
    }
