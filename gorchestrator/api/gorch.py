"""The document that a client submits: its shape, checked by marshmallow, node by node so that the hub is not held.

Rules that span fields are the domain's (:mod:`gorchestrator.domain.build`). What a faulty node still has of sound
fields goes there too, so that one answer lists every fault.
"""

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, validate

from gorchestrator.common.http.body import faults as flatten
from gorchestrator.common.text import printable
from gorchestrator.common.wire import text, variable
from gorchestrator.domain.errors import Fault

NAME_LENGTH = 255
ARTIFACT_LENGTH = 2**20  # an inline script
ARGUMENT_LENGTH = 128 * 1024 - 1  # what Linux takes as one argument of a process
LIST_LENGTH = 10_000
_NODES_PER_SLICE = 50  # about 2 ms
_RESERVED = frozenset({"inputs", "when", "if", "foreach", "deadline"})


def _name(value: str) -> None:
    if printable(value) != value:
        raise ValidationError("must not contain control characters")


class _Length(validate.Validator):
    """Says how long a text or a list is and how long it may be, without repeating it."""

    def __init__(self, most: int) -> None:
        self._most = most

    def __call__(self, value: Any) -> Any:
        if len(value) > self._most:
            raise ValidationError(f"has a length of {len(value)}; at most {self._most} is taken")
        return value


_ignored = {"description": "accepted and ignored", "example": 0}


class _Strict(Schema):
    """An unknown key is a mistake and not ignored."""

    class Meta:
        unknown = RAISE


def _seconds(**options: Any) -> fields.Float:
    return fields.Float(allow_nan=False, validate=validate.Range(min=0, max=10**9), **options)


class RetrySchema(_Strict):
    """When a node is tried again."""

    limit = fields.Integer(
        strict=True,
        required=True,
        validate=validate.Range(min=1, max=1000),
        metadata={"description": "most attempts after the first one", "example": 2},
    )
    delay = _seconds(metadata={"description": "seconds before the second attempt; 1 by default", "example": 1})
    factor = fields.Float(
        allow_nan=False,
        validate=validate.Range(min=1, max=100),
        metadata={"description": "by which the delay grows each time; 2 by default", "example": 2},
    )
    max_delay = _seconds(metadata={"description": "most seconds of delay; 300 by default", "example": 300})
    jitter = fields.Float(
        allow_nan=False,
        validate=validate.Range(min=0, max=1),
        metadata={"description": "share of the delay that is left to chance; 0.1 by default", "example": 0.1},
    )
    on = fields.List(
        fields.String(validate=validate.OneOf(["failure", "timeout", "lost"])),
        metadata={"description": "failure and timeout by default", "example": ["failure", "timeout"]},
    )
    exit_codes = fields.List(
        fields.Integer(strict=True, validate=validate.Range(min=0, max=255)),
        validate=_Length(256),
        metadata={
            "description": "after a failure only these exit codes are tried again; all by default",
            "example": [],
        },
    )


class NodeSchema(_Strict):
    """One node of a gorch."""

    id = fields.Integer(
        strict=True,
        metadata={"description": "its row in the matrix; not needed where nodes list their needs", "example": 0},
    )
    name = fields.String(
        required=True,
        validate=[validate.Length(min=1, error="must not be empty"), _Length(NAME_LENGTH), _name],
        metadata={"description": "unique in the gorch", "example": "greet"},
    )
    target = fields.String(
        allow_none=True,
        validate=[_Length(NAME_LENGTH), text, _name],
        metadata={"description": "an executor's name; else handed to the driver", "example": ""},
    )
    engine = fields.String(
        allow_none=True,
        validate=[_Length(NAME_LENGTH), _name],
        metadata={"description": "nil, sleep, or a driver of an executor, such as shell", "example": "shell"},
    )
    artifact = fields.String(
        allow_none=True,
        validate=[_Length(ARTIFACT_LENGTH), text],
        metadata={"description": "what the driver runs; inline where it starts with #!", "example": "echo"},
    )
    args = fields.List(
        fields.String(validate=[_Length(ARGUMENT_LENGTH), text]),
        allow_none=True,
        validate=_Length(LIST_LENGTH),
        metadata={"description": "NAME=get_attribute NODE:OUTPUT stands for an ancestor's output", "example": ["hi"]},
    )
    output = fields.Dict(
        keys=fields.String(validate=[_Length(NAME_LENGTH), text]),
        values=fields.Raw(allow_none=True),
        allow_none=True,
        metadata={"description": "names that the node produces; the values are ignored", "example": {"colour": ""}},
    )
    env = fields.Dict(
        keys=fields.String(validate=variable),
        values=fields.String(validate=[_Length(ARGUMENT_LENGTH), text]),
        allow_none=True,
        metadata={"description": "environment variables of its process", "example": {"MODE": "fast"}},
    )
    needs = fields.List(
        fields.Raw(),
        allow_none=True,
        metadata={"description": "names or ids of its predecessors, instead of a digraph", "example": []},
    )
    timeout = fields.Float(
        allow_none=True,
        allow_nan=False,
        validate=validate.Range(min=0, min_inclusive=False, max=10**9),
        metadata={"description": "seconds from the start of its process until it is killed", "example": 60},
    )
    retry = fields.Nested(RetrySchema, allow_none=True, metadata={"description": "when it is tried again"})
    on_lost = fields.String(
        allow_none=True,
        validate=validate.OneOf(["fail", "retry"]),
        metadata={"description": "what follows an attempt that is lost; fail by default", "example": "fail"},
    )
    allow_failure = fields.Boolean(
        allow_none=True,
        truthy={True},
        falsy={False},
        metadata={"description": "successors run even if it fails, and the graph can succeed", "example": False},
    )
    state = fields.Raw(load_only=True, allow_none=True, metadata=_ignored)
    graph_id = fields.Raw(load_only=True, allow_none=True, metadata=_ignored)


class GorchSchema(_Strict):
    """A graph: nodes, and edges by a digraph or by the needs of its nodes."""

    name = fields.String(allow_none=True, validate=[_Length(NAME_LENGTH), _name], metadata={"example": "hello"})
    digraph = fields.Raw(
        allow_none=True,
        metadata={
            "description": "n*n integers, row by row; non-zero at row r, column c: node c waits for node r",
            "type": "array",
            "items": {"type": "integer"},
            "example": [0, 1, 0, 0],
        },
    )
    nodes = fields.List(fields.Nested(NodeSchema), required=True)
    labels = fields.Dict(
        keys=fields.String(validate=[_Length(NAME_LENGTH), _name]),
        values=fields.String(validate=[_Length(NAME_LENGTH), _name]),
        allow_none=True,
        validate=_Length(100),
        metadata={"example": {"team": "web"}},
    )
    id = fields.Raw(load_only=True, allow_none=True, metadata=_ignored)
    state = fields.Raw(load_only=True, allow_none=True, metadata=_ignored)


_envelope = GorchSchema(exclude=["nodes"])
_node = NodeSchema()


def read_gorch(data: Any, max_nodes: int, pause: Callable[[], None]) -> tuple[Mapping[str, Any], list[Fault]]:
    """Return a gorch's document with all sound fields, and the faults of its shape."""
    if not isinstance(data, Mapping):
        return {}, [Fault("", "must be an object with the key nodes")]
    found: list[Fault] = []
    listed = data.get("nodes")
    document = _load(_envelope, {key: value for key, value in data.items() if key != "nodes"}, "", found)
    if document.get("digraph") is not None and not isinstance(document["digraph"], list):
        found.append(Fault("/digraph", "must be a list of integers"))
        del document["digraph"]
    document["nodes"] = []
    if not isinstance(listed, list) or not listed:
        found.append(Fault("/nodes", "must be a list of at least one node"))
    elif len(listed) > max_nodes:
        found.append(Fault("/nodes", f"has {len(listed)} nodes; at most {max_nodes} are taken (setting max_nodes)"))
    else:
        for place, item in enumerate(listed):
            document["nodes"].append(_load(_node, item, f"/nodes/{place}", found))
            if place % _NODES_PER_SLICE == 0:
                pause()
    if not document["nodes"]:
        document.pop("digraph", None)  # its size would be a fault that says nothing
    return document, found


def _load(schema: Schema, data: Any, pointer: str, faults: list[Fault]) -> dict[str, Any]:
    """Return what is sound of ``data``; what is not is added to ``faults``."""
    try:
        loaded: dict[str, Any] = schema.load(data)
    except ValidationError as error:
        for fault in flatten(error.messages):
            faults.append(Fault(pointer + fault["pointer"], _clear(schema, fault)))
        return dict(error.valid_data) if isinstance(error.valid_data, dict) else {}
    return loaded


def _clear(schema: Schema, fault: Mapping[str, str]) -> str:
    """Say more about a key that is not known than that."""
    if fault["detail"] != "Unknown field.":
        return fault["detail"]
    key = fault["pointer"].lstrip("/")[:100]
    if key in _RESERVED:
        return "is not supported yet"
    near = get_close_matches(key, schema.fields, n=1)
    return "is not a known key" + (f"; is {near[0]!r} meant?" if near else "")
