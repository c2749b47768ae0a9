"""Who makes a request: by the token that it shows, the session of its browser, or the certificate of its connection.

A browser sends cookies and certificates with requests that another site has made it send. So these count for anything
but reading only where the request comes from a page of ours: for a cookie the browser has to say so, since nobody but
browsers has one; for a certificate it must not say otherwise, since other programs say nothing.
"""

from urllib.parse import urlsplit

from flask import request

from gorchestrator.api.context import service
from gorchestrator.common.http import proxies
from gorchestrator.common.tls import peer_names
from gorchestrator.domain.access import ANYBODY, Principal
from gorchestrator.domain.errors import Forbidden, Unauthorized

_SCHEME = "Bearer "
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_ELSEWHERE = "The request comes from another site, and what your browser has is for pages of this one: send a token."


def identify() -> Principal:
    """Return who makes the request.

    Raises Unauthorized if they are not known, Forbidden if another site wants to use what their browser has, and
    StoreUnavailable.
    """
    access = service().access
    if not access.required:
        return ANYBODY
    token = _bearer()
    if token is not None:
        return access.identify(token)
    token = request.cookies.get(cookie_name())
    if token is not None:
        if not _of_our_pages():
            raise Forbidden(_ELSEWHERE)
        return access.identify(token)
    # A proxy's own certificate says nothing of those for whom it asks.
    names = () if proxies.is_forwarded(request.environ) else peer_names(request.environ) or ()
    if names:
        refuse_other_sites()
    return access.identify(None, names)


def refuse_other_sites() -> None:
    """Return if it is no page of another site that makes a browser send the request. Raises Forbidden."""
    if _of_a_browser() and not _of_our_pages():
        raise Forbidden(_ELSEWHERE)


def cookie_name() -> str:
    """Return the name of the cookie of a session: cookies do not tell the ports of a host apart, so the name does.

    Over HTTPS its prefix has browsers take it from this host alone, and over HTTPS alone.
    """
    prefix = "__Host-" if request.is_secure else ""
    return f"{prefix}gorchestrator_{urlsplit(request.host_url).port or ''}".removesuffix("_")


def _bearer() -> str | None:
    shown = request.headers.get("Authorization")
    if shown is None:
        return None
    if shown[: len(_SCHEME)].lower() != _SCHEME.lower():
        raise Unauthorized("The header Authorization has no token: send `Authorization: Bearer TOKEN`.")
    return shown[len(_SCHEME) :].strip()


def _of_a_browser() -> bool:
    return "Sec-Fetch-Site" in request.headers or "Origin" in request.headers


def _of_our_pages() -> bool:
    """Whether a request only reads, or a browser says that it comes from a page of ours."""
    if request.method in _SAFE:
        return True
    where = request.headers.get("Sec-Fetch-Site")  # browsers send it to HTTPS and to the own machine only
    if where is not None:
        return where == "same-origin"
    return urlsplit(request.headers.get("Origin", "")).netloc == request.host
