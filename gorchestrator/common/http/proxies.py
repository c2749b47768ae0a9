"""Who the client is behind a proxy: what a proxy says of it is believed only if the settings name that proxy.

A request that comes straight from a client may say anything in its headers, so without the setting they are not read.
"""

import ipaddress
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

UNIX = "unix"  # in the setting: whoever comes over a Unix socket
_FORWARDED = "gorchestrator.forwarded"  # in the environ of what a trusted proxy has sent
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def check(trusted: tuple[str, ...]) -> str | None:
    """Check the setting that lists proxies: what is wrong and what to do, or None."""
    for each in trusted:
        if each == UNIX:
            continue
        try:
            ipaddress.ip_network(each)
        except ValueError:
            return f"{each!r} is no proxy; write an address, a network such as 10.1.0.0/16, or {UNIX}"
    return None


def is_forwarded(environ: Mapping[str, Any]) -> bool:
    """Whether a trusted proxy has sent a request, for somebody else."""
    return _FORWARDED in environ


class TrustedProxies:
    """WSGI middleware: puts the client that trusted proxies name in the place of the peer of the connection.

    ``X-Forwarded-For`` is read from its end, where the nearest proxy has written. What is left of the first address
    that is no trusted proxy's was written by the client, and is not believed. ``X-Forwarded-Proto`` is taken as it is.
    """

    def __init__(self, app: "WSGIApplication", trusted: Iterable[str]) -> None:
        self.app = app
        self.trust(trusted)

    def trust(self, proxies: Iterable[str]) -> None:
        """Believe these alone from now on."""
        names = list(proxies)
        self.networks = [ipaddress.ip_network(each) for each in names if each != UNIX]
        self.unix = UNIX in names

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Serve a request."""
        peer = environ.get("REMOTE_ADDR", "")
        if self._trusts(peer):
            environ[_FORWARDED] = True
            environ["REMOTE_ADDR"] = self._client(environ.get("HTTP_X_FORWARDED_FOR", "")) or peer
            scheme = environ.get("HTTP_X_FORWARDED_PROTO", "").strip().lower()
            if scheme in {"http", "https"}:
                environ["wsgi.url_scheme"] = scheme
        return self.app(environ, start_response)

    def _trusts(self, peer: str) -> bool:
        if not peer:  # callers over a Unix socket have no address
            return self.unix
        address = _address(peer)
        return address is not None and self._is_proxy(address)

    def _is_proxy(self, address: Address) -> bool:
        return any(address in network for network in self.networks)

    def _client(self, forwarded: str) -> str:
        """Return the address that the nearest proxy names which is not itself a proxy; empty if none is named."""
        found = ""
        for part in reversed(forwarded.split(",")):
            address = _address(part)
            if address is None:
                break
            found = str(address)
            if not self._is_proxy(address):
                break
        return found


def _address(text: str) -> Address | None:
    """Return an address that may have brackets and a port; None if there is none."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    return (isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped) or found
