"""Reading parts of a template whose shape nobody has looked at yet: a wrong shape becomes a fault with its place.

It stands before everything else of this package, so that no other part needs to think of a list where a map belongs.
"""

from collections.abc import Collection, Iterator
from difflib import get_close_matches
from typing import Any

from gorchestrator.tosca.faults import Place, Report
from gorchestrator.tosca.reading.source import Map, Seq


def kind_of(value: Any) -> str:
    """Say what a value is, in the words of YAML."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, (int, float)):
        return "a number"
    if isinstance(value, str):
        return "a text"
    return "a map" if isinstance(value, dict) else "a list"


def place_in(container: Any, key: str | int, place: Place) -> Place:
    """Return where an entry stands, however little is known of its container."""
    if isinstance(container, Map) and isinstance(key, str):
        return container.at(key)
    if isinstance(container, Seq) and isinstance(key, int):
        return container.at(key)
    return place.below(key)


def entries(value: Any, place: Place, report: Report) -> Iterator[tuple[str, Any, Place]]:
    """Yield name, value and place of each entry of a map; nothing for None, a fault for what is no map."""
    if value is None:
        return
    if not isinstance(value, dict):
        report.fault(place, f"must be a map, but is {kind_of(value)}")
        return
    for key, entry in value.items():
        yield str(key), entry, place_in(value, key, place)


def items(value: Any, place: Place, report: Report) -> Iterator[tuple[Any, Place]]:
    """Yield value and place of each item of a list; nothing for None, a fault for what is no list."""
    if value is None:
        return
    if not isinstance(value, list):
        report.fault(place, f"must be a list, but is {kind_of(value)}")
        return
    for index, item in enumerate(value):
        yield item, place_in(value, index, place)


def named(value: Any, place: Place, report: Report) -> Iterator[tuple[str, Any, Place]]:
    """Yield name, value and place from a list of maps with one key each (or from a map, as some write it)."""
    if isinstance(value, dict):
        yield from entries(value, place, report)
        return
    for item, at in items(value, place, report):
        if isinstance(item, dict) and len(item) == 1:
            yield from entries(item, at, report)
        else:
            report.fault(at, f"must be a map with one key, its name, but is {kind_of(item)}")


def as_map(value: Any, place: Place, report: Report) -> dict[str, Any]:
    """Return a map as it is; an empty one for None, and with a fault for anything else."""
    if isinstance(value, dict):
        return value
    if value is not None:
        report.fault(place, f"must be a map, but is {kind_of(value)}")
    return {}


def as_text(value: Any, place: Place, report: Report) -> str:
    """Return a text as it is; an empty one for None, and with a fault for anything else."""
    if isinstance(value, str):
        return value
    if value is not None:
        report.fault(place, f"must be a text, but is {kind_of(value)}")
    return ""


def as_texts(value: Any, place: Place, report: Report) -> list[str]:
    """Return a list of texts, also where one alone stands without its list."""
    if isinstance(value, str):
        return [value]
    return [text for item, at in items(value, place, report) if (text := as_text(item, at, report))]


def only(value: dict[str, Any], place: Place, known: Collection[str], report: Report, *, lenient: bool = False) -> None:
    """Add a fault (``lenient``: a warning) for each key of a map that has no meaning there."""
    for key in value:
        if key not in known:
            close = get_close_matches(key, known, 1)
            hint = f"is it {close[0]}?" if close else f"there are {listed(known)}"
            note, ignored = (report.warn, " is ignored") if lenient else (report.fault, "")
            note(place_in(value, key, place), f"unknown key {key}{ignored}; {hint}")


def listed(names: Collection[str], most: int = 12) -> str:
    """Tell names in words, sorted, not more than a reader would read."""
    if not names:
        return "none"
    known = sorted(names)
    left = f" and {len(known) - most} more" if len(known) > most else ""
    return ", ".join(known[:most]) + left
