"""The only writer of a process: a native thread with a connection of its own drains the queue in batches.

It takes no lock that gevent may have patched, and does not log; what there is to tell goes to the hub through
``report``. It ends only when it is stopped: whatever goes wrong, it goes on with the next try.

A batch that meets a fault of the database is tried again until the fault is gone. Only this thread gives an item up,
and only between two tries, so what was given up can never be committed later.
"""

import math
import sqlite3
from _queue import SimpleQueue
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from time import monotonic

from gevent import monkey

from gorchestrator.common.faultpoints import reached
from gorchestrator.domain.errors import StoreError
from gorchestrator.domain.measures import Measures
from gorchestrator.domain.records import Change, LogChunk
from gorchestrator.store import connection as connections
from gorchestrator.store.batch import Item, write

_sleep = monkey.get_original("time", "sleep")

_BATCH = 1000  # items
_LOG_BATCH = 1024 * 1024  # bytes of logs, so that they do not keep changes waiting
_PAUSE = 0.0005  # s between two batches, in which another process gets the lock
_LOCK_TRY = 0.25  # s of asking for the lock before it counts as a fault
_RETRY = 0.1  # s between two tries during a fault


@dataclass(frozen=True, slots=True)
class Report:
    """What the hub should know: items that are done, whether there are new events, what is wrong (None: nothing)."""

    done: Sequence[Item]
    events: bool
    fault: str | None
    damaged: bool = False  # the fault is there for good


class Writer:
    """The thread's side of the journal. ``put`` and ``stop`` may be called from any thread."""

    def __init__(
        self,
        path: Path,
        report: Callable[[Report], None],
        patience: float,
        measures: Measures,
        committed: Callable[[sqlite3.Connection], None],
    ) -> None:
        """``patience``: seconds for which an item that somebody waits for may meet a fault before it is given up.

        ``committed`` is called in the thread after each commit, and never raises.
        """
        self._path = path
        self._measures = measures
        self._committed = committed
        self._report = report
        self._patience = patience
        self._inbox: SimpleQueue[Item | None] = SimpleQueue()
        self._changes: deque[Item] = deque()
        self._logs: deque[Item] = deque()
        self._connection: sqlite3.Connection | None = None
        self._fault_since = self._fault_seen = -math.inf
        self._stop_at: float | None = None
        self._damage: Exception | None = None  # from then on nothing is written any more

    def put(self, item: Item) -> None:
        """Queue an item; items are committed in the order of these calls, logs apart."""
        self._inbox.put(item)

    def stop(self) -> None:
        """Write what is queued, then end; in a fault, give it up after the patience."""
        self._inbox.put(None)

    def run(self) -> None:
        """Drain the queue until it is stopped and empty."""
        while self._collect():
            batch = self._batch()
            begun = monotonic()
            try:
                events = self._commit(batch)
            except Exception as error:
                self._measures.journal_faults.inc()
                self._close()  # also the end of the transaction; after some faults nothing else is sure to work
                if connections.is_fault(error):
                    self._wait_out(error)
                else:  # a fault of this program, which must neither end the thread nor come again for ever
                    self._done(batch, fault=f"The journal failed: {error!r}")
            else:
                self._fault_seen = -math.inf
                self._measure(batch, monotonic() - begun)
                self._done(batch, events=events)
                if self._inbox.qsize() or self._changes or self._logs:
                    _sleep(_PAUSE)
        self._close()

    def left(self) -> list[Item]:
        """Return what the thread left behind if it ended in spite of all."""
        left = [*self._logs, *self._changes]
        while self._inbox.qsize():
            item = self._inbox.get()
            if item is not None:
                left.append(item)
        return left

    # -- the queue

    def _collect(self) -> bool:
        """Sort in what has come; waits if there is nothing to do. Returns False when all is done for ever."""
        idle = not (self._changes or self._logs)
        if idle and self._stop_at is not None:
            return False
        if idle:
            self._sort(self._inbox.get())
        for _ in range(self._inbox.qsize()):
            self._sort(self._inbox.get())
        return bool(self._changes or self._logs)

    def _sort(self, item: Item | None) -> None:
        if item is None:
            self._stop_at = monotonic() + self._patience
        else:
            (self._logs if item.in_logs else self._changes).append(item)

    def _batch(self) -> list[Item]:
        """Return what is to be written next, which stays queued until it is done."""
        batch, size = [], 0
        for item in islice(self._logs, _BATCH):
            batch.append(item)
            size += len(item.work.data) if isinstance(item.work, LogChunk) else 0
            if size >= _LOG_BATCH:
                break
        batch.extend(islice(self._changes, _BATCH))
        return batch

    def _done(self, batch: Sequence[Item], *, events: bool = False, fault: str | None = None) -> None:
        for item in batch:
            (self._logs if item.in_logs else self._changes).popleft()
            if fault is not None:
                item.error = StoreError(fault)
        self._tell(batch, events=events)

    def _measure(self, batch: Sequence[Item], seconds: float) -> None:
        self._measures.commit_items.observe(len(batch))
        self._measures.commit_seconds.observe(seconds)
        for item in batch:
            if isinstance(item.work, Change) and item.work.tally and item.error is None:
                self._measures.meter.add(item.work.tally)

    def _tell(self, items: Sequence[Item], *, events: bool = False, fault: str | None = None) -> None:
        worth = [item for item in items if item.waiter is not None or item.error is not None or item.in_logs]
        self._report(Report(worth, events, fault, self._damage is not None))

    # -- the database

    def _commit(self, batch: Sequence[Item]) -> bool:
        if self._damage is not None:
            raise self._damage
        if self._connection is None:
            self._connection = connections.writing(self._path)
        reached("before-transaction", batch)
        connections.begin(self._connection, _LOCK_TRY)
        events = write(self._connection, batch)
        reached("before-commit", batch)
        self._connection.execute("COMMIT")
        reached("after-commit", batch)
        self._committed(self._connection)
        return events

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                connection.close()
            except sqlite3.Error:  # what it held is lost to this process; the next connection is a new one
                return

    # -- a fault

    def _wait_out(self, error: Exception) -> None:
        """Give up the items that have waited long enough, and let some time pass; of damage nothing is waited for."""
        now = monotonic()
        if connections.is_damage(error):
            self._damage = error
        if now - self._fault_seen > self._patience:
            self._fault_since = now
        self._fault_seen = now
        ended = self._damage is not None or (self._stop_at is not None and now >= self._stop_at)
        hopeless = now - self._fault_since >= self._patience  # then nobody needs to wait to learn it
        given_up = []
        for queue in (self._logs, self._changes):
            for _ in range(len(queue)):
                item = queue.popleft()
                if ended or (item.waiter is not None and (hopeless or now >= item.deadline)):
                    item.error = connections.unavailable(error, self._path)
                    given_up.append(item)
                else:
                    queue.append(item)
        self._tell(given_up, fault=connections.explain(error, self._path))
        if self._changes or self._logs:
            _sleep(_RETRY)
