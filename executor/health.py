"""The routes for operators' machines: metrics, and whether the executor is alive and ready.

They stand outside of ``/v1``, at the paths where such machines look; like every call they show a certificate.
"""

import os
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, request
from marshmallow import Schema, fields

from executor import measures, names
from executor.web import document, service
from gorchestrator.common.http.monitoring import WritableSchema
from gorchestrator.common.http.problems import NotReady
from gorchestrator.common.hub import breathe
from gorchestrator.common.metrics import encode
from gorchestrator.common.metrics.pulse import free, known

ROOM = 2**20  # bytes of a disk below which it counts as full

health = Blueprint("health", __name__)


class ReadySchema(Schema):
    """Whether the executor takes jobs."""

    status = fields.String(metadata={"example": "ready"})
    disk = fields.Nested(WritableSchema)
    draining = fields.Boolean(metadata={"description": "whether it is about to stop", "example": False})
    load_ = fields.Integer(data_key="load", metadata={"description": "jobs that run", "example": 0})
    queued = fields.Integer(metadata={"description": "jobs that wait", "example": 0})


@health.get("/metrics")
def metrics() -> Response:
    """Show the metrics.

    ---
    get:
      summary: The metrics, for Prometheus
      "parameters":
        - {in: header, name: Accept, description: "application/openmetrics-text for that format",
           schema: {type: string}}
      responses:
        200:
          description: "all metrics; docs/monitoring.rst lists them"
          content:
            text/plain: {schema: {type: string}}
            application/openmetrics-text: {schema: {type: string}}
        403: {description: no client certificate, content: {application/problem+json: {schema: Problem}}}
    """
    here = service()
    here.pulse.beat()
    samples = [*here.measures.meter.samples(), *known("executor", here.config.data), *measures.of(here.runner)]
    text, media_type = encode(measures.METRICS, samples, request.headers.get("Accept", ""), breathe)
    return Response(text, content_type=media_type)


@health.get("/healthz")
def healthz() -> Response:
    """Say that the executor is alive.

    ---
    get:
      summary: Whether it is alive; who gets no answer may restart it, which no job notices
      responses:
        200: {description: it is, content: {application/json: {schema: Alive}}}
        403: {description: no client certificate, content: {application/problem+json: {schema: Problem}}}
    """
    return document({"status": "alive"})


@health.get("/readyz")
def readyz() -> Response:
    """Say whether the executor takes jobs.

    ---
    get:
      summary: Whether it takes jobs, if need be into its queue
      responses:
        200: {description: it does, content: {application/json: {schema: Ready}}}
        403: {description: no client certificate, content: &problem {application/problem+json: {schema: Problem}}}
        503: {description: "it does not: its disk cannot be written, or it is about to stop; the problem has the
          same members", content: *problem}
    """
    here = service()
    fault = _fault(here.config.data)
    draining = here.runner.closing or here.runner.draining
    told: dict[str, Any] = {
        "disk": {"ok": fault is None, "reason": fault},
        "draining": draining,
        "load": len(here.runner.running),
        "queued": len(here.runner.waiting),
    }
    if fault is not None or draining:
        raise NotReady(fault, **told)
    return document({"status": "ready", **told})


def _fault(data: Path) -> str | None:
    """Return why nothing can be stored, None if it can: tried with the one file that is always there."""
    if free(data) < ROOM:
        return f"No room in {data}: free some space."
    try:
        os.utime(data / names.LOCK)
    except OSError as error:
        return f"{data} cannot be written ({error.strerror}): check the file system and who owns it."
    return None


VIEWS = (metrics, healthz, readyz)
