"""Who may call a service of which nobody knows who asks: what runs on its own machine, such as a proxy with a login."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from gorchestrator.common.checks import is_loopback
from gorchestrator.common.http.problems import PeerNotAllowed, respond

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class OwnMachine:
    """WSGI middleware: refuses callers on other machines, whatever address the server was bound to."""

    def __init__(self, app: "WSGIApplication", remedy: str) -> None:
        """``remedy``: what the reader of a refusal is to do, so that others may call."""
        self.app = app
        self.remedy = remedy

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Serve a request, or refuse it."""
        peer = environ.get("REMOTE_ADDR", "")
        if not peer or is_loopback(peer):  # callers over a Unix socket have no address
            return self.app(environ, start_response)
        detail = (
            f"Nobody has to say who they are here, so the service answers callers on its own machine only, and {peer} "
            f"is another one. {self.remedy}; or put a proxy with a login in front of it."
        )
        return respond(PeerNotAllowed(detail))(environ, start_response)
