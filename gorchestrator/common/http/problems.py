"""Every error answer is an RFC 9457 problem: ``application/problem+json`` with a stable ``type``.

A service raises a :class:`Problem` of its own (or one of those below) from anywhere under a request; :func:`install`
turns these and everything else that is raised into answers.
"""

import json
import logging
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from flask import Flask, Response
from marshmallow import INCLUDE, Schema, fields
from werkzeug.exceptions import HTTPException

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
PREFIX = "urn:gorchestrator:problem:"
HEADERS = {"content-type", "content-length"}  # of werkzeug's own answers: they describe an HTML page


class Problem(Exception):
    """The request cannot be fulfilled."""

    type: str = "problem"  # the stable end of the type on the wire
    status: int = 400
    title: str = "Bad request"

    def __init__(self, detail: str | None = None, *, headers: Mapping[str, str] | None = None, **extra: Any) -> None:
        """``detail`` is what is wrong and what to do (default: the docstring); ``extra`` are further members."""
        self.detail = detail or (type(self).__doc__ or self.title)
        self.headers = dict(headers or {})
        self.extra = extra
        super().__init__(self.detail)


class BadJson(Problem):
    """The body is not JSON."""

    type = "bad-json"
    title = "The body is not JSON"


class TooLarge(Problem):
    """The body is larger than this service takes."""

    type = "too-large"
    status = 413
    title = "The body is too large"


class Malformed(Problem):
    """The request is not written as HTTP wants it."""

    type = "malformed"
    title = "The request cannot be read"


class RequestTimeout(Problem):
    """The body comes too slowly: each 16 KiB of it must come within 12 seconds."""

    type = "request-timeout"
    status = 408
    title = "The request comes too slowly"


class UriTooLong(Problem):
    """The URL is too long; ask for less at once."""

    type = "uri-too-long"
    status = 414
    title = "The URL is too long"


class HeadersTooLarge(Problem):
    """The headers are too many or too long."""

    type = "headers-too-large"
    status = 431
    title = "The headers are too large"


class UnsupportedMediaType(Problem):
    """Send JSON with the header `Content-Type: application/json`."""

    type = "unsupported-media-type"
    status = 415
    title = "Unsupported media type"


class Invalid(Problem):
    """The document cannot be accepted; every fault is in errors."""

    type = "invalid"
    status = 422
    title = "The document cannot be accepted"


class BadQuery(Problem):
    """A parameter of the query is faulty."""

    type = "bad-query"
    status = 422
    title = "A parameter of the query is faulty"


class HostNotAllowed(Problem):
    """The service does not answer under this name."""

    type = "host-not-allowed"
    status = 421
    title = "Host not allowed"


class PeerNotAllowed(Problem):
    """The service answers callers on its own machine only."""

    type = "peer-not-allowed"
    status = 403
    title = "Caller not allowed"


class NotAlive(Problem):
    """The service cannot do its work any more: restart it."""

    type = "not-alive"
    status = 503
    title = "Not alive"


class NotReady(Problem):
    """The service is about to stop."""

    type = "not-ready"
    status = 503
    title = "Not ready"


class Internal(Problem):
    """A fault of this service; its log says more."""

    type = "internal"
    status = 500
    title = "Internal error"


class FaultSchema(Schema):
    """One fault of a document."""

    pointer = fields.String(metadata={"description": "JSON Pointer (RFC 6901) to the place", "example": "/args/0"})
    detail = fields.String(metadata={"example": "Not a valid string."})


class ProblemSchema(Schema):
    """An error (RFC 9457); some have further members."""

    class Meta:
        """Of marshmallow."""

        unknown = INCLUDE

    type = fields.String(metadata={"description": "stable, for programs", "example": f"{PREFIX}not-found"})
    title = fields.String(metadata={"example": "Not Found"})
    status = fields.Integer(metadata={"example": 404})
    detail = fields.String(metadata={"description": "what is wrong and what to do"})
    errors = fields.List(fields.Nested(FaultSchema), metadata={"description": "every fault of the document"})


def make(slug: str, status: int, title: str, detail: str, **extra: Any) -> Problem:
    """Return a problem without a class of its own, such as one that stands for another family's error."""
    problem = Problem(detail, **extra)
    problem.type, problem.status, problem.title = slug, status, title
    return problem


def document(problem: Problem) -> dict[str, Any]:
    """Return the problem's members as they are on the wire."""
    return _members(problem.type, problem.title, problem.status, problem.detail) | problem.extra


def install(app: Flask) -> None:
    """Answer every exception with a problem."""
    app.register_error_handler(Problem, respond)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _internal)


def respond(problem: Problem) -> Response:
    """Return the answer for a problem."""
    return _response(document(problem), problem.status, problem.headers.items())


def _http(error: HTTPException) -> Response:
    if error.response is not None or error.code is None:  # a redirect, or an answer made by hand
        return error.get_response()  # type: ignore[return-value]  # a werkzeug response serves as well
    status = HTTPStatus(error.code)
    slug = Invalid.type if status == HTTPStatus.UNPROCESSABLE_ENTITY else _slug(status)
    members = _members(slug, status.phrase, status, error.description or status.description or status.phrase)
    return _response(members, status, [item for item in error.get_headers() if item[0].lower() not in HEADERS])


def _slug(status: HTTPStatus) -> str:
    return {413: TooLarge.type}.get(status, status.phrase.lower().replace(" ", "-"))


def _internal(error: Exception) -> Response:
    log.error("a request failed: %s", error, exc_info=error, extra={"event": "request_failed"})
    return respond(Internal())


def _members(slug: str, title: str, status: int, detail: str) -> dict[str, Any]:
    return {"type": PREFIX + slug, "title": title, "status": int(status), "detail": detail}


def _response(members: Mapping[str, Any], status: int, headers: Iterable[tuple[str, str]]) -> Response:
    return Response(json.dumps(members) + "\n", status, list(headers), content_type=MEDIA_TYPE)
