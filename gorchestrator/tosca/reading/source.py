"""YAML with positions: every map and list knows its file, its lines and its path.

It is built from the parser's events, not by PyYAML's constructors, because these forget lines and keep the last of two
equal keys, and because a hostile template could make them recurse, grow without end or make objects of its choice.
"""

from collections.abc import Iterator
from typing import Any

import yaml

from gorchestrator.tosca.faults import Fault, Place, ToscaError
from gorchestrator.tosca.reading.scalars import Number, resolve

__all__ = ["Map", "Number", "Seq", "parse"]

MAX_DEPTH = 100
MAX_REPEATED = 100_000  # values that aliases repeat, in one file

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the C one is ten times as fast, and not everywhere
_TAG = "tag:yaml.org,2002:"
_PLAIN_TAGS = {f"{_TAG}{name}" for name in ("null", "bool", "int", "float", "timestamp")}


class Map(dict[str, Any]):
    """A YAML map. Keys are text as written; values are Map, Seq, str, int, float (Number), bool or None."""

    __slots__ = ("_lines", "place")

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.place = place
        self._lines: dict[str, int] = {}

    def put(self, key: str, value: Any, line: int) -> None:
        """Set an entry whose key stands in this line."""
        self[key] = value
        self._lines[key] = line

    def at(self, key: str) -> Place:
        """Return the place of an entry: the line of its key, or of this map if it has no such key."""
        return self.place.below(key, line=self._lines.get(key, 0))


class Seq(list[Any]):
    """A YAML list; what it holds is as in :class:`Map`."""

    __slots__ = ("_lines", "place")

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.place = place
        self._lines: list[int] = []

    def put(self, value: Any, line: int) -> None:
        """Append an item that begins in this line."""
        self.append(value)
        self._lines.append(line)

    def at(self, index: int) -> Place:
        """Return the place of an item; of one that is missing, the line of this list."""
        return self.place.below(index, line=self._lines[index] if 0 <= index < len(self._lines) else 0)


def parse(text: bytes, file: str) -> Map:
    """Read one YAML document that is a map; ToscaError tells what is wrong in which line of ``file``."""
    try:
        return _Builder(_decode(text, file), file).document()
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        told = ", ".join(part for part in (error.context, error.problem) if part)
        raise ToscaError([Fault(Place(file, line), f"this is not valid YAML: {told}")]) from None
    except yaml.YAMLError as error:
        raise ToscaError([Fault(Place(file), f"this is not valid YAML: {str(error).splitlines()[0]}")]) from None


def _decode(text: bytes, file: str) -> str:
    encoding = "utf-16" if text.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        return text.decode(encoding)
    except UnicodeDecodeError as error:
        line = text.count(b"\n", 0, error.start) + 1
        raise ToscaError([Fault(Place(file, line), "this is not text in UTF-8")]) from None


class _Builder:
    """Makes maps and lists of events; recursion is no danger, for depth is bounded."""

    def __init__(self, text: str, file: str) -> None:
        self._events: Iterator[Any] = iter(yaml.parse(text, Loader=_Loader))
        self._file = file
        self._anchors: dict[str, Any] = {}
        self._repeated = 0
        self._faults: list[Fault] = []

    def document(self) -> Map:
        """Build the document, raising ToscaError with everything that is wrong."""
        next(self._events)  # the stream begins
        if isinstance(next(self._events), yaml.StreamEndEvent):
            raise self._stop(Place(self._file), "this file is empty")
        first = next(self._events)
        value = self._value(first, Place(self._file, _line(first)))
        next(self._events)  # the document ends
        after = next(self._events)
        if not isinstance(after, yaml.StreamEndEvent):
            raise self._stop(Place(self._file, _line(after)), "a second YAML document begins here: one is expected")
        if not isinstance(value, Map):
            raise self._stop(Place(self._file, _line(first)), "a map is expected here: this is no TOSCA template")
        if self._faults:
            raise ToscaError(self._faults)
        return value

    def _stop(self, place: Place, text: str) -> ToscaError:
        return ToscaError([*self._faults, Fault(place, text)])

    def _value(self, event: Any, place: Place) -> Any:
        if len(place.path) > MAX_DEPTH:
            raise self._stop(Place(self._file, place.line), f"this is nested deeper than {MAX_DEPTH} levels")
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, place)
        if isinstance(event, yaml.ScalarEvent):
            value = self._scalar(event, place)
        elif isinstance(event, yaml.MappingStartEvent):
            value = self._map(event, place)
        else:
            value = self._seq(event, place)
        if event.anchor is not None:
            self._anchors[event.anchor] = value
        return value

    def _map(self, event: Any, place: Place) -> Map:
        self._check_tag(event, "map", place)
        made, merged = Map(place), list[tuple[Any, Place]]()
        for key in iter(self._events.__next__, None):
            if isinstance(key, yaml.MappingEndEvent):
                break
            name, line = self._key(key, place), _line(key)
            below = place.below(name, line=line)
            value = self._value(next(self._events), below)
            if name == "<<" and key.implicit[0]:
                merged.append((value, below))
            elif name in made:
                self._faults.append(Fault(below, f"this key is there twice; the first is in line {made.at(name).line}"))
            else:
                made.put(name, value, line)
        for value, below in merged:
            self._merge(made, value, below)
        return made

    def _key(self, event: Any, place: Place) -> str:
        if isinstance(event, yaml.AliasEvent) and isinstance(alias := self._anchors.get(str(event.anchor)), str):
            return alias
        if not isinstance(event, yaml.ScalarEvent):
            raise self._stop(place.below(line=_line(event)), "a key must be a text")
        if event.anchor is not None:
            self._anchors[event.anchor] = event.value
        return str(event.value)

    def _merge(self, into: Map, value: Any, place: Place) -> None:
        for source in value if isinstance(value, Seq) else [value]:
            if not isinstance(source, Map):
                self._faults.append(Fault(place, "<< takes a map, or a list of maps"))
                continue
            for key, entry in source.items():
                if key not in into:
                    line = source.at(key).line
                    into.put(key, self._copy(entry, into.place.below(key, line=line)), line)

    def _seq(self, event: Any, place: Place) -> Seq:
        self._check_tag(event, "seq", place)
        made = Seq(place)
        for item in iter(self._events.__next__, None):
            if isinstance(item, yaml.SequenceEndEvent):
                break
            line = _line(item)
            made.put(self._value(item, place.below(len(made), line=line)), line)
        return made

    def _alias(self, event: Any, place: Place) -> Any:
        if event.anchor not in self._anchors:
            text = f"the alias *{event.anchor} has no anchor, or stands before or within it"
            raise self._stop(place.below(line=_line(event)), text)
        return self._copy(self._anchors[event.anchor], place)

    def _copy(self, value: Any, place: Place) -> Any:
        """Repeat what an alias names: each copy knows its own path, and the lines of the original."""
        self._repeated += 1
        if self._repeated > MAX_REPEATED:
            raise self._stop(Place(self._file, place.line), f"aliases repeat more than {MAX_REPEATED} values")
        if len(place.path) > MAX_DEPTH:
            raise self._stop(Place(self._file, place.line), f"aliases nest deeper than {MAX_DEPTH} levels")
        if isinstance(value, Map):
            made = Map(place)
            for key, entry in value.items():
                line = value.at(key).line
                made.put(key, self._copy(entry, place.below(key, line=line)), line)
            return made
        if isinstance(value, Seq):
            items = Seq(place)
            for index, entry in enumerate(value):
                line = value.at(index).line
                items.put(self._copy(entry, place.below(index, line=line)), line)
            return items
        return value

    def _scalar(self, event: Any, place: Place) -> Any:
        if event.tag is None or event.tag == "!":
            return resolve(event.value) if event.implicit[0] and event.tag is None else event.value
        if event.tag in _PLAIN_TAGS:
            return resolve(event.value)
        self._check_tag(event, "str", place)
        return event.value

    def _check_tag(self, event: Any, name: str, place: Place) -> None:
        if event.tag not in (None, "!", f"{_TAG}{name}"):
            tag = event.tag.replace(_TAG, "!!")
            self._faults.append(Fault(place.below(line=_line(event)), f"the YAML tag {tag} means nothing in TOSCA"))


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1
