"""The access log: one line a request, written when its answer has ended. Queries may hold secrets and are left out."""

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

log = logging.getLogger(__name__)


class AccessLog:
    """WSGI middleware around everything else, so that refusals are logged too."""

    def __init__(self, app: "WSGIApplication") -> None:
        self.app = app

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Serve a request."""
        if not log.isEnabledFor(logging.INFO):
            return self.app(environ, start_response)
        started = time.monotonic()
        seen = {"status": 0}

        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Callable[[bytes], object]:
            seen["status"] = int(status[:3])
            return start_response(status, headers, *rest)

        return _Body(self.app(environ, start), lambda: _write(environ, seen["status"], started))


class _Body:
    """Passes the answer on, and tells when it was closed."""

    def __init__(self, body: Iterable[bytes], closed: Callable[[], None]) -> None:
        self.body = body
        self.closed = closed

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.body)

    def close(self) -> None:
        """End the answer; the server calls it also when the client has gone."""
        try:
            getattr(self.body, "close", lambda: None)()
        finally:
            self.closed()


def _write(environ: "WSGIEnvironment", status: int, started: float) -> None:
    method, path = environ.get("REQUEST_METHOD", ""), environ.get("PATH_INFO", "")
    took = round((time.monotonic() - started) * 1000, 1)
    extra = {"event": "request", "method": method, "path": path, "status": status, "ms": took}
    log.info("%s %s %s", method, path, status, extra=extra | {"peer": environ.get("REMOTE_ADDR", "")})
