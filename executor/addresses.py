"""Which addresses requests of nodes may go to: those of the public Internet, and what the settings allow beside them.

A node is written by somebody who may reach less than this machine does: the services that listen on it, its network,
and the metadata service of a cloud. What listens on this machine may listen on its public addresses too.
"""

import re
import socket
from collections.abc import Callable, Sequence, Set
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

import psutil

HOST = re.compile(
    r"(?=.{1,253}\Z)[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?)*"
)
GLOBAL = IPv6Network("2000::/3")
NAT64 = IPv6Network("64:ff9b::/96")  # the last 32 bits are an IPv4 address
TUNNELS = tuple(map(IPv6Network, ("2002::/16", "2001::/32")))  # an IPv4 address is in them: 6to4, Teredo
OTHERS = tuple(
    map(
        ip_network,
        (
            "0.0.0.0/8",  # this machine
            "100.64.0.0/10",  # within a provider's network
            "192.88.99.0/24",  # relays of 6to4
            "3fff::/20",  # for documentation; Pythons before 3.13 do not know
            "168.63.129.16/32",  # Azure's service for its machines, in spite of its address
        ),
    )
)


#: An address; those of this machine are asked for each time, since interfaces come and go.
Address = IPv4Address | IPv6Address


def of_this_machine() -> set[Address]:
    """Return the addresses of this machine's interfaces."""
    return {
        ip_address(each.address)
        for addresses in psutil.net_if_addrs().values()
        for each in addresses
        if each.family in {socket.AF_INET, socket.AF_INET6}
    }


class Allowed:
    """Knows where requests may go. ``items``: networks, addresses and names of hosts beside the public ones."""

    def __init__(self, items: Sequence[str], ours: Callable[[], Set[Address]] = of_this_machine) -> None:
        """``ours``: tells this machine's own addresses."""
        networks = {item: _network(item) for item in items}
        self._networks = [network for network in networks.values() if network is not None]
        self._names = {_plain(item) for item, network in networks.items() if network is None}
        self._ours = ours

    def admits(self, host: str, address: str) -> bool:
        """Whether a request to a host may go to this address of it, an IPv4 or IPv6 one."""
        if _plain(host) in self._names:
            return True
        real = _real(ip_address(address))
        if any(real in network for network in self._networks):
            return True
        return _is_public(real) and _behind(real) not in self._ours()


def check(items: Sequence[str]) -> str | None:
    """Return what is wrong with a list for :class:`Allowed`, or None."""
    for item in items:
        try:
            if _network(item) is None and not HOST.fullmatch(item):
                return f"{item!r} is neither a network such as 10.0.0.0/8, nor an address, nor the name of a host"
        except ValueError as error:
            return f"{item!r} is not a network: {error}"
    return None


def _network(item: str) -> IPv4Network | IPv6Network | None:
    """Return the network that an item means; None if it is a name. Raises ValueError."""
    try:
        return ip_network(item.strip("[]"))
    except ValueError:
        if "/" in item or ":" in item:
            raise
        return None


def _real(address: Address) -> Address:
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def _behind(address: Address) -> Address:
    """Return the IPv4 address that one of NAT64 leads to."""
    return IPv4Address(int(address) & 0xFFFFFFFF) if address in NAT64 else address


def _is_public(address: Address) -> bool:
    if address in NAT64:
        return _is_public(_behind(address))
    if not address.is_global or address.is_multicast or address.is_reserved:
        return False
    if any(address in network for network in OTHERS):
        return False
    return isinstance(address, IPv4Address) or (address in GLOBAL and not any(address in net for net in TUNNELS))


def _plain(host: str) -> str:
    return host.lower().rstrip(".").strip("[]")
