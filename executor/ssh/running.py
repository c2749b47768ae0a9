"""From a job to its outcome: what the engines ``ssh`` and ``toscassh`` do in the same way."""

from collections.abc import Callable

from marshmallow import fields

from executor.config import Config
from executor.drivers.base import Driver, Job, NoOptions
from executor.outcome import Exit, Outcome, failure
from executor.ssh.connections import Connections, shared
from executor.ssh.errand import CannotStart, Ending, Errand
from executor.ssh.request import Unsendable, Work
from executor.ssh.sending import INLINE, Unusable
from gorchestrator.common.reasons import ReasonCode

FIELDS = frozenset({"artifact", "args", "env", "output", "timeout"})


class BadArgument(Exception):
    """An argument is not what the engine takes; the text says what is."""


class Options(NoOptions):
    """What can be said beside the fields."""

    host = fields.String(metadata={"description": "the host, where `target` names an executor"})


class RemoteDriver(Driver):
    """An engine that runs work on another host; what the work is, :meth:`work` says."""

    fields = FIELDS
    options = Options

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.connections: Connections = shared(config)

    def check(self) -> str | None:
        """Return what the OpenSSH client needs here."""
        return self.connections.check()

    def work(self, job: Job) -> Work:
        """Return what a job does. Raises Unusable and BadArgument."""
        raise NotImplementedError

    def run(self, job: Job) -> Outcome:
        """Run a job on its host."""
        target = job.options.get("host") or job.attempt.target
        try:
            ending = Errand(self.connections, job, target, self.config.kill_grace).run(lambda: self.work(job))
        except Unusable as fault:
            return failure(ReasonCode.ARTIFACT, str(fault))
        except (Unsendable, BadArgument) as fault:
            return failure(ReasonCode.ARGUMENT, str(fault))
        except CannotStart as fault:
            return failure(ReasonCode.CONNECTION, str(fault))
        return _outcome(job, target, ending)


def _outcome(job: Job, target: str, ending: Ending) -> Outcome:
    artifact = job.attempt.artifact
    shown = "the inline script" if artifact.startswith(INLINE) or "\n" in artifact else artifact
    if ending.code is None:
        told = (
            f"{target} was restarted, or the job's shell or directory there was removed; what was found of it is dead"
        )
        return job.outcome(Exit(cause="lost", error=told, started_at=job.started_at), shown)
    if ending.fault:
        return failure(ReasonCode.ARTIFACT, _fault(shown, target, ending.fault))
    if ending.code == 0 and ending.too_much:
        return failure(ReasonCode.OUTPUT, "the file of outputs is too large")
    exit = Exit.exited(ending.code, job.started_at)
    found = job.outcome(exit, shown)
    missing = {name: value for name, value in (ending.values or {}).items() if name not in found.output}
    # What was printed beats a variable: only a variable can be an input that was left as it was.
    return job.outcome(exit, shown, missing) if missing and ending.code == 0 else found


FAULTS: dict[str, Callable[[str, str, str], str]] = {
    "absent": lambda shown, target, rest: f"artifact {shown!r} not found on {target}; looked in: {rest}",
    "noexec": lambda shown, target, _: (
        f"artifact {shown} was sent to {target}, where the home directory is mounted noexec: only scripts run there"
    ),
    "barred": lambda shown, target, _: f"artifact {shown} on {target} is not executable (chmod +x)",
    "unreadable": lambda shown, target, _: f"artifact {shown} on {target} cannot be read by its user",
}


def _fault(shown: str, target: str, fault: str) -> str:
    word, _, rest = fault.partition(" ")
    return FAULTS[word](shown, target, rest)
