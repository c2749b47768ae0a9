"""Drops what was kept long enough: ended jobs by whole hours, and the fences of runs that nobody speaks of any more."""

import logging
from typing import NoReturn

import gevent

from executor.archive import REMEMBERED, Archive
from executor.fences import Fences

log = logging.getLogger(__name__)

EVERY = 600.0  # seconds


def keep_pruning(archive: Archive, fences: Fences) -> NoReturn:
    """Prune from time to time, in a native thread; for a greenlet of its own."""
    pool = gevent.get_hub().threadpool
    while True:
        gevent.sleep(EVERY)
        pool.apply(fences.prune, (REMEMBERED,))
        if count := pool.apply(archive.prune):
            log.info("dropped %d ended jobs", count, extra={"event": "jobs_pruned", "count": count})
