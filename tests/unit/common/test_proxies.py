"""Whom a proxy names: believed from trusted proxies alone, and only as far as they have written it themselves."""

import pytest

from gorchestrator.common.http.peers import OwnMachine
from gorchestrator.common.http.proxies import TrustedProxies, check, is_forwarded

TRUSTED = ("127.0.0.1", "10.1.0.0/16", "fd00::/8")


def seen(peer, trusted=TRUSTED, wrap=lambda app: app, **headers):
    """Return the address and the scheme that the application sees."""
    found = []

    def app(environ, start_response):
        found.append((environ["REMOTE_ADDR"], environ["wsgi.url_scheme"]))
        return []

    environ = {"REMOTE_ADDR": peer, "wsgi.url_scheme": "http"}
    environ |= {f"HTTP_X_FORWARDED_{name.upper()}": value for name, value in headers.items()}
    environ |= {"REQUEST_METHOD": "GET", "PATH_INFO": "/"}
    list(wrap(TrustedProxies(app, trusted))(environ, lambda *_: None))
    return found[0] if found else None


def test_what_a_proxy_has_sent_can_be_told():
    found = []
    behind = TrustedProxies(lambda environ, _: found.append(is_forwarded(environ)) or [], TRUSTED)
    for peer in ("127.0.0.1", "192.0.2.7"):
        behind({"REMOTE_ADDR": peer, "wsgi.url_scheme": "http"}, lambda *_: None)
    assert found == [True, False]


@pytest.mark.parametrize(
    ("peer", "given", "client"),
    [
        ("127.0.0.1", "192.0.2.7", "192.0.2.7"),
        ("127.0.0.1", "198.51.100.1, 192.0.2.7", "192.0.2.7"),  # the first one was made up by the client
        ("127.0.0.1", "192.0.2.7, 10.1.2.3", "192.0.2.7"),  # two proxies of ours
        ("127.0.0.1", "10.1.9.9, 10.1.2.3", "10.1.9.9"),  # a client in the proxies' own network
        ("127.0.0.1", " 192.0.2.7:4711 ", "192.0.2.7"),
        ("127.0.0.1", "[2001:db8::1]:4711", "2001:db8::1"),
        ("127.0.0.1", "2001:db8::1", "2001:db8::1"),
        ("127.0.0.1", "::ffff:192.0.2.7", "192.0.2.7"),
        ("127.0.0.1", "unknown, 10.1.2.3", "10.1.2.3"),  # nobody knows more than that
        ("127.0.0.1", "_hidden", "127.0.0.1"),
        ("127.0.0.1", "192.0.2.7,", "127.0.0.1"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("::ffff:10.1.0.1", "192.0.2.7", "192.0.2.7"),
        ("fd00::5", "192.0.2.7", "192.0.2.7"),
        ("127.0.0.2", "192.0.2.7", "127.0.0.2"),
        ("192.0.2.1", "127.0.0.1", "192.0.2.1"),  # nobody becomes this machine by saying so
        ("", "192.0.2.7", ""),
    ],
)
def test_the_client(peer, given, client):
    assert seen(peer, **{"for": given}) == (client, "http")


def test_without_the_setting_nothing_is_believed():
    for peer in ("127.0.0.1", "", "10.1.0.1"):
        assert seen(peer, (), proto="https", **{"for": "192.0.2.7"}) == (peer, "http")


def test_a_unix_socket_is_trusted_by_its_name():
    assert seen("", ("unix",), **{"for": "192.0.2.7"}) == ("192.0.2.7", "http")
    assert seen("127.0.0.1", ("unix",), **{"for": "192.0.2.7"}) == ("127.0.0.1", "http")


@pytest.mark.parametrize(("given", "scheme"), [("https", "https"), ("HTTPS", "https"), ("ftp", "http"), ("", "http")])
def test_the_scheme(given, scheme):
    assert seen("127.0.0.1", proto=given) == ("127.0.0.1", scheme)
    assert seen("192.0.2.1", proto=given) == ("192.0.2.1", "http")


def test_other_machines_are_told_by_their_connections():
    def guarded(app):
        return OwnMachine(app, "insecure")

    assert seen("127.0.0.1", wrap=guarded, **{"for": "192.0.2.7"}) == ("192.0.2.7", "http")
    assert seen("10.1.0.1", wrap=guarded, **{"for": "127.0.0.1"}) is None


def test_the_setting():
    assert check(("127.0.0.1", "10.1.0.0/16", "::1", "fd00::/8", "unix")) is None
    for wrong in ("proxy.example", "10.1.0.1/16", "*", ""):
        assert repr(wrong) in check((wrong,))
