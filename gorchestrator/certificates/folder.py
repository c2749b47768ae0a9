"""The certificates of a directory: what is there, what fits together, and what is added to it."""

import datetime
import re
import socket
from collections.abc import Iterable, Sequence
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from gorchestrator.certificates.issuing import (
    CA_DAYS,
    DAYS,
    DNS_NAME,
    Issued,
    Purpose,
    issue,
    key_pem,
    make_ca,
    pem,
)
from gorchestrator.certificates.replacing import replace_together

CA = "ca"
# An executor serves. The orchestrator calls executors, and may serve its API with the same certificate.
SERVICES = {"orchestrator": Purpose.BOTH, "executor": Purpose.SERVER}
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class CertificatesExist(Exception):
    """Some of the files are there already, and nothing was written."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self.paths = paths
        super().__init__(f"{paths[0]} is there already")


class Faulty(Exception):
    """What is in the directory cannot be used for this; the text says why. Nothing was written."""


def files(folder: Path) -> list[Path]:
    """Return the files that :func:`write` makes in ``folder``."""
    return [path for name in (CA, *SERVICES) for path in _pair(folder, name)]


def write(
    folder: Path, hosts: Iterable[str] = (), *, force: bool = False, days: float = DAYS, ca_days: float = CA_DAYS
) -> list[Path]:
    """Make a CA and the certificates of both services in ``folder``; ``hosts``: further names or addresses of them.

    Without ``force`` nothing is overwritten: raises :class:`CertificatesExist`. Raises ValueError if a host is none.
    """
    _refuse_overwriting(files(folder), force)
    authority = make_ca(max(ca_days, days))
    names = [*local_names(), *hosts]
    issued = {name: issue(authority, name, names, days, purpose) for name, purpose in SERVICES.items()}
    replace_together(folder, _contents({CA: authority} | issued))
    return files(folder)


def add(
    folder: Path,
    name: str,
    hosts: Sequence[str],
    *,
    purpose: Purpose = Purpose.SERVER,
    force: bool = False,
    days: float = DAYS,
) -> list[Path]:
    """Issue a certificate ``name`` in ``folder``; that of a server holds for ``name`` itself where there are no hosts.

    Raises CertificatesExist, Faulty if the name is none or there is no CA, and ValueError if a host is none.
    """
    if not _NAME.fullmatch(name) or name == CA:
        raise Faulty(f"{name!r} is not the name of a certificate; use letters, digits, dot, dash and underscore")
    _refuse_overwriting(_pair(folder, name), force)
    if purpose is not Purpose.CLIENT:
        hosts = hosts or [name]
    issued = issue(read(folder, CA), name, hosts, days, purpose)
    replace_together(folder, _contents({name: issued}))
    return _pair(folder, name)


def names(folder: Path) -> list[str]:
    """Return the names of the certificates that are there, without the CA's."""
    return sorted(path.stem for path in folder.glob("*.pem") if path.stem != CA)


def read(folder: Path, name: str) -> Issued:
    """Return a certificate (of a bundle the first one) and its key. Raises Faulty."""
    certificate, key = read_certificates(folder, name)[0], read_key(folder, name)
    if key is None:
        raise Faulty(f"there is no {folder / name}.key; do this where it is kept")
    if key.public_key() != certificate.public_key():
        raise Faulty(f"{name}.key is not the key of {name}.pem in {folder}")
    return Issued(certificate, key)


def read_certificates(folder: Path, name: str) -> list[x509.Certificate]:
    """Return the certificates of ``NAME.pem``. Raises Faulty."""
    path = folder / f"{name}.pem"
    try:
        return x509.load_pem_x509_certificates(path.read_bytes())
    except FileNotFoundError:
        raise Faulty(f"there is no {path}") from None
    except OSError as error:
        raise Faulty(f"{path} cannot be read: {error.strerror}") from None
    except ValueError:
        raise Faulty(f"{path} is no certificate in PEM") from None


def read_key(folder: Path, name: str) -> ec.EllipticCurvePrivateKey | None:
    """Return the key ``NAME.key``, None if it is not there. Raises Faulty."""
    path = folder / f"{name}.key"
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), None)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Faulty(f"{path} cannot be read: {error.strerror}") from None
    except (ValueError, TypeError):
        raise Faulty(f"{path} is no key in PEM without a password") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise Faulty(f"{path} is no key of an elliptic curve")
    return key


def issued_by(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    """Whether a CA has issued a certificate, by name and signature."""
    try:
        certificate.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def usable(folder: Path, margin: datetime.timedelta) -> bool:
    """Whether the CA and both services' certificates are there, fit together, and hold for ``margin`` from now."""
    try:
        found = {name: read(folder, name).certificate for name in (CA, *SERVICES)}
    except Faulty:
        return False
    until = datetime.datetime.now(datetime.UTC) + margin
    return all(issued_by(each, found[CA]) and each.not_valid_after_utc > until for each in found.values())


def local_names() -> list[str]:
    """Return the names and addresses under which this machine reaches itself."""
    own = socket.gethostname()
    return ["localhost", "127.0.0.1", "::1", *([own] if DNS_NAME.fullmatch(own) and own != "localhost" else [])]


def _pair(folder: Path, name: str) -> list[Path]:
    return [folder / f"{name}.pem", folder / f"{name}.key"]


def _contents(issued: dict[str, Issued]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for name, item in issued.items():
        found |= {f"{name}.key": key_pem(item.key), f"{name}.pem": pem(item.certificate)}
    return found


def _refuse_overwriting(paths: Iterable[Path], force: bool) -> None:
    found = [path for path in paths if path.exists() or path.is_symlink()]
    if found and not force:
        raise CertificatesExist(found)
