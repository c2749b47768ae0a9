"""Headers that tell browsers what an answer may do: of pages, and of the API whose answers hold what nodes print.

A page loads only from its own service, runs no inline script or style, is not framed, and sends nothing elsewhere.
Only Swagger UI needs inline scripts and styles; its page shows nothing but our own specification.
"""

from collections.abc import Mapping

from flask import Flask, Response, request

STRICT = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
APIDOCS = STRICT.replace("script-src 'self'", "script-src 'self' 'unsafe-inline'").replace(
    "style-src 'self'", "style-src 'self' 'unsafe-inline'"
)
HEADERS: Mapping[str, str] = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_APIDOCS = "flasgger"  # the name of its blueprint


def install(app: Flask) -> None:
    """Add the headers to every answer."""
    app.after_request(_add)


def _add(answer: Response) -> Response:
    answer.headers.update(HEADERS)
    answer.headers["Content-Security-Policy"] = APIDOCS if request.blueprint == _APIDOCS else STRICT
    return answer
