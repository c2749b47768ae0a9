"""What a driver is: two methods, and a declaration of the fields of a node that it honours.

A driver is found by its entry point in the group ``gorchestrator.drivers``, whose name is the engine's. One object
serves all jobs of its engine, so it keeps nothing of a job. ``run`` may be called again for the same job after the
executor was restarted: :meth:`Job.command` then returns the exit of what was started before, and :meth:`Job.begin`
says that the job was begun. After a fault of ``run`` it is called once more in the same way, with a cancel that strikes
in :meth:`Job.interruptible`, so that the driver ends what it has begun elsewhere.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, ClassVar, Protocol

from marshmallow import RAISE, Schema

from executor.attempt import Attempt
from executor.config import Config
from executor.launch import Setup
from executor.outcome import Exit, Outcome


class Job(Protocol):
    """What a driver sees of a job. Its work is a command of this machine, or is done inside of the executor."""

    id: str
    attempt: Attempt
    artifact_dirs: Sequence[str]
    options: Mapping[str, Any]  # of the attempt, as the driver's schema has loaded them

    @property
    def started_at(self) -> float | None:
        """When its work began, in seconds since the epoch; restarts do not change it."""

    @property
    def env(self) -> Mapping[str, str]:
        """The environment for commands: what the executor lets through, the node's, and the ``GORCH_*`` variables."""

    @property
    def node_env(self) -> Mapping[str, str]:
        """Of these, what the node itself gives, secrets included."""

    @property
    def our_env(self) -> Mapping[str, str]:
        """The variables that tell the node who it is."""

    def script(self, text: str) -> str:
        """Write an inline script into the job's directory; returns its path."""

    def keep(self, name: str, text: str) -> str:
        """Write a file of mode 600 into the job's directory before its command is started; returns the path."""

    def read(self, name: str) -> Mapping[str, Any] | None:
        """Return a JSON object that the command has left in the job's directory; None if there is none."""

    def path(self, name: str) -> str:
        """Return the path of a file in the job's directory."""

    def command(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
        setup: Setup | None = None,
    ) -> Exit:
        """Run the job's one command under supervision and return how it ended.

        ``argv[0]`` is a path. Default: the job's environment, a directory of its own. It has the node's timeout.
        Everything that the command started is dead when this returns, unless it succeeded.
        """

    @property
    def begun(self) -> bool:
        """Whether its command was started, or its work begun, perhaps by an executor before this one.

        Then nothing is looked up or checked again that may have changed since: it is found and followed.
        """

    @property
    def elsewhere(self) -> bool:
        """Whether it was begun as work inside of the executor, and not as a command."""

    def begin(self) -> bool:
        """Begin work inside of the executor; False if that was done before a restart: then find what was begun."""

    def interruptible(self) -> AbstractContextManager[None]:
        """Let ``executor.inside.Interrupted`` be raised in what is done here, by a cancel or the node's timeout."""

    def report(self, survivors: Sequence[int]) -> None:
        """Tell which processes cannot be killed."""

    def explain(self, trouble: str | None) -> None:
        """Tell why its work does not get on, such as a host that is away; None: it does."""

    def write(self, data: bytes) -> None:
        """Append to the job's log."""

    def hide(self, data: bytes) -> bytes:
        """Return bytes without the job's secrets: before a part is cut out that is shown to anybody."""

    @property
    def log_size(self) -> int:
        """How many bytes the log has."""

    @property
    def output_file(self) -> str:
        """The path of the file whose ``NAME=value`` lines become outputs."""

    def outcome(
        self, exit: Exit, command: str, output: Mapping[str, str] | None = None, why: str | None = None
    ) -> Outcome:
        """Return what an exit means, with the outputs after success and the last lines of the log after failure.

        ``output``: outputs that the driver has found; they beat those of the log and the file. ``why``: what the driver
        knows of a failure, in place of the last lines.
        """


class NoOptions(Schema):
    """The options of an engine that has none."""

    class Meta:
        """An unknown option is a mistake and not ignored."""

        unknown = RAISE


class Driver(ABC):
    """An engine."""

    #: Fields of a node, beside name, engine and target, that it honours.
    fields: ClassVar[frozenset[str]]
    #: The keys of a node's ``options`` that it honours.
    options: ClassVar[type[Schema]] = NoOptions

    def __init__(self, config: Config) -> None:
        """``config``: the executor's settings, which may be others later: see :meth:`use`."""
        self.config = config

    def use(self, config: Config) -> None:
        """Take other settings from now on; what runs goes on."""
        self.config = config

    def check(self) -> str | None:
        """Return why this engine cannot work here and what to install or configure; None if it can."""
        return None

    @abstractmethod
    def run(self, job: Job) -> Outcome:
        """Run a job to its end. What goes wrong with the node is returned; what is raised is a fault of the driver."""
