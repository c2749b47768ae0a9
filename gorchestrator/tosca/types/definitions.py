"""What a type defines, as templates see it: with all that it inherits."""

from dataclasses import dataclass, field
from typing import Any, Literal

from gorchestrator.tosca.faults import Place
from gorchestrator.tosca.types.values import PropertyDef

Kind = Literal["node", "relationship", "capability", "data", "artifact", "interface", "policy", "group"]


@dataclass(frozen=True, slots=True)
class CapabilityDef:
    """A capability of a node type.

    ``type``: full name; ``properties`` and ``attributes``: what differs from those of the type.
    """

    type: str
    place: Place
    properties: dict[str, PropertyDef] = field(default_factory=dict)
    attributes: dict[str, PropertyDef] = field(default_factory=dict)
    valid_source_types: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RequirementDef:
    """A requirement of a node type; names of types are full ones, "" where nothing is said.

    ``occurrences``: at least and at most, None without a limit. ``relationship_interfaces``: raw, over the type's own.
    """

    capability: str
    place: Place
    file: str
    node: str = ""
    relationship: str = ""
    relationship_interfaces: Any = None
    node_filter: Any = None
    occurrences: tuple[int, int | None] = (1, 1)


@dataclass(frozen=True, slots=True)
class OperationDef:
    """An operation as one type writes it: ``content`` is an implementation, a map with one, or None."""

    name: str
    content: Any
    place: Place
    file: str


@dataclass(frozen=True, slots=True)
class InterfaceDef:
    """An interface. ``type``: full name, "" if it has none; ``inputs``: raw, of all its operations.

    ``operations``: by name what each type says of it, the farthest ancestor first: later ones go over earlier ones.
    """

    type: str
    place: Place
    inputs: dict[str, Any] = field(default_factory=dict)
    operations: dict[str, tuple[OperationDef, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ArtifactDef:
    """An artifact that a node type brings along, raw."""

    content: Any
    place: Place
    file: str


@dataclass(frozen=True, slots=True)
class EntityType:
    """A type. ``derived_from``: full names, nearest first; ``file``: in which it is defined.

    ``value``: of a data type that is no map with fields: the scalar, list or map that it narrows. The operations of an
    interface type are those of the one entry of ``interfaces``.
    """

    name: str
    kind: Kind
    place: Place
    file: str
    derived_from: tuple[str, ...] = ()
    properties: dict[str, PropertyDef] = field(default_factory=dict)
    attributes: dict[str, PropertyDef] = field(default_factory=dict)
    capabilities: dict[str, CapabilityDef] = field(default_factory=dict)
    requirements: dict[str, RequirementDef] = field(default_factory=dict)
    interfaces: dict[str, InterfaceDef] = field(default_factory=dict)
    artifacts: dict[str, ArtifactDef] = field(default_factory=dict)
    value: PropertyDef | None = None
