"""Tasks that ended long ago, or are too many or too large, are removed in the background, by one process at a time.

So are lines of the audit that are not to be kept.

It stands beside the use cases and is none: nobody calls it.
"""

import logging
import time
from typing import NoReturn

import gevent
from gevent.event import Event

from gorchestrator.domain.errors import StoreError
from gorchestrator.domain.retention import Due, Limits
from gorchestrator.store import Store
from gorchestrator.store.sweeping import PAUSE, Sweep
from gorchestrator.store.turns import turn

_EVERY = 10.0  # seconds between two looks, which take less than a millisecond

log = logging.getLogger(__name__)


class Retention:
    """Keeps a store to its limits, and its file as small as that makes it."""

    def __init__(self, store: Store, limits: Limits, every: float = _EVERY, audit: float = 0.0) -> None:
        """``every``: seconds between two looks. ``audit``: for how many seconds its lines are kept; 0: for ever."""
        self._limits = limits
        self._audit = audit
        self._changed = Event()
        self._store = store
        self._every = every
        self._shrunk = True  # whether the file is as small as what was removed makes it: not while somebody reads that
        self._greenlet: gevent.Greenlet[[], NoReturn] | None = None

    def use(self, limits: Limits, audit: float) -> None:
        """Keep the store to other limits, at once."""
        if (limits, audit) != (self._limits, self._audit):
            self._limits, self._audit = limits, audit
            self._changed.set()

    def start(self) -> None:
        """Begin, until :meth:`stop`."""
        self._greenlet = gevent.spawn(self._keep)

    def stop(self) -> None:
        """End it, between two steps or in the middle of one: others go on where it was."""
        if self._greenlet is not None:
            self._greenlet.kill()

    def _keep(self) -> NoReturn:
        while True:
            self._changed.wait(self._every)
            self._changed.clear()
            try:
                self.look()
                self.prune_audit()
            except StoreError as error:
                log.info("nothing can be removed now: %s", error, extra={"event": "store_away"})
            except Exception:
                log.exception("removing tasks failed; it begins again", extra={"event": "fault"})

    def look(self) -> None:
        """Remove what lies beyond the limits, unless another process is about it."""
        if not self._due().anything:
            if not self._shrunk:
                self._shrunk = self._store.reader.checkpoint()
            return
        with turn(self._store.path) as mine:
            if mine:
                self._sweep()

    def prune_audit(self) -> None:
        """Remove the lines of the audit that are not to be kept, unless another process is about it."""
        if not self._audit or (through := self._old_audit()) is None:
            return
        with turn(self._store.path) as mine:
            if not mine or self._old_audit() is None:
                return
            gone = step = self._store.journal.prune_audit(through, begin=True)
            while step:
                gevent.sleep(PAUSE)
                step = self._store.journal.prune_audit(through, begin=False)
                gone += step
        if gone:
            log.info("pruned %d lines of the audit", gone, extra={"event": "audit_pruned", "count": gone})

    def _old_audit(self) -> int | None:
        return self._store.reader.old_audit(time.time() - self._audit)

    def _sweep(self) -> None:
        sweep = Sweep(self._due, self._store.journal.maintain, gevent.sleep)
        try:
            self._shrunk = False
            sweep.run()
            self._shrunk = self._store.reader.checkpoint()
        finally:
            if sweep.tasks:
                told = {"event": "tasks_removed", "count": sweep.tasks, "bytes": sweep.size}
                log.info("removed %d tasks that had ended, about %d bytes", sweep.tasks, sweep.size, extra=told)

    def _due(self) -> Due:
        return self._store.reader.due(self._limits)
