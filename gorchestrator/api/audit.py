"""The route of the audit: who did what. Its docstring is the route's docs."""

import json
from typing import Any

from flask import Response, request
from marshmallow import Schema, fields

from gorchestrator.api.context import blueprint, principal, service
from gorchestrator.common.http import paging
from gorchestrator.common.http.parameters import number, time_of
from gorchestrator.common.http.problems import BadQuery
from gorchestrator.common.timestamps import to_wire
from gorchestrator.domain.audit import Action, Line, Wanted
from gorchestrator.domain.errors import Forbidden

_MOST = 1000
_TEXT_MOST = 1000  # characters of a filter


class AuditLineSchema(Schema):
    """Something that somebody did."""

    number = fields.Integer(metadata={"description": "one by one, without a gap", "example": 7})
    date = fields.String(metadata={"description": "RFC 3339, UTC", "example": "2026-11-01T12:00:00.000000Z"})
    actor = fields.String(metadata={"description": "who: as their token is named, or their address", "example": "ci"})
    source = fields.String(metadata={"description": "their address; local: without the API", "example": "127.0.0.1"})
    action = fields.String(metadata={"enum": [*Action], "example": "task.cancel"})
    subject = fields.String(metadata={"description": "the id of the task or token, or what else it was done to"})
    details = fields.Dict(metadata={"example": {}})
    key = fields.String(metadata={"description": "which key has signed it"})
    mac = fields.String(metadata={"description": "covers the line and the `mac` before it"})


class AuditSchema(Schema):
    """A page of the audit."""

    lines = fields.List(fields.Nested(AuditLineSchema))
    next = fields.String(allow_none=True, metadata={"description": "for cursor, where there are more"})


@blueprint.get("/audit", strict_slashes=False)
def audit() -> Response:
    """List who did what.

    ---
    get:
      tags: [service]
      summary: Who did what, from where and when, the newest first, a page at a time
      parameters:
        - {in: query, name: limit, schema: {type: integer, minimum: 1, maximum: 1000, default: 100}}
        - {in: query, name: actor, description: only what they did, schema: {type: string, maxLength: 1000}}
        - in: query
          name: action
          description: only what is of this kind
          schema: {type: string}
          example: task.cancel
        - in: query
          name: subject
          description: only what was done to this task, token or setting
          schema: {type: string, maxLength: 1000}
        - in: query
          name: since
          description: only what was done from this time on (RFC 3339, or seconds since the epoch)
          schema: {type: string}
        - {in: query, name: until, description: only what was done before this time, schema: {type: string}}
        - in: query
          name: cursor
          description: "`next` of the page before; the other parameters must be the same"
          schema: {type: string}
      responses:
        200:
          description: the lines
          headers: {Link: {description: "where the next page is, with `rel=next`", schema: {type: string}}}
          content: {application/json: {schema: {$ref: "#/components/schemas/Audit"}}}
        401: {$ref: "#/components/responses/Problem"}
        403: {$ref: "#/components/responses/Problem"}
        414: {$ref: "#/components/responses/Problem"}
        421: {$ref: "#/components/responses/Problem"}
        422: {$ref: "#/components/responses/Problem"}
        503: {$ref: "#/components/responses/Problem"}
    """
    if (label := principal().label) is not None:
        raise Forbidden(f"The audit tells of all tasks, and you may see only those with the label {'='.join(label)}.")
    lines, more = service().audit.lines(_wanted())
    cursor = paging.cursor(str(lines[-1].number)) if more else None
    document = {"lines": [_document(line) for line in lines], "next": cursor}
    headers = paging.next_link(request, cursor)
    return Response(json.dumps(document) + "\n", headers=headers, content_type="application/json")


def _wanted() -> Wanted:
    action = request.args.get("action")
    if action is not None and action not in set(Action):
        raise BadQuery(f"Nothing is ever {action[:50]!r}; the actions are {', '.join(Action)}.")
    return Wanted(
        actor=_text("actor"),
        action=action,
        subject=_text("subject"),
        since=time_of(request, "since"),
        until=time_of(request, "until"),
        before=_before(),
        limit=number(request, "limit", least=1, most=_MOST) or 100,
    )


def _text(name: str) -> str | None:
    text = request.args.get(name)
    if text is not None and len(text) > _TEXT_MOST:
        raise BadQuery(f"The parameter {name} has {len(text)} characters; at most {_TEXT_MOST} are taken.")
    return text


def _before() -> int | None:
    text = request.args.get("cursor")
    if text is None:
        return None
    try:
        found = int(paging.place(text))
    except ValueError:  # whatever somebody may have written into it
        found = 0
    if not 0 < found < 2**63:
        raise BadQuery("The parameter cursor is none that a page had as its next.")
    return found


def _document(line: Line) -> dict[str, Any]:
    return {
        "number": line.number,
        "date": to_wire(line.at / 1e6),
        "actor": line.actor,
        "source": line.source,
        "action": line.action,
        "subject": line.subject,
        "details": json.loads(line.details),
        "key": line.key,
        "mac": line.mac,
    }
