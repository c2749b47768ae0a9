"""Where lines of the log go beside standard output, as the settings ``syslog`` and ``logstash`` say it: as a URL."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

SYSLOG: Mapping[str, int] = {"udp": 514, "tcp": 601, "unix": 0}  # schemes and their ports; a socket file has none
LOGSTASH: Mapping[str, int] = {"tcp": 5000, "tls": 5000}
FACILITIES = {"user": 1, "daemon": 3} | {f"local{number}": 16 + number for number in range(8)}
_DEFAULT_FACILITY = "daemon"
_LONGEST_PATH = 107  # bytes, of a socket file


@dataclass(frozen=True, slots=True)
class Address:
    """A receiver. ``host`` is the path of the socket file if ``scheme`` is ``unix``."""

    scheme: str
    host: str
    port: int
    facility: int

    def __str__(self) -> str:
        if self.scheme == "unix":
            return f"unix://{self.host}"
        return (
            f"{self.scheme}://[{self.host}]:{self.port}"
            if ":" in self.host
            else f"{self.scheme}://{self.host}:{self.port}"
        )


def parse(text: str, ports: Mapping[str, int]) -> Address:
    """Return the address that a URL names. ``ports``: the schemes that it may have. ValueError says what to write."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ValueError(f"{text!r} is not an address; {_write(ports)}") from None
    if parts.username is not None:  # what stands there may be a secret, and is not repeated
        raise ValueError(f"an address has no name of a user; {_write(ports)}")
    facility = _facility(parts.query, ports)
    if parts.scheme not in ports or parts.fragment:
        raise ValueError(f"{text!r} is not an address that lines can be sent to; {_write(ports)}")
    if parts.scheme == "unix":
        if parts.netloc or not parts.path.strip("/") or len(parts.path.encode()) > _LONGEST_PATH:
            raise ValueError(f"{text!r} names no socket file; write {_example('unix', ports)}")
        return Address("unix", parts.path, 0, facility)
    if not parts.hostname or parts.path.strip("/") or port == 0:
        raise ValueError(f"{text!r} is not an address of a host; write {_example(parts.scheme, ports)}")
    return Address(parts.scheme, parts.hostname, port or ports[parts.scheme], facility)


def syslog(text: str) -> str | None:
    """Check the setting ``syslog``; empty means none."""
    return _fault(text, SYSLOG)


def logstash(text: str) -> str | None:
    """Check the setting ``logstash``; empty means none."""
    return _fault(text, LOGSTASH)


def _fault(text: str, ports: Mapping[str, int]) -> str | None:
    try:
        if text:
            parse(text, ports)
    except ValueError as error:
        return str(error)
    return None


def _facility(query: str, ports: Mapping[str, int]) -> int:
    given = dict(parse_qsl(query, keep_blank_values=True))
    name = given.pop("facility", _DEFAULT_FACILITY) if ports is SYSLOG else _DEFAULT_FACILITY
    if given:
        allowed = "only facility can follow" if ports is SYSLOG else "nothing can follow"
        raise ValueError(f"{next(iter(given))!r} is unknown; {allowed} the address")
    if name not in FACILITIES:
        raise ValueError(f"{name!r} is not a facility; write one of {', '.join(FACILITIES)}")
    return FACILITIES[name]


def _write(ports: Mapping[str, int]) -> str:
    return f"write one such as {', '.join(_example(scheme, ports) for scheme in ports)}"


def _example(scheme: str, ports: Mapping[str, int]) -> str:
    return "unix:///dev/log" if scheme == "unix" else f"{scheme}://127.0.0.1:{ports[scheme]}"
