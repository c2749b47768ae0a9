"""The routes for operators' machines: metrics, and whether the service is alive and ready. Each docstring is its docs.

They stand outside of ``/v1``, at the paths where such machines look.
"""

from typing import Any

from flask import Blueprint, Response, request
from marshmallow import Schema, fields

from gorchestrator.api import authentication
from gorchestrator.api.context import service
from gorchestrator.common.http.monitoring import WritableSchema
from gorchestrator.common.http.problems import NotAlive, NotReady
from gorchestrator.common.timestamps import to_wire
from gorchestrator.domain.errors import Forbidden, StoreError, Unauthorized
from gorchestrator.service.monitoring import Contact

blueprint = Blueprint("monitoring", __name__)


class ContactSchema(Schema):
    """Whether the process that answers is in contact with an executor."""

    name = fields.String(metadata={"example": "executor"})
    reachable = fields.Boolean(metadata={"example": True})
    since = fields.String(metadata={"description": "since when it is so", "example": "2026-11-21T08:30:00Z"})
    reason = fields.String(allow_none=True, metadata={"description": "why it is not reachable"})


class ReadySchema(Schema):
    """Whether the service accepts graphs."""

    status = fields.String(metadata={"example": "ready"})
    store = fields.Nested(WritableSchema)
    draining = fields.Boolean(metadata={"description": "whether it is about to stop", "example": False})
    executors = fields.List(fields.Nested(ContactSchema))


@blueprint.get("/metrics")
def metrics() -> Response:
    """Show the metrics.

    ---
    get:
      tags: [service]
      summary: The metrics of all workers, for Prometheus
      parameters:
        - in: header
          name: Accept
          description: "`application/openmetrics-text` for that format"
          schema: {type: string}
      responses:
        200:
          description: "all metrics; docs/monitoring.rst lists them"
          content:
            text/plain: {schema: {type: string}}
            application/openmetrics-text: {schema: {type: string}}
        401: {$ref: "#/components/responses/Problem"}
        403: {$ref: "#/components/responses/Problem"}
        421: {$ref: "#/components/responses/Problem"}
    """
    text, media_type = service().monitoring.metrics(request.headers.get("Accept", ""))
    return Response(text, content_type=media_type)


@blueprint.get("/healthz")
def healthz() -> Any:
    """Say whether the service is alive.

    ---
    get:
      tags: [service]
      summary: Whether the service is alive; if not, restart it
      responses:
        200: {description: it is, content: {application/json: {schema: {$ref: "#/components/schemas/Alive"}}}}
        403: {$ref: "#/components/responses/Problem"}
        421: {$ref: "#/components/responses/Problem"}
        503: {$ref: "#/components/responses/Problem"}
    """
    if not service().monitoring.alive:
        raise NotAlive
    return {"status": "alive"}


@blueprint.get("/readyz")
def readyz() -> Any:
    """Say whether the service is ready.

    ---
    get:
      tags: [service]
      summary: Whether graphs are accepted; executors are told, but do not count
      description: >-
        It is ready while the store can be written and it is not about to stop. With no executor in reach graphs are
        accepted all the same: their nodes wait. The problem of a 503 has the same members. Reasons are for those who
        may read: nobody else needs to say who they are here, and gets none.
      responses:
        200: {description: they are, content: {application/json: {schema: {$ref: "#/components/schemas/Ready"}}}}
        403: {$ref: "#/components/responses/Problem"}
        421: {$ref: "#/components/responses/Problem"}
        503: {$ref: "#/components/responses/Problem"}
    """
    found, known = service().monitoring.readiness(), _is_known()
    told: dict[str, Any] = {
        "store": {"ok": found.fault is None, "reason": found.fault if known else None},
        "draining": found.draining,
        "executors": [_contact(each, known=known) for each in found.executors],
    }
    if not found.ready:
        raise NotReady(found.fault if known else None, **told)
    return {"status": "ready", **told}


def _is_known() -> bool:
    """Whether who asks may see everything: reasons name paths, and the addresses of executors."""
    try:
        authentication.identify()
    except (Unauthorized, Forbidden, StoreError):
        return False
    return True


def _contact(found: Contact, *, known: bool) -> dict[str, Any]:
    since, reason = to_wire(found.since), found.reason if known else None
    return {"name": found.name, "reachable": found.reachable, "since": since, "reason": reason}
