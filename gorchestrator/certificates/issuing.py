"""What a certificate is made of: names, purposes, keys, and how long it holds. Nothing here touches the disk."""

import datetime
import enum
import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

CA_DAYS = 3650
DAYS = 730
DNS_NAME = re.compile(r"[A-Za-z0-9_*][A-Za-z0-9_.-]{0,252}")
_SKEW = datetime.timedelta(minutes=5)  # clocks of other machines that are behind


class Purpose(enum.StrEnum):
    """What a certificate is for: to be shown by a server, by a client, or by both."""

    SERVER = "server"
    CLIENT = "client"
    BOTH = "both"


_USAGES = {
    Purpose.SERVER: [ExtendedKeyUsageOID.SERVER_AUTH],
    Purpose.CLIENT: [ExtendedKeyUsageOID.CLIENT_AUTH],
    Purpose.BOTH: [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH],
}


@dataclass(frozen=True)
class Issued:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


def new_key() -> ec.EllipticCurvePrivateKey:
    """Return a new key."""
    return ec.generate_private_key(ec.SECP256R1())


def make_ca(days: float = CA_DAYS) -> Issued:
    """Return a new certificate authority."""
    key = new_key()
    name = _name("gorchestrator CA")
    builder = _builder(name, name, key.public_key(), _end(days))
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_usage(signs_certificates=True), critical=True)
    return Issued(builder.sign(key, hashes.SHA256()), key)


def issue(
    authority: Issued, common_name: str, hosts: Iterable[str], days: float = DAYS, purpose: Purpose = Purpose.BOTH
) -> Issued:
    """Return a certificate for ``hosts`` that ends with its CA at the latest; negative ``days`` make an expired one.

    Raises ValueError if a host is none.
    """
    key = new_key()
    names = [_host(host) for host in dict.fromkeys(hosts)]
    end = min(_end(days), authority.certificate.not_valid_after_utc)
    builder = _builder(_name(common_name), authority.certificate.subject, key.public_key(), end)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_usage(signs_certificates=False), critical=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage(_USAGES[purpose]), critical=False)
    builder = builder.add_extension(_known_by(authority), critical=False)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return Issued(builder.sign(authority.key, hashes.SHA256()), key)


def reissue(
    old: x509.Certificate, authority: Issued, key: CertificatePublicKeyTypes, days: float = DAYS
) -> x509.Certificate:
    """Return ``old`` from now on: its subject, names and purposes, for ``key``; it ends with its CA at the latest.

    A CA is renewed by itself: then ``authority`` has the key ``key``, and what the CA was bounds nothing.
    """
    own = authority.key.public_key() == key
    end = _end(days) if own else min(_end(days), authority.certificate.not_valid_after_utc)
    builder = _builder(old.subject, authority.certificate.subject, key, end)
    for extension in old.extensions:
        if not isinstance(extension.value, x509.SubjectKeyIdentifier | x509.AuthorityKeyIdentifier):
            builder = builder.add_extension(extension.value, extension.critical)
    if not own:
        builder = builder.add_extension(_known_by(authority), critical=False)
    return builder.sign(authority.key, hashes.SHA256())


def pem(*certificates: x509.Certificate) -> bytes:
    """Return certificates as the text of a file."""
    return b"".join(each.public_bytes(serialization.Encoding.PEM) for each in certificates)


def key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Return a key as the text of a file."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _end(days: float) -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=days)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: CertificatePublicKeyTypes, ends: datetime.datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(min(datetime.datetime.now(datetime.UTC), ends) - _SKEW)
        .not_valid_after(ends)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _known_by(authority: Issued) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key())


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
        if not DNS_NAME.fullmatch(host):
            raise ValueError(f"{host!r} is neither a host name nor an address") from None
        return x509.DNSName(host)
