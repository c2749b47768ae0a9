"""The rows that the engine writes and everybody reads: one shape for the journal, its projections and recovery.

A change to a run is one :class:`Change`: an event for the journal, with the whole rows that it brings up to date. Rows
are immutable snapshots, so the last one written wins and a batch of changes may be folded row by row.
Times are seconds since the epoch.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from gorchestrator.common.metrics import Tally
from gorchestrator.common.states import State

ENGINE = "engine"  # the actor of what the service does by itself
#: Events are numbered one by one. With each restore of a backup the bits above these go on by one.
EPOCH_BITS = 32


class Kind(StrEnum):
    """What happened: the kinds of events in the journal."""

    TASK_ACCEPTED = "task_accepted"
    TASK_CLAIMED = "task_claimed"  # a process became its owner
    TASK_RELEASED = "task_released"  # its owner gave it up; any process may claim it at once
    TASK_STARTED = "task_started"
    TASK_CANCEL = "task_cancel"  # somebody asked for its cancellation
    TASK_FINAL = "task_final"
    NODE_WAITS = "node_waits"  # it is torun, and the reason why it waits has changed
    NODE_RUNNING = "node_running"  # an attempt was decided on, or its state on the executor became known
    NODE_FINAL = "node_final"
    NODE_RESOLVE = "node_resolve"  # somebody said how an attempt counts of which nobody knows how it ended


class Answer(StrEnum):
    """What somebody may say of an attempt of which nobody knows how it ended."""

    SUCCESS = "success"
    FAILURE = "failure"
    RETRY = "retry"


@dataclass(frozen=True, slots=True)
class TaskRow:
    """One task: the run of a graph. Only claims change ``owner`` and ``fence``, only requests ``cancel_*``.

    ``counts`` are its nodes by state. ``deadline`` is in seconds from its acceptance. ``elapsed`` are those that had
    passed at ``seen_at``, as its owner says with its beat; they are stored only for a task with a deadline.
    """

    id: str
    name: str
    state: State = State.INITIAL
    reason: str | None = None
    reason_code: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    size: int = 0  # number of nodes
    accepted_at: float = 0.0
    started_at: float | None = None
    stopped_at: float | None = None
    cancel_at: float | None = None
    cancel_actor: str | None = None
    owner: str | None = None
    fence: int = 0
    deadline: float | None = None
    elapsed: float = 0.0
    seen_at: float | None = None
    counts: Mapping[State, int] = field(default_factory=dict)
    rerun_of: str | None = None  # the task whose successes this one takes over


@dataclass(frozen=True, slots=True)
class NodeRow:
    """What is known of one node of a task."""

    task: str
    node: int
    state: State = State.TORUN
    reason: str | None = None
    reason_code: str | None = None
    attempt: int = 0  # the number of the current or last attempt; 0 before the first
    executor: str | None = None
    started_at: float | None = None
    stopped_at: float | None = None
    exit_code: int | None = None
    output: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AttemptRow:
    """One try of a node on an executor. Written before it is dispatched, and again when it has ended."""

    task: str
    node: int
    attempt: int
    executor: str
    instance: str  # the executor's instance id when the attempt was decided on
    args: tuple[str, ...] = ()  # as resolved
    state: State = State.RUNNING
    reason: str | None = None
    reason_code: str | None = None
    started_at: float | None = None
    stopped_at: float | None = None
    exit_code: int | None = None


@dataclass(frozen=True, slots=True)
class Resolution:
    """Somebody's word on how an attempt counts; a success may come with the outputs that successors need."""

    task: str
    node: int
    attempt: int
    answer: Answer
    output: Mapping[str, str]
    actor: str
    at: float


@dataclass(frozen=True, slots=True)
class Change:
    """One event of the journal and the rows that it brings up to date.

    Of ``task_row`` the store writes the state, the reason and the times; owner, fence and cancel stay as they are.
    ``before``: the state that the node leaves. ``counts``: all nodes of the task by state, if that has changed.
    ``tally``: what is to be measured once it is durable.
    """

    kind: Kind
    task: str
    fence: int
    at: float
    actor: str = ENGINE
    task_row: TaskRow | None = None
    node_row: NodeRow | None = None
    attempt_row: AttemptRow | None = None
    before: State | None = None
    counts: Mapping[State, int] | None = None
    tally: Tally = ()


@dataclass(frozen=True, slots=True)
class Request:
    """A request that its sender may repeat: the key that he gave it, and a digest of what he asked for."""

    key: str
    digest: str


@dataclass(frozen=True, slots=True)
class Quota:
    """Who submits, by what tells them apart and by name; and how many tasks they may submit in a minute."""

    client: str
    name: str
    most: int


@dataclass(frozen=True, slots=True)
class Acceptance:
    """A task that comes in, with its nodes (number, name, JSON), to be owned by ``owner`` with fence 1.

    ``digraph``: the JSON of its matrix, if it came with one. ``most``: how many open tasks there may be. ``reused``:
    the rows of nodes that have ended already. ``request``: what is to be taken once, however often it comes.
    ``context``: None unless the task is traced; then the trace context that it was submitted in, or nothing.
    ``quota``: who submits, and how much they may.
    """

    task: TaskRow
    digraph: str | None
    nodes: Sequence[tuple[int, str, str]]
    owner: str
    most: int | None = None
    reused: Sequence[NodeRow] = ()
    request: Request | None = None
    context: str | None = None
    quota: Quota | None = None


@dataclass(frozen=True, slots=True)
class LogChunk:
    """A piece of what an attempt printed. ``offset`` counts all that it has printed before, stored or left out."""

    task: str
    node: int
    attempt: int
    offset: int
    data: bytes


@dataclass(frozen=True, slots=True)
class EventRow:
    """One line of the journal as its readers see it."""

    seq: int
    task: str
    node: int | None
    attempt: int | None
    kind: Kind
    at: float
    actor: str
    data: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Whole:
    """A task with its nodes, each with its JSON as accepted, as of one moment.

    ``digraph``: its matrix as JSON, if that was asked for and submitted. ``seq`` and ``at``: its last event.
    """

    task: TaskRow
    nodes: Sequence[tuple[NodeRow, str]]
    digraph: str | None
    seq: int
    at: float


@dataclass(frozen=True, slots=True)
class TracedNode:
    """What a trace tells of a node: its rows without arguments and outputs. Its attempts in their order."""

    name: str
    engine: str
    row: NodeRow
    attempts: Sequence[AttemptRow]


@dataclass(frozen=True, slots=True)
class Totals:
    """How much there is as of one moment: tasks by state, nodes by state of those that are open, events so far."""

    tasks: Mapping[State, int]
    nodes: Mapping[State, int]
    events: int


@dataclass(frozen=True, slots=True)
class OwnerRow:
    """A process that owns runs.

    ``host`` names the machine and its boot; ``pid_start``, the ticks from then to the start, tells it from a later one.
    """

    id: str
    host: str
    pid: int
    pid_start: float
    beat: int = 0  # grows while the process lives
