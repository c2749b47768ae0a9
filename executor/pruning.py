"""Drops what is not to be kept: ended jobs that are too old, too many or too large, and fences of runs long over."""

import logging
import time
from typing import NoReturn

import gevent

from executor.archive import Archive, Dropped
from executor.book import REMEMBERED
from executor.fences import Fences

EVERY = 600.0  # seconds between two looks at all hours
LOOK = 2.0  # seconds between two looks at what has ended since the last one

log = logging.getLogger(__name__)


class Pruner:
    """Keeps an archive to its limits, in a native thread: there may be a million files to remove."""

    def __init__(self, archive: Archive, fences: Fences) -> None:
        self._archive = archive
        self._fences = fences
        self._told: frozenset[str] = frozenset()  # faults that were logged in the last ten minutes

    def keep_pruning(self) -> NoReturn:
        """Prune from time to time; for a greenlet of its own."""
        due = time.monotonic() + EVERY
        while True:
            gevent.sleep(LOOK)
            whole = time.monotonic() >= due or self._archive.changed
            if whole:
                due = time.monotonic() + EVERY
                self._told = frozenset()
            try:
                if whole:
                    self.prune()
                elif self._archive.restless:
                    self.trim()
            except Exception as error:  # whatever it is, the next time may do
                if self._new([str(error)]):
                    log.exception("cannot drop ended jobs", extra={"event": "prune_failed", "reason": str(error)})

    def prune(self) -> None:
        """Look at everything once."""
        faults: list[str] = []
        pool = gevent.get_hub().threadpool
        pool.apply(self._fences.prune, (REMEMBERED,))
        self._tell(pool.apply(self._archive.prune, (faults,)), faults)

    def trim(self) -> None:
        """Look at what has ended since the last time."""
        faults: list[str] = []
        self._tell(gevent.get_hub().threadpool.apply(self._archive.trim, (faults,)), faults)

    def _tell(self, done: Dropped, faults: list[str]) -> None:
        if done.count:
            extra = {"event": "jobs_pruned", "count": done.count, "bytes": done.size}
            log.info("dropped %d ended jobs, about %d bytes", done.count, done.size, extra=extra)
        for fault in self._new(faults):
            log.warning("cannot drop an ended job: %s", fault, extra={"event": "prune_failed", "reason": fault})

    def _new(self, faults: list[str]) -> list[str]:
        """Return those that were not told yet: what is tried every few seconds would fill the log."""
        found = [fault for fault in faults if fault not in self._told]
        self._told |= frozenset(found)
        return found
