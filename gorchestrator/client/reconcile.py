"""Comparing notes with executors: what a crash has swallowed between what is stored here and what runs or lies there.

A process that crashes has perhaps stored a result, but not said so: the executor keeps what nobody has acknowledged for
ever. Or it has given an attempt up, which goes on where nobody could be reached. So each executor is asked, whenever
contact to it is made and from time to time, what it has. What is final in the store gets its receipt if it has ended
there, and is killed if it has not. What is not final is left alone: somebody follows it, or it is not ours.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import gevent

from gorchestrator.client.executor import RemoteExecutor
from gorchestrator.client.faults import CallFault
from gorchestrator.common import wire
from gorchestrator.domain.errors import StoreUnavailable

_EVERY = 600.0  # seconds
_AFTER_FAULT = 60.0  # seconds
_LOOK = 1.0  # seconds between two looks whether contact was lost and made again

log = logging.getLogger(__name__)


class Reconciler:
    """Asks every executor, in greenlets of its own."""

    def __init__(
        self, executors: Iterable[RemoteExecutor], stored: Callable[[Sequence[str]], Mapping[str, int]]
    ) -> None:
        """Ask ``stored`` which of some attempts are final in the store, durably, and for the fences of their runs."""
        self._executors = executors
        self._stored = stored
        self._greenlets: list[gevent.Greenlet[..., None]] = []
        self._stopped = False

    def start(self) -> None:
        """Begin, until :meth:`stop`."""
        for executor in self._executors:
            self.join(executor)

    def join(self, executor: RemoteExecutor) -> None:
        """Ask one more executor, until it is stopped."""
        self._begin(gevent.spawn(self._keep, executor), executor)

    def stop(self) -> None:
        """End it."""
        self._stopped = True
        gevent.killall(self._greenlets)

    def _begin(self, greenlet: "gevent.Greenlet[..., None]", executor: RemoteExecutor) -> None:
        self._greenlets.append(greenlet)
        greenlet.link_exception(lambda failed: self._failed(failed, executor))

    def _failed(self, greenlet: "gevent.Greenlet[..., None]", executor: RemoteExecutor) -> None:
        log.error("comparing notes failed; it begins again", exc_info=greenlet.exc_info, extra={"event": "fault"})
        self._greenlets.remove(greenlet)
        if not self._stopped:
            self._begin(gevent.spawn_later(_AFTER_FAULT, self._keep, executor), executor)

    def _keep(self, executor: RemoteExecutor) -> None:
        while not executor.stopped:
            if not executor.contact.wait(_LOOK):
                continue
            times, left = executor.contact.times, _EVERY
            try:
                self.settle(executor)
            except (CallFault, StoreUnavailable) as fault:
                log.info("receipts wait: %s", fault, extra={"event": "receipts_wait", "executor": executor.name})
            while left > 0 and times == executor.contact.times and not executor.stopped:
                gevent.sleep(_LOOK)
                left -= _LOOK

    def settle(self, executor: RemoteExecutor) -> None:
        """Acknowledge what the executor keeps although it is stored, and kill what runs although it was given up."""
        for ids in _pages(executor, "final"):
            for attempt_id in sorted(self._stored(ids)):
                executor.acknowledge(attempt_id)
        for ids in _pages(executor, "open"):
            for attempt_id, fence in sorted(self._stored(ids).items()):
                executor.give_up(attempt_id, fence)


def _pages(executor: RemoteExecutor, state: str) -> Iterator[list[str]]:
    after = ""
    while ids := executor.api.listed(state, after):
        yield ids
        if len(ids) < wire.LIST_LIMIT:
            return
        after = ids[-1]
