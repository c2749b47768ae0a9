"""The executor's API on the wire: one protocol module for both of its ends (marshmallow schemas and a few constants).

The executor reads requests with :class:`AttemptSchema` and :class:`NodeSchema`; the other schemas describe its answers.
The orchestrator's client builds the same documents.
"""

import re
import sys
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, validate

ATTEMPT_ID = re.compile(
    r"[0-9a-f]{32}\.[0-9]{1,9}\.[0-9]{1,9}"
)  # run, node, attempt; it becomes the name of a directory
LOG_LIMIT = 64 * 1024  # bytes of log in one answer
PUT_WAIT = 1.0  # seconds: the longest that a PUT waits
GET_WAIT = 50.0  # seconds: the longest that a GET waits
KILL_WAIT = 50.0  # seconds: the longest that a DELETE waits
LOG_AGE = 1.0  # seconds: a waiting GET answers when unread log is this old
RECEIPTS_LIMIT = 500  # ids in one call
LIST_LIMIT = 1000  # ids in one answer
SECRET = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,254}")  # its name
VALUE_LIMIT = 64 * 1024  # bytes of one output
OUTPUT_LIMIT = 2**20  # bytes of all outputs of a node


def text(value: str) -> None:
    """Refuse what cannot become an argument, a variable or a file name of a process."""
    if "\0" in value:
        raise ValidationError("must not contain the character NUL")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValidationError("must be valid Unicode; it has a lone surrogate") from None


def variable(name: str) -> None:
    """Refuse what cannot be the name of an environment variable."""
    text(name)
    if not name or "=" in name:
        raise ValidationError("must be the name of a variable: not empty and without '='")


def attempt_id(value: str) -> None:
    """Refuse what is not the id of an attempt."""
    if not ATTEMPT_ID.fullmatch(value):
        raise ValidationError("must be RUN.NODE.ATTEMPT: 32 hex digits and two numbers")


def _text(**options: Any) -> fields.String:
    return fields.String(validate=text, **options)


class Variable(fields.Field[Any]):
    """The value of an environment variable: a text, or ``{"secret": NAME}``."""

    def __init__(self, most: int = sys.maxsize, **options: Any) -> None:
        """``most``: characters of a text."""
        super().__init__(**options)
        self._most = most

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        if isinstance(value, dict):
            if (
                set(value) != {"secret"}
                or not isinstance(value["secret"], str)
                or not SECRET.fullmatch(value["secret"])
            ):
                raise ValidationError('must be a text, or {"secret": NAME}: letters, digits, dot, dash, underscore')
            return value
        if not isinstance(value, str):
            raise ValidationError('must be a text, or {"secret": NAME}')
        text(value)
        if len(value) > self._most:
            raise ValidationError(f"has a length of {len(value)}; at most {self._most} is taken")
        return value


def _env() -> fields.Dict:
    return fields.Dict(
        keys=fields.String(validate=variable),
        values=Variable(),
        load_default=dict,
        metadata={
            "description": 'environment variables of the process; {"secret": NAME} is replaced by the executor',
            "example": {"MODE": "fast"},
        },
    )


def _options() -> fields.Dict:
    return fields.Dict(
        keys=fields.String(),
        allow_none=True,
        load_default=dict,
        metadata={"description": "options of the engine", "example": {}},
    )


def _timeout() -> fields.Float:
    return fields.Float(
        allow_none=True,
        load_default=None,
        allow_nan=False,
        validate=validate.Range(min=0, min_inclusive=False, max=10**9),
        metadata={"description": "seconds from the start of the process until it is killed", "example": 60},
    )


class AttemptSchema(Schema):
    """One attempt of a node: the body of PUT."""

    class Meta:
        """An unknown field is a mistake and not ignored."""

        unknown = RAISE

    fence = fields.Integer(
        strict=True,
        load_default=0,
        validate=validate.Range(min=0),
        metadata={"description": "number of the run's owner; a lower one than already seen is refused with 409"},
    )
    instance = fields.String(
        allow_none=True,
        load_default=None,
        metadata={"description": "refuse with 412 unless this is the executor's instance id", "example": None},
    )
    name = _text(required=True, metadata={"description": "the node's name", "example": "greet"})
    engine = _text(required=True, metadata={"description": "the driver that runs it", "example": "shell"})
    artifact = _text(load_default="", metadata={"description": "what is run", "example": "echo"})
    args = fields.List(_text(), load_default=list, metadata={"example": ["hello", "world"]})
    target = _text(load_default="", metadata={"description": "where the driver runs it", "example": ""})
    env = _env()
    output = fields.Dict(
        keys=_text(),
        values=fields.Raw(allow_none=True),
        load_default=dict,
        metadata={"description": "names to look for in the log; the values are ignored", "example": {"colour": ""}},
    )
    timeout = _timeout()
    options = _options()


class NodeSchema(Schema):
    """A node as a gorch has it: the body of POST. Its number, state and graph are accepted and ignored."""

    class Meta:
        """An unknown field is a mistake and not ignored."""

        unknown = RAISE

    id = fields.Raw(allow_none=True, load_only=True)
    state = fields.Raw(allow_none=True, load_only=True)
    graph_id = fields.Raw(allow_none=True, load_only=True)
    name = _text(required=True, metadata={"description": "the node's name", "example": "greet"})
    target = _text(load_default="", metadata={"example": ""})
    engine = _text(required=True, metadata={"example": "shell"})
    artifact = _text(load_default="", metadata={"example": "echo"})
    args = fields.List(_text(), allow_none=True, load_default=list, metadata={"example": ["hello", "world"]})
    output = fields.Dict(
        keys=_text(),
        values=fields.Raw(allow_none=True),
        allow_none=True,
        load_default=dict,
        metadata={"example": {"colour": ""}},
    )
    env = _env()
    timeout = _timeout()
    options = _options()


class JobSchema(Schema):
    """What the executor knows of an attempt."""

    id = fields.String(metadata={"example": "00112233445566778899aabbccddeeff.0.1"})
    state = fields.Integer(
        metadata={"description": "1 torun, 2 running, 3 success, 4 failure, 10 timeout, 11 canceled", "example": 3}
    )
    reason = fields.String(allow_none=True, metadata={"description": "why, for people", "example": None})
    reason_code = fields.String(allow_none=True, metadata={"description": "why, for programs", "example": None})
    exit_code = fields.Integer(allow_none=True, metadata={"description": "0 to 255", "example": 0})
    signal = fields.String(allow_none=True, metadata={"description": "such as SIGKILL", "example": None})
    output = fields.Dict(keys=fields.String(), values=fields.String(), metadata={"example": {"colour": "blue"}})
    created_at = fields.DateTime()
    started_at = fields.DateTime(allow_none=True)
    stopped_at = fields.DateTime(allow_none=True)
    queued = fields.Boolean(metadata={"description": "it waits for a free place", "example": False})
    survivors = fields.List(
        fields.Integer(), metadata={"description": "processes that cannot be killed", "example": []}
    )
    log = fields.String(metadata={"description": "base64 of the log's bytes from log_from to log_next"})
    log_from = fields.Integer(metadata={"example": 0})
    log_next = fields.Integer(metadata={"description": "the log_from of the next request", "example": 12})
    log_size = fields.Integer(metadata={"description": "bytes of log that there are now", "example": 12})


class CreatedSchema(Schema):
    """The answer to POST."""

    id = fields.String(metadata={"example": "00112233445566778899aabbccddeeff.0.1"})


class ReceiptsSchema(Schema):
    """Attempts whose results and logs are stored by the one who asked for them."""

    class Meta:
        """An unknown field is a mistake and not ignored."""

        unknown = RAISE

    ids = fields.List(
        fields.String(validate=attempt_id),
        required=True,
        validate=validate.Length(max=RECEIPTS_LIMIT),
        metadata={"example": ["00112233445566778899aabbccddeeff.0.1"]},
    )


class ListedSchema(Schema):
    """Attempts by their ids."""

    ids = fields.List(fields.String(), metadata={"example": ["00112233445566778899aabbccddeeff.0.1"]})


class RefusedReceiptsSchema(Schema):
    """The answer to receipts: those that could not be taken, each with the reason's code."""

    refused = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        metadata={"example": {"00112233445566778899aabbccddeeff.0.1": "job-unknown"}},
    )


class EngineSchema(Schema):
    """One engine of the executor."""

    ok = fields.Boolean(metadata={"description": "whether it can work here", "example": True})
    reason = fields.String(allow_none=True, metadata={"description": "why it cannot, and what to do", "example": None})
    fields_ = fields.List(
        fields.String(),
        data_key="fields",
        metadata={"description": "fields of a node that it honours", "example": ["args", "artifact", "env"]},
    )


class ExecutorSchema(Schema):
    """The executor about itself: the answer to ping."""

    status = fields.String(metadata={"example": "success"})
    name = fields.String(metadata={"example": "executor"})
    version = fields.String(metadata={"example": "0.1.0"})
    instance = fields.String(metadata={"description": "made once in its data directory"})
    engines = fields.Dict(keys=fields.String(), values=fields.Nested(EngineSchema))
    capacity = fields.Integer(metadata={"description": "most jobs at once", "example": 16})
    queue = fields.Integer(metadata={"description": "most jobs that wait", "example": 64})
    load_ = fields.Integer(data_key="load", metadata={"description": "jobs that run", "example": 0})
    queued = fields.Integer(metadata={"description": "jobs that wait", "example": 0})
    draining = fields.Boolean(metadata={"description": "it is about to stop and takes no new jobs", "example": False})
