"""Templates that are copies of others, with changes: ``copy`` of node and relationship templates."""

from typing import Any

from gorchestrator.tosca.faults import Place, Report
from gorchestrator.tosca.reading.shapes import as_text, listed, place_in
from gorchestrator.tosca.reading.source import Map


def copied(content: dict[str, Any], section: dict[str, Any], place: Place, report: Report) -> dict[str, Any]:
    """Return a template with what it copies of another one of its section.

    Maps are merged by their keys, at any depth; anything else is replaced.
    """
    if "copy" not in content:
        return content
    at = place_in(content, "copy", place)
    name = as_text(content["copy"], at, report)
    origin = section.get(name)
    if not isinstance(origin, dict):
        report.fault(at, f"there is no template {name} to copy; there are {listed(section)}")
        return content
    if "copy" in origin:
        report.fault(at, f"{name} cannot be copied, for it is a copy itself")
        return content
    return merged(origin, content, place)


def merged(origin: dict[str, Any], over: dict[str, Any], place: Place) -> Map:
    """Return a map of both; each entry keeps the line in which it stands."""
    found = Map(place)
    for key in (*origin, *(key for key in over if key not in origin)):
        if key == "copy":
            continue
        source = over if key in over else origin
        value, at = source[key], place_in(source, key, place)
        if key in over and isinstance(value, dict) and isinstance(origin.get(key), dict):
            value = merged(origin[key], value, at)
        found.put(key, value, at.line)
    return found
