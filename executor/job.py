"""One attempt on this executor, from its acceptance until its result is acknowledged."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from gevent.event import Event

from executor import outcome, outputs
from executor.attempt import Attempt, parts
from executor.command import Command
from executor.files import last_lines
from executor.folder import Folder
from executor.outcome import Exit, Outcome
from executor.supervisor import Supervisor
from gorchestrator.common.reasons import ReasonCode
from gorchestrator.common.states import State


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all jobs of an executor have in common."""

    supervisor: Supervisor
    env: Mapping[str, str]  # what nodes get of the executor's own environment
    artifact_dirs: Sequence[str]  # absolute
    grace: float  # seconds between TERM and KILL
    log_limit: int  # bytes that are kept of a log


class Job:
    """What is known of an attempt. Drivers see it as ``executor.drivers.base.Job``."""

    def __init__(self, job_id: str, attempt: Attempt, folder: Folder, created_at: float, around: Surroundings) -> None:
        """``created_at``: seconds since the epoch."""
        self.id = job_id
        self.attempt = attempt
        self.folder = folder
        self.created_at = created_at
        self.artifact_dirs = around.artifact_dirs
        self.base_env = around.env
        self.log_limit = around.log_limit
        self.private = False  # nobody will acknowledge its result
        self.result: Outcome | None = None
        self.ended = Event()
        self.moved = Event()  # set when it starts or has survivors, once: who waits for more takes the next one
        self.supervised = Command(job_id, folder, around.supervisor, around.grace, self._move)

    @property
    def state(self) -> State:
        """Where it is."""
        if self.result:
            return self.result.state
        return State.RUNNING if self.supervised.started_at else State.TORUN

    @property
    def env(self) -> dict[str, str]:
        """The environment for its command."""
        run, _, number = parts(self.id)
        ours = {"GORCH_TASK_ID": run, "GORCH_NODE": self.attempt.name, "GORCH_ATTEMPT": number}
        return {**self.base_env, **self.attempt.env, **ours, "GORCH_OUTPUT": self.folder.output}

    @property
    def ids(self) -> dict[str, object]:
        """What lines of the log about it carry."""
        run, node, attempt = parts(self.id)
        return {"task": run, "node": int(node), "attempt": int(attempt)}

    def _move(self) -> None:
        moved, self.moved = self.moved, Event()
        moved.set()

    def script(self, text: str) -> str:
        """Write an inline script; returns its path."""
        return self.folder.script(text)

    def command(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
        timeout: float | None = None,
    ) -> Exit:
        """Start the command, or find the one that was started before a restart, and wait for its end."""
        order = {
            "argv": list(argv),
            "env": self.env if env is None else dict(env),
            "cwd": cwd or self.folder.workplace(),
            "timeout": self.attempt.timeout if timeout is None else timeout,
        }
        return self.supervised.run(order)

    def outcome(self, exit: Exit, command: str) -> Outcome:
        """Return what an exit means, with the outputs after success and the last lines of the log after failure."""
        lines = "" if exit.status == 0 else last_lines(self.folder.log)
        found = outcome.of(exit, command, lines, self.attempt.timeout)
        if found.state != State.SUCCESS:
            return found
        try:
            values = outputs.collect(self.folder.log, self.log_limit, self.attempt.output, self.folder.output)
        except outputs.OutputTooLarge as fault:
            return replace(found, state=State.FAILURE, reason=str(fault), reason_code=ReasonCode.OUTPUT)
        return replace(found, output=values)
