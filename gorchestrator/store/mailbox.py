"""What greenlets hand to the thread that writes, and who is woken when it is done. See ``writer.py``."""

import logging
import sqlite3
from collections import deque
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Any

import gevent
from gevent.event import AsyncResult
from gevent.threadpool import ThreadPool

from gorchestrator.domain.errors import StoreDamaged, StoreUnavailable
from gorchestrator.domain.measures import Measures
from gorchestrator.domain.records import Change, LogChunk
from gorchestrator.store.batch import Item, Verb
from gorchestrator.store.damage import Damage
from gorchestrator.store.logs import Gate
from gorchestrator.store.writer import Report, Writer

_ENDED = "The thread of the journal has ended: restart the service."

log = logging.getLogger(__name__)


class Mailbox:
    """The queue towards the thread, which it starts and ends; but for ``_receive`` all runs in the hub's thread."""

    def __init__(
        self,
        path: Path,
        *,
        wrote: Callable[[sqlite3.Connection], None],
        committed: Callable[[], None],
        damage: Damage,
        patience: float,
        measures: Measures,
    ) -> None:
        """Call ``wrote`` in the thread after each commit, ``committed`` in the hub when new events are durable."""
        hub = gevent.get_hub()
        self._committed = committed
        self._damage = damage
        self._patience = patience
        self.gate = Gate()  # that logs wait at
        self._reports: deque[Report] = deque()
        self._fault: str | None = None
        self._closed = False
        self._wake = hub.loop.async_()
        self._wake.start(self._settle)
        self._writer = Writer(path, self._receive, patience, measures, wrote)
        # A pool of one: a native thread, known to coverage and to fork, whose end can be waited for.
        self._pool = ThreadPool(1, hub=hub)
        self._thread = self._pool.spawn(self._writer.run)
        self._thread.rawlink(self._ended)

    def put(self, item: Item) -> None:
        """Queue an item. Raises StoreUnavailable or StoreDamaged if nothing will be written any more."""
        if self._closed:
            raise StoreUnavailable("The store is closed: this process is about to end.")
        self._damage.check()
        if self._thread.ready():
            raise StoreUnavailable(_ENDED)
        self._writer.put(item)

    def wait(self, work: Change | Verb, *, in_logs: bool = False) -> Any:
        """Return what comes of some work when it is durable. Raises what it raises, and StoreUnavailable."""
        waiter: AsyncResult[Any] = AsyncResult()
        self.put(Item(work, waiter=waiter, deadline=monotonic() + self._patience, in_logs=in_logs))
        return waiter.get()

    @property
    def fault(self) -> str | None:
        """What keeps the journal from being written, None if nothing is known to."""
        return _ENDED if self.ended else self._fault

    @property
    def ended(self) -> bool:
        """Whether nothing can be written any more by this process, though nobody has asked for that."""
        return bool(self._thread.ready()) and not self._closed

    def close(self) -> None:
        """Write what is queued and end the thread."""
        if not self._closed:
            self._closed = True
            self._writer.stop()
            self._thread.wait()
            self._settle()
            self._wake.stop()
            self._wake.close()
            self._pool.kill()

    def _receive(self, report: Report) -> None:
        """Take a report, in the writer's thread."""
        self._reports.append(report)
        self._wake.send()

    def _settle(self) -> None:
        """Do what the reports ask for, in the hub, so without blocking."""
        while self._reports:
            report = self._reports.popleft()
            if report.damaged:
                self._damage.found(report.fault or "")
            else:
                self._note(report.fault)
            for item in report.done:
                self._settle_item(item)
            if report.events:
                self._committed()

    def _settle_item(self, item: Item) -> None:
        if isinstance(item.work, LogChunk):
            self.gate.leave(item.work)
        if item.waiter is not None:
            if item.error is None:
                item.waiter.set(item.value)
            else:
                item.waiter.set_exception(item.error)
        elif item.error is not None:
            self._refused(item, item.error)

    def _refused(self, item: Item, error: BaseException) -> None:
        if item.failed is None and isinstance(error, StoreDamaged):
            return  # that was told already, once for all
        if item.failed is None:
            log.error("the journal refused a change: %s", error, extra={"event": "change_refused", **_ids(item)})
            return
        try:
            item.failed(error)
        except Exception:
            log.exception("a callback failed", extra={"event": "callback_failed", **_ids(item)})

    def _ended(self, thread: "AsyncResult[None]") -> None:
        """Let nobody wait for a thread that is gone; whoever asked for its end has nothing left in the queue."""
        if not self._closed:
            log.critical(_ENDED, exc_info=thread.exception, extra={"event": "writer_ended"})
        for item in self._writer.left():
            item.error = StoreUnavailable(_ENDED)
            self._settle_item(item)

    def _note(self, fault: str | None) -> None:
        """Log where a fault begins and ends."""
        if fault is not None and fault != self._fault:
            log.error("the store is unavailable: %s", fault, extra={"event": "store_unavailable"})
        elif fault is None and self._fault is not None:
            log.info("the store works again", extra={"event": "store_available"})
        self._fault = fault


def _ids(item: Item) -> dict[str, object]:
    return {"task": item.work.task} if isinstance(item.work, (Change, LogChunk)) else {}
