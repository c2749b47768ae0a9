"""The routes of tasks: list, show, cancel, log. Each docstring is the route's docs."""

from typing import Any

from flask import Response, request

from gorchestrator.api import answers
from gorchestrator.api.context import blueprint, service
from gorchestrator.common.http.parameters import applied, flag, number, wait_of

_LIST = 100  # tasks in a list unless the client says otherwise
_LIST_MOST = 1000
_WAIT_MOST = 50.0  # seconds: proxies in between commonly give up after 60


def _show(task_id: str, status: int = 200, waited: float = 0) -> Response:
    view = service().show(task_id, digraph=flag(request, "digraph", default=True))
    return Response(answers.task(view), status, applied(waited), content_type="application/json")


@blueprint.get("/tasks", strict_slashes=False)
def list_tasks() -> Any:
    """List the tasks.

    ---
    get:
      tags: [tasks]
      summary: The newest tasks, newest first
      parameters:
        - {in: query, name: limit, schema: {type: integer, minimum: 1, maximum: 1000, default: 100}}
        - in: query
          name: open
          description: true leaves out the tasks that have ended
          schema: {type: boolean, default: false}
      responses:
        200:
          description: the tasks
          content: {application/json: {schema: {$ref: "#/components/schemas/List"}}}
        403: {$ref: "#/components/responses/Problem"}
        421: {$ref: "#/components/responses/Problem"}
        422: {$ref: "#/components/responses/Problem"}
    """
    limit = number(request, "limit", least=1, most=_LIST_MOST) or _LIST
    found = service().tasks(limit, open_only=flag(request, "open"))
    return {"tasks": [answers.summary(row) for row in found]}


@blueprint.get("/tasks/<task_id>")
def show(task_id: str) -> Response:
    """Show a task.

    ---
    get:
      tags: [tasks]
      summary: The gorch with the states of its nodes
      parameters:
        - {in: path, name: task_id, required: true, schema: {type: string}}
        - in: query
          name: digraph
          description: false leaves out the matrix
          schema: {type: boolean, default: true}
        - in: header
          name: Prefer
          description: wait=N waits at most N seconds (up to 50) for the end of the task
          schema: {type: string}
          example: wait=10
      responses:
        200:
          description: the task
          headers: {Preference-Applied: {description: the wait that was applied, schema: {type: string}}}
          content: {application/json: {schema: {$ref: "#/components/schemas/Task"}}}
        403: {$ref: "#/components/responses/Problem"}
        404: {$ref: "#/components/responses/Problem"}
        421: {$ref: "#/components/responses/Problem"}
        422: {$ref: "#/components/responses/Problem"}
    """
    wait = wait_of(request, _WAIT_MOST)
    if wait:
        service().task(task_id, wait)
    return _show(task_id, waited=wait)


@blueprint.delete("/tasks/<task_id>")
def cancel(task_id: str) -> Response:
    """Cancel a task.

    ---
    delete:
      tags: [tasks]
      summary: Stop a task; what runs is killed. A task that has ended stays as it is
      parameters:
        - {in: path, name: task_id, required: true, schema: {type: string}}
        - in: header
          name: Prefer
          description: wait=N waits at most N seconds (up to 50) until everything is dead
          schema: {type: string}
          example: wait=10
      responses:
        200:
          description: it has ended; the task
          headers: {Preference-Applied: {description: the wait that was applied, schema: {type: string}}}
          content: {application/json: {schema: {$ref: "#/components/schemas/Task"}}}
        202:
          description: it is about to end; the task
          content: {application/json: {schema: {$ref: "#/components/schemas/Task"}}}
        403: {$ref: "#/components/responses/Problem"}
        404: {$ref: "#/components/responses/Problem"}
        421: {$ref: "#/components/responses/Problem"}
        503: {$ref: "#/components/responses/Problem"}
    """
    wait = wait_of(request, _WAIT_MOST)
    ended_before = service().task(task_id).state.final
    service().cancel(task_id, request.remote_addr or "unknown", wait)
    return _show(task_id, 200 if ended_before else 202, wait)


@blueprint.get("/tasks/<task_id>/nodes/<path:node>/log")
def log(task_id: str, node: str) -> Response:
    """Read what a node has printed.

    ---
    get:
      tags: [tasks]
      summary: What a node has printed, as raw bytes, at most 1 MiB an answer
      description: >-
        Of a long log the middle is left out. In an answer that goes over it a line stands in its place,
        `[... N bytes left out from byte OFFSET on ...]`, and offsets go on behind it as if nothing was missing.
      parameters:
        - {in: path, name: task_id, required: true, schema: {type: string}}
        - in: path
          name: node
          required: true
          description: the node's name; or its number, if no node is so named
          schema: {type: string}
        - in: query
          name: offset
          description: the byte to begin at, of all that the attempt has printed
          schema: {type: integer, minimum: 0, default: 0}
        - in: query
          name: attempt
          description: the number of the try; the last one by default. One that never was has an empty log
          schema: {type: integer, minimum: 1}
      responses:
        200:
          description: the bytes from offset on that are stored by now
          headers:
            Gorch-Log-Next: {description: the offset of the next request, schema: {type: integer}}
            Gorch-Log-Complete: {description: whether nothing can follow, schema: {type: boolean}}
            Gorch-Log-Attempt: {description: the number of the try that printed it, schema: {type: integer}}
            Gorch-Log-Gap:
              description: what is left out in this answer, if anything is
              schema: {type: string}
              example: offset=5242880, length=1063256064
          content: {application/octet-stream: {schema: {type: string, format: binary}}}
        403: {$ref: "#/components/responses/Problem"}
        404: {$ref: "#/components/responses/Problem"}
        421: {$ref: "#/components/responses/Problem"}
        422: {$ref: "#/components/responses/Problem"}
    """
    piece = service().log(task_id, node, number(request, "offset") or 0, number(request, "attempt", least=1))
    headers = {
        "Gorch-Log-Next": str(piece.next),
        "Gorch-Log-Complete": str(piece.complete).lower(),
        "Gorch-Log-Attempt": str(piece.attempt),
    }
    if piece.gap:
        headers["Gorch-Log-Gap"] = f"offset={piece.gap.offset}, length={piece.gap.length}"
    return Response(piece.data, 200, headers, content_type="application/octet-stream")
