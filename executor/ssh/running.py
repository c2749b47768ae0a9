"""What the engines ``ssh`` and ``toscassh`` do in the same way: all but saying what the work is."""

from functools import partial

from marshmallow import fields

from executor.config import Config
from executor.drivers.base import Driver, Job, NoOptions
from executor.outcome import Outcome, failure
from executor.ssh.connections import Connections, shared
from executor.ssh.errand import CannotStart, Errand
from executor.ssh.request import Unsendable, Work
from executor.ssh.sending import Unusable
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
            return Errand(self.connections, job, target, self.config.kill_grace).run(partial(self.work, job))
        except Unusable as fault:
            return failure(ReasonCode.ARTIFACT, str(fault))
        except (Unsendable, BadArgument) as fault:
            return failure(ReasonCode.ARGUMENT, str(fault))
        except CannotStart as fault:
            return failure(ReasonCode.CONNECTION, str(fault))
