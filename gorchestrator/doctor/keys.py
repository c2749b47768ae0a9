"""Certificates and keys in files: whether they hold, fit, are for what they are used for, and are secret."""

import os
import ssl
import stat
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509

from gorchestrator.common.credentials import Unusable, read_certificates
from gorchestrator.common.expiry import WARNING, day, in_words
from gorchestrator.doctor import handshake
from gorchestrator.doctor.finding import Finding, Findings

_CHECK = "certificates"
_RENEW = "renew it: gorch certs renew"
Refusal = Callable[[Path, Path, Path], ssl.SSLCertVerificationError | None]


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its key, as settings name them. ``server``: it is shown to callers, else to those called."""

    cert: Path
    key: Path
    server: bool


def check(pair: Pair, ca: Path | None, remedy: str) -> Iterator[Finding]:
    """Check a certificate, its key, and that who trusts ``ca`` accepts it; ``remedy``: how files are made."""
    told = Findings(_CHECK, pair.cert)
    chain = yield from _read(pair.cert, told, remedy)
    if chain is None:
        return
    yield _dates(chain[0], told)
    if pair.server:
        yield _names(chain[0], told)
    yield from _secret(pair.key)
    fits = _fits(pair, told, remedy)
    yield fits or Findings(_CHECK, pair.key).ok(f"is the key of {pair.cert.name}")
    if fits is None and ca is not None and ca.is_file() and _now_within(chain[0]):
        yield _accepted(pair, ca, told)


def check_ca(ca: Path, remedy: str) -> Iterator[Finding]:
    """Check the CA of peers, and that its key is not beside it."""
    told = Findings(_CHECK, ca)
    found = yield from _read(ca, told, remedy)
    if found is None:
        return
    good = [each for each in found if _now_within(each)]
    yield _dates(max(good or found, key=lambda each: each.not_valid_after_utc), told)
    if not all(map(_is_ca, found)):
        yield told.fault("is no CA: it cannot have issued the certificates of peers", "name the CA's own certificate")
    key = ca.with_suffix(".key")
    if key.exists():
        yield Findings(_CHECK, key).warning(
            "the CA's key is where a service reads: who has it can make certificates that all services trust",
            "move it to a place that no service reads, and issue certificates there",
        )


def _read(path: Path, told: Findings, remedy: str) -> Generator[Finding, None, list[x509.Certificate] | None]:
    try:
        return read_certificates(path)
    except Unusable as error:
        yield told.fault(str(error).removeprefix(f"{path}: ").removeprefix(f"{path} "), remedy)
        return None


def _dates(certificate: x509.Certificate, told: Findings) -> Finding:
    now = time.time()
    begin, end = certificate.not_valid_before_utc.timestamp(), certificate.not_valid_after_utc.timestamp()
    said = f"{certificate.subject.rfc4514_string()} holds until {day(end)} ({in_words(end, now)})"
    if now < begin:
        return told.fault(f"holds only from {day(begin)} on", "set this machine's clock, or wait")
    if end <= now:
        return told.fault(f"{said.replace('holds', 'held', 1)}", _RENEW)
    return told.warning(said, _RENEW) if end - now < WARNING else told.ok(said)


def _now_within(certificate: x509.Certificate) -> bool:
    return certificate.not_valid_before_utc <= datetime.now(UTC) < certificate.not_valid_after_utc


def _names(certificate: x509.Certificate, told: Findings) -> Finding:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return told.fault(
            "holds for no name or address (it has no subjectAltName), so no caller accepts it",
            "issue one with --host for each name or address in its URL: gorch certs issue",
        )
    return told.ok(f"holds for {', '.join(str(getattr(name, 'value', name)) for name in found)}")


def _is_ca(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _secret(key: Path) -> Iterator[Finding]:
    told = Findings("permissions", key)
    try:
        mode = stat.S_IMODE(os.stat(key).st_mode)
    except OSError:
        return  # whoever loads it says so
    advice = f"chmod 600 {key}"
    if mode & 0o027:
        yield told.fault(f"has mode {mode:03o}: others than its owner may read or change this key", advice)
    elif mode & 0o040:
        yield told.warning(f"has mode {mode:03o}: its whole group may read this key", advice)
    else:
        yield told.ok(f"has mode {mode:03o}")


def _fits(pair: Pair, told: Findings, remedy: str) -> Finding | None:
    own = Findings(_CHECK, pair.key)
    try:
        handshake.load(pair.cert, pair.key)
    except FileNotFoundError:
        return own.fault("there is no such file", remedy)
    except PermissionError:
        return own.fault("cannot be read by this user", "change its owner to the user of the service")
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            return own.fault(f"is not the key of {pair.cert.name}", "bring both files of one certificate here")
        return own.fault("is no key in PEM without a password", remedy)
    except OSError as error:
        return told.fault(f"cannot be loaded: {error.strerror or error}", remedy)
    return None


def _accepted(pair: Pair, ca: Path, told: Findings) -> Finding:
    refusal: Refusal = handshake.server_refusal if pair.server else handshake.client_refusal
    try:
        found = refusal(pair.cert, pair.key, ca)
    except (ssl.SSLError, OSError):
        return told.fault(f"cannot be checked with {ca}", "look at what is said of that file")
    if found is None:
        return told.ok(f"is accepted by those who trust {ca.name}")
    if found.verify_code in handshake.NO_ISSUER:
        return told.warning(
            f"is not of the CA in {ca}: {found.verify_message}",
            "right only if those who see it trust another CA; else renew it with this one",
        )
    purpose = "for servers" if pair.server else "for clients"
    return told.fault(
        f"is refused by those who trust {ca}: {found.verify_message}",
        f"issue one that is {purpose}: gorch certs issue --for {'server' if pair.server else 'client'}",
    )
