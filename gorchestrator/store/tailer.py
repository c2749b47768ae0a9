"""Follows the journal for one process, whoever writes it, and wakes who waits for news."""

import logging
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from time import monotonic

import gevent
from gevent.event import Event

from gorchestrator.common.hub import breathe
from gorchestrator.domain.errors import StoreDamaged, StoreUnavailable
from gorchestrator.domain.records import EventRow
from gorchestrator.store import connection as connections
from gorchestrator.store.reader import Reader

_LOOK = 0.02  # s between two looks at the database, which take 3 µs each; to wake up for one takes much longer
_LOOK_AT_REST = 0.1  # s, while nobody is in a hurry
_SLICE = 256  # events read at once
_RETRY = 1.0  # s after a fault

Callback = Callable[[Sequence[EventRow]], None]
Asked = Callable[[], bool]

log = logging.getLogger(__name__)


class Tailer:
    """One greenlet that reads behind the last event it has seen, while anybody is interested."""

    def __init__(self, path: Path, reader: Reader) -> None:
        self._reader = reader
        self._connection = connections.reading(path, wait=0)
        self._version = 0
        self._seen = 0
        self._kicked = Event()
        self._callbacks: dict[Callback, Asked] = {}
        self._waiters: dict[str, set[Event]] = {}
        self._any: set[Event] = set()  # of those who wait for any commit
        self._closed = False
        self._rests = False
        self._ails = False
        self._greenlet = gevent.spawn(self._follow)

    def listen(self, callback: Callback, hurry: Asked = lambda: True) -> Callable[[], None]:
        """Call ``callback`` with the events that are committed from now on, in order, each once; it must not block.

        Returns what ends that. An event may come that was committed shortly before this call. ``hurry``: whether 0.1 s
        matter now; it may change its answer when this process commits.
        """
        self._begin()
        self._callbacks[callback] = hurry
        self.kick()

        def end() -> None:
            self._callbacks.pop(callback, None)

        return end

    def wait(self, task: str, after: int, timeout: float) -> int:
        """Return the number of the task's newest event as soon as it is greater than ``after``.

        Returns ``after`` when ``timeout`` seconds have passed, and at once when the store is closed.
        """
        end = monotonic() + timeout
        woken = Event()
        self._begin()
        self._waiters.setdefault(task, set()).add(woken)
        self._rouse()
        try:
            while not self._closed:
                woken.clear()
                newest = self._reader.last_seq(task)
                if newest > after:
                    return newest
                if not woken.wait(max(0.0, end - monotonic())):
                    break
            return after
        finally:
            self._forget(task, woken)

    def wait_any(self, timeout: float) -> None:
        """Return when anything was committed, be it an event or a log, or after ``timeout`` seconds."""
        woken = Event()
        self._any.add(woken)
        self._rouse()
        try:
            if not self._closed:
                woken.wait(timeout)
        finally:
            self._any.discard(woken)

    @property
    def seen(self) -> int:
        """The number of the event behind which those begin that listeners have not been told yet."""
        return self._seen

    @property
    def closed(self) -> bool:
        """Whether there is no news any more: this process is about to stop."""
        return self._closed

    def kick(self) -> None:
        """Look at once: this process has committed."""
        self._kicked.set()

    def close(self) -> None:
        """End the greenlet and wake who waits."""
        self._closed = True
        self._greenlet.kill()
        self._connection.close()
        for waiters in (*self._waiters.values(), self._any):
            _wake(waiters)

    # -- who is interested

    def _interested(self) -> bool:
        return bool(self._callbacks or self._waiters)

    def _begin(self) -> None:
        """Go to the end of the journal, unless somebody else is being served already."""
        if not self._interested():
            last = self._reader.last_seq()
            if not self._interested():
                self._seen = last

    def _hurries(self) -> bool:
        return bool(self._waiters or self._any or any(hurry() for hurry in self._callbacks.values()))

    def _rouse(self) -> None:
        """Look often from now on."""
        if self._rests:
            self.kick()

    def _forget(self, task: str, woken: Event) -> None:
        self._waiters[task].discard(woken)
        if not self._waiters[task]:
            del self._waiters[task]

    # -- the greenlet

    def _follow(self) -> None:
        while True:
            self._rests = not self._hurries()
            kicked = self._kicked.wait(_LOOK_AT_REST if self._rests else _LOOK)
            self._kicked.clear()
            if not (self._interested() or self._any):
                continue
            try:
                if self._changed() or kicked:
                    _wake(self._any)
                    if self._interested():
                        self._read()
            except Exception as error:
                self._report(error)
                gevent.sleep(_RETRY)
                self.kick()
            else:
                self._ails = False

    def _report(self, error: Exception) -> None:
        """Log the first of several faults; one of ours with its traceback, damage not again."""
        if not self._ails and not isinstance(error, StoreDamaged):
            ours = not isinstance(error, StoreUnavailable)
            log.error("cannot follow the journal: %s", error, exc_info=ours, extra={"event": "tailer_unavailable"})
        self._ails = True

    def _changed(self) -> bool:
        """Whether any other connection has committed since the last look; looked up in the hub, it takes 3 µs."""
        try:
            (version,) = self._connection.execute("PRAGMA data_version").fetchone()
        except sqlite3.Error:
            return True  # the reader says what is wrong
        before, self._version = self._version, version
        return bool(version != before)

    def _read(self) -> None:
        while True:
            found = self._reader.events(self._seen, _SLICE)
            if found:
                self._seen = found[-1].seq
                self._tell(found)
            if len(found) < _SLICE:
                return
            breathe()

    def _tell(self, found: Sequence[EventRow]) -> None:
        for task in {event.task for event in found} & self._waiters.keys():
            _wake(self._waiters[task])
        for callback in list(self._callbacks):
            try:
                callback(found)
            except Exception:
                log.exception("a listener of the journal failed", extra={"event": "callback_failed"})


def _wake(waiters: Iterable[Event]) -> None:
    for woken in waiters:
        woken.set()
