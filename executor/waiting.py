"""How long an answer waits (``Prefer: wait``, RFC 7240), and for what."""

import time

import gevent

from executor.files import size_of
from executor.job import Job
from executor.watch import Growth
from gorchestrator.common.wire import LOG_AGE, LOG_LIMIT

LULL = 0.05  # seconds: a busy log is looked at this often while it fills an answer


def for_end(job: Job, seconds: float) -> None:
    """Wait until the job has ended, at most ``seconds``."""
    job.ended.wait(seconds)


def for_change(job: Job, seconds: float) -> None:
    """Wait until the job has ended, or has left the queue, at most ``seconds``."""
    limit = time.monotonic() + seconds
    before = job.state
    while job.state == before and not job.ended.is_set() and (rest := limit - time.monotonic()) > 0:
        gevent.wait([job.ended, job.moved], timeout=rest, count=1)


def for_news(job: Job, growth: Growth, log_from: int, seconds: float) -> None:
    """Wait for a change too, and for the log: until enough of it was not read, or some of that is a second old."""
    before = job.state
    limit = time.monotonic() + seconds
    aged: float | None = None  # when the unread bytes are old enough
    while job.state == before and not job.ended.is_set():
        grown = growth.next(job.folder.log)  # before the look, so that nothing is missed
        unread = size_of(job.folder.log) - log_from
        now = time.monotonic()
        if unread > 0 and aged is None:
            aged = now + LOG_AGE
        until = limit if aged is None else min(limit, aged)
        if unread >= LOG_LIMIT or now >= until:
            return
        if unread > 0:
            job.ended.wait(LULL)
        gevent.wait([job.ended, job.moved, *([grown] if grown else [])], timeout=until - time.monotonic(), count=1)


def for_death(job: Job, seconds: float) -> None:
    """Wait until the job has ended or is known to have survivors, at most ``seconds``."""
    limit = time.monotonic() + seconds
    while not (job.ended.is_set() or job.survivors) and (rest := limit - time.monotonic()) > 0:
        gevent.wait([job.ended, job.moved], timeout=rest, count=1)
