"""The engines ``nil`` and ``sleep`` on an executor: the orchestrator has them too, for nodes that need none."""

import time

import gevent

from executor.drivers.base import Driver, Job
from executor.outcome import Exit, Outcome, failure
from gorchestrator.common import pauses
from gorchestrator.common.reasons import ReasonCode


class Nil(Driver):
    """Does nothing."""

    fields = frozenset({"artifact", "args", "output"})  # none has an effect: documents of the Go project have them

    def run(self, job: Job) -> Outcome:
        """Succeed."""
        job.begin()
        return job.outcome(Exit.exited(0, time.time()), "nil")


class Sleep(Driver):
    """Waits as many seconds as the first argument says; outputs ``result``."""

    fields = Nil.fields | {"timeout"}

    def run(self, job: Job) -> Outcome:
        """Wait for them, or for what a restart has left of them."""
        try:
            seconds = pauses.seconds(job.attempt.args)
        except ValueError as error:
            return failure(ReasonCode.ARGUMENT, str(error))
        job.begin()
        started_at = job.started_at or time.time()
        with job.interruptible():
            gevent.sleep(min(seconds, max(0.0, started_at + seconds - time.time())))
        return job.outcome(Exit.exited(0, started_at), "sleep", {"result": f"{seconds:.3f}"})
