"""A job is run by its engine's driver, whatever the driver does: the runner gets an outcome."""

import logging
import time
from contextlib import suppress

import gevent

from executor import engines
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
    """Run a job to its end. Where the disk is full it waits for room: a driver finds what it has begun."""
    engine = job.attempt.engine
    if driver is None:  # it was there when the job was accepted
        return failure(ReasonCode.ENGINE, f"this executor has no engine {engine!r} any more")
    while True:
        try:
            job.options = engines.schema(driver.options).load(job.attempt.options)
            return job.masked(driver.run(job))
        except SecretUnavailable as error:
            return failure(ReasonCode.SECRET, str(error))
        except Interrupted as stop:
            return job.outcome(Exit(cause=stop.cause, started_at=job.started_at, stopped_at=time.time()), engine)
        except Exception as error:
            if not (isinstance(error, OSError) and no_room(error)):
                log.exception("engine %s failed", engine, extra=job.ids | {"event": "driver_failed"})
                why = f"a fault of engine {engine}: {type(error).__name__}: {error}"
                return job.masked(failure(ReasonCode.INTERNAL, why))
            storage.missed(error)
        with suppress(OSError):  # the claim needs room, too
            if job.supervised.canceling and job.folder.claim():
                return canceled()
        gevent.sleep(RETRY)
