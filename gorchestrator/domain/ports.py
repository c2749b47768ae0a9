"""What the engine needs of the world: the journal, the executors, the tasks of others. ``app.py`` plugs them in.

They stand here and not in the engine, so that the client of the executors need not know the engine.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from gorchestrator.common.reasons import ReasonCode
from gorchestrator.common.states import State
from gorchestrator.domain.attempts import Attempt, Result
from gorchestrator.domain.graph import Graph, Node
from gorchestrator.domain.records import AttemptRow, Change, LogChunk, NodeRow, TaskRow


class Journal(Protocol):
    """The single truth. The order of calls is the order of commits."""

    def post(self, change: Change, failed: Callable[[BaseException], None] | None = None) -> None:
        """Queue a change and return; ``failed`` is called if it is refused."""

    def write(self, change: Change) -> None:
        """Return when a change is durable. Raises Fenced or StoreUnavailable."""

    def sync(self) -> None:
        """Return when everything that was posted before is durable. Raises StoreUnavailable."""

    def append_log(self, chunk: LogChunk) -> None:
        """Queue a piece of a log; blocks while too much is queued."""

    def flush_logs(self, task: str, node: int, attempt: int) -> None:
        """Return when the queued pieces of this log are durable."""


class Note(Protocol):
    """Called when the reason why a node waits or runs has changed; ``state`` where the state changes with it."""

    def __call__(self, code: ReasonCode | None, reason: str | None, state: State | None = None) -> None:
        """Take note; None, None when all is well again."""


class Watch(Protocol):
    """What an executor's client tells about an attempt while it runs."""

    @property
    def log_size(self) -> int:
        """The offset behind what is stored of the attempt's log already."""

    @property
    def fresh(self) -> bool:
        """Whether this process has just decided on the attempt, so that nobody can have sent it before."""

    @property
    def canceling(self) -> bool:
        """Whether its death was asked for: then it is not given up before that is known."""

    @property
    def given_up(self) -> bool:
        """Whether a person has said how it counts: then nobody waits for an executor that is away."""

    def log(self, offset: int, data: bytes) -> None:
        """Store the next piece of the log: it begins at ``offset``, and what is left out before it is a gap."""

    def note(self, code: ReasonCode | None, reason: str | None, state: State | None = None) -> None:
        """See :class:`Note`."""


class Executor(Protocol):
    """One executor, as the engine sees it."""

    @property
    def name(self) -> str:
        """Its name in the configuration."""

    def run(self, attempt: Attempt, watch: Watch) -> Result:
        """Start the attempt, or find it again, and follow it to its end. Raises Fenced or NotTaken."""

    def kill(self, attempt_id: str, fence: int, note: Note) -> None:
        """Return when the death of the attempt is verified; tries until then."""

    def acknowledge(self, attempt_id: str) -> None:
        """Let the executor forget the attempt, soon: its result and log are durable here."""

    def give_up(self, attempt_id: str, fence: int) -> None:
        """Have what may be left of the attempt killed when the executor is back; returns at once."""


class Executors(Protocol):
    """The executors of the configuration."""

    def place(self, node: Node, note: Note) -> AbstractContextManager[tuple[Executor, str]]:
        """Wait until an executor for a node is reachable and can take one more attempt; yields it and its instance id.

        Raises NoExecutor if there is none.
        """

    def named(self, name: str) -> Executor | None:
        """Return an executor by its name, also one that takes nothing new; None if it is not known here."""

    def recall(self, name: str) -> Executor | None:
        """Return an executor by its name, also one that only the store knows any more; blocks.

        Raises StoreUnavailable.
        """

    def takes(self, target: str) -> bool:
        """Whether a node's target is the name of an executor."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A task as recovery finds it."""

    task: TaskRow
    graph: Graph
    nodes: Sequence[NodeRow]
    attempts: Mapping[int, AttemptRow]  # the last one of each node that runs
    log_sizes: Mapping[int, int]  # the offsets behind what is stored of the logs of these attempts
