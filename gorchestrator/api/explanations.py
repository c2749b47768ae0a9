"""The route that tells why a node is in its state. Its docstring is the route's docs."""

from typing import Any

from marshmallow import Schema, fields

from gorchestrator.api.context import blueprint, service


class WhySchema(Schema):
    """Why a node is in its state. Of ``waits_for`` and ``ended_by`` one is null."""

    task = fields.String()
    node = fields.Integer(metadata={"example": 1})
    name = fields.String(metadata={"example": "repeat"})
    state = fields.Integer(metadata={"example": 1})
    summary = fields.String(metadata={"description": "for people", "example": "It waits for 'greet' (running)."})
    code = fields.String(metadata={"description": "its reason_code, else what it waits for or how it ended"})
    attempt = fields.Integer(metadata={"example": 0})
    executor = fields.String(allow_none=True)
    waits_for = fields.Dict(
        allow_none=True,
        metadata={
            "description": (
                "by `kind`: `predecessors` (nodes; all: how many), `slot` (executor; executors: it with capacity and "
                "load), `executor` (executor, reason), `backoff` (until, attempt), `answer` (of a person to attempt; "
                "how: the command), `start`, `end` (it runs: executor, since)"
            )
        },
    )
    ended_by = fields.Dict(
        allow_none=True,
        metadata={
            "description": (
                "by `kind`: `success`, `reused` (task), `cancel` (actor, date), `predecessor` (nodes, and roots: with "
                "which it began), else the reason_code, with exit_code and signal where there is one"
            )
        },
    )
    last_lines = fields.List(fields.String(), metadata={"description": "of the log of a node that failed, at most 20"})


@blueprint.get("/tasks/<task_id>/nodes/<path:node>/why")
def why(task_id: str, node: str) -> Any:
    """Explain the state of a node.

    ---
    get:
      tags: [tasks]
      summary: What a node waits for, or what ended it, in plain words and as data
      parameters: [TaskId, NodeName]
      responses:
        200:
          description: why
          content: {application/json: {schema: {$ref: "#/components/schemas/Why"}}}
        401: {$ref: "#/components/responses/Problem"}
        403: {$ref: "#/components/responses/Problem"}
        404: {$ref: "#/components/responses/Problem"}
        421: {$ref: "#/components/responses/Problem"}
        503: {$ref: "#/components/responses/Problem"}
    """
    found = service().explanations.why(task_id, node)
    return {
        "task": found.row.task,
        "node": found.row.node,
        "name": found.name,
        "state": int(found.row.state),
        "summary": found.summary,
        "code": found.code,
        "attempt": found.row.attempt,
        "executor": found.row.executor,
        "waits_for": found.waits_for,
        "ended_by": found.ended_by,
        "last_lines": list(found.last_lines),
    }
