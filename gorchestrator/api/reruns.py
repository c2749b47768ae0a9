"""The route by which a task runs again. Its docstring is the route's docs."""

from typing import Any

from flask import current_app, request
from marshmallow import RAISE, Schema, ValidationError, fields

from gorchestrator.api.booleans import TrueOrFalse
from gorchestrator.api.context import blueprint, service, who
from gorchestrator.api.idempotency import request_of
from gorchestrator.api.submissions import created
from gorchestrator.common.http.body import load, parse_aside, read_body
from gorchestrator.service.reruns import FAILED, RerunView


def _nodes(value: Any) -> None:
    if value == FAILED:
        return
    named = isinstance(value, list) and value and all(type(each) in {str, int} for each in value)
    if not named:
        raise ValidationError(f'must be "{FAILED}", or a list of names or numbers of nodes')
    if len(value) > current_app.config["MAX_NODES"]:
        raise ValidationError(f"names {len(value)} nodes; at most {current_app.config['MAX_NODES']} are taken")


class RerunSchema(Schema):
    """From where on a task runs again."""

    class Meta:
        """An unknown key is a mistake and not ignored."""

        unknown = RAISE

    from_ = fields.Raw(
        data_key="from",
        load_default=FAILED,
        validate=_nodes,
        metadata={
            "description": "`failed`, or names or numbers of nodes; what did not succeed always runs again",
            "oneOf": [
                {"type": "string", "enum": [FAILED]},
                {
                    "type": "array",
                    "minItems": 1,
                    "items": {"oneOf": [{"type": "string"}, {"type": "integer", "minimum": 0}]},
                },
            ],
            "example": FAILED,
        },
    )
    preview = TrueOrFalse(load_default=False, metadata={"description": "only tell what would run"})


class NamedNodeSchema(Schema):
    """A node by its number and name."""

    node = fields.Integer(metadata={"example": 0})
    name = fields.String(metadata={"example": "greet"})


class RerunViewSchema(Schema):
    """What runs again and what is taken over."""

    id = fields.String(metadata={"description": "the new task; absent in a preview"})
    runs = fields.List(fields.Nested(NamedNodeSchema))
    reused = fields.List(fields.Nested(NamedNodeSchema))


_SCHEMA = RerunSchema()


@blueprint.post("/tasks/<task_id>/rerun")
def rerun(task_id: str) -> Any:
    """Run a task again.

    ---
    post:
      tags: [tasks]
      summary: Run a task that has ended again, as a new one that takes over what has succeeded
      description: >-
        What runs: the named nodes, all that did not succeed, and whatever comes behind either. The others are
        `success` from the start, with the outputs that they had.
      parameters: [TaskId, IdempotencyKey]
      requestBody:
        required: true
        content: {application/json: {schema: {$ref: "#/components/schemas/Rerun"}}}
      responses:
        200:
          description: the preview
          content: {application/json: {schema: {$ref: "#/components/schemas/RerunView"}}}
        202:
          description: the new task is stored, and runs
          headers:
            Location: {description: where the new task is, schema: {type: string}}
            Idempotency-Replayed: {description: true if an earlier request made the task, schema: {type: boolean}}
          content: {application/json: {schema: {$ref: "#/components/schemas/RerunView"}}}
        400: {$ref: "#/components/responses/Problem"}
        401: {$ref: "#/components/responses/Problem"}
        403: {$ref: "#/components/responses/Problem"}
        404: {$ref: "#/components/responses/Problem"}
        409: {$ref: "#/components/responses/Problem"}
        408: {$ref: "#/components/responses/Problem"}
        413: {$ref: "#/components/responses/Problem"}
        415: {$ref: "#/components/responses/Problem"}
        421: {$ref: "#/components/responses/Problem"}
        422: {$ref: "#/components/responses/Problem"}
        429: {$ref: "#/components/responses/Problem"}
        503: {$ref: "#/components/responses/Problem"}
    """
    body = read_body(request, current_app.config["BODY_LIMIT"])
    asked = request_of(request, body)
    if asked is not None and (earlier := service().submissions.earlier(asked)):
        return created(earlier, replayed=True, **_nodes_of(service().reruns.made(earlier)))
    wanted = load(_SCHEMA, parse_aside(body))
    chosen = [] if wanted["from_"] == FAILED else wanted["from_"]
    if wanted["preview"]:
        return _nodes_of(service().reruns.rerun(task_id, chosen, preview=True))
    view = service().reruns.rerun(task_id, chosen, request=asked, who=who())
    return created(str(view.task), **_nodes_of(view))


def _nodes_of(view: RerunView) -> dict[str, Any]:
    return {
        name: [{"node": number, "name": node} for number, node in nodes]
        for name, nodes in (("runs", view.runs), ("reused", view.reused))
    }
