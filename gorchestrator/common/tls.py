"""TLS of the servers: who the peer is, and a log line in place of a traceback for a peer that was refused."""

import logging
import ssl
from collections.abc import Mapping
from types import TracebackType
from typing import Any

import gevent

log = logging.getLogger(__name__)

HANDSHAKE = "wrap_socket_and_handle"  # the method of gevent's servers that does the handshake before any handler


def peer_names(environ: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Return the names in the client's verified certificate; None without one.

    First the common names, then its names for hosts (DNS) and programs (URI).
    """
    peer = getattr(environ.get("gunicorn.socket"), "getpeercert", None)
    certificate = peer() if peer else None
    if not certificate:
        return None
    common = [value for part in certificate.get("subject", ()) for key, value in part if key == "commonName"]
    others = [value for kind, value in certificate.get("subjectAltName", ()) if kind in {"DNS", "URI"}]
    return tuple(dict.fromkeys([*common, *others]))


def log_refused_handshakes() -> None:
    """Log each failed handshake of this process's gevent servers as one line ``tls_refused``.

    gevent does the handshake in the greenlet of the connection, before the server's handler and its error handling, so
    that the hub sees the exception. Calling it again changes nothing.
    """
    hub = gevent.get_hub()
    default = hub.handle_error
    if getattr(default, "refused_handshakes", False):
        return

    def handle_error(
        context: object, kind: type[BaseException], value: BaseException, traceback: TracebackType | None
    ) -> None:
        address = _handshake_with(context)
        if address is not None and isinstance(value, OSError):
            _log(address, value)
        else:
            default(context, kind, value, traceback)

    handle_error.refused_handshakes = True  # type: ignore[attr-defined]
    hub.handle_error = handle_error  # type: ignore[method-assign, assignment]


def _handshake_with(context: object) -> str | None:
    """Return the peer's address if ``context`` is a greenlet that serves a TLS connection."""
    if not isinstance(context, gevent.Greenlet):
        return None
    match context.args:
        case (handler, _, (_, address)) if getattr(handler, "__name__", "") == HANDSHAKE:
            return _shown(address)
        case _:
            return None


def _shown(address: object) -> str:
    match address:
        case (str(host), int(port), *_):
            return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        case _:
            return str(address)


def _log(address: str, error: OSError) -> None:
    reason = tls_reason(error)
    log.warning(
        "refused a TLS connection from %s: %s",
        address,
        reason,
        extra={"event": "tls_refused", "peer": address, "reason": reason},
    )


def tls_reason(error: BaseException) -> str:
    """Return OpenSSL's reason in words, such as ``certificate verify failed: certificate has expired``."""
    words: list[str] = []
    if isinstance(error, ssl.SSLError) and error.reason:
        words.append(error.reason.lower().replace("_", " "))
    if isinstance(error, ssl.SSLCertVerificationError):
        words.append(error.verify_message)
    return ": ".join(words) or getattr(error, "strerror", None) or str(error) or type(error).__name__
