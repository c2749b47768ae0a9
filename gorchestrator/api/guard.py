"""Who may call which route: one table, looked up before each request.

A route that is not in the table is open to nobody, so that none is forgotten. Tasks that a principal's label hides are
not there for them, whatever is asked of these.
"""

from collections.abc import Mapping
from typing import Any

from flask import Flask, Response, g, request

from gorchestrator.api import authentication
from gorchestrator.api.context import principal, service
from gorchestrator.domain.access import Role
from gorchestrator.domain.errors import Forbidden, Unauthorized, UnknownTask
from gorchestrator.service.access import permit

ROLES: Mapping[str, Role] = {
    "api.list_tasks": Role.VIEWER,
    "api.show": Role.VIEWER,
    "api.show_node": Role.VIEWER,
    "api.layout": Role.VIEWER,
    "api.list_attempts": Role.VIEWER,
    "api.log": Role.VIEWER,
    "api.why": Role.VIEWER,
    "api.all_events": Role.VIEWER,
    "api.task_events": Role.VIEWER,
    "api.examples": Role.VIEWER,
    "api.ping": Role.VIEWER,
    "api.session": Role.VIEWER,
    "api.validate": Role.VIEWER,
    "monitoring.metrics": Role.VIEWER,
    "api.submit": Role.OPERATOR,
    "api.cancel": Role.OPERATOR,
    "api.rerun": Role.OPERATOR,
    "api.resolve": Role.OPERATOR,
}
#: For everybody: whether the service works, signing in, the pages, which hold no data, and the API's docs.
OPEN = frozenset({"monitoring.healthz", "monitoring.readyz", "api.sign_in", "api.sign_out"})
OPEN_BLUEPRINTS = frozenset({"web", "flasgger", "apidocs_pages"})


def install(app: Flask) -> None:
    """Guard all routes of an application."""
    app.before_request(_guard)
    app.after_request(_mark)


def role_of(endpoint: str) -> Role | None:
    """Return who may call a route; None: everybody."""
    if endpoint in OPEN or endpoint.partition(".")[0] in OPEN_BLUEPRINTS:
        return None
    return ROLES.get(endpoint, Role.ADMIN)


def own(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a gorch as its sender may submit it: with the label of theirs, if they have one. Raises Forbidden."""
    label, labels = principal().label, document.get("labels")
    if label is None or not isinstance(labels, Mapping | None):
        return document
    key, value = label
    given = (labels or {}).get(key, value)
    if given != value:
        raise Forbidden(f"You may submit only what has the label {key}={value}, and this has {key}={given}.")
    return {**document, "labels": {**(labels or {}), key: value}}


def recheck() -> None:
    """Return if who makes the request may still make it after some time. Raises Unauthorized."""
    if not service().access.holds(principal()):
        raise Unauthorized("What you have shown opens nothing any more: it has ended while you waited.")


def _guard() -> None:
    role = None if request.endpoint is None else role_of(request.endpoint)
    if role is None:  # what there is no route for is answered as such
        return
    g.principal = authentication.identify()
    permit(g.principal, role)
    task = (request.view_args or {}).get("task_id")
    if g.principal.label is not None and task is not None:
        row = service().tasks.get(task)
        if not g.principal.sees(row.labels):
            raise UnknownTask(task=task)


def _mark(answer: Response) -> Response:
    if answer.status_code == 401:  # noqa: PLR2004  (a status is its own name)
        answer.headers["WWW-Authenticate"] = 'Bearer realm="gorchestrator"'
    if "principal" in g:  # it is for them alone, and may be another one the next time
        answer.headers.setdefault("Cache-Control", "private, no-cache")
    return answer
