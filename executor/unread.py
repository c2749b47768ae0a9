"""Results that nobody has fetched for weeks are treated as if somebody had: who wanted them does not come any more.

An orchestrator that was given up, or restored from an older backup, never asks for what it does not know, and what
nobody acknowledges would stay for ever, in memory too. It has a module of its own, as it only calls the runner.
"""

import logging
import time
from typing import NoReturn

import gevent

from executor import refusals
from executor.job import Job
from executor.kept import HOUR
from executor.outcome import Outcome
from executor.runner import Runner
from gorchestrator.common.hub import breathe

_EVERY = 600.0  # seconds
_SLICE = 20  # jobs that are put away at once, a few ms of renaming

log = logging.getLogger(__name__)


def keep_forgetting(runner: Runner, hours: float) -> NoReturn:
    """Put away from time to time what nobody fetches; for a greenlet of its own."""
    while True:
        gevent.sleep(_EVERY)
        try:
            forget(runner, hours)
        except (refusals.Refused, OSError) as error:  # the next time may do
            log.error("cannot put a job away: %s", error, extra={"event": "job_not_moved", "reason": str(error)})


def forget(runner: Runner, hours: float) -> None:
    """Put away the jobs that ended so many hours ago and that nobody has acknowledged; 0: none."""
    limit = time.time() - hours * HOUR
    found = [job for job in list(runner.jobs.values()) if hours and job.result and _ended(job.result, job) < limit]
    for place, job in enumerate(found):
        if place % _SLICE == _SLICE - 1:
            breathe()
        if job.id in runner.jobs:  # nobody was faster
            runner.acknowledge(job.id)
    if found:
        extra = {"event": "jobs_unread", "count": len(found)}
        log.warning("nobody has fetched the results of %d jobs for %g hours: put away", len(found), hours, extra=extra)


def _ended(result: Outcome, job: Job) -> float:
    """Return when a job ended; of one that was never started it is known when it came."""
    return result.stopped_at or job.created_at
