"""Reads a template and all that it imports: :func:`load`."""

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gorchestrator.tosca.faults import Place, Report, ToscaError
from gorchestrator.tosca.reading import toplevel
from gorchestrator.tosca.reading.document import Document, Fetch, Part, is_url, locate
from gorchestrator.tosca.reading.files import Files, open_files
from gorchestrator.tosca.reading.network import SCHEMES, fetcher
from gorchestrator.tosca.reading.source import Map, Seq, parse

__all__ = ["Document", "Part", "load"]

MAX_PARTS = 1000
_URL = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]*)://")
_KEYS = ("file", "repository", "namespace_uri", "namespace_prefix", "description")


def load(path: Path, report: Report, *, allow_network: bool = False) -> Document:
    """Read a YAML template or a CSAR with its imports; ToscaError with every fault that keeps it from being read."""
    fetch = fetcher() if allow_network else None
    try:
        loader = _Loader(open_files(path), report, fetch)
        loader.load()
    except ToscaError as error:
        for fault in error.faults:
            report.fault(fault.place, fault.text)
    report.check()
    document = Document(loader.files, loader.parts, loader.versions, fetch)
    document.check(report)
    report.check()
    return document


@dataclass(frozen=True, slots=True)
class _Import:
    """One import as it is written."""

    file: str
    place: Place
    prefix: str = ""
    repository: str = ""


@dataclass(slots=True)
class _Loader:
    """Reads part by part, in the order in which they are mentioned, each once."""

    files: Files
    report: Report
    fetch: Fetch | None
    parts: list[Part] = field(default_factory=list)
    versions: set[str] = field(default_factory=set)
    _by_inside: dict[str, Part | None] = field(default_factory=dict)  # None: it is there, and wrong

    def load(self) -> None:
        """Read the root and what it imports, breadth first: an import that leads back is known already."""
        content = self.files.read(self.files.root)
        if content is None:
            self.report.fault(Place(self.files.name), f"there is no {self.files.root} in it")
            return
        self._part(self.files.root, content)
        for part in self.parts:  # grows while it is read
            for each in _imports(part.content, self.report):
                self._import(part, each)

    def _part(self, inside: str, content: bytes) -> Part | None:
        file = inside if is_url(inside) else self.files.shown(inside)
        self._by_inside[inside] = None
        try:
            part = Part(parse(content, file), file, inside)
        except ToscaError as error:
            for fault in error.faults:
                self.report.fault(fault.place, fault.text)
            return None
        version = toplevel.check(part.content, self.report, imported=bool(self.parts))
        if version:
            self.versions.add(version)
        self.parts.append(part)
        self._by_inside[inside] = part
        return part

    def _import(self, importer: Part, each: _Import) -> None:
        location = self._location(importer, each)
        if location is None:
            return
        found = self._find(importer, each, location) or self._sibling(importer, each, location)
        if found is None:
            self.report.fault(each.place, f"there is no file {location} to import")
            return
        inside, content = found
        if inside not in self._by_inside and len(self.parts) >= MAX_PARTS:
            self.report.fault(each.place, f"more than {MAX_PARTS} files are imported")
            return
        part = self._by_inside[inside] if inside in self._by_inside else self._part(inside, content)
        if part is not None:
            importer.imports.append((part.file, each.prefix))

    def _find(self, importer: Part, each: _Import, location: str) -> tuple[str, bytes] | None:
        try:
            return locate(self.files, importer.inside, location, self.fetch)
        except ToscaError as error:
            self.report.fault(each.place, f"cannot be imported: {error}")
            return None

    def _sibling(self, importer: Part, each: _Import, location: str) -> tuple[str, bytes] | None:
        """Find a file whose path was written from a folder that is not there, as samples that moved do.

        It is the one beside the importing file, if both are said to be in a folder of the same name.
        """
        folder, name = posixpath.split(location)
        if is_url(importer.inside) or posixpath.basename(folder) != posixpath.basename(
            posixpath.dirname(importer.file)
        ):
            return None
        found = self._find(importer, each, name)
        if found is not None:
            self.report.warn(each.place, f"there is no file {location}; the {name} beside this file is taken for it")
        return found

    def _location(self, importer: Part, each: _Import) -> str | None:
        """Return the path or URL of an import; None, with a fault, where it is refused."""
        location = each.file
        if each.repository:
            base = toplevel.repository(importer.content, each.repository)
            if base is None:
                self.report.fault(each.place, f"there is no repository {each.repository} in this file")
                return None
            location = f"{base.rstrip('/')}/{location.lstrip('/')}"
        return location if self._allowed(location, each.place) else None

    def _allowed(self, location: str, place: Place) -> bool:
        url = _URL.match(location)
        if url and url[1].lower() not in SCHEMES:
            self.report.fault(place, f"{location}: only {', '.join(SCHEMES)} can be imported, and files by their path")
        elif url and self.fetch is None:
            self.report.fault(place, f"{location} is on the network, which --allow-network allows")
        elif re.match(r"[/\\]|[a-zA-Z]:[/\\]", location):
            self.report.fault(place, f"{location} is an absolute path: name it relative to this file")
        else:
            return True
        return False


def _imports(content: Map, report: Report) -> Iterator[_Import]:
    """Yield the imports of a part in all notations: a path, a map with ``file``, or either under a name."""
    imports = content.get("imports")
    if imports is None:
        return
    if not isinstance(imports, Seq):
        report.fault(content.at("imports"), "must be a list")
        return
    for index, each in enumerate(imports):
        entry, place = each, imports.at(index)
        if isinstance(entry, Map) and len(entry) == 1 and "file" not in entry:
            name = next(iter(entry))
            entry, place = entry[name], entry.at(name)
        made = _import(entry, place, report)
        if made is not None:
            yield made


def _import(entry: Any, place: Place, report: Report) -> _Import | None:
    if isinstance(entry, str) and entry:
        return _Import(entry, place)
    if not isinstance(entry, Map) or not entry.get("file"):
        report.fault(place, "an import is a path, or a map with a file")
        return None
    wrong = [key for key, value in entry.items() if key in _KEYS and not isinstance(value, str | None)]
    unknown = [key for key in entry if key not in _KEYS]
    for key in wrong:
        report.fault(entry.at(key), "must be a text")
    for key in unknown:
        report.fault(entry.at(key), f"an import has no such key; it has {', '.join(_KEYS)}")
    if wrong or unknown:
        return None
    return _Import(entry["file"], entry.at("file"), entry.get("namespace_prefix") or "", entry.get("repository") or "")
