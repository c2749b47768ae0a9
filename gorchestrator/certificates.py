"""Certificates for mutual TLS between orchestrator and executors: a CA and one certificate for each of them.

Keys are on the curve P-256. Each certificate may be shown by a client and by a server, for this machine's names.
"""

import datetime
import ipaddress
import os
import re
import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

CA = "ca"
SERVICES = ("orchestrator", "executor")
CA_DAYS = 3650
DAYS = 730
_DNS_NAME = re.compile(r"[A-Za-z0-9_*][A-Za-z0-9_.-]{0,252}")
_SKEW = datetime.timedelta(minutes=5)  # clocks of other machines that are behind


class CertificatesExist(Exception):
    """Some of the files are there already, and nothing was written."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self.paths = paths
        super().__init__(f"{paths[0]} is there already")


@dataclass(frozen=True)
class Issued:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


def files(folder: Path) -> list[Path]:
    """Return the files that :func:`write` makes in ``folder``."""
    return [folder / f"{name}.{suffix}" for name in (CA, *SERVICES) for suffix in ("pem", "key")]


def write(folder: Path, hosts: Iterable[str] = (), *, force: bool = False) -> list[Path]:
    """Make a CA and the certificates of both services in ``folder``; ``hosts``: further names or addresses of them.

    Without ``force`` nothing is overwritten: raises :class:`CertificatesExist`.
    """
    found = [path for path in files(folder) if path.exists()]
    if found and not force:
        raise CertificatesExist(found)
    authority = make_ca()
    names = [*local_names(), *hosts]
    issued = {CA: authority} | {service: issue(authority, service, names) for service in SERVICES}
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, item in issued.items():
        _write(folder / f"{name}.key", _key_pem(item.key), 0o600)
        _write(folder / f"{name}.pem", item.certificate.public_bytes(serialization.Encoding.PEM), 0o644)
    return files(folder)


def usable(folder: Path, margin: datetime.timedelta) -> bool:
    """Whether all files are in ``folder``, fit together, and hold for ``margin`` from now."""
    try:
        found = {name: _read(folder, name) for name in (CA, *SERVICES)}
        for item in found.values():
            item.certificate.verify_directly_issued_by(found[CA].certificate)
    except (OSError, ValueError, TypeError, InvalidSignature):
        return False
    until = datetime.datetime.now(datetime.UTC) + margin
    fits = all(item.certificate.public_key() == item.key.public_key() for item in found.values())
    return fits and all(item.certificate.not_valid_after_utc > until for item in found.values())


def local_names() -> list[str]:
    """Return the names and addresses under which this machine reaches itself."""
    own = socket.gethostname()
    return ["localhost", "127.0.0.1", "::1", *([own] if _DNS_NAME.fullmatch(own) and own != "localhost" else [])]


def make_ca(days: float = CA_DAYS) -> Issued:
    """Return a new certificate authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name("gorchestrator CA")
    builder = _builder(name, name, key, days)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_usage(signs_certificates=True), critical=True)
    return Issued(builder.sign(key, hashes.SHA256()), key)


def issue(authority: Issued, common_name: str, hosts: Iterable[str], days: float = DAYS) -> Issued:
    """Return a certificate for ``hosts``, for a client as well as a server; negative ``days`` make an expired one."""
    key = ec.generate_private_key(ec.SECP256R1())
    issuer = authority.certificate.subject
    builder = _builder(_name(common_name), issuer, key, days)
    purposes = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH])
    known_by = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key())
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_usage(signs_certificates=False), critical=True)
    builder = builder.add_extension(purposes, critical=False)
    builder = builder.add_extension(known_by, critical=False)
    builder = builder.add_extension(x509.SubjectAlternativeName([_host(host) for host in hosts]), critical=False)
    return Issued(builder.sign(authority.key, hashes.SHA256()), key)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, days: float
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    ends = now + datetime.timedelta(days=days)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(min(now, ends) - _SKEW)
        .not_valid_after(ends)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        if not _DNS_NAME.fullmatch(host):
            raise ValueError(f"{host!r} is neither a host name nor an address") from None
        return x509.DNSName(host)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _read(folder: Path, name: str) -> Issued:
    key = serialization.load_pem_private_key((folder / f"{name}.key").read_bytes(), None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TypeError(f"{name}.key is not one of ours")
    return Issued(x509.load_pem_x509_certificate((folder / f"{name}.pem").read_bytes()), key)


def _write(path: Path, content: bytes, mode: int) -> None:
    """Write a file whole or not at all, with its mode from the first moment on."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.unlink(missing_ok=True)
    with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
    temporary.replace(path)
