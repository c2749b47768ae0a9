"""Connections that go only where they may: the address is checked that is connected to, of a name looked up once.

So it does not matter how a host is spelled, what a name server says the second time, or where a redirect leads.
"""

import socket
import ssl
from collections.abc import Callable
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection

from executor.addresses import Allowed

TIMEOUT = 10.0  # seconds for each address

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

    def connect(host: str, port: int) -> socket.socket:
        found = _look_up(host, port)
        addresses = [each for each in found if allowed.admits(host, str(each[4][0]))]
        if not addresses:
            seen = ", ".join(sorted({str(each[4][0]) for each in found}))
            raise Refused(
                f"requests to {host} ({seen}) are refused: that is no public address; the executor's setting http_allow"
                " may allow it"
            )
        faults = []
        for family, kind, protocol, _, address in addresses:
            try:
                return _connected(socket.socket(family, kind, protocol), address)
            except OSError as error:
                faults.append(f"{address[0]}: {error.strerror or error}")
        raise Unreachable(f"cannot connect to {host}, port {port} ({'; '.join(faults)})")

    return connect


def session(connect: Connect, tls: ssl.SSLContext) -> requests.Session:
    """Return a session of such connections, which takes nothing from the environment: no proxy, no netrc, no CA."""
    made = requests.Session()
    made.trust_env = False
    made.headers.clear()
    adapter = _Adapter(connect, tls)
    for scheme in ("http://", "https://"):
        made.mount(scheme, adapter)
    return made


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
    class Plain(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return connect(self.host, self.port or 80)

    class Secure(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            return connect(self.host, self.port or 443)

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}


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
