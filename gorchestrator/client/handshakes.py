"""TLS towards executors: new connections begin with the present certificates, and tell what the executor has shown."""

import ssl
import time
from collections.abc import Callable
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from gorchestrator.common.credentials import Credentials, TlsFiles, Unusable
from gorchestrator.common.expiry import WARNING, InUse, Use, day

_AGAIN = 600.0  # seconds between two handshakes of which each looks whether the executor's certificate was renewed
_SOON = 5.0  # the same when ours was just renewed, for the executor's often is a moment later; doubled each time
Peer = dict[str, Any]  # as ssl.SSLSocket.getpeercert returns it


class Context(ssl.SSLContext):
    """A client's context that tells ``seen`` the certificate of each peer that it has accepted."""

    seen: Callable[[Peer], None]

    def wrap_socket(self, *args: Any, **options: Any) -> ssl.SSLSocket:
        """Shake hands."""
        secured = super().wrap_socket(*args, **options)
        if found := secured.getpeercert():
            self.seen(found)
        return secured


class Handshakes:
    """What connections to one executor begin with: our certificates as they are now, and its own one."""

    def __init__(self, name: str, files: TlsFiles) -> None:
        self.credentials = Credentials("client", files, self._context)
        self._files = files
        self._name = name
        self._shown = Use()
        self._shaken = 0.0  # when hands were shaken last, by the monotonic clock
        self._again = _AGAIN

    def _context(self) -> ssl.SSLContext:
        context = Context(ssl.PROTOCOL_TLS_CLIENT)  # checks certificate and host name
        context.seen = self._seen
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.hostname_checks_common_name = False
        context.load_verify_locations(self._files.ca)
        context.load_cert_chain(self._files.cert, self._files.key)
        return context

    def _seen(self, peer: Peer) -> None:
        names = [value for part in peer.get("subject", ()) for key, value in part if key == "commonName"]
        self._shaken = time.monotonic()
        ends = float(ssl.cert_time_to_seconds(peer["notAfter"]))
        self._shown.hold(InUse("executor", self._name, names[0] if names else "", ends))

    @property
    def shown(self) -> InUse | None:
        """The certificate that the executor has shown last, of those that were accepted."""
        return next(iter(self._shown.held), None)

    def look(self) -> None:
        """Take certificates of ours that have been renewed; waits for a native thread.

        Connections are kept as long as they are used. So that a renewed certificate of the executor is seen, new ones
        are made now and then while the one that was seen is about to expire.
        """
        shown = self.shown
        late = shown is not None and shown.not_after - time.time() < WARNING
        anew = late and time.monotonic() - self._shaken > self._again
        before = self.credentials.own
        if self.credentials.look(anew=anew):
            self._again = min(2 * self._again, _AGAIN) if self.credentials.own == before else _SOON

    def end(self) -> None:
        """There are no more connections."""
        self.credentials.end()
        self._shown.end()

    def own_expired(self, now: float) -> str:
        """Return that the certificate which this service shows has expired, for a reason; empty if it has not."""
        own = self.credentials.own
        if own is None or own.not_after > now:
            return ""
        return f"the certificate {own.name} that this service shows has expired ({day(own.not_after)})"

    def shown_expired(self, now: float) -> str:
        """Return that the executor's certificate has expired, as far as is known; empty if not."""
        shown = self.shown
        if shown is None or shown.not_after > now:
            return ""
        return f"its certificate ({shown.subject}) has expired ({day(shown.not_after)})"


class Adapter(HTTPAdapter):
    """Connections of a session that begin with these handshakes; requests itself would read the files for each."""

    def __init__(self, handshakes: Handshakes, **options: Any) -> None:
        self._handshakes = handshakes
        super().__init__(**options)

    def build_connection_pool_key_attributes(
        self, request: requests.PreparedRequest, verify: Any, cert: Any = None
    ) -> Any:
        """Return what tells pools apart: those with another context are others, so that old connections are not used.

        Raises OSError while there are no certificates.
        """
        host, _ = super().build_connection_pool_key_attributes(request, verify, cert)
        if host["scheme"] != "https":
            return host, {}
        try:
            return host, {"ssl_context": self._handshakes.credentials.context}
        except Unusable as error:
            raise OSError(str(error)) from None

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Leave pools as they are: all is in the context, and requests would add the CAs of the web to it."""
