"""Who may call a service of which nobody knows who asks: what runs on its own machine, such as a proxy with a login."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from gorchestrator.common.checks import is_loopback
from gorchestrator.common.http.problems import PeerNotAllowed, respond

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class OwnMachine:
    """WSGI middleware: refuses callers on other machines, whatever address the server was bound to."""

    def __init__(self, app: "WSGIApplication", setting: str) -> None:
        """Name ``setting`` in refusals, so that their reader knows what to change."""
        self.app = app
        self.setting = setting

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Serve a request, or refuse it."""
        peer = environ.get("REMOTE_ADDR", "")
        if not peer or is_loopback(peer):  # callers over a Unix socket have no address
            return self.app(environ, start_response)
        detail = (
            f"Nobody has to say who they are here, so the service answers callers on its own machine only, and {peer} "
            f"is another one. Have everybody show a token: {self.setting}; or put a proxy with a login in front of it."
        )
        return respond(PeerNotAllowed(detail))(environ, start_response)
