"""The routes of a task: show and cancel. Each docstring is the route's docs."""

from flask import Response, request

from gorchestrator.api import answers
from gorchestrator.api.context import blueprint, service, who
from gorchestrator.api.guard import recheck
from gorchestrator.common.http.parameters import applied, flag, wait_of

_WAIT_MOST = 50.0  # seconds: proxies in between commonly give up after 60


def _show(task_id: str, *, digraph: bool, status: int = 200, waited: float = 0) -> Response:
    view = service().tasks.show(task_id, digraph=digraph)
    headers = applied(waited) | {"ETag": _tag(view.seq, view.at)}
    return Response(answers.task(view), status, headers, content_type="application/json")


def _digraph() -> bool:
    return flag(request, "digraph", default=True)


def _tag(seq: int, at: float) -> str:
    """Return the ETag of a task as it was at an event; the time tells it from another one in a restored journal."""
    return f'"{seq}-{round(at * 1_000_000):x}"'


@blueprint.get("/tasks/<task_id>")
def show(task_id: str) -> Response:
    """Show a task.

    ---
    get:
      tags: [tasks]
      summary: The gorch with the states of its nodes
      parameters:
        - TaskId
        - in: query
          name: digraph
          description: false leaves out the matrix
          schema: {type: boolean, default: true}
        - in: header
          name: Prefer
          description: >-
            wait=N waits at most N seconds (up to 50) for the end of the task; with If-None-Match, for its next change
          schema: {type: string}
          example: wait=10
        - in: header
          name: If-None-Match
          description: the ETag of an earlier answer; while the task has not changed, the answer is 304
          schema: {type: string}
      responses:
        200:
          description: the task
          headers:
            ETag: {description: another one as soon as anything of the task has changed, schema: {type: string}}
            Preference-Applied: {description: the wait that was applied, schema: {type: string}}
          content: {application/json: {schema: {$ref: "#/components/schemas/Task"}}}
        304: {description: it is as it was}
        401: {$ref: "#/components/responses/Problem"}
        403: {$ref: "#/components/responses/Problem"}
        404: {$ref: "#/components/responses/Problem"}
        421: {$ref: "#/components/responses/Problem"}
        422: {$ref: "#/components/responses/Problem"}
    """
    digraph, wait = _digraph(), wait_of(request, _WAIT_MOST)
    if request.if_none_match:
        seq, at = service().tasks.version(task_id)
        if wait and request.if_none_match.contains_weak(_tag(seq, at).strip('"')):
            service().tasks.changed(task_id, seq, wait)
            recheck()
            seq, at = service().tasks.version(task_id)
        if request.if_none_match.contains_weak(_tag(seq, at).strip('"')):
            return Response(status=304, headers=applied(wait) | {"ETag": _tag(seq, at)})
    elif wait:
        service().tasks.ended(task_id, wait)
        recheck()
    return _show(task_id, digraph=digraph, waited=wait)


@blueprint.get("/tasks/<task_id>/nodes/<path:node>")
def show_node(task_id: str, node: str) -> Response:
    """Show a node.

    ---
    get:
      tags: [tasks]
      summary: A node as it was submitted, and what has become of it
      parameters: [TaskId, NodeName]
      responses:
        200:
          description: the node
          content: {application/json: {schema: {$ref: "#/components/schemas/NodeState"}}}
        401: {$ref: "#/components/responses/Problem"}
        403: {$ref: "#/components/responses/Problem"}
        404: {$ref: "#/components/responses/Problem"}
        421: {$ref: "#/components/responses/Problem"}
        503: {$ref: "#/components/responses/Problem"}
    """
    found = service().tasks.node(task_id, node)
    return Response(answers.node(found), content_type="application/json")


@blueprint.delete("/tasks/<task_id>")
def cancel(task_id: str) -> Response:
    """Cancel a task.

    ---
    delete:
      tags: [tasks]
      summary: Stop a task; what runs is killed. A task that has ended stays as it is
      parameters:
        - TaskId
        - in: query
          name: digraph
          description: false leaves out the matrix of the answer
          schema: {type: boolean, default: true}
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
        401: {$ref: "#/components/responses/Problem"}
        403: {$ref: "#/components/responses/Problem"}
        404: {$ref: "#/components/responses/Problem"}
        421: {$ref: "#/components/responses/Problem"}
        422: {$ref: "#/components/responses/Problem"}
        503: {$ref: "#/components/responses/Problem"}
    """
    digraph, wait = _digraph(), wait_of(request, _WAIT_MOST)  # whatever is wrong with them is said before it ends
    ended_before = service().tasks.get(task_id).state.final
    service().tasks.cancel(task_id, who(), wait)
    return _show(task_id, digraph=digraph, status=200 if ended_before else 202, waited=wait)
