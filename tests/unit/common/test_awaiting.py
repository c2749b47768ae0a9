"""What has to come in time: a handshake of TLS, however slowly it drips."""

from contextlib import closing

import gevent
import pytest
from gevent import socket, ssl

from gorchestrator.common import awaiting
from support import PATIENCE


@pytest.fixture
def context(certs):
    found = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    found.load_cert_chain(certs / "executor.pem", certs / "executor.key")
    return found


def test_a_handshake_that_drips_ends(monkeypatch, context):
    monkeypatch.setattr(awaiting, "HANDSHAKE", 0.2)
    client, server = socket.socketpair()

    def drip():
        client.sendall(b"\x16\x03\x01\x02\x00")  # a record of 512 bytes
        while True:
            client.sendall(b"\x01")
            gevent.sleep(0.01)

    with closing(client), closing(server):
        dripping = gevent.spawn(drip)
        with pytest.raises(TimeoutError, match=r"the handshake took more than 0\.2 s"):
            awaiting.wrap_in_time(context, server, server_side=True)
        dripping.kill()


def test_who_has_shaken_hands_may_take_its_time(monkeypatch, context, certs):
    monkeypatch.setattr(awaiting, "HANDSHAKE", 0.2)
    client, server = socket.socketpair()
    ours = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    ours.load_verify_locations(certs / "ca.pem")
    with closing(client), closing(server):
        shaking = gevent.spawn(awaiting.wrap_in_time, context, server, server_side=True)
        theirs = ours.wrap_socket(client, server_hostname="127.0.0.1")
        with closing(theirs), closing(shaking.get(timeout=PATIENCE)) as secured:
            gevent.sleep(0.3)
            theirs.sendall(b"late")
            assert secured.recv(10) == b"late"
