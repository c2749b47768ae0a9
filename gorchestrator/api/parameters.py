"""The parameters that several routes have, as the API docs show them: ``#/components/parameters/NAME``."""

from collections.abc import Mapping
from typing import Any

PARAMETERS: Mapping[str, Mapping[str, Any]] = {
    "TaskId": {"in": "path", "name": "task_id", "required": True, "schema": {"type": "string"}},
    "NodeName": {
        "in": "path",
        "name": "node",
        "required": True,
        "description": "the node's name; or its number, if no node is so named",
        "schema": {"type": "string"},
    },
    "IdempotencyKey": {
        "in": "header",
        "name": "Idempotency-Key",
        "description": (
            "any text of up to 200 printable ASCII characters without spaces; the same request with the same key is "
            "taken once within a day, and answered with the task that the first one made"
        ),
        "schema": {"type": "string", "maxLength": 200, "pattern": "^[!-~]+$"},
    },
    "TraceContext": {
        "in": "header",
        "name": "traceparent",
        "description": "trace context (W3C) of the caller; a task that is traced links to it",
        "schema": {"type": "string"},
        "example": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    },
    "After": {
        "in": "query",
        "name": "after",
        "description": "the number of the event behind which to begin",
        "schema": {"type": "integer", "minimum": 0},
    },
    "LastEventId": {
        "in": "header",
        "name": "Last-Event-ID",
        "description": "the same as `after`, and goes before it: browsers send it when they connect again",
        "schema": {"type": "string"},
    },
}
