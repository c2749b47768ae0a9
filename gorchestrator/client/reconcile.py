"""Receipts that were never sent: a process that crashes has perhaps stored a result, but not said so.

The executor keeps what nobody has acknowledged for ever. So it is asked from time to time what that is, and gets
receipts for what is final in the store. What is not is left alone: somebody follows it, or it is not ours.
"""

import logging
from collections.abc import Callable, Collection, Iterable, Sequence

import gevent

from gorchestrator.client.faults import CallFault
from gorchestrator.client.fleet import RemoteExecutor
from gorchestrator.common import wire
from gorchestrator.domain.errors import StoreUnavailable

_EVERY = 600.0  # seconds
_LOOK = 60.0  # seconds to wait for contact at once

log = logging.getLogger(__name__)


class Reconciler:
    """Asks every executor, once when it is reached and then now and again; for greenlets of its own."""

    def __init__(self, executors: Iterable[RemoteExecutor], stored: Callable[[Sequence[str]], Collection[str]]) -> None:
        """Ask ``stored`` which of some attempts are final in the store, durably."""
        self._executors = executors
        self._stored = stored
        self._greenlets: list[gevent.Greenlet[..., None]] = []

    def start(self) -> None:
        """Begin, until :meth:`stop`."""
        self._greenlets = [gevent.spawn(self._keep, executor) for executor in self._executors]

    def stop(self) -> None:
        """End it."""
        gevent.killall(self._greenlets)

    def _keep(self, executor: RemoteExecutor) -> None:
        while True:
            while not executor.contact.wait(_LOOK):
                pass
            try:
                self.settle(executor)
            except (CallFault, StoreUnavailable) as fault:
                log.info("receipts wait: %s", fault, extra={"event": "receipts_wait", "executor": executor.name})
            gevent.sleep(_EVERY)

    def settle(self, executor: RemoteExecutor) -> None:
        """Acknowledge what the executor keeps although it is stored."""
        after = ""
        while ids := executor.api.finals(after):
            for attempt_id in sorted(self._stored(ids)):
                executor.acknowledge(attempt_id)
            if len(ids) < wire.FINALS_LIMIT:
                return
            after = ids[-1]
