"""The routes by which a gorch comes in: submit and validate. Each docstring is the route's docs."""

from typing import Any

from flask import current_app, request, url_for

from gorchestrator.api.context import blueprint, service
from gorchestrator.api.reading import read_gorch
from gorchestrator.common.http.body import read_json
from gorchestrator.common.hub import breathe


def _read() -> Any:
    data = read_json(request, current_app.config["BODY_LIMIT"])
    return read_gorch(data, current_app.config["MAX_NODES"], breathe)


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
    task = service().submit(document, faults)
    return {"id": task.id}, 202, {"Location": url_for(".show", task_id=task.id)}


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
    graph = service().validate(document, faults)
    return {"valid": True, "nodes": len(graph.nodes), "edges": graph.edges}
