"""Certificates of a service in its memory, made anew from their files when these change: what renewal works by.

A certificate, its key and the CA are taken together or not at all: files that do not fit are refused, and what was in
use stays. The files are looked at and read in a native thread, on the clock of whoever calls :meth:`Credentials.look`;
a connection only uses the context that is there.
"""

import logging
import os
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import gevent
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import NameOID

from gorchestrator.common.expiry import InUse, Use, day
from gorchestrator.common.tls import tls_reason

LOOK = 2.0  # seconds between two looks at the files
_READS = 20  # of files that change meanwhile: more often than one renewal touches them
_BEGIN = b"-----BEGIN CERTIFICATE-----"

log = logging.getLogger(__name__)

Stamp = tuple[tuple[int, ...] | None, ...]


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """PEM files: a certificate, its key, and the CA that peers are checked with, if they are."""

    cert: Path
    key: Path
    ca: Path | None

    def paths(self) -> tuple[Path, ...]:
        """Return all of them."""
        return (self.cert, self.key) if self.ca is None else (self.cert, self.key, self.ca)


@dataclass(frozen=True, slots=True)
class Loaded:
    """What came out of the files: a context for TLS, the certificates in it and their fingerprints.

    ``stamp``: what the files looked like.
    """

    context: ssl.SSLContext
    certificates: tuple[InUse, ...]
    prints: frozenset[bytes]
    stamp: Stamp


class Unusable(Exception):
    """The files do not make a context; the text says why."""


class Credentials:
    """The TLS context of a server or of a client.

    ``kind``: ``server`` or ``client``, for whom ``make`` returns a context out of the files. Nothing is read before the
    first connection or :meth:`look`.
    """

    def __init__(self, kind: str, files: TlsFiles, make: Callable[[], ssl.SSLContext]) -> None:
        self.files = files
        self._kind = kind
        self._make = make
        self._use = Use()
        self._loaded: Loaded | None = None
        self._seen: Stamp | None = None  # the files that were refused, so that it is said once
        self._next = 0.0
        self._why = ""  # there is none to use; empty before the first try

    @property
    def context(self) -> ssl.SSLContext:
        """The context for new connections. Raises Unusable as long as there is none."""
        if self._loaded is None and not self._why:
            self._renew(_stamp(self.files))
        if self._loaded is None:
            raise Unusable(self._why)
        return self._loaded.context

    @property
    def own(self) -> InUse | None:
        """The certificate that is shown to peers."""
        return self._loaded.certificates[0] if self._loaded else None

    def look(self, *, anew: bool = False) -> ssl.SSLContext | None:
        """Look at the files, at most every two seconds; return the new context if there is one.

        Only a greenlet that may wait calls this. What does not fit is told of in the log, once. ``anew`` makes a new
        context of files that have not changed too, for who wants new connections.
        """
        now = time.monotonic()
        if now < self._next:
            return None
        self._next = now + LOOK
        stamp = gevent.get_hub().threadpool.apply(_stamp, (self.files,))
        if stamp == self._seen or (self._loaded is not None and stamp == self._loaded.stamp and not anew):
            return None
        return self._renew(stamp)

    def _renew(self, stamp: Stamp) -> ssl.SSLContext | None:
        try:
            loaded = _load_aside(self.files, self._kind, self._make)
            if self._loaded is not None and self._loaded.prints != loaded.prints:
                _refuse_expired(loaded.certificates[0])
        except Unusable as error:
            self._refuse(stamp, str(error))
            return None
        before = self._loaded
        self._take(loaded)
        if before is not None and before.prints != loaded.prints:
            end = day(loaded.certificates[0].not_after)
            extra = {"event": "certificates_renewed", "kind": self._kind, "not_after": end}
            log.info("new connections use what is in %s now; it holds until %s", self.files.cert, end, extra=extra)
        return loaded.context

    def _take(self, loaded: Loaded) -> None:
        self._loaded, self._seen = loaded, None
        self._use.hold(*loaded.certificates)

    def _refuse(self, stamp: Stamp, why: str) -> None:
        self._seen, self._why = stamp, why
        extra = {"event": "certificates_refused", "kind": self._kind, "reason": why}
        stays = "; those in use stay" if self._loaded else ""
        log.error("certificates cannot be used: %s%s", why, stays, extra=extra)

    def end(self) -> None:
        """Use them no more."""
        self._use.end()


def _stamp(files: TlsFiles) -> Stamp:
    """Return what tells files from those that are put in their place, or written over."""
    return tuple(map(_stamp_of, files.paths()))


def _stamp_of(path: Path) -> tuple[int, ...] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _load_aside(files: TlsFiles, kind: str, make: Callable[[], ssl.SSLContext]) -> Loaded:
    """Load in a native thread; what goes wrong comes back as a value, since such threads print what is raised."""
    found: Loaded | Unusable = gevent.get_hub().threadpool.apply(_outcome, (files, kind, make))
    if isinstance(found, Unusable):
        raise found
    return found


def _outcome(files: TlsFiles, kind: str, make: Callable[[], ssl.SSLContext]) -> Loaded | Unusable:
    for _ in range(_READS):
        before = _stamp(files)
        found = _tried(files, kind, make, before)
        if _stamp(files) == before:
            return found
    return Unusable(f"{files.cert} and what belongs to it are written again and again while they are read")


def _tried(files: TlsFiles, kind: str, make: Callable[[], ssl.SSLContext], stamp: Stamp) -> Loaded | Unusable:
    try:
        return _load(files, kind, make, stamp)
    except Unusable as error:
        return error


def _load(files: TlsFiles, kind: str, make: Callable[[], ssl.SSLContext], stamp: Stamp) -> Loaded:
    chain = read_certificates(files.cert)
    trusted = [] if files.ca is None else read_certificates(files.ca)
    certificates = [_in_use(kind, files.cert, chain[0])]
    if files.ca is not None:
        last = max(trusted, key=lambda each: each.not_valid_after_utc)
        certificates.append(_in_use("ca", files.ca, last))
    prints = frozenset(each.fingerprint(hashes.SHA256()) for each in (*chain, *trusted))
    try:
        context = make()
    except ssl.SSLError as error:
        raise Unusable(_why(error, files)) from None
    except OSError as error:
        raise Unusable(f"{error.filename or files.key}: {error.strerror or error}") from None
    return Loaded(context, tuple(certificates), prints, stamp)


def read_certificates(path: Path) -> list[x509.Certificate]:
    """Return the certificates of a PEM file, at least one. Raises Unusable, also if one is cut off."""
    try:
        text = path.read_bytes()
        found = x509.load_pem_x509_certificates(text)
    except OSError as error:
        raise Unusable(f"{path}: {error.strerror}") from None
    except ValueError:
        raise Unusable(f"{path} holds no whole certificate in PEM") from None
    if len(found) != text.count(_BEGIN):
        raise Unusable(f"{path} ends within a certificate")
    return found


def common_name(name: x509.Name) -> str:
    """Return the common name of a subject, or all of it if it has none."""
    found = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[0].value) if found else name.rfc4514_string()


def _in_use(kind: str, path: Path, certificate: x509.Certificate) -> InUse:
    return InUse(kind, str(path), common_name(certificate.subject), certificate.not_valid_after_utc.timestamp())


def _refuse_expired(certificate: InUse) -> None:
    if certificate.not_after <= time.time():
        raise Unusable(f"{certificate.name} has expired: {day(certificate.not_after)}")


def _why(error: ssl.SSLError, files: TlsFiles) -> str:
    if error.reason == "KEY_VALUES_MISMATCH":
        return f"{files.key} is not the key of {files.cert}"
    return f"{files.cert} and {files.key} cannot be loaded: {tls_reason(error)}"
