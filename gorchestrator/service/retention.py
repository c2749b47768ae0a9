"""Tasks that ended long ago, or are too many or too large, are removed in the background, by one process at a time.

It stands beside the use cases and is none: nobody calls it.
"""

import logging
from typing import NoReturn

import gevent
from gevent.event import Event

from gorchestrator.domain.errors import StoreError
from gorchestrator.domain.retention import Due, Limits
from gorchestrator.store import Store
from gorchestrator.store.sweeping import Sweep
from gorchestrator.store.turns import turn

_EVERY = 10.0  # seconds between two looks, which take less than a millisecond

log = logging.getLogger(__name__)


class Retention:
    """Keeps a store to its limits, and its file as small as that makes it."""

    def __init__(self, store: Store, limits: Limits, every: float = _EVERY) -> None:
        """``every``: seconds between two looks."""
        self._limits = limits
        self._changed = Event()
        self._store = store
        self._every = every
        self._shrunk = True  # whether the file is as small as what was removed makes it: not while somebody reads that
        self._greenlet: gevent.Greenlet[[], NoReturn] | None = None

    def use(self, limits: Limits) -> None:
        """Keep the store to other limits, at once."""
        if limits != self._limits:
            self._limits = limits
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
