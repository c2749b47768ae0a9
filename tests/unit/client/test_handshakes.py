"""New connections begin with the present certificates, and look again at one that is about to expire."""

import datetime
import http.server
import ssl
import threading
import time

import pytest

from gorchestrator import certificates
from gorchestrator.client.api import Certificates, ExecutorApi
from gorchestrator.client.faults import Unreachable
from gorchestrator.common import expiry


class Counting(http.server.BaseHTTPRequestHandler):
    """An executor's ping, over connections that are kept."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        answer = b'{"instance": "i", "capacity": 1, "queue": 1, "load": 0, "engines": {}}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        """Say nothing."""


class Server(http.server.ThreadingHTTPServer):
    """Counts its connections; ``context`` may change at any time."""

    daemon_threads = True
    connections = 0
    context = None

    def get_request(self):
        plain, address = super().get_request()
        self.connections += 1
        return self.context.wrap_socket(plain, server_side=True), address


def context(folder):
    found = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=folder / "ca.pem")
    found.load_cert_chain(folder / "executor.pem", folder / "executor.key")
    found.verify_mode = ssl.CERT_REQUIRED
    return found


@pytest.fixture
def folder(tmp_path):
    certificates.write(tmp_path, days=20)
    return tmp_path


@pytest.fixture
def server(folder):
    with Server(("127.0.0.1", 0), Counting) as found:
        found.context = context(folder)
        thread = threading.Thread(target=found.serve_forever)
        thread.start()
        yield found
        found.shutdown()
        thread.join()


@pytest.fixture
def api(folder, server):
    files = Certificates(folder / "ca.pem", folder / "orchestrator.pem", folder / "orchestrator.key")
    found = ExecutorApi("x", f"https://127.0.0.1:{server.server_port}", files)
    yield found
    found.close()


def ping(api):
    api._handshakes.credentials._next = 0.0  # however short ago the files were looked at
    api.ping()
    return api.certificate.not_after


def test_a_connection_is_kept_until_certificates_change(api, server, folder):
    assert ping(api) == ping(api)
    assert server.connections == 1
    certificates.renew(folder, ["orchestrator"])
    ping(api)
    ping(api)
    assert server.connections == 2


def test_one_that_is_about_to_expire_is_looked_at_again_after_a_while(api, server, folder):
    first = ping(api)
    certificates.renew(folder, ["executor"])
    server.context = context(folder)
    assert ping(api) == first
    api._handshakes._shaken = time.monotonic() - 3600
    assert ping(api) > first
    api._handshakes._shaken = time.monotonic() - 3600
    ping(api)
    assert server.connections == 2  # it holds for long now


def test_one_that_is_renewed_a_moment_after_ours_is_seen_soon(api, server, folder):
    first = ping(api)
    certificates.renew(folder, ["orchestrator"])
    assert ping(api) == first
    certificates.renew(folder, ["executor"])
    server.context = context(folder)
    for ago, connections in ((6, 3), (6, 3)):
        api._handshakes._shaken = time.monotonic() - ago
        assert ping(api) > first
        assert server.connections == connections


def test_one_that_is_not_renewed_with_ours_is_looked_at_ever_less(api, server, folder):
    ping(api)
    certificates.renew(folder, ["orchestrator"])
    ping(api)
    for ago, connections in ((6, 3), (6, 3), (11, 4), (11, 4), (21, 5)):
        api._handshakes._shaken = time.monotonic() - ago
        ping(api)
        assert server.connections == connections


def test_what_was_shown_is_in_use_until_the_end(api, folder):
    shown = ping(api)
    assert expiry.expiries()["executor x"] == shown
    assert shown == certificates.read(folder, "executor").certificate.not_valid_after_utc.timestamp()
    api.close()
    assert "executor x" not in expiry.expiries()


def test_the_cas_of_the_web_are_not_trusted(api, server, folder, tmp_path_factory):
    """requests would add them where it is told to verify."""
    ping(api)
    assert len(api._handshakes.credentials.context.get_ca_certs()) == 1
    other = tmp_path_factory.mktemp("other")
    certificates.write(other)
    server.context = context(other)
    api._session.close()
    with pytest.raises(Unreachable, match="not accepted here"):
        api.ping()


def test_times_are_told_as_utc():
    at = datetime.datetime(2028, 11, 22, 3, 8, tzinfo=datetime.UTC).timestamp()
    assert expiry.day(at) == "2028-11-22 03:08 UTC"
