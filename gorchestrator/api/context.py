"""What the routes have in common: one blueprint, and the service that answers."""

from flask import Blueprint, Flask, current_app, g, request

from gorchestrator.domain.access import ANYBODY, Principal
from gorchestrator.domain.audit import Who
from gorchestrator.service import Service

blueprint = Blueprint("api", __name__, url_prefix="/v1")

_EXTENSION = "gorchestrator"


def install(app: Flask, service: Service, *, body_limit: int, max_nodes: int) -> None:
    """Add the routes, which must have been imported before."""
    app.extensions[_EXTENSION] = service
    limit(app, body_limit=body_limit, max_nodes=max_nodes)
    app.register_blueprint(blueprint)


def limit(app: Flask, *, body_limit: int, max_nodes: int) -> None:
    """Take no larger bodies (bytes) and graphs from now on."""
    app.config.update(BODY_LIMIT=body_limit, MAX_NODES=max_nodes)


def service() -> Service:
    """Return the service of the application that answers the request."""
    found: Service = current_app.extensions[_EXTENSION]
    return found


def source() -> str:
    """Return the address that the request comes from."""
    return request.remote_addr or "unknown"


def principal() -> Principal:
    """Return who makes the request, as the guard has found."""
    found: Principal = g.get("principal", ANYBODY)
    return found


def actor() -> str:
    """Return who makes the request, as the journal names them: by their token, else by their address."""
    found = principal()
    return source() if found.way == "open" else found.name


def client() -> str:
    """Return what tells who makes the request apart from all others: their token or certificate, else their address."""
    return principal().key or f"address:{source()}"


def who() -> Who:
    """Return who makes the request and where from, as the audit names them."""
    return Who(actor(), source(), client())
