"""Renewal keeps what a certificate says, replaces pem and key in one step, and leaves trust unbroken on the way."""

import datetime
import os
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from gorchestrator import certificates
from gorchestrator.certificates import Faulty, Purpose, replacing


@pytest.fixture
def folder(tmp_path):
    certificates.write(tmp_path, ["build1.example"], days=10)
    certificates.add(tmp_path, "alice", [], purpose=Purpose.CLIENT, days=10)
    return tmp_path


def facts(certificate):
    """Return what has to stay."""
    own = (x509.SubjectKeyIdentifier, x509.AuthorityKeyIdentifier)
    kept = [(each.value, each.critical) for each in certificate.extensions if not isinstance(each.value, own)]
    return certificate.subject, sorted(map(repr, kept))


def certificate(folder, name):
    return certificates.read(folder, name).certificate


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("fresh", [False, True])
@pytest.mark.parametrize("name", ["executor", "alice", "ca"])
def test_subject_names_and_purposes_stay(folder, name, fresh):
    before, old = contents(folder), certificate(folder, name)
    written = certificates.renew(folder, [name], fresh=fresh)
    assert {path.name for path in written} == {f"{name}.pem", *([f"{name}.key"] if fresh else [])}
    after, new = contents(folder), certificate(folder, name)
    assert {file for file in after if after[file] != before.get(file)} == {path.name for path in written}
    assert after.keys() == before.keys()
    assert facts(new) == facts(old)
    assert (new.public_key() == old.public_key()) is not fresh
    assert new.serial_number != old.serial_number
    days = certificates.CA_DAYS if name == "ca" else certificates.DAYS
    assert new.not_valid_after_utc - datetime.datetime.now(datetime.UTC) > datetime.timedelta(days=days - 1)
    new.verify_directly_issued_by(certificate(folder, "ca"))
    assert {path.stat().st_mode & 0o777 for path in folder.glob("*.key")} == {0o600}
    assert {path.stat().st_mode & 0o777 for path in folder.glob("*.pem")} == {0o644}


def test_without_names_all_but_the_ca_are_renewed(folder):
    written = certificates.renew(folder)
    assert [path.name for path in written] == ["alice.pem", "executor.pem", "orchestrator.pem"]


def test_none_outlives_its_ca(folder):
    end = certificate(folder, "ca").not_valid_after_utc
    certificates.renew(folder, ["executor"], days=10**4)
    assert certificate(folder, "executor").not_valid_after_utc == end


def test_an_expired_one_can_be_renewed_and_a_key_that_is_elsewhere_need_not_be_there(folder):
    expired = certificates.issue(certificates.read(folder, "ca"), "away", ["away.example"], days=-1)
    (folder / "away.pem").write_bytes(certificates.pem(expired.certificate))
    certificates.renew(folder, ["away"])
    new = x509.load_pem_x509_certificate((folder / "away.pem").read_bytes())
    assert new.not_valid_after_utc > datetime.datetime.now(datetime.UTC)
    assert new.public_key() == expired.key.public_key()
    assert not (folder / "away.key").exists()


def test_a_ca_with_a_new_key_is_trusted_beside_the_old_one_until_that_is_retired(folder):
    old = certificate(folder, "ca")
    certificates.renew(folder, ["ca"], fresh=True)
    new = certificate(folder, "ca")
    bundle = [each.fingerprint for each in certificates.describe(folder / "ca.pem")]
    assert bundle == [
        new.fingerprint(new.signature_hash_algorithm).hex(),
        old.fingerprint(old.signature_hash_algorithm).hex(),
    ]
    with pytest.raises(Faulty, match="alice, executor, orchestrator"):
        certificates.retire(folder)
    certificates.renew(folder)
    assert [path.name for path in certificates.retire(folder)] == ["ca.pem"]
    assert certificates.retire(folder) == []
    assert len(certificates.describe(folder / "ca.pem")) == 1
    for name in certificates.names(folder):
        certificate(folder, name).verify_directly_issued_by(new)


def test_what_cannot_be_renewed_is_said_and_nothing_is_written(folder, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    certificates.write(other)
    (folder / "alien.pem").write_bytes((other / "executor.pem").read_bytes())
    (folder / "alice.key").write_bytes((other / "executor.key").read_bytes())
    before = contents(folder)
    for names, why in (
        (["executor", "alien"], r"alien\.pem is not of the CA"),
        (["alice"], r"alice\.key is not the key of alice\.pem"),
        (["bob"], r"there is no .*bob\.pem"),
    ):
        with pytest.raises(Faulty, match=why):
            certificates.renew(folder, names)
    (folder / "ca.key").unlink()
    with pytest.raises(Faulty, match=r"there is no .*ca\.key; do this where it is kept"):
        certificates.renew(folder)
    assert contents(folder) == {name: data for name, data in before.items() if name != "ca.key"}


@pytest.mark.parametrize("name", ["ca", "../x", "", "a b", "x" * 65])
def test_what_is_no_name_of_a_certificate_is_refused(folder, name):
    with pytest.raises(Faulty, match="is not the name of a certificate"):
        certificates.add(folder, name, [])


def test_nothing_is_overwritten_without_force(folder):
    before = contents(folder)
    with pytest.raises(certificates.CertificatesExist):
        certificates.add(folder, "alice", [])
    assert contents(folder) == before
    certificates.add(folder, "alice", [], force=True)
    assert contents(folder)["alice.pem"] != before["alice.pem"]


# -- one step


def fits(folder: Path, name: str) -> bool:
    found = x509.load_pem_x509_certificate((folder / f"{name}.pem").read_bytes())
    key = serialization.load_pem_private_key((folder / f"{name}.key").read_bytes(), None)
    return found.public_key() == key.public_key()


class Killed(BaseException):
    """The process ends here."""


def test_pem_and_key_fit_at_each_moment_and_whoever_is_killed_leaves_them_so(folder, monkeypatch):
    """Look after each change of a name; then be killed at each of them in turn, and renew again over what is left."""
    replace, moments = os.replace, []

    def looked(source, target):
        replace(source, target)
        moments.append(all(fits(folder, name) for name in (*certificates.names(folder), "ca")))
        if len(moments) == deadly:
            raise Killed

    monkeypatch.setattr(replacing.os, "replace", looked)
    deadly = 0  # at which of the moments
    certificates.renew(folder, fresh=True)
    steps = len(moments)
    assert steps > 12  # three pairs become links, and files again
    names = set(contents(folder))
    for step in range(1, steps + 1):
        moments.clear()
        deadly = step
        with pytest.raises(Killed):
            certificates.renew(folder, fresh=True)
        assert all(moments)
        deadly = 0
        certificates.renew(folder, fresh=True)
        assert all(moments), f"after a death at step {step}"
        assert set(contents(folder)) == names
        assert not [path for path in folder.iterdir() if path.is_symlink()]
