"""The route by which a gorch comes in. Its docstring is the route's docs."""

from collections.abc import Mapping
from typing import Any

from flask import current_app, request, url_for

from gorchestrator.api.context import blueprint, service, who
from gorchestrator.api.guard import own
from gorchestrator.api.idempotency import request_of
from gorchestrator.api.reading import read_gorch
from gorchestrator.common import traceparent
from gorchestrator.common.http.body import parse_aside, read_body
from gorchestrator.common.hub import breathe
from gorchestrator.domain.errors import Fault


def posted() -> bytes:
    """Return the body of the request."""
    return read_body(request, current_app.config["BODY_LIMIT"])


def read(body: bytes) -> tuple[Mapping[str, Any], list[Fault]]:
    """Return the document of a gorch and the faults of its shape."""
    return read_gorch(parse_aside(body), current_app.config["MAX_NODES"], breathe)


@blueprint.post("/tasks", strict_slashes=False)
def submit() -> Any:
    """Submit a gorch.

    ---
    post:
      tags: [tasks]
      summary: Submit a gorch; it is stored when this answers, and runs
      parameters: [IdempotencyKey, TraceContext]
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
          headers:
            Location: {description: where the task is, schema: {type: string}}
            Idempotency-Replayed: {description: true if an earlier request made the task, schema: {type: boolean}}
          content: {application/json: {schema: {$ref: "#/components/schemas/Created"}}}
        400: {$ref: "#/components/responses/Problem"}
        401: {$ref: "#/components/responses/Problem"}
        403: {$ref: "#/components/responses/Problem"}
        409: {$ref: "#/components/responses/Problem"}
        408: {$ref: "#/components/responses/Problem"}
        413: {$ref: "#/components/responses/Problem"}
        415: {$ref: "#/components/responses/Problem"}
        421: {$ref: "#/components/responses/Problem"}
        422: {$ref: "#/components/responses/Problem"}
        429: {$ref: "#/components/responses/Problem"}
        503: {$ref: "#/components/responses/Problem"}
    """
    body = posted()
    asked = request_of(request, body)
    if asked is not None and (task_id := service().submissions.earlier(asked)):
        return created(task_id, replayed=True)
    document, faults = read(body)
    context = traceparent.valid(request.headers.get(traceparent.HEADER)) or ""
    return created(service().submissions.submit(own(document), faults, asked, who(), context))


def created(task_id: str, *, replayed: bool = False, **more: Any) -> Any:
    """Return the answer that names a new task, or the one that an earlier request of the same key has made."""
    headers = {"Location": url_for(".show", task_id=task_id)}
    if replayed:
        headers["Idempotency-Replayed"] = "true"
    return {"id": task_id, **more}, 202, headers
