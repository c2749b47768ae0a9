"""Headers that tell browsers what an answer may do: of every answer of both services, refusals too.

The API's answers hold what nodes print, so nothing in them is a page, a script or a style, none is framed, and no other
site reads one. A page loads only from its own service, runs no inline script or style, is not framed, and sends nothing
elsewhere. Only Swagger UI needs inline scripts and styles; its page shows nothing but our own specification.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, request

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

POLICY = "Content-Security-Policy"
SECURITY: Mapping[str, str] = {
    POLICY: "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
PAGES = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
SWAGGER_UI = PAGES.replace("script-src 'self'", "script-src 'self' 'unsafe-inline'").replace(
    "style-src 'self'", "style-src 'self' 'unsafe-inline'"
)


class SecurityHeaders:
    """WSGI middleware: adds the headers that an answer does not have."""

    def __init__(self, app: "WSGIApplication") -> None:
        self.app = app

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Serve a request."""

        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Callable[[bytes], object]:
            has = {name.lower() for name, _ in headers}
            added = [item for item in SECURITY.items() if item[0].lower() not in has]
            return start_response(status, [*headers, *added], *rest)

        return self.app(environ, start)


def permit(app: Flask, blueprint: str, policy: str) -> None:
    """Let the pages of a blueprint do what a policy says, in place of nothing."""

    @app.after_request
    def add(answer: Response) -> Response:
        if request.blueprint == blueprint:
            answer.headers[POLICY] = policy
        return answer
