"""A template with everything that it imports: its files, its definitions and the names by which these are known.

Apart from :mod:`imports`, which makes it, for all later phases read it.
"""

import posixpath
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urljoin

from gorchestrator.tosca.faults import Fault, Place, Report, ToscaError
from gorchestrator.tosca.reading.files import Files
from gorchestrator.tosca.reading.paths import normal
from gorchestrator.tosca.reading.source import Map

SECTIONS = (
    "artifact_types",
    "capability_types",
    "data_types",
    "group_types",
    "interface_types",
    "node_types",
    "policy_types",
    "relationship_types",
)
Fetch = Callable[[str], bytes]  # a URL's content; ToscaError if there is none


@dataclass(slots=True)
class Part:
    """A file of the template, which is there once, however often it is imported.

    ``file``: its name as the user knows it, as in the places of its content; ``inside``: its name within
    :class:`Files`, or its URL. ``imports``: the files (as in ``file``) that it imports, each with its namespace prefix.
    """

    content: Map
    file: str
    inside: str
    imports: list[tuple[str, str]] = field(default_factory=list)

    def section(self, name: str) -> Map:
        """Return one of :data:`SECTIONS`, empty if it is missing."""
        found = self.content.get(name)
        return found if isinstance(found, Map) else Map(self.content.at(name))


@dataclass(slots=True)
class Document:
    """A service template; ``parts``: the root and all that it imports, in the order in which they are mentioned.

    ``versions``: every tosca_definitions_version that a part has. ``fetch``: how a URL is read; None: it is refused.
    """

    files: Files
    parts: list[Part]
    versions: set[str] = field(default_factory=set)
    fetch: Fetch | None = None
    _parts: dict[str, Part] = field(init=False)
    _known: dict[str, dict[str, list[Part]]] = field(init=False)  # section: name: the parts that define it
    _prefixes: dict[str, str] = field(init=False)  # file: how the root names what it defines
    _names: dict[tuple[str, str, str], str | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._parts = {part.file: part for part in self.parts}
        self._known = {section: {} for section in SECTIONS}
        for part in self.parts:
            for section in SECTIONS:
                for name in part.section(section):
                    self._known[section].setdefault(name, []).append(part)
        self._prefixes = self._find_prefixes()

    @property
    def root(self) -> Map:
        """The content of the file to begin with."""
        return self.parts[0].content

    def definitions(self, section: str) -> dict[str, Map]:
        """Return the definitions of one of :data:`SECTIONS` by their :meth:`canonical` names."""
        found: dict[str, Map] = {}
        for name, parts in self._known[section].items():
            for part in parts:
                made = part.section(section)
                empty = Map(made.at(name))
                found.setdefault(self._canonical(section, name, part), made[name] if made[name] is not None else empty)
        return found

    def check(self, report: Report) -> None:
        """Note names that are defined twice, differently."""
        for section, known in self._known.items():
            for name, parts in known.items():
                first: dict[str, Part] = {}
                for part in parts if len(parts) > 1 else ():
                    other = first.setdefault(self._canonical(section, name, part), part)
                    if other.section(section)[name] != part.section(section)[name]:
                        there = other.section(section).at(name)
                        text = f"this is defined differently in {there.file}:{there.line}; a namespace_prefix helps"
                        report.fault(part.section(section).at(name), text)

    def canonical(self, section: str, name: str, file: str = "") -> str | None:
        """Return the key in :meth:`definitions` of a name as it is written in a file (default: the root).

        Namespace prefixes count where their import stands, written as ``prefix:name`` or ``prefix.name``. A name that
        is not in sight of the file, but is defined once, is found all the same: practice relies on it. None: not found.
        """
        key = (section, name, file)
        if key not in self._names:
            self._names[key] = self._find_name(section, name, self._parts.get(file, self.parts[0]))
        return self._names[key]

    def read(self, base_file: str, path: str) -> bytes | None:
        """Return a file's content by its path as it is written in a file (as in places); None if it is not there.

        It is relative to that file, else to the root template, else to the root of the archive. ToscaError: it cannot
        be read, or it does not belong to the template.
        """
        base = self._parts[base_file].inside if base_file in self._parts else self.files.root
        try:
            found = locate(self.files, base, path, self.fetch)
        except ToscaError:
            if is_url(base) or is_url(path):
                return None
            raise
        if found and not is_url(found[0]) and not self.files.owns(found[0]):
            text = "is outside of the template's folder: what is sent to hosts has to be in it"
            raise ToscaError([Fault(Place(self.files.shown(found[0])), text)])
        return found[1] if found else None

    def _find_name(self, section: str, name: str, begin: Part) -> str | None:
        known = self._known[section]
        for part in (begin, self.parts[0]):
            found = self._in_sight(section, name, part)
            if found is not None:
                return self._canonical(section, *found)
        elsewhere = known.get(name, [])
        names = {self._canonical(section, name, part) for part in elsewhere}
        return names.pop() if len(names) == 1 else None

    def _in_sight(self, section: str, name: str, begin: Part) -> tuple[str, Part] | None:
        """Return the name without its prefixes, and who defines it: the file or, nearest first, what it imports."""
        queue = [(name, begin)]
        seen = {(name, begin.file)}
        for inner, part in queue:  # grows while it is read
            if inner in part.section(section):
                return inner, part
            for file, prefix in part.imports:
                rest = _without(inner, prefix)
                if rest and (rest, file) not in seen:
                    seen.add((rest, file))
                    queue.append((rest, self._parts[file]))
        return None

    def _canonical(self, section: str, name: str, part: Part) -> str:
        """Return the name itself, with its prefix if another part, nearer to the root, defines it differently."""
        parts = self._known[section][name]
        first = next((each for each in parts if not self._prefixes[each.file]), parts[0])
        prefix = self._prefixes[part.file]
        if not prefix or part is first or part.section(section)[name] == first.section(section)[name]:
            return name
        return f"{prefix}:{name}"

    def _find_prefixes(self) -> dict[str, str]:
        """Return for each file the prefixes on the way to it from the root; none, where there is a way without."""
        prefixes = {self.parts[0].file: ""}
        queue = [self.parts[0]]
        for part in queue:  # grows while it is read; a file comes twice at most
            for file, prefix in part.imports:
                way = ":".join(filter(None, (prefixes[part.file], prefix)))
                if file not in prefixes or (prefixes[file] and not way):
                    prefixes[file] = way
                    queue.append(self._parts[file])
        return prefixes


def locate(files: Files, base: str, path: str, fetch: Fetch | None = None) -> tuple[str, bytes] | None:
    """Find a file that is mentioned in another; names are within :class:`Files`, or URLs. ToscaError: unreadable."""
    if is_url(base) or is_url(path):
        url = urljoin(base, path) if is_url(base) else path
        return (url, fetch(url)) if fetch else None
    relative = normal(path)
    if relative is None:
        return None
    folders = (posixpath.dirname(base), posixpath.dirname(files.root), "")
    for name in dict.fromkeys(posixpath.normpath(posixpath.join(folder, relative)) for folder in folders):
        content = files.read(name)
        if content is not None:
            return name, content
    return None


def is_url(name: str) -> bool:
    """Whether this names a file on the network."""
    return "://" in name


def _without(name: str, prefix: str) -> str:
    """Return what follows a prefix in a name; "" if it has another."""
    if not prefix:
        return name
    return next((name.removeprefix(prefix + mark) for mark in ":." if name.startswith(prefix + mark)), "")
