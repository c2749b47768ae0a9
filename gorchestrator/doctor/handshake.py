"""A TLS handshake in memory: so it is OpenSSL that judges a chain, by the same rules as when services meet."""

import ssl
from pathlib import Path
from tempfile import TemporaryDirectory

from gorchestrator.certificates import Purpose, issue, key_pem, make_ca, pem

_ROUNDS = 10  # of messages; a handshake takes three
NO_ISSUER = frozenset({2, 7, 18, 19, 20, 21})  # OpenSSL's codes where the CA is not among those that are trusted


def client_refusal(cert: Path, key: Path, ca: Path) -> ssl.SSLCertVerificationError | None:
    """Return why a server that trusts ``ca`` refuses a client with this certificate; None if it does not.

    Raises ssl.SSLError or OSError where the files cannot be loaded.
    """
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.verify_mode = ssl.CERT_REQUIRED
    server.load_verify_locations(ca)
    _load_throw_away(server)
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.verify_mode = ssl.CERT_NONE
    _load(client, cert, key)
    return _shake(server, client)


def server_refusal(cert: Path, key: Path, ca: Path) -> ssl.SSLCertVerificationError | None:
    """Return why a client that trusts ``ca`` refuses a server with this certificate, whatever it is named."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _load(server, cert, key)
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.load_verify_locations(ca)
    return _shake(server, client)


def load(cert: Path, key: Path) -> None:
    """Raise ssl.SSLError or OSError where a certificate and a key cannot be used together."""
    _load(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), cert, key)


def _load(context: ssl.SSLContext, cert: Path, key: Path) -> None:
    context.load_cert_chain(cert, key, password="")  # so that a key with a password is refused, not asked for


def _load_throw_away(server: ssl.SSLContext) -> None:
    """Give a server some certificate, which its client does not look at."""
    issued = issue(make_ca(1), "doctor", ["localhost"], 1, Purpose.SERVER)
    with TemporaryDirectory() as folder:
        cert, key = Path(folder, "cert"), Path(folder, "key")
        cert.write_bytes(pem(issued.certificate))
        key.write_bytes(key_pem(issued.key))
        server.load_cert_chain(cert, key)


def _shake(server: ssl.SSLContext, client: ssl.SSLContext) -> ssl.SSLCertVerificationError | None:
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [client.wrap_bio(down, up), server.wrap_bio(up, down, server_side=True)]
    for _ in range(_ROUNDS):
        for end in ends:
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLCertVerificationError as error:
                return error
    return None
