"""What is known of a topology while it is resolved: drafts of its parts, whose values are worked out on demand."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from gorchestrator.tosca.faults import Place, Report
from gorchestrator.tosca.model import Artifact, Value
from gorchestrator.tosca.reading.document import Document
from gorchestrator.tosca.types.definitions import EntityType
from gorchestrator.tosca.types.system import TypeSystem
from gorchestrator.tosca.types.values import PropertyDef


@dataclass(slots=True, eq=False)
class Slot:
    """A value as it is written, and what it came to. ``failed``: a fault was told; its readers need not tell it again.

    ``needs``: the slot that it asked for last: on a cycle, the way along it. ``handed_over``: to a script, so that
    anything becomes a text.
    """

    label: str  # how messages call it, such as "web.port"
    raw: Value
    place: Place
    context: "Context"
    definition: PropertyDef | None = None
    done: bool = False
    failed: bool = False
    value: Value = None
    needs: "Slot | None" = None
    handed_over: bool = False


Slots = dict[str, Slot]


@dataclass(slots=True, eq=False)
class Owner:
    """What has properties and attributes: a capability, or what derives from this."""

    name: str
    type: EntityType
    place: Place
    properties: Slots = field(default_factory=dict)
    attributes: Slots = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class OperationDraft:
    """An operation whose inputs are not evaluated yet."""

    interface: str
    name: str
    place: Place
    primary: Artifact | None = None
    dependencies: tuple[Artifact, ...] = ()
    timeout: float | None = None
    host: str = ""
    inputs: Slots = field(default_factory=dict)
    outputs: dict[str, tuple[str, ...]] = field(default_factory=dict)


OperationDrafts = dict[str, dict[str, OperationDraft]]


@dataclass(slots=True, eq=False)
class NodeDraft(Owner):
    """A node template on the way. ``substituted``: an imported file could take its place by a topology of its own."""

    content: dict[str, Any] = field(default_factory=dict)
    capabilities: dict[str, Owner] = field(default_factory=dict)
    artifacts: dict[str, Artifact] = field(default_factory=dict)
    interfaces: OperationDrafts = field(default_factory=dict)
    links: list["Link"] = field(default_factory=list)
    substituted: bool = False

    def hosts(self) -> "Iterator[NodeDraft]":
        """Yield what it is hosted on, what that is hosted on, and so on."""
        seen = {self.name}
        at: NodeDraft | None = self
        while at is not None:
            at = next((link.target for link in at.links if link.is_a("tosca.relationships.HostedOn")), None)
            if at is None or at.name in seen:
                return
            seen.add(at.name)
            yield at


@dataclass(slots=True, eq=False, kw_only=True)
class Link(Owner):
    """A requirement that found its target. Its name is that of the requirement."""

    source: NodeDraft
    target: NodeDraft
    capability: str = ""
    interfaces: OperationDrafts = field(default_factory=dict)

    @property
    def place_among(self) -> int:
        """Its place among the links of its source."""
        return self.source.links.index(self)

    def is_a(self, type_name: str) -> bool:
        """Whether its type is this one (full name) or derives from it."""
        return type_name == self.type.name or type_name in self.type.derived_from


@dataclass(frozen=True, slots=True)
class Context:
    """What the words of a function mean where it stands: SELF and HOST, or SOURCE and TARGET, and the inputs."""

    inputs: Mapping[str, Slot]
    node: NodeDraft | None = None
    link: Link | None = None


@dataclass(slots=True, eq=False)
class Scope:
    """Everything that resolving needs to know."""

    document: Document
    types: TypeSystem
    report: Report
    inputs: Slots = field(default_factory=dict)
    nodes: dict[str, NodeDraft] = field(default_factory=dict)
    relationships: dict[str, Owner] = field(default_factory=dict)  # of relationship_templates
    contents: dict[str, dict[str, Any]] = field(default_factory=dict)  # what each of these says
    linked: dict[str, list[Link]] = field(default_factory=dict)  # the links that each of these is the relationship of
    produced: set[tuple[str | Link, str]] = field(default_factory=set)  # whose attributes an operation's outputs set
    _of_type: dict[str, list[NodeDraft]] = field(default_factory=dict)

    @property
    def file(self) -> str:
        """The file of the topology."""
        return self.document.parts[0].file

    @property
    def outside(self) -> Context:
        """The context of what belongs to no node, such as outputs."""
        return Context(self.inputs)

    def add(self, node: NodeDraft) -> None:
        """Add a node template."""
        self.nodes[node.name] = node
        for name in (node.type.name, *node.type.derived_from):
            self._of_type.setdefault(name, []).append(node)

    def of_type(self, name: str) -> list[NodeDraft]:
        """Return the node templates of a type (full name) or of what derives from it."""
        return self._of_type.get(name, [])
