"""The newest events of the journal, read once for all who follow it in this process.

Who keeps up is served from memory; who is slow, or begins further back, reads the database at his own pace. So a
reader costs what he takes, and nobody waits for another.
"""

from bisect import bisect_right
from collections.abc import Callable, Container, Iterator, Sequence
from operator import attrgetter
from time import monotonic

import gevent
from gevent.event import Event
from gevent.lock import Semaphore

from gorchestrator.domain.records import EventRow, Kind
from gorchestrator.store.reader import Reader
from gorchestrator.store.tailer import Tailer

_KEPT = 4096  # events in memory
_SLICE = 256  # events handed out at once
_PAUSE = 0.02  # seconds at least between two hand-outs, which gathers what comes in quick succession
_PAUSE_EACH = 0.0005  # and for each reader: so all of them together wake up at most 2000 times a second
_seq = attrgetter("seq")


class Feed:
    """Followers of the journal. While there are none, it costs nothing."""

    def __init__(self, reader: Reader, tailer: Tailer) -> None:
        self._reader = reader
        self._tailer = tailer
        self._followers: set[Event] = set()
        self._beginning = Semaphore()
        self._end_listening: Callable[[], None] | None = None
        self._kept: list[EventRow] = []  # all that there are
        self._from = 0  # the number of the event before the first of them
        self._closed = False
        self.opened = 0  # followers so far

    @property
    def followers(self) -> int:
        """How many follow it now."""
        return len(self._followers)

    def follow(
        self, after: int, task: str | None, beat: float, kinds: Container[str] | None = None
    ) -> Iterator[Sequence[EventRow]]:
        """Yield the events behind number ``after``, of one task or of all; an empty sequence after ``beat`` seconds.

        ``kinds``: no others. Ends when the store is closed; that of a task with its end. Also ends where events are
        not kept that are to come next: who asks again is told so.
        """
        woken = Event()
        self.opened += 1
        self._followers.add(woken)
        try:
            self._listen()
            told = monotonic()
            while not self._closed:
                woken.clear()
                before = after
                found, after = self._behind(after, task)
                if after < before:
                    return
                wanted = found if kinds is None else [event for event in found if event.kind in kinds]
                if wanted or monotonic() - told >= beat:
                    if task and not found and self._reader.task(task) is None:
                        return
                    yield wanted
                    told = monotonic()
                if task and any(event.kind is Kind.TASK_FINAL for event in found):
                    return
                if after == before:
                    woken.wait(max(0.0, beat - (monotonic() - told)))
                elif len(found) < _SLICE:
                    gevent.sleep(max(_PAUSE, _PAUSE_EACH * len(self._followers)))
        finally:
            self._leave(woken)

    def close(self) -> None:
        """End all followers."""
        self._closed = True
        self._wake()

    def _behind(self, after: int, task: str | None) -> tuple[Sequence[EventRow], int]:
        """Return some events behind a number, from memory if they are there, and the number to go on behind.

        That is -1 if not all of them are kept. Of a task that is kept, all are.
        """
        known = self._from
        if after >= known:
            first = bisect_right(self._kept, after, key=_seq)
            kept = self._kept[first : first + _SLICE]
            found = [event for event in kept if event.task == task] if task else kept
            return found, kept[-1].seq if kept else after
        found = self._reader.events(after, _SLICE, task)
        if task is None and after < self._reader.kept()[0]:
            return (), -1
        last = found[-1].seq if found else after
        return found, last if len(found) == _SLICE else max(last, known)

    def _listen(self) -> None:
        """Begin with the first follower. Who comes while the end of the journal is looked up, waits for that."""
        with self._beginning:
            if self._end_listening is None:
                self._end_listening = self._tailer.listen(self._take)
                self._kept, self._from = [], self._tailer.seen

    def _leave(self, woken: Event) -> None:
        self._followers.discard(woken)
        if not self._followers and self._end_listening is not None:
            self._end_listening()
            self._end_listening = None
            self._kept = []

    def _take(self, events: Sequence[EventRow]) -> None:
        last = self._kept[-1].seq if self._kept else self._from
        new = [event for event in events if event.seq > last]
        if not new:
            return
        self._kept += new
        if len(self._kept) > _KEPT:
            dropped = len(self._kept) - _KEPT // 2
            self._from = self._kept[dropped - 1].seq
            del self._kept[:dropped]
        self._wake()

    def _wake(self) -> None:
        for woken in self._followers:
            woken.set()
