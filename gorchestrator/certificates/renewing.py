"""Renewal: what a certificate says stays, and it holds from now on; what a CA was stays trusted meanwhile."""

import datetime
from collections.abc import Iterable
from pathlib import Path

from cryptography import x509

from gorchestrator.certificates.folder import CA, Faulty, issued_by, names, read, read_certificates, read_key
from gorchestrator.certificates.issuing import CA_DAYS, DAYS, Issued, key_pem, new_key, pem, reissue
from gorchestrator.certificates.replacing import replace_together


def renew(folder: Path, which: Iterable[str] = (), *, fresh: bool = False, days: float | None = None) -> list[Path]:
    """Renew certificates of ``folder``: those named, else all but the CA's; return what was written.

    Subject, names and purposes stay, and so do the keys unless ``fresh`` asks for new ones. All files are replaced in
    one step. The key of a certificate need not be there; that of the CA has to. Raises Faulty.
    """
    wanted = list(dict.fromkeys(which)) or names(folder)
    if not wanted:
        raise Faulty(f"there are no certificates in {folder}")
    contents: dict[str, bytes] = {}
    trusted = read_certificates(folder, CA)
    authority = read(folder, CA)
    if CA in wanted:
        authority = _renewed_ca(authority, CA_DAYS if days is None else days, fresh=fresh)
        contents[f"{CA}.pem"] = pem(authority.certificate, *_still_needed(trusted, authority.certificate))
        if fresh:
            contents[f"{CA}.key"] = key_pem(authority.key)
    for name in wanted:
        if name != CA:
            contents |= _renewed(folder, name, trusted, authority, DAYS if days is None else days, fresh=fresh)
    replace_together(folder, contents)
    return [folder / file for file in contents]


def retire(folder: Path) -> list[Path]:
    """Trust only the CA that issues now: take those before it out of ``ca.pem``; return what was written, if anything.

    Raises Faulty while a certificate of the directory is of one of them.
    """
    now, *before = read_certificates(folder, CA)
    old = [name for name in names(folder) if not issued_by(read_certificates(folder, name)[0], now)]
    if old:
        raise Faulty(f"{', '.join(old)} in {folder} would not be trusted any more; renew that first")
    if not before:
        return []
    replace_together(folder, {f"{CA}.pem": pem(now)})
    return [folder / f"{CA}.pem"]


def _renewed_ca(authority: Issued, days: float, *, fresh: bool) -> Issued:
    key = new_key() if fresh else authority.key
    itself = Issued(authority.certificate, key)
    return Issued(reissue(authority.certificate, itself, key.public_key(), days), key)


def _still_needed(trusted: Iterable[x509.Certificate], new: x509.Certificate) -> list[x509.Certificate]:
    """Return the CAs that stay trusted beside a new one: those with other keys that have not expired."""
    now = datetime.datetime.now(datetime.UTC)
    return [each for each in trusted if each.public_key() != new.public_key() and each.not_valid_after_utc > now]


def _renewed(
    folder: Path, name: str, trusted: Iterable[x509.Certificate], authority: Issued, days: float, *, fresh: bool
) -> dict[str, bytes]:
    """Return the files of one certificate."""
    old = read_certificates(folder, name)[0]
    if not any(issued_by(old, each) for each in trusted):
        raise Faulty(f"{folder / name}.pem is not of the CA in {CA}.pem; make one with `gorch certs issue`")
    if fresh:
        key = new_key()
        certificate = reissue(old, authority, key.public_key(), days)
        return {f"{name}.key": key_pem(key), f"{name}.pem": pem(certificate)}
    kept = read_key(folder, name)
    if kept is not None and kept.public_key() != old.public_key():
        raise Faulty(f"{name}.key is not the key of {name}.pem in {folder}; --new-key makes one")
    return {f"{name}.pem": pem(reissue(old, authority, old.public_key(), days))}
