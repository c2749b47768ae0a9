import datetime
import socket
import ssl
import threading
from contextlib import suppress

import pytest

from gorchestrator import certificates
from support import PATIENCE


def handshake(server, client, host="localhost", seen=None):
    """Shake hands over a socket pair; return the names that both sides saw. Raises what the client suffered."""
    one, two = socket.socketpair()
    seen = {} if seen is None else seen

    def serve():
        try:
            with server.wrap_socket(one, server_side=True) as secured:
                seen["client"] = name_of(secured.getpeercert())
                secured.recv(1)
        except (ssl.SSLError, OSError) as error:
            seen["refused"] = str(error)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        with client.wrap_socket(two, server_hostname=host) as secured:
            seen["server"] = name_of(secured.getpeercert())
            secured.send(b"x")
    finally:
        thread.join(PATIENCE)
    return seen


def name_of(certificate):
    return dict(item[0] for item in certificate["subject"])["commonName"]


def context(folder, name, purpose, ca="ca"):
    made = ssl.create_default_context(purpose, cafile=folder / f"{ca}.pem")
    made.verify_flags |= ssl.VERIFY_X509_STRICT
    made.load_cert_chain(folder / f"{name}.pem", folder / f"{name}.key")
    made.verify_mode = ssl.CERT_REQUIRED
    return made


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1", "worker.example"])
def test_both_services_know_each_other(tmp_path, host):
    certificates.write(tmp_path, ["worker.example"])
    certificates.add(tmp_path, "alice", [], purpose=certificates.Purpose.CLIENT)
    for server, client in (("executor", "orchestrator"), ("orchestrator", "alice")):
        listening = context(tmp_path, server, ssl.Purpose.CLIENT_AUTH)
        calling = context(tmp_path, client, ssl.Purpose.SERVER_AUTH)
        assert handshake(listening, calling, host) == {"server": server, "client": client}


def test_a_certificate_is_for_what_it_was_made_for_alone(tmp_path):
    """Whoever gets hold of an executor's certificate cannot call executors with it, nor be one with a client's."""
    certificates.write(tmp_path)
    certificates.add(tmp_path, "alice", ["localhost"], purpose=certificates.Purpose.CLIENT)
    executor = context(tmp_path, "executor", ssl.Purpose.CLIENT_AUTH)
    seen = {}
    with suppress(OSError):  # under TLS 1.3 a client may not hear of it before it reads
        handshake(executor, context(tmp_path, "executor", ssl.Purpose.SERVER_AUTH), seen=seen)
    assert "unsuitable certificate purpose" in seen["refused"]
    with pytest.raises(ssl.SSLCertVerificationError, match="unsuitable certificate purpose"):
        handshake(
            context(tmp_path, "alice", ssl.Purpose.CLIENT_AUTH),
            context(tmp_path, "orchestrator", ssl.Purpose.SERVER_AUTH),
        )


def test_strangers_are_refused(tmp_path):
    certificates.write(tmp_path / "ours")
    certificates.write(tmp_path / "theirs")
    listening = context(tmp_path / "ours", "executor", ssl.Purpose.CLIENT_AUTH)
    calling = context(tmp_path / "theirs", "orchestrator", ssl.Purpose.SERVER_AUTH)
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(listening, calling)


def test_keys_are_for_their_owner_alone_and_nothing_is_overwritten(tmp_path):
    written = certificates.write(tmp_path)
    assert [path.name for path in written] == [
        "ca.pem",
        "ca.key",
        "orchestrator.pem",
        "orchestrator.key",
        "executor.pem",
        "executor.key",
    ]
    assert sorted(written) == sorted(tmp_path.iterdir())
    assert {path.stat().st_mode & 0o777 for path in written if path.suffix == ".key"} == {0o600}
    before = (tmp_path / "ca.pem").read_bytes()
    with pytest.raises(certificates.CertificatesExist, match="is there already"):
        certificates.write(tmp_path)
    assert (tmp_path / "ca.pem").read_bytes() == before
    certificates.write(tmp_path, force=True)
    assert (tmp_path / "ca.pem").read_bytes() != before


def test_a_name_that_is_none_writes_nothing(tmp_path):
    with pytest.raises(ValueError, match="neither a host name nor an address"):
        certificates.write(tmp_path / "new", ["a b"])
    assert not (tmp_path / "new").exists()


def test_usable(tmp_path):
    soon, late = datetime.timedelta(days=1), datetime.timedelta(days=3650)
    assert not certificates.usable(tmp_path, soon)
    certificates.write(tmp_path)
    assert certificates.usable(tmp_path, soon)
    assert not certificates.usable(tmp_path, late)
    certificates.write(tmp_path / "other")
    (tmp_path / "other" / "executor.pem").replace(tmp_path / "executor.pem")
    assert not certificates.usable(tmp_path, soon)
    (tmp_path / "executor.pem").write_text("nonsense")
    assert not certificates.usable(tmp_path, soon)


def test_an_expired_certificate_can_be_made(tmp_path):
    expired = certificates.issue(certificates.make_ca(), "executor", ["localhost"], days=-1).certificate
    assert expired.not_valid_before_utc < expired.not_valid_after_utc < datetime.datetime.now(datetime.UTC)
