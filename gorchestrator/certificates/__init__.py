"""Certificates for mutual TLS between orchestrator and executors: a CA, what it issues, and how that is renewed.

Keys are on the curve P-256. A directory holds ``ca.pem`` and ``ca.key``, and ``NAME.pem`` and ``NAME.key`` of each
certificate. The command ``gorch certs`` is made of this; the services only read the files.
"""

from gorchestrator.certificates.describing import Description, describe
from gorchestrator.certificates.folder import (
    CA,
    SERVICES,
    CertificatesExist,
    Faulty,
    add,
    files,
    local_names,
    names,
    read,
    usable,
    write,
)
from gorchestrator.certificates.issuing import CA_DAYS, DAYS, Issued, Purpose, issue, key_pem, make_ca, pem
from gorchestrator.certificates.renewing import renew, retire
from gorchestrator.certificates.replacing import replace_together

__all__ = [
    "CA",
    "CA_DAYS",
    "DAYS",
    "SERVICES",
    "CertificatesExist",
    "Description",
    "Faulty",
    "Issued",
    "Purpose",
    "add",
    "describe",
    "files",
    "issue",
    "key_pem",
    "local_names",
    "make_ca",
    "names",
    "pem",
    "read",
    "renew",
    "replace_together",
    "retire",
    "usable",
    "write",
]
