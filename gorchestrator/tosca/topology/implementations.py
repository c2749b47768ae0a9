"""Implementations: what an operation runs, where, for how long at most, and what travels along."""

import re
from dataclasses import dataclass
from typing import Any

from gorchestrator.tosca.faults import Place
from gorchestrator.tosca.model import Artifact
from gorchestrator.tosca.reading.shapes import as_text, items, kind_of, listed, only, place_in
from gorchestrator.tosca.topology.artifacts import of_file, read_artifact, used
from gorchestrator.tosca.topology.scope import Context, Scope

_KEYS = ("primary", "dependencies", "operation_host", "timeout", "description")
_HOSTS = ("SELF", "HOST", "SOURCE", "TARGET", "ORCHESTRATOR")
_LONGEST = 1e9  # seconds, as a gorch has it
_TIME = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,12})?) *(d|h|m|s|ms|us|ns)")
_SECONDS = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}


@dataclass(slots=True)
class Implementation:
    """What an implementation says. ``timeout`` in seconds."""

    primary: Artifact | None = None
    dependencies: tuple[Artifact, ...] = ()
    timeout: float | None = None
    host: str = ""


def read_implementation(raw: Any, place: Place, file: str, scope: Scope, context: Context) -> Implementation:
    """Return what an implementation of any notation says: a file or artifact, a map with one, or ``primary`` and more.

    ``file``: in which it stands. An empty list is taken for none, as the profiles for network functions write it.
    """
    if raw is None or raw in ("", []):
        return Implementation()
    if isinstance(raw, str) or (isinstance(raw, dict) and "file" in raw):
        return Implementation(_artifact(raw, place, file, scope, context))
    if not isinstance(raw, dict):
        scope.report.fault(place, f"must be an artifact, a file or a map, but is {kind_of(raw)}")
        return Implementation()
    only(raw, place, _KEYS, scope.report)
    primary = raw.get("primary")
    at = place_in(raw, "dependencies", place)
    listed_ones = raw.get("dependencies")
    given = [(listed_ones, at)] if isinstance(listed_ones, (str, dict)) else items(listed_ones, at, scope.report)
    found = [_artifact(each, there, file, scope, context) for each, there in given]
    return Implementation(
        None if primary is None else _artifact(primary, place_in(raw, "primary", place), file, scope, context),
        tuple(each for each in found if each is not None),
        _timeout(raw.get("timeout"), place_in(raw, "timeout", place), scope),
        read_host(raw.get("operation_host"), place_in(raw, "operation_host", place), scope),
    )


def _artifact(raw: Any, place: Place, file: str, scope: Scope, context: Context) -> Artifact | None:
    """Return the artifact of that name, else the one that is defined here."""
    if not isinstance(raw, str):
        return read_artifact("", raw, place, file, scope)
    link = context.link
    for node in (context.node,) if link is None else (link.source, link.target):
        if node is not None and raw in node.artifacts:
            return used(node.artifacts[raw], place, file, scope)
    return of_file(raw, raw, place, file, scope)


def _timeout(raw: Any, place: Place, scope: Scope) -> float | None:
    """Return seconds, given as a number of them or with a unit of time."""
    if raw is None:
        return None
    found = _TIME.fullmatch(raw) if isinstance(raw, str) else None
    seconds = 0.0
    if found is not None:
        seconds = float(found[1]) * _SECONDS[found[2]]
    elif isinstance(raw, (int, float)) and not isinstance(raw, bool):
        seconds = float(raw)
    if 0 < seconds <= _LONGEST:
        return seconds
    scope.report.fault(place, f'must be a time, such as 60 (in seconds) or "5 m", of at most {_LONGEST:.0f} s')
    return None


def read_host(raw: Any, place: Place, scope: Scope) -> str:
    """Return an operation_host: one of the standard's words, or the name of a node."""
    host = as_text(raw, place, scope.report)
    if host and host not in _HOSTS and host not in scope.nodes:
        known = listed([*_HOSTS, *scope.nodes])
        scope.report.fault(place, f"unknown operation_host {host}; there are {known}")
    return host
