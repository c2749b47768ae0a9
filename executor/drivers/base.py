"""What a driver is: two methods, and a declaration of the fields of a node that it honours.

A driver is found by its entry point in the group ``gorchestrator.drivers``, whose name is the engine's. One object
serves all jobs of its engine, so it keeps nothing of a job. ``run`` may be called again for the same job after the
executor was restarted: :meth:`Job.command` then returns the exit of what was started before.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar, Protocol

from executor.attempt import Attempt
from executor.outcome import Exit, Outcome


class Job(Protocol):
    """What a driver sees of a job."""

    id: str
    attempt: Attempt
    artifact_dirs: Sequence[str]

    @property
    def env(self) -> Mapping[str, str]:
        """The environment for commands: what the executor lets through, the node's, and the ``GORCH_*`` variables."""

    def script(self, text: str) -> str:
        """Write an inline script into the job's directory; returns its path."""

    def command(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
        timeout: float | None = None,
    ) -> Exit:
        """Run the job's one command under supervision and return how it ended.

        ``argv[0]`` is a path. Default: the job's environment, a directory of its own, the node's timeout. Everything
        that the command started is dead when this returns, unless it succeeded.
        """

    def outcome(self, exit: Exit, command: str) -> Outcome:
        """Return what an exit means, with the outputs after success and the last lines of the log after failure."""


class Driver(ABC):
    """An engine."""

    fields: ClassVar[frozenset[str]]  # fields of a node, beside name, engine and target, that it honours

    def check(self) -> str | None:
        """Return why this engine cannot work here and what to install or configure; None if it can."""
        return None

    @abstractmethod
    def run(self, job: Job) -> Outcome:
        """Run a job to its end. What goes wrong with the node is returned; what is raised is a fault of the driver."""
