"""The shapes of what the API answers about tasks, for its docs: schemas that describe what ``answers.py`` writes."""

from marshmallow import Schema, fields

_STATES = "0 initial, 1 torun, 2 running, 3 success, 4 failure, 5 notrunnable, 10 timeout, 11 canceled; final from 3 on"
_ID = "0123456789abcdef0123456789abcdef"
_COUNTS = {"description": "how many nodes are in which state", "example": {"success": 2}}
_TIME = "2026-11-01T12:00:00.000000Z"


class CreatedSchema(Schema):
    """The answer to a submission."""

    id = fields.String(metadata={"description": "32 hex digits", "example": _ID})


class SummarySchema(Schema):
    """A task in the list."""

    id = fields.String(metadata={"example": _ID})
    name = fields.String(metadata={"example": "hello"})
    state = fields.String(metadata={"description": "the state by its name", "example": "success"})
    reason = fields.String(allow_none=True)
    labels = fields.Dict(keys=fields.String(), values=fields.String())
    size = fields.Integer(metadata={"description": "how many nodes it has", "example": 2})
    counts = fields.Dict(keys=fields.String(), values=fields.Integer(), metadata=_COUNTS)
    rerun_of = fields.String(allow_none=True, metadata={"description": "the task whose successes it took over"})
    accepted_date = fields.String(metadata={"description": "RFC 3339, UTC", "example": _TIME})
    start_date = fields.String(allow_none=True, metadata={"description": "RFC 3339, UTC", "example": _TIME})
    stop_date = fields.String(allow_none=True, metadata={"description": "RFC 3339, UTC", "example": _TIME})


class ListSchema(Schema):
    """A page of tasks."""

    tasks = fields.List(fields.Nested(SummarySchema))
    next = fields.String(allow_none=True, metadata={"description": "for cursor, where there are more"})
    seq = fields.Integer(metadata={"description": "the number of the journal's last event at that moment"})


class NodeStateSchema(Schema):
    """A node of a task: as it was submitted, and what has become of it."""

    id = fields.Integer(metadata={"example": 0})
    name = fields.String(metadata={"example": "greet"})
    target = fields.String(metadata={"example": ""})
    engine = fields.String(metadata={"example": "shell"})
    artifact = fields.String(metadata={"example": "echo"})
    args = fields.List(fields.String(), metadata={"example": ["colour=blue"]})
    env = fields.Dict(keys=fields.String(), values=fields.Raw())
    options = fields.Dict(metadata={"description": "as submitted; absent without any", "example": {}})
    needs = fields.List(fields.Integer(), metadata={"description": "ids; absent where there is a digraph"})
    output = fields.Dict(keys=fields.String(), values=fields.String(), metadata={"example": {"colour": "blue"}})
    state = fields.Integer(metadata={"description": _STATES, "example": 3})
    reason = fields.String(allow_none=True, metadata={"description": "why, for people"})
    reason_code = fields.String(allow_none=True, metadata={"description": "why, for programs"})
    attempt = fields.Integer(metadata={"description": "number of the last try, 0 before the first", "example": 1})
    executor = fields.String(allow_none=True, metadata={"example": "executor"})
    start_date = fields.String(allow_none=True, metadata={"example": _TIME})
    stop_date = fields.String(allow_none=True, metadata={"example": _TIME})
    exit_code = fields.Integer(allow_none=True, metadata={"example": 0})


class TaskSchema(Schema):
    """A task: the gorch with the states of its nodes."""

    id = fields.String(metadata={"example": _ID})
    name = fields.String(metadata={"example": "hello"})
    state = fields.Integer(metadata={"description": _STATES, "example": 3})
    reason = fields.String(allow_none=True, metadata={"description": "why, for people"})
    reason_code = fields.String(allow_none=True, metadata={"description": "why, for programs"})
    labels = fields.Dict(keys=fields.String(), values=fields.String())
    deadline = fields.Float(metadata={"description": "seconds, as submitted; absent without one", "example": 3600})
    accepted_date = fields.String(metadata={"example": _TIME})
    start_date = fields.String(allow_none=True, metadata={"example": _TIME})
    stop_date = fields.String(allow_none=True, metadata={"example": _TIME})
    cancel_date = fields.String(allow_none=True, metadata={"description": "when a cancel was asked for"})
    cancel_actor = fields.String(allow_none=True, metadata={"description": "who asked for it"})
    rerun_of = fields.String(allow_none=True, metadata={"description": "the task whose successes it took over"})
    size = fields.Integer(metadata={"description": "how many nodes it has", "example": 2})
    counts = fields.Dict(keys=fields.String(), values=fields.Integer(), metadata=_COUNTS)
    seq = fields.Integer(metadata={"description": "the number of its last event", "example": 17})
    digraph = fields.List(fields.Integer(), metadata={"description": "as submitted; absent where nodes list needs"})
    nodes = fields.List(fields.Nested(NodeStateSchema))


class AttemptSchema(Schema):
    """A try of a node on an executor."""

    attempt = fields.Integer(metadata={"description": "its number, from 1 on", "example": 1})
    state = fields.Integer(metadata={"description": _STATES, "example": 4})
    reason = fields.String(allow_none=True, metadata={"description": "why, for people", "example": "exit status 7"})
    reason_code = fields.String(allow_none=True, metadata={"description": "why, for programs", "example": "exit"})
    exit_code = fields.Integer(allow_none=True, metadata={"example": 7})
    executor = fields.String(metadata={"example": "executor"})
    args = fields.List(fields.String(), metadata={"description": "with the outputs of other nodes in their places"})
    start_date = fields.String(allow_none=True, metadata={"example": _TIME})
    stop_date = fields.String(allow_none=True, metadata={"example": _TIME})
    log_size = fields.Integer(metadata={"description": "bytes it has printed, as far as is stored", "example": 6})


class AttemptsSchema(Schema):
    """The attempts of a node."""

    attempts = fields.List(fields.Nested(AttemptSchema))
    next = fields.Integer(allow_none=True, metadata={"description": "for after, where others follow", "example": None})


class ResolutionSchema(Schema):
    """What was said of an attempt."""

    node = fields.Integer(metadata={"description": "the node's number", "example": 0})
    attempt = fields.Integer(metadata={"example": 1})
    as_ = fields.String(data_key="as", metadata={"example": "success"})
    actor = fields.String(metadata={"description": "who said so first", "example": "127.0.0.1"})
    date = fields.String(metadata={"example": _TIME})


class CertificateSchema(Schema):
    """A certificate in use."""

    kind = fields.String(metadata={"description": "server, client, ca or executor: who shows it", "example": "client"})
    subject = fields.String(metadata={"description": "its common name", "example": "orchestrator"})
    not_after = fields.String(metadata={"description": "until when it holds", "example": _TIME})


class ExecutorViewSchema(Schema):
    """One executor as the orchestrator sees it."""

    name = fields.String(metadata={"example": "executor"})
    url = fields.String(metadata={"example": "https://127.0.0.1:8443"})
    labels = fields.List(fields.String(), metadata={"description": "targets that it takes beside its name"})
    weight = fields.Float(metadata={"description": "its share of the work", "example": 1.0})
    default = fields.Boolean(metadata={"description": "whether it takes nodes for none in particular"})
    reachable = fields.Boolean(metadata={"example": True})
    since = fields.String(allow_none=True, metadata={"description": "since when it is so", "example": _TIME})
    reason = fields.String(allow_none=True, metadata={"description": "why it is not reachable"})
    engines = fields.Dict(keys=fields.String(), values=fields.Dict(), allow_none=True)
    capacity = fields.Integer(allow_none=True, metadata={"example": 16})
    load_ = fields.Integer(data_key="load", allow_none=True, metadata={"example": 0})
    certificate = fields.Nested(CertificateSchema, allow_none=True)


class PingSchema(Schema):
    """The service about itself."""

    status = fields.String(metadata={"example": "success"})
    version = fields.String(metadata={"example": "0.1.0"})
    executors = fields.List(fields.Nested(ExecutorViewSchema))
    certificates = fields.List(fields.Nested(CertificateSchema))
