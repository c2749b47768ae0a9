"""All types of a document, each built when it is first asked for, from its farthest ancestor down."""

from dataclasses import replace
from typing import Any

from gorchestrator.tosca.faults import Place, Report
from gorchestrator.tosca.reading.document import Document
from gorchestrator.tosca.reading.shapes import as_text, only, place_in
from gorchestrator.tosca.reading.source import Map
from gorchestrator.tosca.types import interfaces, sections
from gorchestrator.tosca.types.definitions import EntityType, InterfaceDef, Kind
from gorchestrator.tosca.types.normative import full_name, normative
from gorchestrator.tosca.types.values import PropertyDef, is_primitive, read_definition, type_called

_SECTIONS: dict[Kind, str] = {
    "node": "node_types",
    "relationship": "relationship_types",
    "capability": "capability_types",
    "data": "data_types",
    "artifact": "artifact_types",
    "interface": "interface_types",
    "policy": "policy_types",
    "group": "group_types",
}
_COMMON = ("derived_from", "version", "metadata", "description")
_VALUES = ("properties", "attributes")
_KEYS: dict[Kind, tuple[str, ...]] = {
    "node": (*_VALUES, "requirements", "capabilities", "interfaces", "artifacts"),
    "relationship": (*_VALUES, "interfaces", "valid_target_types", "valid_source_types"),
    "capability": (*_VALUES, "valid_source_types"),
    "data": ("properties", "constraints", "key_schema", "entry_schema", "type"),
    "artifact": ("mime_type", "file_ext", "properties"),
    "policy": ("properties", "targets", "triggers"),
    "group": (*_VALUES, "members", "requirements", "capabilities", "interfaces"),
}


class TypeSystem:
    """The types of one document. Those in its own file are looked at at once, imported ones when they are used."""

    def __init__(self, document: Document, report: Report) -> None:
        self.report = report
        self._document = document
        self._definitions = {section: document.definitions(section) for section in _SECTIONS.values()}
        self._names: dict[tuple[Kind, str, str], str | None] = {}
        self._built: dict[tuple[Kind, str], EntityType] = {}
        for kind, section in _SECTIONS.items():
            for name in document.parts[0].section(section):
                self.find(kind, name)

    def find(self, kind: Kind, name: str, file: str = "") -> EntityType | None:
        """Return a type by its name as it is written in a file (default: the document's own); None if there is none.

        A type of the document goes before one of TOSCA itself.
        """
        full = self.full_name(kind, name, file)
        return self._build(kind, full) if full is not None else None

    def is_data(self, name: str, file: str = "") -> bool:
        """Whether this is the name of a type that a value can have."""
        return is_primitive(name) or self.full_name("data", name, file) is not None

    def full_name(self, kind: Kind, name: str, file: str = "") -> str | None:
        """Return the full name of a type, as it is known in every file, by one as it is written in a file."""
        key = (kind, name, file)
        if key not in self._names:
            section = _SECTIONS[kind]
            known = name if name in self._definitions[section] else None
            self._names[key] = self._document.canonical(section, name, file) or full_name(section, name) or known
        return self._names[key]

    def _raw(self, kind: Kind, name: str) -> tuple[Any, bool]:
        """Return a definition, and whether it is one of TOSCA itself."""
        section = _SECTIONS[kind]
        own = self._definitions[section]
        return (own[name], False) if name in own else (normative()[section][name], True)

    def _build(self, kind: Kind, name: str) -> EntityType:
        """Build a type and those that it derives from; without recursion, for a chain of them may be long."""
        chain = [name]
        while (kind, chain[-1]) not in self._built:
            parent = self._parent(kind, chain)
            if parent is None:
                break
            chain.append(parent)
        above: EntityType | None = None
        for each in reversed(chain):
            if (kind, each) not in self._built:
                self._built[kind, each] = self._made(kind, each, above)
            above = self._built[kind, each]
        return self._built[kind, name]

    def _parent(self, kind: Kind, chain: list[str]) -> str | None:
        """Return the full name of what the last of a chain derives from; None if it is nothing (or a fault)."""
        raw, _ = self._raw(kind, chain[-1])
        place = _place(raw)
        at = place_in(raw, "derived_from", place)
        written = as_text(raw.get("derived_from"), at, self.report) if isinstance(raw, dict) else ""
        if not written or (kind == "data" and is_primitive(type_called(written))):
            return None
        parent = self.full_name(kind, written, place.file)
        if parent is None:
            self.report.fault(at, f"derives from {written}, an unknown {kind} type")
        elif parent in chain:
            way = " → ".join((*chain[chain.index(parent) :], parent))
            self.report.fault(at, f"derives from itself: {way}")
            return None
        return parent

    def _made(self, kind: Kind, name: str, parent: EntityType | None) -> EntityType:
        """Return a type with what it inherits of its parent, which is built."""
        raw, own = self._raw(kind, name)
        place = _place(raw)
        content = raw if isinstance(raw, dict) else {}
        base = parent or EntityType("", kind, place, place.file)
        has = _KEYS.get(kind, ())  # only these are read: a capability that had capabilities would have no end
        if has and not own:
            only(content, place, (*_COMMON, *has), self.report, lenient=True)
        made = EntityType(
            name,
            kind,
            place,
            place.file,
            (parent.name, *parent.derived_from) if parent is not None else (),
            sections.definitions(content, "properties", place, base.properties, self),
            sections.definitions(content, "attributes", place, base.attributes, self),
            sections.capabilities(content, place, base.capabilities, self) if "capabilities" in has else {},
            sections.requirements(content, place, base.requirements, self) if "requirements" in has else {},
            self._interfaces(name, content, place, base) if kind == "interface" or "interfaces" in has else {},
            sections.artifacts(content, place, base.artifacts, self.report) if "artifacts" in has else {},
            self._value(content, place, base) if kind == "data" else None,
        )
        if not own:
            self._check_types(made, base)
        return made

    def _interfaces(
        self, name: str, content: dict[str, Any], place: Place, base: EntityType
    ) -> dict[str, InterfaceDef]:
        if base.kind == "interface":
            return interfaces.of_interface_type(content, name, place, base.interfaces, self.report)
        return interfaces.of_type(content, place, base.interfaces, self)

    def _value(self, content: dict[str, Any], place: Place, base: EntityType) -> PropertyDef | None:
        """Return what a data type narrows, if that is a scalar, a list or a map."""
        written = content.get("type", content.get("derived_from"))
        narrowed = base.value
        if narrowed is None and isinstance(written, str) and is_primitive(type_called(written)):
            narrowed = PropertyDef(written, type_called(written), place)
        if narrowed is None:
            return None
        own = Map(place)
        for key in (key for key in ("constraints", "entry_schema", "key_schema") if key in content):
            own.put(key, content[key], place_in(content, key, place).line)
        refined = read_definition(narrowed.name, own, place, self.report, narrowed)
        inherited = narrowed.constraints if refined.constraints is not narrowed.constraints else ()
        return replace(refined, constraints=(*inherited, *refined.constraints))

    def _check_types(self, made: EntityType, base: EntityType) -> None:
        """Note types of properties and attributes that are not there, unless the parent's are to blame."""
        for known, inherited in ((made.properties, base.properties), (made.attributes, base.attributes)):
            for name, definition in known.items():
                if definition is not inherited.get(name):
                    self._check_type(definition)

    def _check_type(self, definition: PropertyDef) -> None:
        if definition.type and not self.is_data(definition.type, definition.place.file):
            self.report.fault(definition.place, f"is of an unknown type {definition.type}")
        for schema in (definition.entry_schema, definition.key_schema):
            if schema is not None:
                self._check_type(schema)


def _place(raw: Any) -> Place:
    """Return where a definition stands."""
    return raw.place if isinstance(raw, Map) else Place("")
