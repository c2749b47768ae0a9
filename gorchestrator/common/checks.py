"""Checks and defaults of settings that both services have. A check returns what is wrong and what to do, or None."""

import ipaddress
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from gorchestrator.common.discretion import OURS, is_ours

LEVELS = ("debug", "info", "warning", "error")
FORMATS = ("auto", "json", "text")
ROLES = ("viewer", "operator", "admin")  # each may do what those before it may
ACCESS = AUTO, REQUIRED, OPEN = ("auto", "required", "open")  # whether it has to be said who calls the API
MAX_PORT = 65535


def state_home(environ: Mapping[str, str]) -> Path:
    """Return gorchestrator's folder in the user's state directory (XDG)."""
    base = Path(environ.get("XDG_STATE_HOME", ""))
    # The specification wants a relative one to be ignored.
    return (base if base.is_absolute() else Path.home() / ".local" / "state") / "gorchestrator"


def at_least(lowest: float) -> Callable[[float], str | None]:
    """Return a check that a number is not below ``lowest``."""

    def check(number: float) -> str | None:
        return None if number >= lowest else f"{number} is too small; write {lowest} or more"

    return check


def at_least_one(names: tuple[str, ...]) -> str | None:
    """Check that a list is not empty."""
    return None if names else "is empty; name at least one"


def one_of(names: tuple[str, ...]) -> Callable[[str], str | None]:
    """Return a check that a text is one of ``names``."""

    def check(text: str) -> str | None:
        return None if text in names else f"{text!r} is unknown; write one of {', '.join(names)}"

    return check


def port(number: int) -> str | None:
    """Check a TCP port; 0 asks for a free one."""
    return None if 0 <= number <= MAX_PORT else f"{number} is not a port; write 0 (any free one) to {MAX_PORT}"


def is_loopback(host: str) -> bool:
    """Whether nobody but this machine reaches ``host``. Names other than localhost are not looked up."""
    if host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback


def host(text: str) -> str | None:
    """Check an address to listen on."""
    bad = not text or any(ch.isspace() or ch in "/,@" for ch in text)
    return f"{text!r} is not a host; write an address such as 127.0.0.1 or ::1, without a port" if bad else None


def endpoint(text: str) -> str | None:
    """Check the URL of a service; an empty one is none."""
    try:
        parts = urlsplit(text)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if "@" in text:  # what stands before it may be a password, and is not repeated
        return "a URL must not hold a name and a password; send a header in place of them"
    usable = usable and not (parts.query or parts.fragment or any(char.isspace() for char in text))
    return None if usable or not text else f"{text!r} is not a URL; write one such as http://127.0.0.1:4318"


def part(number: float) -> str | None:
    """Check a part of a whole."""
    return None if 0 <= number <= 1 else f"{number} is no part of a whole; write a number from 0 to 1"


def host_names(names: tuple[str, ...]) -> str | None:
    """Check names as a Host header has them, without the port that may follow there."""
    for name in names:
        if re.fullmatch(r"(\[.*\]|[^:]*):[0-9]*", name):
            return f"{name!r} has a port; write the name alone, {name.rpartition(':')[0]!r}, which allows all ports"
    return None


def pair(first: str, second: str) -> Callable[[Any], str | None]:
    """Return a rule's check that two settings are given together or not at all."""

    def check(settings: Any) -> str | None:
        one, two = getattr(settings, first), getattr(settings, second)
        return None if bool(one) == bool(two) else f"{first} and {second} belong together; give both or neither"

    return check


def roles(named: Mapping[str, str]) -> str | None:
    """Check names in certificates, each with its role."""
    for name, role in named.items():
        if role not in ROLES:
            return f"{name}: {role!r} is unknown; write one of {', '.join(ROLES)}"
    return None


def logger_levels(levels: Mapping[str, str]) -> str | None:
    """Check names of loggers, each with its level."""
    for name, level in levels.items():
        if not re.fullmatch(r"[A-Za-z_]\w*(\.\w+)*", name):
            return f"{name!r} is not the name of a logger; write one such as gorchestrator.engine"
        if name == "root":
            return "root has the level that log_level says; leave it out"
        if level not in LEVELS:
            return f"{name}: {level!r} is unknown; write one of {', '.join(LEVELS)}"
        if level == "debug" and not is_ours(name):
            return f"{name}: what libraries say at the level debug may hold secrets; only {' and '.join(OURS)} have it"
    return None
