"""The document that a client submits: its shape as marshmallow schemas. :mod:`gorchestrator.api.reading` applies them.

Rules that span fields are the domain's (:mod:`gorchestrator.domain.build`).
"""

import json
from difflib import get_close_matches
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, validate

from gorchestrator.api.booleans import TrueOrFalse
from gorchestrator.common.text import printable
from gorchestrator.common.wire import Variable, text, variable
from gorchestrator.domain.retry import AGAIN, ASK, FAIL

NAME_LENGTH = 255
ARTIFACT_LENGTH = 2**20  # an inline script
ARGUMENT_LENGTH = 128 * 1024 - 1  # what Linux takes as one argument of a process
LIST_LENGTH = 10_000
NAMES = 1000  # outputs or variables of a node
OPTIONS_SIZE = 64 * 1024  # bytes
_LISTED = 20  # faulty arguments of a node
_RESERVED = frozenset({"inputs", "when", "if", "foreach"})


def _name(value: str) -> None:
    if len(value) <= NAME_LENGTH and printable(value) != value:  # a longer one is refused for that
        raise ValidationError("must not contain control characters")


class Length(validate.Validator):
    """Says how long a text or a list is and how long it may be, without repeating it."""

    def __init__(self, most: int) -> None:
        self._most = most

    def __call__(self, value: Any) -> Any:
        """Be a validator of marshmallow."""
        if fault := self.fault(value):
            raise ValidationError(fault)
        return value

    def fault(self, value: Any) -> str:
        """Return what is wrong, if anything is."""
        length = len(value)
        return f"has a length of {length}; at most {self._most} is taken" if length > self._most else ""


def _list(value: Any) -> None:
    if not isinstance(value, list):
        raise ValidationError("must be a list")


def _options(value: dict[str, Any]) -> None:
    size = len(json.dumps(value))
    if size > OPTIONS_SIZE:
        raise ValidationError(f"has {size} bytes as JSON; at most {OPTIONS_SIZE} are taken")


class _Texts(fields.List[Any]):
    """A list of texts for a process. Sound ones, as most are, are not loaded one by one: that takes 8 times as long."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> list[Any]:
        if not isinstance(value, list):
            return super()._deserialize(value, *args, **kwargs)
        if not _all_sound(value):
            faulty = [index for index, item in enumerate(value) if not _all_sound([item])]
            raise ValidationError({index: self._fault(value[index]) for index in faulty[:_LISTED]})
        return value

    def _fault(self, item: Any) -> Any:
        try:
            self.inner.deserialize(item)
        except ValidationError as error:
            return error.messages


def _all_sound(texts: list[Any]) -> bool:
    try:
        text("".join(texts))
    except (TypeError, ValidationError):
        return False
    return max(map(len, texts), default=0) <= ARGUMENT_LENGTH


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
        validate=Length(3),
        metadata={"description": "failure and timeout by default", "example": ["failure", "timeout"]},
    )
    exit_codes = fields.List(
        fields.Integer(strict=True, validate=validate.Range(min=0, max=255)),
        validate=Length(256),
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
        validate=[validate.Length(min=1, error="must not be empty"), Length(NAME_LENGTH), _name],
        metadata={"description": "unique in the gorch", "example": "greet"},
    )
    target = fields.String(
        allow_none=True,
        validate=[Length(NAME_LENGTH), text, _name],
        metadata={"description": "an executor's name; else handed to the driver", "example": ""},
    )
    engine = fields.String(
        allow_none=True,
        validate=[Length(NAME_LENGTH), _name],
        metadata={"description": "nil, sleep, or a driver of an executor, such as shell", "example": "shell"},
    )
    artifact = fields.String(
        allow_none=True,
        validate=[Length(ARTIFACT_LENGTH), text],
        metadata={"description": "what the driver runs; inline where it starts with #!", "example": "echo"},
    )
    args = _Texts(
        fields.String(validate=[Length(ARGUMENT_LENGTH), text]),
        allow_none=True,
        validate=Length(LIST_LENGTH),
        metadata={"description": "NAME=get_attribute NODE:OUTPUT stands for an ancestor's output", "example": ["hi"]},
    )
    output = fields.Dict(
        keys=fields.String(validate=[Length(NAME_LENGTH), text]),
        values=fields.Raw(allow_none=True),
        allow_none=True,
        validate=Length(NAMES),
        metadata={"description": "names that the node produces; the values are ignored", "example": {"colour": ""}},
    )
    env = fields.Dict(
        keys=fields.String(validate=variable),
        values=Variable(ARGUMENT_LENGTH),
        allow_none=True,
        validate=Length(NAMES),
        metadata={
            "description": 'environment variables of its process; {"secret": NAME} is replaced by its executor',
            "example": {"MODE": "fast"},
        },
    )
    options = fields.Dict(
        keys=fields.String(validate=[Length(NAME_LENGTH), text]),
        allow_none=True,
        validate=[Length(NAMES), _options],
        metadata={"description": "options of its engine, which checks them", "example": {}},
    )
    needs = fields.Raw(  # the domain looks at each of them
        allow_none=True,
        validate=_list,
        metadata={
            "description": "names or ids of its predecessors, instead of a digraph",
            "type": "array",
            "items": {},
            "example": [],
        },
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
        validate=validate.OneOf([FAIL, AGAIN, ASK]),
        metadata={
            "description": "what follows an attempt that is lost: fail by default; ask waits for gorch resolve",
            "example": "fail",
        },
    )
    allow_failure = TrueOrFalse(
        allow_none=True,
        metadata={"description": "successors run even if it fails, and the graph can succeed", "example": False},
    )
    state = fields.Raw(load_only=True, allow_none=True, metadata=_ignored)
    graph_id = fields.Raw(load_only=True, allow_none=True, metadata=_ignored)


class GorchSchema(_Strict):
    """A graph: nodes, and edges by a digraph or by the needs of its nodes."""

    name = fields.String(allow_none=True, validate=[Length(NAME_LENGTH), _name], metadata={"example": "hello"})
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
    deadline = fields.Float(
        allow_none=True,
        allow_nan=False,
        validate=validate.Range(min=0, min_inclusive=False, max=10**9),
        metadata={"description": "seconds from its acceptance until what is not done is stopped", "example": 3600},
    )
    labels = fields.Dict(
        keys=fields.String(validate=[Length(NAME_LENGTH), _name]),
        values=fields.String(validate=[Length(NAME_LENGTH), _name]),
        allow_none=True,
        validate=Length(100),
        metadata={"example": {"team": "web"}},
    )
    id = fields.Raw(load_only=True, allow_none=True, metadata=_ignored)
    state = fields.Raw(load_only=True, allow_none=True, metadata=_ignored)


def unknown_key(schema: Schema, key: str, *, suggest: bool) -> str:
    """Return what is wrong with a key that the schema does not have."""
    if key in _RESERVED:
        return "is not supported yet"
    near = get_close_matches(key[:100], schema.fields, n=1) if suggest else []
    return "is not a known key" + (f"; is {near[0]!r} meant?" if near else "")
