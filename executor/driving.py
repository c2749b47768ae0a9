"""A job is run by its engine's driver, whatever the driver does: the runner gets an outcome."""

import logging
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from functools import partial

import gevent

from executor import engines, names
from executor.drivers.base import Driver
from executor.files import no_room
from executor.inside import Interrupted
from executor.job import Job
from executor.outcome import Exit, Outcome, canceled, failure
from executor.secrets import SecretUnavailable
from executor.storage import Storage
from gorchestrator.common.reasons import ReasonCode

log = logging.getLogger(__name__)

RETRY = 1.0  # seconds until a job that could not be started on a full disk is tried again


def drive(driver: Driver | None, job: Job, storage: Storage) -> Outcome:
    """Run a job to its end; after a fault of its driver nothing of it is left either, or its reason says so."""
    engine = job.attempt.engine
    if job.folder.claimed_by() == names.NOBODY:  # an executor before this one has died before it could say so
        return canceled()
    if driver is None:  # it was there when the job was accepted
        return engines.without(job, f"this executor has no engine {engine!r} any more")
    try:
        return job.masked(_patiently(partial(_run, driver, job), job, storage))
    except Exception as error:
        _log(job, "failed", error)
        why = f"a fault of engine {engine}: {type(error).__name__}: {error}"
    try:
        _patiently(partial(_end, driver, job), job, storage)
    except Exception as error:
        _log(job, "failed again", error)
        why += f"; what it has begun cannot be ended, and may still run: {type(error).__name__}: {error}"
        return job.masked(failure(ReasonCode.LOST, why))
    return job.masked(failure(ReasonCode.INTERNAL, why))


def _log(job: Job, what: str, error: Exception) -> None:
    engine, extra = job.attempt.engine, job.ids | {"event": "driver_failed"}
    if job.has_secrets:  # whoever raised it may have put one into its text
        trace = job.mask.text("".join(traceback.format_exception(error)))
        log.error("engine %s %s: %s", engine, what, trace, extra=extra)
    else:
        log.error("engine %s %s", engine, what, exc_info=error, extra=extra)


def _run(driver: Driver, job: Job) -> Outcome:
    job.options = engines.schema(driver.options).load(job.attempt.options)
    return _finished(driver, job)


def _end(driver: Driver, job: Job) -> Outcome:
    """Have what a job has begun ended, as if it had been cancelled while its executor was away."""
    job.kill()
    if job.folder.claim():  # and now it never will be
        return canceled()
    if job.elsewhere:
        return _finished(driver, job)
    job.supervised.detach()
    job.command([])
    return canceled()


def _finished(driver: Driver, job: Job) -> Outcome:
    try:
        return driver.run(job)
    except SecretUnavailable as error:
        return failure(ReasonCode.SECRET, str(error))
    except Interrupted as stop:
        exit = Exit(cause=stop.cause, started_at=job.started_at, stopped_at=time.time())
        return job.outcome(exit, job.attempt.engine)


def _patiently(work: Callable[[], Outcome], job: Job, storage: Storage) -> Outcome:
    """Do it; where the disk is full wait for room, and do it again: a driver finds what it has begun."""
    while True:
        try:
            return work()
        except OSError as error:
            if not no_room(error):
                raise
            storage.missed(error)
        with suppress(OSError):  # the claim needs room, too
            if job.supervised.canceling and job.folder.claim():
                return canceled()
        gevent.sleep(RETRY)
