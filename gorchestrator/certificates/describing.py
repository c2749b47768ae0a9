"""What is in a file of certificates, for people and for programs."""

from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID

from gorchestrator.certificates.folder import Faulty, read_certificates, read_key

_USAGES = {ExtendedKeyUsageOID.SERVER_AUTH: "server", ExtendedKeyUsageOID.CLIENT_AUTH: "client"}


@dataclass(frozen=True)
class Description:
    """A certificate of a file.

    ``names``: those it holds for. ``usages``: of ``server``, ``client`` and ``ca``, or the number of another one.
    ``fingerprint``: SHA-256, in hexadecimal. Times are seconds since the epoch. ``key``: ``fits``, ``differs``,
    ``absent``, or ``unreadable``; that of the first certificate of the file, since it has no other.
    """

    file: Path
    subject: str
    names: list[str]
    usages: list[str]
    issuer: str
    fingerprint: str
    not_before: float
    not_after: float
    key: str


def describe(path: Path) -> list[Description]:
    """Return what is in ``NAME.pem``. Raises Faulty if it is no certificate."""
    first, *others = read_certificates(path.parent, path.stem)
    return [_description(path, first, _key(path, first)), *(_description(path, each, "absent") for each in others)]


def _description(path: Path, certificate: x509.Certificate, key: str) -> Description:
    return Description(
        file=path,
        subject=certificate.subject.rfc4514_string(),
        names=_names(certificate),
        usages=_usages(certificate),
        issuer=certificate.issuer.rfc4514_string(),
        fingerprint=certificate.fingerprint(hashes.SHA256()).hex(),
        not_before=certificate.not_valid_before_utc.timestamp(),
        not_after=certificate.not_valid_after_utc.timestamp(),
        key=key,
    )


def _key(path: Path, certificate: x509.Certificate) -> str:
    try:
        key = read_key(path.parent, path.stem)
    except Faulty:
        return "unreadable"
    if key is None:
        return "absent"
    return "fits" if key.public_key() == certificate.public_key() else "differs"


def _names(certificate: x509.Certificate) -> list[str]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return []
    return [str(getattr(name, "value", name)) for name in found.value]


def _usages(certificate: x509.Certificate) -> list[str]:
    found = []
    for extension in certificate.extensions:
        value = extension.value
        if isinstance(value, x509.BasicConstraints) and value.ca:
            found.append("ca")
        if isinstance(value, x509.ExtendedKeyUsage):
            found += [_USAGES.get(usage, usage.dotted_string) for usage in value]
    return found
