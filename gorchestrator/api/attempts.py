"""The route that tells of the attempts of a node, one by one. Its docstring is its docs."""

from flask import Response, request

from gorchestrator.api import answers
from gorchestrator.api.context import blueprint, service
from gorchestrator.common.http.parameters import number


@blueprint.get("/tasks/<task_id>/nodes/<path:node>/attempts")
def list_attempts(task_id: str, node: str) -> Response:
    """List the attempts of a node.

    ---
    get:
      tags: [tasks]
      summary: How each try of a node has ended, in their order
      description: >-
        An answer has at most 100 attempts, and fewer where their arguments are long. What runs inside of the
        orchestrator (`nil`, `sleep`) has none.
      parameters:
        - TaskId
        - NodeName
        - in: query
          name: after
          description: the number of the attempt behind which to begin; `next` of the answer before
          schema: {type: integer, minimum: 0, default: 0}
      responses:
        200:
          description: the attempts
          content: {application/json: {schema: {$ref: "#/components/schemas/Attempts"}}}
        401: {$ref: "#/components/responses/Problem"}
        403: {$ref: "#/components/responses/Problem"}
        404: {$ref: "#/components/responses/Problem"}
        421: {$ref: "#/components/responses/Problem"}
        422: {$ref: "#/components/responses/Problem"}
    """
    view = service().tasks.attempts(task_id, node, number(request, "after") or 0)
    return Response(answers.attempts(view), content_type="application/json")
