"""Which names the service answers under. Without this check a web page could reach it by rebinding its own name."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from gorchestrator.common.http.problems import HostNotAllowed, respond

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class AllowedHosts:
    """WSGI middleware: refuses requests whose ``Host`` is none of ``allowed`` (names or addresses, without port)."""

    def __init__(self, app: "WSGIApplication", allowed: Iterable[str], setting: str) -> None:
        """Name ``setting`` in refusals, so that their reader knows what to change."""
        self.app = app
        self.setting = setting
        self.allow(allowed)

    def allow(self, names: Iterable[str]) -> None:
        """Answer under these names alone from now on."""
        self.allowed = frozenset(_bare(name) for name in names)

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Serve a request, or refuse it."""
        host = environ.get("HTTP_HOST", "")
        if without_port(host) in self.allowed:
            return self.app(environ, start_response)
        detail = (
            f"The service does not answer under the name {host[:255]!r}; the setting {self.setting} lists its names."
        )
        return respond(HostNotAllowed(detail))(environ, start_response)


def without_port(host: str) -> str:
    """Return the name or address of a ``Host`` header, in lower case and without brackets."""
    name, colon, port = host.rpartition(":")
    return _bare(name if colon and port.isdigit() else host)


def _bare(name: str) -> str:
    return name.strip().lower().removeprefix("[").removesuffix("]").removesuffix(".")
