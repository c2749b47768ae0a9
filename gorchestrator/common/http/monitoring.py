"""What the routes for operators' machines have in common in both services, and requests counted for the metrics."""

from flask import Flask, Response, request
from marshmallow import Schema, fields

from gorchestrator.common.metrics import Counter

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})  # a client may invent others


class AliveSchema(Schema):
    """Whether the service works."""

    status = fields.String(metadata={"example": "alive"})


class WritableSchema(Schema):
    """Whether what the service stores can be written."""

    ok = fields.Boolean(metadata={"example": True})
    reason = fields.String(allow_none=True, metadata={"description": "what is wrong, and what to do"})


def count_requests(app: Flask, counter: Counter) -> None:
    """Count the answers of an application; ``counter`` has the labels method and status."""

    def count(answer: Response) -> Response:
        method = request.method if request.method in _METHODS else "other"
        counter.inc(method, str(answer.status_code))
        return answer

    app.after_request(count)
