"""Connections that go only where they may: the address is checked that is connected to, of a name looked up once.

So it does not matter how a host is spelled, what a name server says the second time, or where a redirect leads.
Whatever goes wrong until the server may be spoken to, its TLS included, is one kind of fault: nothing was sent yet.
"""

import socket
import ssl
from collections.abc import Callable
from typing import Any

import gevent
import requests
from gevent.lock import BoundedSemaphore
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from executor.addresses import Allowed
from executor.drivers.http.sockets import Fair, FairTls

TIMEOUT = 10.0  # seconds for each address, and for the TLS
LOOK_UPS = 5  # at once: each holds a native thread, of which there are 10 for all, until the name server has answered

#: Makes a connected socket to host and port.
Connect = Callable[[str, int], socket.socket]


class Refused(Exception):
    """Requests must not go there; the text says why and what would allow it."""


class Unreachable(Exception):
    """There is no connection, so nothing was sent. ``passing``: it may be otherwise in a moment."""

    def __init__(self, text: str, *, passing: bool = True) -> None:
        super().__init__(text)
        self.passing = passing


def connector(allowed: Allowed) -> Connect:
    """Return what connects to those that are allowed; it raises :class:`Refused` and :class:`Unreachable`."""
    look_ups = BoundedSemaphore(LOOK_UPS)

    def connect(host: str, port: int) -> socket.socket:
        with look_ups:
            found = _look_up(host, port)
        addresses = [each for each in found if allowed.admits(host, str(each[4][0]))]
        if not addresses:
            seen = ", ".join(sorted({str(each[4][0]) for each in found}))
            raise Refused(
                f"requests to {host} ({seen}) are refused: that is no public address, or one of this machine; the"
                " executor's setting http_allow may allow it"
            )
        faults = []
        for family, kind, protocol, _, address in addresses:
            try:
                return _connected(Fair(family, kind, protocol), address)
            except OSError as error:
                faults.append(f"{address[0]}: {error.strerror or error}")
        raise Unreachable(f"cannot connect to {host}, port {port} ({'; '.join(faults)})")

    return connect


def context(authorities: str) -> ssl.SSLContext:
    """Return what certificates are checked with; ``authorities``: a file. Raises OSError."""
    made = ssl.create_default_context(cafile=authorities)
    made.sslsocket_class = FairTls
    return made


def session(connect: Connect, tls: ssl.SSLContext) -> requests.Session:
    """Return a session of such connections, which takes nothing from the environment: no proxy, no netrc, no CA."""
    made = _Session()
    made.trust_env = False
    made.headers.clear()
    adapter = _Adapter(connect, tls)
    for scheme in ("http://", "https://"):
        made.mount(scheme, adapter)
    return made


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> None:
        """Know of none: else ``requests`` reads the body of a redirect to its end, even if it is not to follow it."""


class _Adapter(HTTPAdapter):
    """Makes connections with ``connect``, and checks certificates with the one context: to make one takes its time."""

    def __init__(self, connect: Connect, tls: ssl.SSLContext) -> None:
        self._connect = connect
        self._tls = tls
        super().__init__(max_retries=0)

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **options: Any) -> None:
        """Let the pools have our connections and the context."""
        self.poolmanager = PoolManager(connections, maxsize=maxsize, block=block, ssl_context=self._tls, **options)
        self.poolmanager.pool_classes_by_scheme = _pools(self._connect)

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Check certificates always; that the context has its CAs already is what is different."""
        conn.cert_reqs = "CERT_REQUIRED"


def _pools(connect: Connect) -> dict[str, Any]:
    class Http(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return connect(self.host, self.port or 80)

    class Https(HTTPSConnection):
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            self._patience = gevent.Timeout(TIMEOUT, TimeoutError(f"no end of it within {TIMEOUT:g} s"))

        def _new_conn(self) -> socket.socket:
            made = connect(self.host, self.port or 443)
            self._patience.start()  # the socket's own timeout is for each of many reads
            return made

        def connect(self) -> None:
            try:
                super().connect()
            except (OSError, HTTPError, ValueError) as fault:
                self.close()
                raise _without_tls(fault) from None
            finally:
                self._patience.close()

    class HttpPool(HTTPConnectionPool):
        ConnectionCls = Http

    class HttpsPool(HTTPSConnectionPool):
        ConnectionCls = Https

    return {"http": HttpPool, "https": HttpsPool}


def _without_tls(fault: Exception) -> Unreachable:
    if isinstance(fault, ssl.SSLCertVerificationError):
        text = f"its certificate is not trusted: {fault.verify_message} (the executor's setting http_ca may name a CA)"
        return Unreachable(text, passing=False)
    why = getattr(fault, "reason", None) or getattr(fault, "strerror", None) or fault
    return Unreachable(f"cannot begin TLS: {why}")


def _look_up(host: str, port: int) -> list[Any]:
    try:
        return socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        passing = error.errno == socket.EAI_AGAIN
        raise Unreachable(f"cannot find the address of {host}: {error.strerror}", passing=passing) from None
    except UnicodeError:
        raise Unreachable(f"{host!r} is not the name of a host", passing=False) from None


def _connected(made: socket.socket, address: Any) -> socket.socket:
    try:
        made.settimeout(TIMEOUT)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        made.connect(address)
    except BaseException:
        made.close()
        raise
    return made
