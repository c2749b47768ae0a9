"""Signing in with a browser: a cookie that carries the token.

So a session outlives restarts, works with each worker, and ends with the token. No script of a page can read the
cookie, and no other site can have it sent. Servers on other ports of a host count as the same site for a browser: the
guard takes it for anything but reading only where a request says that it comes from our own pages. Each route's
docstring is its docs.
"""

from typing import Any

from flask import Response, jsonify, request
from marshmallow import RAISE, Schema, fields

from gorchestrator.api.authentication import cookie_name, refuse_other_sites
from gorchestrator.api.context import blueprint, principal, service
from gorchestrator.common.http import body
from gorchestrator.domain.access import Principal

_LIMIT = 4096  # bytes of a body


class SignInSchema(Schema):
    """What opens a session."""

    class Meta:
        """An unknown key is a mistake and not ignored."""

        unknown = RAISE

    token = fields.String(required=True, metadata={"description": "as `gorch token create` has printed it"})


class SessionSchema(Schema):
    """Who makes the request."""

    name = fields.String(metadata={"example": "ann"})
    role = fields.String(metadata={"description": "viewer, operator or admin", "example": "operator"})
    label = fields.String(allow_none=True, metadata={"description": "the label of all tasks that are there for them"})
    way = fields.String(metadata={"description": "how that is known: token, or open for everybody", "example": "token"})


_SCHEMA = SignInSchema()


@blueprint.get("/session")
def session() -> Response:
    """Say who makes the request.

    ---
    get:
      tags: [service]
      summary: Who you are for the service, and what you may do
      responses:
        200: {description: who you are, content: {application/json: {schema: {$ref: "#/components/schemas/Session"}}}}
        401: {$ref: "#/components/responses/Problem"}
        403: {$ref: "#/components/responses/Problem"}
        421: {$ref: "#/components/responses/Problem"}
        503: {$ref: "#/components/responses/Problem"}
    """
    return _answer(principal())


@blueprint.post("/session")
def sign_in() -> Response:
    """Open a session with a token.

    ---
    post:
      tags: [service]
      summary: Sign in with a browser; the answer sets a cookie with the token that pages cannot read
      requestBody:
        required: true
        content:
          application/json:
            schema: {$ref: "#/components/schemas/SignIn"}
            example: {token: gorch_0123abcd_a-secret-of-43-characters}
      responses:
        200: {description: who you are, content: {application/json: {schema: {$ref: "#/components/schemas/Session"}}}}
        400: {$ref: "#/components/responses/Problem"}
        401: {$ref: "#/components/responses/Problem"}
        403: {$ref: "#/components/responses/Problem"}
        408: {$ref: "#/components/responses/Problem"}
        413: {$ref: "#/components/responses/Problem"}
        415: {$ref: "#/components/responses/Problem"}
        421: {$ref: "#/components/responses/Problem"}
        422: {$ref: "#/components/responses/Problem"}
        503: {$ref: "#/components/responses/Problem"}
    """
    refuse_other_sites()
    token = str(body.load(_SCHEMA, body.read_json(request, _LIMIT))["token"]).strip()
    who = service().access.identify(token)
    answer = _answer(who)
    if who.way == "token":  # where everybody may do everything, nothing is to be kept
        answer.set_cookie(cookie_name(), token, httponly=True, samesite="Strict", secure=request.is_secure)
    return answer


@blueprint.delete("/session")
def sign_out() -> Response:
    """Close the session.

    ---
    delete:
      tags: [service]
      summary: Sign out; the token is as good as before
      responses:
        204: {description: the cookie is gone}
        403: {$ref: "#/components/responses/Problem"}
        421: {$ref: "#/components/responses/Problem"}
    """
    refuse_other_sites()
    answer = Response(status=204)
    answer.delete_cookie(cookie_name(), httponly=True, samesite="Strict", secure=request.is_secure)
    return answer


def _answer(who: Principal) -> Response:
    label = None if who.label is None else "=".join(who.label)
    found: dict[str, Any] = {"name": who.name, "role": who.role.label, "label": label, "way": who.way}
    answer = jsonify(found)
    answer.headers["Cache-Control"] = "no-store"
    return answer
