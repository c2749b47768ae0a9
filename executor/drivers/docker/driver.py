"""The driver ``docker``: what it honours, whether it can work here, and one run."""

from executor.config import Config
from executor.drivers.base import Driver, Job
from executor.drivers.docker import mounts, options
from executor.drivers.docker.container import Container
from executor.drivers.docker.daemon import Daemon, Refused, Unreachable
from executor.drivers.docker.health import Health
from executor.inside import Interrupted
from executor.outcome import Outcome, failure
from gorchestrator.common.reasons import ReasonCode


class Docker(Driver):
    """Runs the image ``artifact`` with the command ``args``."""

    fields = frozenset({"artifact", "args", "env", "output", "timeout"})
    options = options.Options

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.daemon = Daemon(config)
        self._health = Health(self._ask)

    def use(self, config: Config) -> None:
        """Take other settings, for containers that are made from now on."""
        super().use(config)
        self.daemon.config = config

    def check(self) -> str | None:
        """Return whether the SDK is installed and the daemon answers, as it was a few seconds ago at most."""
        return self._health.fault()

    def run(self, job: Job) -> Outcome:
        """Run a container to its end, or go on with that of an executor before this one."""
        if not job.attempt.artifact:
            return failure(ReasonCode.ARTIFACT, "the node has no artifact: it names the image")
        wanted = mounts.resolve(job.options)
        container = Container(self.daemon, job, wanted)
        # What was started was allowed then; it is followed to its end.
        if not container.notes.started and (fault := options.refused(job.options, wanted, self.config)):
            if job.begun:  # an executor before this one may have made it
                container.discard()
            return failure(ReasonCode.ARGUMENT, fault)
        try:
            return container.run()
        except Interrupted as stop:
            return container.kill(stop.cause)

    def _ask(self) -> str | None:
        try:
            self.daemon.ping()
        except (Unreachable, Refused) as fault:
            return str(fault)
        return None
