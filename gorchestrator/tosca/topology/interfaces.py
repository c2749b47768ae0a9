"""Operations of nodes and relationships: what the types say, and over it what the template says, in both notations."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from gorchestrator.tosca.faults import Place
from gorchestrator.tosca.reading.shapes import as_map, as_text, entries, kind_of, listed, only, place_in
from gorchestrator.tosca.topology.implementations import Implementation, read_implementation
from gorchestrator.tosca.topology.parameters import Parameters, path_of
from gorchestrator.tosca.topology.scope import Context, Link, OperationDraft, OperationDrafts, Scope
from gorchestrator.tosca.types.definitions import EntityType

_RESERVED = ("type", "description", "metadata", "inputs", "operations", "notifications")
_KEYS = ("description", "implementation", "inputs", "outputs", "metadata")


@dataclass(slots=True)
class _Merged:
    """An operation while the layers are put over each other."""

    place: Place
    implementation: Implementation = field(default_factory=Implementation)
    parameters: Parameters = field(default_factory=Parameters)
    outputs: dict[str, tuple[str, ...]] = field(default_factory=dict)


class _Builder:
    """Puts the layers of one node's or relationship's operations over each other, the type's first."""

    def __init__(self, kind: EntityType, scope: Scope, context: Context) -> None:
        self._kind = kind
        self._scope = scope
        self._context = context
        owner = context.link or context.node
        self._place = owner.place if owner is not None else kind.place
        self._merged: dict[str, dict[str, _Merged]] = {}
        self._shared: dict[str, Parameters] = {}  # inputs of a whole interface

    def add_type(self) -> None:
        """Add what the type declares."""
        for name, interface in self._kind.interfaces.items():
            self._merged.setdefault(name, {})
            shared = self._shared.setdefault(name, Parameters())
            shared.add(interface.inputs, interface.place, self._scope, by_type=True)
            for operation in chain.from_iterable(interface.operations.values()):
                merged = self._merged[name].setdefault(operation.name, _Merged(operation.place))
                self._put(merged, operation.content, operation.place, operation.file, by_type=True)

    def add(self, section: Any, place: Place, file: str) -> None:
        """Add a section ``interfaces`` of a template (or of a requirement's definition) that stands in ``file``."""
        for written, raw, at in entries(section, place, self._scope.report):
            content = as_map(raw, at, self._scope.report)
            name = self._called(written, content, at)
            if name is None:
                continue
            known = self._merged.setdefault(name, {})
            inputs = content.get("inputs"), place_in(content, "inputs", at)
            self._shared.setdefault(name, Parameters()).add(*inputs, self._scope, by_type=False)
            for operation, given, there in self._operations(content, at):
                if known and operation not in known:
                    text = f"the interface {name} has no operation {operation}; there are {listed(known)}"
                    self._scope.report.fault(there, text)
                else:
                    self._put(known.setdefault(operation, _Merged(there)), given, there, file, by_type=False)

    def drafts(self) -> OperationDrafts:
        """Return what came of it."""
        return {
            name: {operation: self._draft(name, operation, merged) for operation, merged in operations.items()}
            for name, operations in self._merged.items()
        }

    def _called(self, written: str, content: dict[str, Any], place: Place) -> str | None:
        """Return the name that the type gives to an interface, which a template may call by its type as well."""
        if written in self._kind.interfaces:
            return written
        kind = self._scope.types.find("interface", as_text(content.get("type"), place, self._scope.report) or written)
        if kind is None:
            known = listed(self._kind.interfaces)
            self._scope.report.fault(place, f"{self._kind.name} has no interface {written}; there are {known}")
            return None
        for name, interface in self._kind.interfaces.items():
            if interface.type == kind.name:
                return name
        operations = next((each.operations for each in kind.interfaces.values()), {})
        self._merged.setdefault(written, {name: _Merged(place) for name in operations})
        return written

    def _operations(self, content: dict[str, Any], place: Place) -> Iterator[tuple[str, Any, Place]]:
        """Yield the operations of an interface: those below ``operations``, and those directly in it (before 1.3)."""
        report = self._scope.report
        for name, _, at in entries(content.get("notifications"), place_in(content, "notifications", place), report):
            report.warn(at, f"the notification {name} is ignored: nothing notifies the service")
        yield from entries(content.get("operations"), place_in(content, "operations", place), report)
        for name, raw in content.items():
            if name not in _RESERVED:
                yield name, raw, place_in(content, name, place)

    def _put(self, merged: _Merged, raw: Any, place: Place, file: str, *, by_type: bool) -> None:
        """Put one layer over an operation: an implementation, or a map with one, inputs and outputs."""
        if not isinstance(raw, dict) or "file" in raw:
            if isinstance(raw, (bool, int, float)):
                self._scope.report.fault(place, f"must be an implementation or a map, but is {kind_of(raw)}")
            elif raw:
                self._implement(merged, raw, place, file)
            return
        only(raw, place, _KEYS, self._scope.report)
        if raw.get("implementation"):
            at = place_in(raw, "implementation", place)
            self._implement(merged, raw["implementation"], at, file)
            merged.place = place
        merged.parameters.add(raw.get("inputs"), place_in(raw, "inputs", place), self._scope, by_type=by_type)
        for name, path, at in entries(raw.get("outputs"), place_in(raw, "outputs", place), self._scope.report):
            merged.outputs[name] = path_of(path, at, self._scope)

    def _implement(self, merged: _Merged, raw: Any, place: Place, file: str) -> None:
        """Put an implementation over another; one without a file changes what is around the file that there is."""
        found = read_implementation(raw, place, file, self._scope, self._context)
        before = merged.implementation
        if found.primary is None:
            dependencies, timeout = found.dependencies or before.dependencies, found.timeout or before.timeout
            found = Implementation(before.primary, dependencies, timeout, found.host or before.host)
        merged.implementation, merged.place = found, place

    def _draft(self, interface: str, name: str, merged: _Merged) -> OperationDraft:
        shared = self._shared.get(interface, Parameters())
        done = merged.implementation
        self._produced(merged)
        slots = merged.parameters.slots(shared, f"{interface}.{name}", self._context)
        for each in merged.parameters.missing(shared, slots) if done.primary is not None else ():
            self._scope.report.warn(self._place, f"{interface}.{name} goes without its required input {each.name}")
        return OperationDraft(
            interface,
            name,
            self._place if done.primary is None else merged.place,
            done.primary,
            done.dependencies,
            done.timeout,
            done.host,
            slots,
            merged.outputs,
        )

    def _produced(self, merged: _Merged) -> None:
        """Note the attributes that an operation sets: what they were before is of no use then."""
        node, link = self._context.node, self._context.link
        if link is not None:
            ends: dict[str, str | Link] = {"SELF": link, "SOURCE": link.source.name, "TARGET": link.target.name}
        else:
            ends = {"SELF": node.name if node is not None else ""}
        for entity, *_, attribute in (path for path in merged.outputs.values() if len(path) > 1):
            self._scope.produced.add((ends.get(entity, entity), attribute))


def operations_of(
    kind: EntityType, layers: list[tuple[Any, Place, str]], scope: Scope, context: Context
) -> OperationDrafts:
    """Return the operations of a type with layers over them: each a section ``interfaces``, its place and its file."""
    builder = _Builder(kind, scope, context)
    builder.add_type()
    for section, place, file in layers:
        builder.add(section, place, file)
    return builder.drafts()
