"""Where requests of nodes may go, and that the address that was checked is the one that is connected to."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from ipaddress import ip_address

import pytest

from executor import addresses
from executor.addresses import Allowed
from executor.drivers.http.connection import Refused, Unreachable, connector
from support import ROOT

PUBLIC = ("93.184.215.14", "8.8.8.8", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "64:ff9b::808:808", "::ffff:8.8.8.8")
OTHERS = (
    "0.0.0.0",
    "0.1.2.3",
    "10.255.255.255",
    "100.64.0.1",
    "100.127.255.255",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:a9fe:a9fe",
    "64:ff9b::7f00:1",
    "64:ff9b::a00:1",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%lo",
    "fec0::1",
    "ff02::1",
)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_allowed(address: str) -> None:
    assert Allowed([]).admits("example.com", address)


@pytest.mark.parametrize("address", OTHERS)
def test_others_are_not(address: str) -> None:
    assert not Allowed([]).admits("example.com", address)
    assert Allowed(["0.0.0.0/0", "::/0"]).admits("example.com", address)


@pytest.mark.parametrize(
    ("items", "host", "address", "admitted"),
    [
        (["10.0.0.0/8"], "a", "10.1.2.3", True),
        (["10.0.0.0/8"], "a", "11.1.2.3", True),
        (["10.0.0.0/8"], "a", "192.168.1.1", False),
        (["127.0.0.1"], "a", "127.0.0.1", True),
        (["127.0.0.1"], "a", "127.0.0.2", False),
        (["127.0.0.1"], "a", "::ffff:127.0.0.1", True),
        (["::1"], "a", "::1", True),
        (["[::1]"], "a", "127.0.0.1", False),
        (["Intern.example.com"], "intern.EXAMPLE.com.", "10.0.0.1", True),
        (["intern.example.com"], "other.example.com", "10.0.0.1", False),
        (["intern.example.com"], "a.intern.example.com", "10.0.0.1", False),
    ],
)
def test_settings_allow_more(items: list[str], host: str, address: str, admitted: bool) -> None:
    assert Allowed(items).admits(host, address) is admitted


@pytest.mark.parametrize("spelled", ["8.8.8.8", "::ffff:8.8.8.8", "64:ff9b::808:808", "2606:4700::1111"])
def test_the_public_addresses_of_this_machine_are_no_public_ones(spelled: str) -> None:
    found: set[addresses.Address] = set()
    allowed = {items: Allowed([*items], lambda: found) for items in ((), ("8.8.8.8", "2606::/16", "64:ff9b::/96"))}
    assert allowed[()].admits("a", spelled)
    found |= {ip_address("8.8.8.8"), ip_address("2606:4700::1111")}  # it has them only now
    assert not allowed[()].admits("a", spelled)
    assert [each.admits("a", spelled) for items, each in allowed.items() if items] == [True]


WITHIN = """
import http.server, ipaddress, subprocess, threading
from executor.addresses import Allowed, of_this_machine
from executor.drivers.http.connection import Refused, connector

subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
subprocess.run(["ip", "address", "add", "8.8.8.8/32", "dev", "lo"], check=True)
assert ipaddress.ip_address("8.8.8.8") in of_this_machine()
server = http.server.HTTPServer(("8.8.8.8", 0), http.server.SimpleHTTPRequestHandler)
threading.Thread(target=server.serve_forever, daemon=True).start()
connector(Allowed(["8.8.8.8"]))("8.8.8.8", server.server_port).close()
try:
    connector(Allowed([]))("8.8.8.8", server.server_port)
except Refused as refusal:
    print(refusal)
"""


def test_a_server_of_this_machine_is_not_reached_by_its_public_address() -> None:
    alone = ["unshare", "--user", "--map-root-user", "--net"]
    try:
        subprocess.run([*alone, "ip", "link", "set", "lo", "up"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"a network of its own cannot be made here: {error}")
    done = subprocess.run(
        [*alone, sys.executable, "-c", WITHIN], capture_output=True, text=True, cwd=ROOT, check=True, timeout=60
    )
    assert "requests to 8.8.8.8 (8.8.8.8) are refused: that is no public address, or one of this machine" in done.stdout


def test_the_addresses_of_this_machine() -> None:
    assert {ip_address("127.0.0.1")} <= addresses.of_this_machine()


@pytest.mark.parametrize(
    ("item", "sound"),
    [
        ("10.0.0.0/8", True),
        ("::1", True),
        ("db.example.com", True),
        ("my_host", True),
        ("10.0.0.1/8", False),
        ("10.0.0.0/33", False),
        ("http://a", False),
        ("a:80", False),
        ("*.example.com", False),
        ("", False),
    ],
)
def test_settings_are_checked(item: str, sound: bool) -> None:
    assert (addresses.check([item]) is None) is sound


@pytest.fixture
def listening() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def answers(monkeypatch: pytest.MonkeyPatch, *turns: tuple[str, ...]) -> list[str]:
    """Let a name have these addresses, at each question others; returns the list of the questions."""
    asked: list[str] = []

    def look_up(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        found = turns[min(len(asked), len(turns) - 1)]
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return asked


def test_a_name_is_looked_up_once(monkeypatch: pytest.MonkeyPatch, listening: int) -> None:
    asked = answers(monkeypatch, ("127.0.0.1",), ("127.0.0.2",))
    with connector(Allowed(["127.0.0.1"]))("rebound.example.com", listening) as made:
        assert made.getpeername() == ("127.0.0.1", listening)
    assert asked == ["rebound.example.com"]


def test_of_several_addresses_only_those_count_that_are_allowed(
    monkeypatch: pytest.MonkeyPatch, listening: int
) -> None:
    answers(monkeypatch, ("127.0.0.2", "127.0.0.3", "127.0.0.1"))
    with connector(Allowed(["127.0.0.1", "127.0.0.3"]))("mixed.example.com", listening) as made:
        assert made.getpeername()[0] == "127.0.0.1"
    with pytest.raises(Refused, match=r"mixed\.example\.com \(127\.0\.0\.1, 127\.0\.0\.2, 127\.0\.0\.3\)"):
        connector(Allowed(["127.0.0.9"]))("mixed.example.com", listening)


def test_nobody_listens(monkeypatch: pytest.MonkeyPatch, listening: int) -> None:
    answers(monkeypatch, ("127.0.0.2",))
    with pytest.raises(Unreachable, match=r"cannot connect to a, port \d+ \(127\.0\.0\.2: Connection refused\)"):
        connector(Allowed(["a"]))("a", listening)
