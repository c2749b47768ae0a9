"""What the engine hands to an executor for one try of a node, and what comes back. Failures are values here."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from gorchestrator.common.reasons import ReasonCode
from gorchestrator.common.states import State
from gorchestrator.domain.graph import Node


def attempt_id(task: str, node: int, number: int) -> str:
    """Return the name of an attempt on its executor."""
    return f"{task}.{node}.{number}"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try of a node, decided on and journalled. ``args`` are resolved; ``fence`` is that of the run."""

    task: str
    node: Node
    number: int
    args: tuple[str, ...]
    instance: str
    fence: int

    @property
    def id(self) -> str:
        """The name of the attempt on its executor."""
        return attempt_id(self.task, self.node.id, self.number)


class NoExecutor(Exception):
    """No executor of the configuration is for a node; the text says why."""


class NotTaken(Exception):
    """The executor has surely not started the attempt, and never will: another one may be decided on."""


@dataclass(frozen=True, slots=True)
class Result:
    """How an attempt ended. Times are seconds since the epoch, by the executor's clock.

    ``verified``: nothing of it can be running any more.
    """

    state: State
    reason: str | None = None
    reason_code: ReasonCode | None = None
    exit_code: int | None = None
    output: Mapping[str, str] = field(default_factory=dict)
    started_at: float | None = None
    stopped_at: float | None = None
    verified: bool = True
