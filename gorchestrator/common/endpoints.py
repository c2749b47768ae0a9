"""Where executors are and whom they are for: the value of the setting ``executors``.

In the file an executor is a text, its URL, or a table; in the environment it is ``name=URL``. It stands here because
the settings and the client of the executors share it, and neither knows the other.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from gorchestrator.common.parsing import text_mapping, understand

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_LABEL = re.compile(
    r"[A-Za-z0-9][A-Za-z0-9._-]{0,252}"
)  # as long as the name of a host may be, which targets often are
_TLS = ("tls_ca", "tls_cert", "tls_key")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One executor. ``labels``: targets of nodes that it takes beside its name. ``weight``: its share of the work.

    ``default``: whether it takes nodes whose target is neither a name nor a label; if no executor says so, all do.
    ``tls_ca``, ``tls_cert``, ``tls_key``: files (PEM) in place of those that all executors share.
    """

    url: str
    labels: tuple[str, ...] = ()
    weight: float = 1.0
    default: bool = False
    tls_ca: Path | None = None
    tls_cert: Path | None = None
    tls_key: Path | None = None

    def plain(self) -> str | dict[str, Any]:
        """Return what a file would say of it: its URL, or what is not the default."""
        given = {each.name: getattr(self, each.name) for each in fields(self)}
        said = {name: value for name, value in given.items() if name == "url" or value != _DEFAULTS[name]}
        if len(said) == 1:
            return self.url
        return {name: _said(value) for name, value in said.items()}


Endpoints = Mapping[str, Endpoint]
_DEFAULTS = {each.name: each.default for each in fields(Endpoint)}


def of_text(text: str) -> Endpoints:
    """Return what ``name=URL,name2=URL2`` says of executors. Raises ValueError."""
    return {name: Endpoint(url) for name, url in text_mapping(text).items()}


def of_file(value: Any, folder: Path) -> Endpoints:
    """Return what a file says of executors; relative paths are taken from its ``folder``. Raises ValueError."""
    if not isinstance(value, dict):
        raise ValueError(f'{value!r} is not a table; write name = "https://host:8443" lines, or tables with a url')
    found: dict[str, Endpoint] = {}
    faults: list[str] = []
    for name, said in value.items():
        given = {"url": said} if isinstance(said, str) else said
        if not isinstance(given, dict):
            faults.append(f'{name}: {said!r} is neither a URL nor a table; write "https://host:8443"')
            continue
        wrong = [f"{name}: {fault}" for fault in _faults(given)]
        faults += wrong
        if not wrong:
            found[name] = Endpoint(**{key: _READ[key](each, folder) for key, each in given.items()})
    if faults:  # all at once, those that `check` would find too
        raise ValueError("; ".join([*faults, *(each for name, said in found.items() for each in _wrong(name, said))]))
    return found


def check(named: Endpoints) -> str | None:
    """Check executors: what is wrong and what to do, or None."""
    faults = [fault for name, endpoint in named.items() for fault in _wrong(name, endpoint)]
    names = set(named)
    for name, endpoint in named.items():
        faults += [
            f"{name}: its label {each!r} is the name of an executor" for each in endpoint.labels if each in names
        ]
    if not named:
        faults.append("no executor; name at least one: name=https://host:8443")
    return "; ".join(faults) or None


def _wrong(name: str, endpoint: Endpoint) -> list[str]:
    faults = []
    if not _NAME.fullmatch(name):
        faults.append(f"{name!r} is not a name of an executor; use letters, digits, dot, dash and underscore")
    if "@" in endpoint.url:  # what stands before it may be a password, and is not repeated
        faults.append(
            f"the URL of {name} must not hold a name and a password; write one such as https://127.0.0.1:8443"
        )
    elif not _is_url(endpoint.url):
        faults.append(f"{endpoint.url!r} is not the URL of an executor; write one such as https://127.0.0.1:8443")
    faults += [f"{name}: {each!r} is not a label" for each in endpoint.labels if not _LABEL.fullmatch(each)]
    if not 0 < endpoint.weight < float("inf"):
        faults.append(f"{name}: the weight {endpoint.weight:g} is not above 0")
    if (endpoint.tls_cert is None) is not (endpoint.tls_key is None):
        faults.append(f"{name}: tls_cert and tls_key belong together; give both or neither")
    return faults


def _is_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return usable and not (parts.path.strip("/") or parts.query or parts.fragment)


def _faults(given: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with the table of an executor."""
    faults = [f"there is no {key!r}; there are {', '.join(_READ)}" for key in given if key not in _READ]
    known = {key: value for key, value in given.items() if key in _READ}
    faults += [f"{key}: {value!r} is not {_WANTED[key]}" for key, value in known.items() if not _is(key, value)]
    return faults if "url" in given else [*faults, 'its url is missing; write url = "https://host:8443"']


def _is(key: str, value: Any) -> bool:
    match key:
        case "labels":
            return isinstance(value, list) and all(isinstance(each, str) for each in value)
        case "weight":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "default":
            return isinstance(value, bool)
        case _:
            return isinstance(value, str) and bool(value)


def _said(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else str(value) if isinstance(value, Path) else value


def _path(value: str, folder: Path) -> Path:
    return folder / Path(value).expanduser()


_READ: Mapping[str, Callable[[Any, Path], Any]] = {
    "url": lambda value, _: value,
    "labels": lambda value, _: tuple(value),
    "weight": lambda value, _: float(value),
    "default": lambda value, _: value,
    **dict.fromkeys(_TLS, _path),
}
_WANTED = {
    "url": 'a URL; write "https://host:8443"',
    "labels": 'a list of texts; write ["one", "two"]',
    "weight": "a number; write one, such as 2.5",
    "default": "true or false",
    **dict.fromkeys(_TLS, 'a path; write "…"'),
}

understand(Endpoints, of_text, of_file)
