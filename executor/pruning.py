"""Drops what was kept long enough: ended jobs by whole hours, and the fences of runs that nobody speaks of any more."""

import logging
from typing import NoReturn

import gevent

from executor.archive import REMEMBERED, Archive
from executor.fences import Fences

log = logging.getLogger(__name__)

EVERY = 600.0  # seconds


def keep_pruning(archive: Archive, fences: Fences) -> NoReturn:
    """Prune from time to time; for a greenlet of its own."""
    while True:
        gevent.sleep(EVERY)
        try:
            prune(archive, fences)
        except Exception as error:  # whatever it is, the next time may do
            log.exception("cannot drop ended jobs", extra={"event": "prune_failed", "reason": str(error)})


def prune(archive: Archive, fences: Fences) -> None:
    """Prune once, in a native thread."""
    pool = gevent.get_hub().threadpool
    pool.apply(fences.prune, (REMEMBERED,))
    faults: list[str] = []
    count = pool.apply(archive.prune, (faults,))
    if count:
        log.info("dropped %d ended jobs", count, extra={"event": "jobs_pruned", "count": count})
    for fault in faults:
        log.warning("cannot drop an ended job: %s", fault, extra={"event": "prune_failed", "reason": fault})
