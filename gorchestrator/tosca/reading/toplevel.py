"""What a TOSCA file may hold at its top: its version, its sections, its repositories.

The sections' own contents are for ``types`` and ``topology`` to judge; this is what every file is asked at once.
"""

from difflib import get_close_matches
from typing import Any

from gorchestrator.tosca.faults import Place, Report
from gorchestrator.tosca.reading.document import SECTIONS
from gorchestrator.tosca.reading.source import Map, Seq

VERSIONS = (
    "tosca_simple_yaml_1_0",
    "tosca_simple_yaml_1_0_0",
    "tosca_simple_yaml_1_1",
    "tosca_simple_yaml_1_2",
    "tosca_simple_yaml_1_3",
)
PROFILES = ("tosca_simple_profile_for_nfv_1_0_0",)
_TEXTS = ("namespace", "description", "template_name", "template_author")
_MAPS = ("dsl_definitions", "repositories", "topology_template", *SECTIONS)
_KEYS = ("tosca_definitions_version", "template_version", "imports", "metadata", *_TEXTS, *_MAPS)
_REPOSITORY = ("description", "url", "credential")


def check(content: Map, report: Report, *, imported: bool) -> str:
    """Note what is wrong at the top of a file, and return its version ("" if it has none that is known)."""
    for key, value in content.items():
        if key not in _KEYS:
            close = get_close_matches(key, _KEYS, 1)
            hint = f": is it {close[0]}?" if close else f"; it has {', '.join(sorted(_KEYS))}"
            report.fault(content.at(key), f"a TOSCA file has no section of this name{hint}")
        elif key in _TEXTS and not isinstance(value, str | None):
            report.fault(content.at(key), "must be a text")
        elif key in _MAPS and not isinstance(value, Map | None):
            report.fault(content.at(key), f"must be a map, but is {_kind(value)}")
    if not isinstance(content.get("metadata"), Map | None):
        report.warn(content.at("metadata"), "must be a map: it is ignored")
    for section in SECTIONS:
        _check_definitions(content.get(section), report)
    _check_repositories(content.get("repositories"), report)
    return _version(content, report, imported=imported)


def repository(content: Map, name: str) -> str | None:
    """Return the URL or path of a repository of this file; None if there is none of this name."""
    repositories = content.get("repositories")
    found = repositories.get(name) if isinstance(repositories, Map) else None
    url = found.get("url") if isinstance(found, Map) else found
    return url if isinstance(url, str) else None


def _version(content: Map, report: Report, *, imported: bool) -> str:
    version = content.get("tosca_definitions_version")
    if version is None and imported:
        report.warn(content.place, "tosca_definitions_version is missing; that of the importing file is assumed")
    elif version is None:
        report.fault(content.place, "tosca_definitions_version is missing: is this a TOSCA template?")
    elif version not in (*VERSIONS, *PROFILES):
        place, known = content.at("tosca_definitions_version"), ", ".join((*VERSIONS, *PROFILES))
        report.fault(place, f"unknown version {str(version)[:60]}; known are {known}")
    else:
        return str(version)
    return ""


def _check_definitions(section: Any, report: Report) -> None:
    for name, definition in section.items() if isinstance(section, Map) else ():
        if not isinstance(definition, Map | None):
            report.fault(section.at(name), f"must be a map, but is {_kind(definition)}")


def _check_repositories(repositories: Any, report: Report) -> None:
    for name, each in repositories.items() if isinstance(repositories, Map) else ():
        place: Place = repositories.at(name)
        if isinstance(each, Map):
            for key in (key for key in each if key not in _REPOSITORY):
                report.fault(each.at(key), f"a repository has no such key; it has {', '.join(_REPOSITORY)}")
            if not isinstance(each.get("url"), str):
                report.fault(place, "a repository needs a url")
        elif not isinstance(each, str):
            report.fault(place, "a repository is a URL, or a map with a url")


def _kind(value: Any) -> str:
    return "a list" if isinstance(value, Seq) else "a map" if isinstance(value, Map) else f"{value!r:.60}"
