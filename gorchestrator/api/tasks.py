"""The routes of tasks: submit, list, show, cancel, logs, validate; and ping. Each docstring is the route's docs."""

from typing import Any

from flask import Blueprint, Flask, Response, current_app, request, url_for

from gorchestrator import __version__
from gorchestrator.api import answers
from gorchestrator.api.reading import read_gorch
from gorchestrator.common.http.body import read_json
from gorchestrator.common.http.parameters import applied, flag, number, wait_of
from gorchestrator.common.hub import breathe
from gorchestrator.service import Service

blueprint = Blueprint("tasks", __name__, url_prefix="/v1")

_LIST = 100  # tasks in a list unless the client says otherwise
_LIST_MOST = 1000
_WAIT_MOST = 50.0  # seconds: proxies in between commonly give up after 60


def install(app: Flask, service: Service, *, body_limit: int, max_nodes: int) -> None:
    """Add the routes."""
    app.extensions["gorchestrator"] = service
    app.config.update(BODY_LIMIT=body_limit, MAX_NODES=max_nodes)
    app.register_blueprint(blueprint)


def _service() -> Service:
    service: Service = current_app.extensions["gorchestrator"]
    return service


def _actor() -> str:
    return request.remote_addr or "unknown"


def _read() -> Any:
    data = read_json(request, current_app.config["BODY_LIMIT"])
    return read_gorch(data, current_app.config["MAX_NODES"], breathe)


def _show(task_id: str, status: int = 200, waited: float = 0) -> Response:
    view = _service().show(task_id, digraph=flag(request, "digraph", default=True))
    return Response(answers.task(view), status, applied(waited), content_type="application/json")


@blueprint.post("/tasks", strict_slashes=False)
def submit() -> Any:
    """Submit a gorch.

    ---
    post:
      tags: [tasks]
      summary: Submit a gorch; it is stored when this answers, and runs
      requestBody:
        required: true
        content:
          application/json:
            schema: {$ref: "#/components/schemas/Gorch"}
            "example":
              name: hello
              nodes:
                - {name: greet, engine: shell, artifact: echo, args: ["colour=blue"], output: {colour: ""}}
                - {name: repeat, engine: shell, artifact: echo, args: ["get_attribute greet:colour"], needs: [greet]}
      responses:
        202:
          description: accepted
          headers: {Location: {description: where the task is, schema: {type: string}}}
          content: {application/json: {schema: {$ref: "#/components/schemas/Created"}}}
        400: {$ref: "#/components/responses/Problem"}
        403: {$ref: "#/components/responses/Problem"}
        413: {$ref: "#/components/responses/Problem"}
        415: {$ref: "#/components/responses/Problem"}
        421: {$ref: "#/components/responses/Problem"}
        422: {$ref: "#/components/responses/Problem"}
        503: {$ref: "#/components/responses/Problem"}
    """
    document, faults = _read()
    task = _service().submit(document, faults)
    return {"id": task.id}, 202, {"Location": url_for(".show", task_id=task.id)}


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
    found = _service().tasks(limit, open_only=flag(request, "open"))
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
        _service().task(task_id, wait)
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
    service = _service()
    ended_before = service.task(task_id).state.final
    service.cancel(task_id, _actor(), wait)
    return _show(task_id, 200 if ended_before else 202, wait)


@blueprint.get("/tasks/<task_id>/nodes/<path:node>/log")
def log(task_id: str, node: str) -> Response:
    """Read what a node has printed.

    ---
    get:
      tags: [tasks]
      summary: What a node has printed, as raw bytes, at most 1 MiB an answer
      parameters:
        - {in: path, name: task_id, required: true, schema: {type: string}}
        - in: path
          name: node
          required: true
          description: the node's name; or its number, if no node is so named
          schema: {type: string}
        - in: query
          name: offset
          description: the byte to begin at
          schema: {type: integer, minimum: 0, default: 0}
        - in: query
          name: attempt
          description: the number of the try; the last one by default
          schema: {type: integer, minimum: 1}
      responses:
        200:
          description: the bytes from offset on that are stored by now
          headers:
            Gorch-Log-Next: {description: the offset of the next request, schema: {type: integer}}
            Gorch-Log-Complete: {description: whether nothing can follow, schema: {type: boolean}}
          content: {application/octet-stream: {schema: {type: string, format: binary}}}
        403: {$ref: "#/components/responses/Problem"}
        404: {$ref: "#/components/responses/Problem"}
        421: {$ref: "#/components/responses/Problem"}
        422: {$ref: "#/components/responses/Problem"}
    """
    piece = _service().log(task_id, node, number(request, "offset") or 0, number(request, "attempt", least=1))
    headers = {"Gorch-Log-Next": str(piece.next), "Gorch-Log-Complete": str(piece.complete).lower()}
    return Response(piece.data, 200, headers, content_type="application/octet-stream")


@blueprint.post("/validate")
def validate() -> Any:
    """Validate a gorch.

    ---
    post:
      tags: [tasks]
      summary: Check a gorch without running it
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
        403: {$ref: "#/components/responses/Problem"}
        413: {$ref: "#/components/responses/Problem"}
        415: {$ref: "#/components/responses/Problem"}
        421: {$ref: "#/components/responses/Problem"}
        422: {$ref: "#/components/responses/Problem"}
    """
    document, faults = _read()
    graph = _service().validate(document, faults)
    return {"valid": True, "nodes": len(graph.nodes), "edges": graph.edges}


@blueprint.get("/ping")
def ping() -> Any:
    """Ask the service about itself.

    ---
    get:
      tags: [service]
      summary: The service's version, and its executors as they answer now
      responses:
        200:
          description: the service answers
          content: {application/json: {schema: {$ref: "#/components/schemas/Ping"}}}
        403: {$ref: "#/components/responses/Problem"}
        421: {$ref: "#/components/responses/Problem"}
    """
    executors = [answers.executor(view) for view in _service().ping()]
    return {"status": "success", "version": __version__, "executors": executors}


VIEWS = (submit, list_tasks, show, cancel, log, validate, ping)
SCHEMAS = {
    "Created": answers.CreatedSchema,
    "Summary": answers.SummarySchema,
    "List": answers.ListSchema,
    "NodeState": answers.NodeStateSchema,
    "Task": answers.TaskSchema,
    "Valid": answers.ValidSchema,
    "ExecutorView": answers.ExecutorViewSchema,
    "Ping": answers.PingSchema,
}
