"""One attempt on this executor, from its acceptance until its result is acknowledged."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from io import FileIO
from typing import Any

from gevent.event import Event

from executor import names, outcome, outputs
from executor.attempt import Attempt, parts
from executor.command import Command
from executor.files import last_lines, private, size_of, write_all
from executor.folder import Folder
from executor.inside import CANCEL, Inside
from executor.launch import Setup
from executor.masking import Mask
from executor.outcome import Exit, Outcome
from executor.secrets import Secrets, SecretUnavailable
from executor.supervisor import Supervisor
from gorchestrator.common import traceparent
from gorchestrator.common.reasons import ReasonCode
from gorchestrator.common.states import State

NOTHING_TO_HIDE = Mask(())


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all jobs of an executor have in common."""

    supervisor: Supervisor
    env: Mapping[str, str]  # what nodes get of the executor's own environment
    artifact_dirs: Sequence[str]  # absolute
    grace: float  # seconds between TERM and KILL
    log_limit: int  # bytes that are kept of a log
    secrets: Secrets


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
        self.options: Mapping[str, Any] = attempt.options  # then as the engine's schema has loaded them
        self._known = around.secrets
        self._secrets: Mapping[str, str] | None = None  # values by their names
        self._mask: Mask | None = None
        self.supervised = Command(job_id, folder, around.supervisor, around.grace, self._move)
        self._inside = Inside(folder, attempt.timeout, self._move)

    @property
    def state(self) -> State:
        """Where it is."""
        if self.result:
            return self.result.state
        return State.RUNNING if self.started_at else State.TORUN

    @property
    def started_at(self) -> float | None:
        """When its work began."""
        return self.supervised.started_at or self._inside.started_at

    @property
    def begun(self) -> bool:
        """Whether its command was started, or its work begun, perhaps by an executor before this one."""
        return self.folder.claimed_by() is not None

    @property
    def elsewhere(self) -> bool:
        """Whether its work was begun inside of an executor, and not as a command."""
        return self.folder.claimed_by() == names.INSIDE

    @property
    def survivors(self) -> list[int]:
        """Processes that cannot be killed."""
        return self.supervised.survivors or self._inside.survivors

    @property
    def env(self) -> dict[str, str]:
        """The environment for its command. Raises SecretUnavailable."""
        return {**self.base_env, **self.node_env, **self.our_env, "GORCH_OUTPUT": self.folder.output}

    @property
    def our_env(self) -> dict[str, str]:
        """The variables that tell a node who it is, and in which trace unless it says that itself."""
        run, _, number = parts(self.id)
        told = {"GORCH_TASK_ID": run, "GORCH_NODE": self.attempt.name, "GORCH_ATTEMPT": number}
        traced = self.attempt.traceparent and traceparent.VARIABLE not in self.attempt.env
        return {**told, traceparent.VARIABLE: self.attempt.traceparent} if traced else told

    @property
    def node_env(self) -> dict[str, str]:
        """The variables of the node, secrets included. Raises SecretUnavailable."""
        secrets = self._revealed()
        return {
            name: value if isinstance(value, str) else secrets[value["secret"]]
            for name, value in self.attempt.env.items()
        }

    @property
    def has_secrets(self) -> bool:
        """Whether there may be something to hide in what it prints."""
        return any(not isinstance(value, str) for value in self.attempt.env.values())

    @property
    def mask(self) -> Mask:
        """What hides its secrets, made when they are known; of what was not begun there is nothing to hide."""
        if self._mask is None:
            if self._secrets is None and self.folder.claimed_by() in (None, names.NOBODY):
                return NOTHING_TO_HIDE
            try:
                self._mask = Mask(self._revealed().values())
            except SecretUnavailable:  # so it was not started with them
                return NOTHING_TO_HIDE
        return self._mask

    def hide(self, data: bytes) -> bytes:
        """Return bytes without its secrets."""
        return self.mask.data(data)

    def masked(self, outcome: Outcome) -> Outcome:
        """Return an outcome whose reason has no secrets, whatever a driver has put there."""
        if not self.has_secrets or outcome.reason is None:
            return outcome
        return replace(outcome, reason=self.mask.text(outcome.reason))

    def _revealed(self) -> Mapping[str, str]:
        """Return its secrets as they were when it first needed them, whatever becomes of them later."""
        if self._secrets is None:
            wanted = {value["secret"] for value in self.attempt.env.values() if not isinstance(value, str)}
            known = self.folder.read(names.SECRETS) if wanted else {}
            if known is None or not all(isinstance(known.get(name), str) for name in wanted):  # the job can write it
                known = {name: self._known.value(name) for name in sorted(wanted)}
                self.folder.write(names.SECRETS, known)
            self._secrets = known
        return self._secrets

    @property
    def ids(self) -> dict[str, object]:
        """What lines of the log about it carry."""
        run, node, attempt = parts(self.id)
        return {"task": run, "node": int(node), "attempt": int(attempt)}

    def _move(self) -> None:
        moved, self.moved = self.moved, Event()
        moved.set()

    # -- work inside of the executor

    def begin(self) -> bool:
        """Begin such work; False if that was done before a restart."""
        return self._inside.begin()

    def interruptible(self) -> AbstractContextManager[None]:
        """Let :class:`Interrupted` be raised in what is done here."""
        return self._inside.interruptible()

    def report(self, survivors: Sequence[int]) -> None:
        """Tell which processes cannot be killed."""
        self._inside.report(list(survivors))

    def explain(self, trouble: str | None) -> None:
        """Tell why its work does not get on; None: it does."""
        self._inside.explain(trouble)

    @property
    def trouble(self) -> str | None:
        """Why its work does not get on."""
        return self._inside.trouble

    def kill(self) -> None:
        """Have its work ended, wherever that is done."""
        self.supervised.kill()
        self._inside.interrupt(CANCEL)

    def write(self, data: bytes) -> None:
        """Append to its log."""
        with FileIO(self.folder.log, "a", opener=private) as file:
            write_all(file.fileno(), data)

    @property
    def log_size(self) -> int:
        """How many bytes its log has."""
        return size_of(self.folder.log)

    @property
    def output_file(self) -> str:
        """The path of the file whose lines become outputs."""
        return self.folder.output

    # -- a command of this machine

    def script(self, text: str) -> str:
        """Write an inline script; returns its path."""
        return self.folder.script(text)

    def keep(self, name: str, text: str) -> str:
        """Write a file of mode 600 into its directory before its command is started; returns the path."""
        return self.folder.keep(name, text)

    def read(self, name: str) -> Mapping[str, Any] | None:
        """Return a JSON object that its command has left in its directory; None if there is none."""
        return self.folder.read(name)

    def path(self, name: str) -> str:
        """Return the path of a file in its directory."""
        return f"{self.folder.path}/{name}"

    def command(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
        setup: Setup | None = None,
    ) -> Exit:
        """Start the command, or find the one that was started before a restart, and wait for its end."""
        order = {
            "argv": list(argv),
            "env": self.env if env is None else dict(env),
            "cwd": cwd or self.folder.workplace(),
            "timeout": self.attempt.timeout,
            "setup": None if setup is None else setup.to_json(),
        }
        if setup is not None and setup.user is not None:
            self.folder.open_to(setup.user.uid, setup.user.gid)
        return self.supervised.run(order)

    def outcome(
        self, exit: Exit, command: str, output: Mapping[str, str] | None = None, why: str | None = None
    ) -> Outcome:
        """Return what an exit means, with the outputs after success and the last lines of the log after failure.

        ``output``: outputs that the driver has found; they beat those of the log and the file. ``why``: what the driver
        knows of a failure, in place of the last lines.
        """
        mask = self.mask
        said = "" if exit.status == 0 else mask.text(why or "") or last_lines(self.folder.log, mask.end, mask.reach)
        found = outcome.of(exit, command, said, self.attempt.timeout)
        if found.state != State.SUCCESS:
            return found
        try:
            values = outputs.collect(
                self.folder.log, self.log_limit, self.attempt.output, self.folder.output, output or {}
            )
        except outputs.OutputTooLarge as fault:
            return replace(found, state=State.FAILURE, reason=str(fault), reason_code=ReasonCode.OUTPUT)
        return replace(found, output=mask.outputs(values))
