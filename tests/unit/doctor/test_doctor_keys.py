"""Certificates and keys that are wrong in each way in which they can be; OpenSSL judges those that are right."""

import pytest
from cryptography.hazmat.primitives import serialization

from gorchestrator import certificates
from gorchestrator.certificates import Purpose
from gorchestrator.doctor import keys
from gorchestrator.doctor.finding import Level

OK, WARNING, FAULT = Level.OK, Level.WARNING, Level.FAULT


@pytest.fixture
def folder(tmp_path):
    certificates.write(tmp_path)
    return tmp_path


def issue(folder, days=100.0, purpose=Purpose.CLIENT, hosts=(), authority=None):
    """Put a certificate ``new`` into the folder."""
    issued = certificates.issue(authority or certificates.read(folder, "ca"), "new", hosts, days, purpose)
    (folder / "new.pem").write_bytes(certificates.pem(issued.certificate))
    (folder / "new.key").write_bytes(certificates.key_pem(issued.key))
    (folder / "new.key").chmod(0o600)
    return issued


def look(folder, name="new", server=False):
    """Return the levels and texts of all that is found of a certificate, and whether each that is bad has advice."""
    found = list(
        keys.check(keys.Pair(folder / f"{name}.pem", folder / f"{name}.key", server), folder / "ca.pem", "make")
    )
    assert [each for each in found if bool(each.advice) != (each.level != OK)] == []
    return found


def bad(found):
    return [(each.level, each.says) for each in found if each.level != OK]


@pytest.mark.parametrize(("name", "server"), [("orchestrator", False), ("orchestrator", True), ("executor", True)])
def test_what_gorch_certs_makes_is_right(folder, name, server):
    found = look(folder, name, server)
    assert bad(found) == []
    assert any("is accepted by those who trust ca.pem" in each.says for each in found)
    assert any("holds for localhost" in each.says for each in found) == server


@pytest.mark.parametrize(
    ("days", "level", "says"),
    [(-2, FAULT, "expired 2 days ago"), (3, WARNING, "in 2 days"), (29.5, WARNING, "in 29 days")],
)
def test_dates(folder, days, level, says):
    issue(folder, days)
    ((found, text),) = bad(look(folder))
    assert found is level
    assert text.endswith(f"({says})")


def test_the_key_of_another_certificate(folder):
    issue(folder)
    (folder / "new.key").write_bytes((folder / "executor.key").read_bytes())
    assert bad(look(folder)) == [(FAULT, "is not the key of new.pem")]


@pytest.mark.parametrize(
    ("mode", "level"), [(0o644, FAULT), (0o660, FAULT), (0o604, FAULT), (0o640, WARNING), (0o400, OK), (0o600, OK)]
)
def test_who_else_may_read_a_key(folder, mode, level):
    issue(folder)
    (folder / "new.key").chmod(mode)
    told = [each for each in look(folder) if each.check == "permissions"]
    assert [each.level for each in told] == [level]
    assert f"mode {mode:03o}" in told[0].says


@pytest.mark.parametrize("what", ["pem", "key"])
def test_files_that_are_not_there(folder, what):
    issue(folder)
    (folder / f"new.{what}").unlink()
    assert [level for level, _ in bad(look(folder))] == [FAULT]


def test_files_that_are_no_pem(folder):
    issue(folder)
    (folder / "new.key").write_text("nothing")
    assert bad(look(folder)) == [(FAULT, "is no key in PEM without a password")]
    (folder / "new.pem").write_text("nothing")
    assert bad(look(folder)) == [(FAULT, "holds no whole certificate in PEM")]


def test_a_key_with_a_password_is_not_asked_for(folder):
    issued = issue(folder)
    secret = serialization.BestAvailableEncryption(b"secret")
    text = issued.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, secret)
    (folder / "new.key").write_bytes(text)
    assert bad(look(folder)) == [(FAULT, "is no key in PEM without a password")]


def test_a_certificate_of_another_ca(folder):
    issue(folder, authority=certificates.make_ca())
    ((level, says),) = bad(look(folder))
    assert (level, says.split(":")[0]) == (WARNING, f"is not of the CA in {folder}/ca.pem")


@pytest.mark.parametrize(("purpose", "server"), [(Purpose.SERVER, False), (Purpose.CLIENT, True)])
def test_a_certificate_for_something_else(folder, purpose, server):
    issue(folder, purpose=purpose, hosts=["localhost"])
    ((level, says),) = bad(look(folder, server=server))
    assert level is FAULT
    assert says.startswith(f"is refused by those who trust {folder}/ca.pem: un")  # unsuitable, or unsupported


def test_a_server_without_a_name(folder):
    issue(folder, purpose=Purpose.SERVER)
    ((level, says),) = bad(look(folder, server=True))
    assert (level, "no subjectAltName" in says) == (FAULT, True)


def test_a_ca(folder):
    (key,) = [each for each in keys.check_ca(folder / "ca.pem", "make") if each.level != OK]
    assert (key.level, key.subject) == (WARNING, str(folder / "ca.key"))
    (folder / "ca.key").unlink()
    assert bad(keys.check_ca(folder / "ca.pem", "make")) == []
    assert [each[0] for each in bad(keys.check_ca(folder / "executor.pem", "make"))] == [FAULT, WARNING]
    assert bad(keys.check_ca(folder / "none.pem", "make")) == [(FAULT, "No such file or directory")]


def test_a_bundle_of_cas_holds_as_long_as_its_last_one(folder):
    (folder / "ca.key").unlink()
    old = certificates.make_ca(-1).certificate
    whole = (folder / "ca.pem").read_bytes()
    (folder / "ca.pem").write_bytes(certificates.pem(old) + whole)
    assert bad(keys.check_ca(folder / "ca.pem", "make")) == []
    (folder / "ca.pem").write_bytes(certificates.pem(old))
    ((level, says),) = bad(keys.check_ca(folder / "ca.pem", "make"))
    assert (level, "expired" in says) == (FAULT, True)
