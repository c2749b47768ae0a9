"""Which pages of other origins may call the API. Without the setting there is none, as browsers have it.

It is about scripts in browsers alone; who may do what is the guard's affair. Cookies and certificates of a browser are
not for other origins: their pages show a token. Browsers ask first (a preflight) without showing anything, so the
answer to that cannot wait for the guard.
"""

import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_ORIGIN = re.compile(r"https?://([a-z0-9.-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?")
_METHODS = "GET, HEAD, POST, DELETE"
_SENT = "Authorization, Content-Type, Idempotency-Key, If-None-Match, Last-Event-ID, Prefer, Range, traceparent"
_READ = "Content-Disposition, Content-Range, ETag, Link, Location, Preference-Applied, Retry-After, WWW-Authenticate"
_AGE = "600"  # seconds for which a browser need not ask again


def check(origins: tuple[str, ...]) -> str | None:
    """Check the setting that lists origins: what is wrong and what to do, or None."""
    for each in origins:
        if not _ORIGIN.fullmatch(each):
            return f"{each!r} is no origin; write one such as https://console.example, in small letters without a path"
    return None


class AllowedOrigins:
    """WSGI middleware: lets scripts of these origins read answers, and answers what browsers ask before they send."""

    def __init__(self, app: "WSGIApplication", origins: Iterable[str]) -> None:
        self.app = app
        self.allow(origins)

    def allow(self, origins: Iterable[str]) -> None:
        """Let these origins alone from now on."""
        self.origins = frozenset(origins)

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Serve a request."""
        if not self.origins:
            return self.app(environ, start_response)
        origin = environ.get("HTTP_ORIGIN", "")
        added = [("Vary", "Origin")]
        if origin in self.origins:
            added += [("Access-Control-Allow-Origin", origin), ("Access-Control-Expose-Headers", _READ)]
            if environ["REQUEST_METHOD"] == "OPTIONS" and "HTTP_ACCESS_CONTROL_REQUEST_METHOD" in environ:
                asked = [("Access-Control-Allow-Methods", _METHODS), ("Access-Control-Allow-Headers", _SENT)]
                start_response("204 No Content", [*added, *asked, ("Access-Control-Max-Age", _AGE)])
                return []

        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Callable[[bytes], object]:
            return start_response(status, [*headers, *added], *rest)

        return self.app(environ, start)
