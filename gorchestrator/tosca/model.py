"""A resolved topology: what the templates mean once types, inputs, requirements and defaults are worked out.

Values (:data:`Value`) are what YAML gives (texts, numbers, booleans, lists, maps, None), with functions evaluated; what
is known only at run time stays in them as :class:`Runtime`, perhaps within a :class:`Text` or a :class:`Token`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gorchestrator.tosca.faults import Place

Value = Any


@dataclass(frozen=True, slots=True)
class Runtime:
    """A value that an operation produces: output ``name`` of what runs ``operation`` on ``node``.

    ``operation``: ``(interface, operation)`` as from get_operation_output; None for an attribute (get_attribute), which
    any operation of the node may have set: the last one that ran before. ``path``: what follows in nested values.
    ``capability``: of which it is an attribute, "" for one of the node itself. ``relationship``: for what belongs to a
    relationship, its place among the requirements of ``node``. ``default``: what it is until it is set, None if nothing
    says.
    """

    node: str
    name: str
    operation: tuple[str, str] | None = None
    path: tuple[str | int, ...] = ()
    capability: str = ""
    relationship: int | None = None
    default: Value = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Text:
    """A text of which parts are known at run time only (concat, join): constants and :class:`Runtime` values."""

    parts: "tuple[str | Runtime | Token, ...]"


@dataclass(frozen=True, slots=True)
class Token:
    """Part ``index`` (from 0) of a text that is known at run time only, split at any character of ``separators``."""

    value: "Runtime | Text | Token"
    separators: str
    index: int


@dataclass(frozen=True, slots=True)
class Artifact:
    """A file or image. ``content``: its bytes if it is in the template's folder or CSAR, else None."""

    name: str
    type: str  # full name of its type, "" if it has none
    file: str  # as it is written
    place: Place
    content: bytes | None = None
    properties: Mapping[str, Value] = field(default_factory=dict)
    derived_from: Sequence[str] = ()  # full names of the types that its type derives from, nearest first


class FileName(str):
    """The file of an artifact, as get_artifact gives it: where it travels along, its reader is told where it lies."""

    artifact: Artifact

    def __new__(cls, artifact: Artifact) -> "FileName":
        """Make it of an artifact."""
        name = super().__new__(cls, artifact.file)
        name.artifact = artifact
        return name


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation that has an implementation, or inputs, or was only declared (``primary`` is None then)."""

    interface: str  # as it is named in the template: Standard, Configure, or a custom name
    name: str
    place: Place
    primary: Artifact | None = None
    dependencies: Sequence[Artifact] = ()
    timeout: float | None = None  # seconds
    host: str = ""  # operation_host: SELF, HOST, SOURCE, TARGET, ORCHESTRATOR, a node's name; "" where not said
    inputs: Mapping[str, Value] = field(default_factory=dict)
    outputs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # name: path of the attribute that it sets


Interfaces = Mapping[str, Mapping[str, Operation]]  # interface name: operation name: operation


@dataclass(slots=True)
class Relationship:
    """A requirement of ``source`` that ``target`` fulfils."""

    requirement: str  # its name in the source
    type: str
    source: str
    target: str
    place: Place
    derived_from: Sequence[str] = ()  # full names, nearest first
    capability: str = ""  # its name in the target
    properties: Mapping[str, Value] = field(default_factory=dict)
    interfaces: Interfaces = field(default_factory=dict)

    def is_a(self, type_name: str) -> bool:
        """Whether its type is this one (full name) or derives from it."""
        return type_name in (self.type, *self.derived_from)


@dataclass(slots=True)
class NodeTemplate:
    """A node template with everything that its types give it."""

    name: str
    type: str
    place: Place
    derived_from: Sequence[str] = ()
    properties: Mapping[str, Value] = field(default_factory=dict)
    attributes: Mapping[str, Value] = field(default_factory=dict)
    capabilities: Mapping[str, Mapping[str, Value]] = field(default_factory=dict)  # name: properties
    artifacts: Mapping[str, Artifact] = field(default_factory=dict)
    interfaces: Interfaces = field(default_factory=dict)
    requirements: list[Relationship] = field(default_factory=list)
    kinds: Mapping[str, str] = field(default_factory=dict)  # what its type declares: property or attribute, its type

    def is_a(self, type_name: str) -> bool:
        """Whether its type is this one (full name) or derives from it."""
        return type_name in (self.type, *self.derived_from)


@dataclass(frozen=True, slots=True)
class Activity:
    """One thing that a workflow step does. ``kind``: call_operation, set_state, delegate or inline.

    ``argument``: ``INTERFACE.OPERATION``, a state, or the name of a workflow; ``inputs``: of the call or the workflow.
    """

    kind: str
    argument: str
    place: Place
    inputs: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WorkflowStep:
    """A step of an imperative workflow. ``target``: a node template or group; ``relationship``: a requirement of it."""

    name: str
    target: str
    place: Place
    activities: Sequence[Activity] = ()
    relationship: str = ""
    operation_host: str = ""
    on_success: Sequence[str] = ()
    on_failure: Sequence[str] = ()
    filters: Sequence[Value] = ()


@dataclass(frozen=True, slots=True)
class Workflow:
    """An imperative workflow. ``preconditions``: as written, each with ``target`` and ``condition``.

    ``missing``: inputs that it requires and that have no value: it cannot be run without them.
    """

    name: str
    place: Place
    steps: Mapping[str, WorkflowStep] = field(default_factory=dict)
    inputs: Mapping[str, Value] = field(default_factory=dict)  # values by name, defaults filled in
    preconditions: Sequence[Value] = ()
    missing: Sequence[str] = ()


@dataclass(slots=True)
class Topology:
    """A service template that is ready to be planned."""

    name: str  # of the file, or metadata.template_name
    nodes: Mapping[str, NodeTemplate]
    inputs: Mapping[str, Value] = field(default_factory=dict)
    outputs: Mapping[str, Value] = field(default_factory=dict)
    workflows: Mapping[str, Workflow] = field(default_factory=dict)
    groups: Mapping[str, Sequence[str]] = field(default_factory=dict)  # name: members
    place: Place = field(default_factory=lambda: Place("template"))  # its file

    def relationships(self) -> Iterator[Relationship]:
        """Yield all relationships, in the order of the templates."""
        for node in self.nodes.values():
            yield from node.requirements

    def host_of(self, node: str) -> str | None:
        """Return the node on which this one is hosted; None if it is on none."""
        for each in self.nodes[node].requirements:
            if each.is_a("tosca.relationships.HostedOn"):
                return each.target
        return None

    def compute_of(self, node: str) -> str | None:
        """Return the Compute node that hosts this one through any number of steps, perhaps itself; None without one."""
        seen: set[str] = set()
        at: str | None = node
        while at is not None and at not in seen:
            if self.nodes[at].is_a("tosca.nodes.Compute"):
                return at
            seen.add(at)
            at = self.host_of(at)
        return None
