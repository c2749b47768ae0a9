"""The events by which nodes learn that their predecessors have ended, and how many of them are woken at a time.

A set event wakes all who wait for it in one go, and each of them may end and set its own: ten thousand nodes behind one
would hold the hub for half a second. So an event has few waiters, a node with many successors has several events, and
between some dozens of woken nodes everybody else gets a turn.
"""

from collections import deque
from collections.abc import Callable

import gevent
from gevent.event import Event

from gorchestrator.common.hub import breathe

_WOKEN = 50  # nodes between two breaths: about 3 ms

Failed = Callable[["gevent.Greenlet[..., None]"], None]


class Waker:
    """Sets the events of one run. ``failed`` is called if that breaks."""

    def __init__(self, failed: Failed) -> None:
        self._failed = failed
        self._queue: deque[tuple[Event, int]] = deque()
        self._budget = _WOKEN
        self._greenlet: gevent.Greenlet[..., None] | None = None

    def wake(self, event: Event, waiters: int) -> None:
        """Set an event, now or a few milliseconds later."""
        if self._budget > 0 and not self._queue:
            self._budget -= waiters
            event.set()
            return
        self._queue.append((event, waiters))
        if self._greenlet is None:
            self._greenlet = gevent.spawn(self._work)
            self._greenlet.link_exception(self._failed)

    def stop(self) -> None:
        """Wake nobody any more."""
        self._queue.clear()

    def _work(self) -> None:
        while self._queue:
            breathe()
            self._budget = _WOKEN
            while self._queue and self._budget > 0:
                event, waiters = self._queue.popleft()
                self._budget -= waiters
                event.set()
        self._greenlet = None


class Signal:
    """Tells the successors of one node that it has ended."""

    __slots__ = ("_events", "_set", "_waiters")

    def __init__(self) -> None:
        self._set = False
        self._waiters = 0
        self._events: list[Event] = []

    def wait(self) -> None:
        """Return when the node has ended."""
        if self._set:
            return
        if self._waiters % _WOKEN == 0:
            self._events.append(Event())
        self._waiters += 1
        self._events[-1].wait()

    def set(self, waker: Waker) -> None:
        """Let those who wait go on, and those who come later pass."""
        self._set = True
        left = self._waiters
        for event in self._events:
            waker.wake(event, min(left, _WOKEN))
            left -= _WOKEN
        self._events.clear()
