"""Certificates are taken from their files as a whole, again when these change, and never half of them."""

import logging
import ssl
from pathlib import Path

import pytest

from gorchestrator import certificates
from gorchestrator.common import expiry
from gorchestrator.common.credentials import Credentials, TlsFiles, Unusable


@pytest.fixture
def folder(tmp_path):
    certificates.write(tmp_path / "certs")
    return tmp_path / "certs"


@pytest.fixture
def credentials(folder, caplog):
    caplog.set_level(logging.INFO, logger="gorchestrator")
    files = TlsFiles(folder / "executor.pem", folder / "executor.key", folder / "ca.pem")

    def make():
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=files.ca)
        context.load_cert_chain(files.cert, files.key)
        return context

    found = Credentials("server", files, make)
    yield found
    found.end()


def look(credentials):
    """Look at the files now, however short ago the last look was."""
    credentials._next = 0.0
    return credentials.look()


def events(caplog):
    return [(record.event, getattr(record, "reason", None)) for record in caplog.records]


def replace(path: Path, content: bytes) -> None:
    new = path.with_suffix(".new")
    new.write_bytes(content)
    new.rename(path)


def test_changed_files_make_a_new_context_and_the_same_ones_none(credentials, folder, caplog):
    first = credentials.context
    assert credentials.context is first
    assert look(credentials) is None
    ends = credentials.own.not_after
    certificates.write(folder, force=True, days=100)
    second = look(credentials)
    assert second is not None
    assert second is credentials.context is not first
    assert credentials.own.not_after != ends
    assert events(caplog) == [("certificates_renewed", None)]
    assert look(credentials) is None


def test_the_same_certificates_in_other_files_are_nothing_to_tell_of(credentials, folder, caplog):
    first = credentials.context
    replace(folder / "ca.pem", (folder / "ca.pem").read_bytes())
    assert look(credentials) is credentials.context is not first
    assert caplog.records == []


def test_a_new_context_can_be_had_of_files_that_have_not_changed(credentials, caplog):
    first = credentials.context
    credentials._next = 0.0
    assert credentials.look(anew=True) is credentials.context is not first
    assert caplog.records == []


def test_files_are_looked_at_every_two_seconds_at_most(credentials, folder):
    assert credentials.look() is not None
    certificates.write(folder, force=True)
    assert credentials.look() is None
    assert look(credentials) is not None


def of_another(folder):
    certificates.write(folder / "other")
    replace(folder / "executor.key", (folder / "other" / "executor.key").read_bytes())


def cut_off(name):
    def act(folder):
        replace(folder / name, (folder / name).read_bytes()[:-40])

    return act


def cut_off_behind_a_whole_one(folder):
    whole = (folder / "ca.pem").read_bytes()
    replace(folder / "ca.pem", whole + whole[:-40])


def expired(folder):
    issued = certificates.issue(certificates.read(folder, "ca"), "executor", ["localhost"], days=-1)
    replace(folder / "executor.pem", certificates.pem(issued.certificate))
    replace(folder / "executor.key", certificates.key_pem(issued.key))


@pytest.mark.parametrize(
    ("harm", "why"),
    [
        (of_another, "executor.key is not the key of"),
        (cut_off("executor.pem"), "executor.pem holds no whole certificate"),
        (cut_off("executor.key"), "executor.key cannot be loaded: "),
        (cut_off("ca.pem"), "ca.pem holds no whole certificate"),
        (cut_off_behind_a_whole_one, "ca.pem ends within a certificate"),
        (lambda folder: (folder / "executor.key").unlink(), "No such file"),
        (lambda folder: (folder / "ca.pem").unlink(), "ca.pem: No such file"),
        (expired, "executor.pem has expired: 20"),
    ],
)
def test_files_that_do_not_fit_are_refused_once_and_the_old_ones_stay(credentials, folder, caplog, harm, why):
    first, own = credentials.context, credentials.own
    harm(folder)
    assert [look(credentials), look(credentials)] == [None, None]
    assert credentials.context is first
    assert credentials.own == own
    ((event, reason),) = events(caplog)
    assert event == "certificates_refused"
    assert why in reason
    assert "those in use stay" in caplog.records[0].getMessage()
    certificates.write(folder, force=True)
    assert look(credentials) is credentials.context is not first


def disturbed(credentials, folder, times):
    """Have files be written ``times`` times while they are read: behind the certificate, before its key."""
    make, left = credentials._make, iter(range(times))

    def disturbed():
        if next(left, None) is not None:
            certificates.renew(folder, ["executor"], fresh=True)
        return make()

    credentials._make = disturbed
    return lambda: setattr(credentials, "_make", make)


def test_files_that_are_written_while_they_are_read_are_read_again(credentials, folder, caplog):
    first = credentials.context
    certificates.write(folder, force=True)
    disturbed(credentials, folder, times=2)
    assert look(credentials) is credentials.context is not first
    assert [event for event, _ in events(caplog)] == ["certificates_renewed"]
    own = certificates.read(folder, "executor").certificate
    assert credentials.own.not_after == own.not_valid_after_utc.timestamp()


def test_files_that_are_written_all_the_time_are_refused_until_they_are_not(credentials, folder, caplog):
    first = credentials.context
    certificates.write(folder, force=True)
    calm = disturbed(credentials, folder, times=1000)
    assert look(credentials) is None
    assert credentials.context is first
    assert "written again and again while they are read" in events(caplog)[0][1]
    calm()
    assert look(credentials) is credentials.context is not first


def test_what_cannot_be_used_from_the_start_is_said_until_it_can(credentials, folder):
    key = (folder / "executor.key").read_bytes()
    (folder / "executor.key").write_bytes(b"")
    for _ in range(2):
        with pytest.raises(Unusable, match=r"executor\.key"):
            _ = credentials.context
    assert credentials.own is None
    (folder / "executor.key").write_bytes(key)
    assert look(credentials) is credentials.context


def test_what_is_in_use_is_known_by_kind_and_file(credentials, folder):
    before = expiry.expiries()
    _ = credentials.context
    found = {key: end for key, end in expiry.expiries().items() if key not in before}
    assert found.keys() == {f"server {folder}/executor.pem", f"ca {folder}/ca.pem"}
    issued = certificates.read(folder, "executor").certificate
    assert found[f"server {folder}/executor.pem"] == issued.not_valid_after_utc.timestamp()
    credentials.end()
    assert expiry.expiries() == before
