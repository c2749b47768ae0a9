"""Brings the lines of one process to one receiver, in a native thread: whoever logs never waits.

The thread takes no lock that gevent may have patched, and does not log; what there is to tell of it goes through
``tell``. What the receiver's side has not confirmed when a connection breaks is sent once more over the next one, so a
line may come twice. Lines are lost only where more than ``LINES`` wait, or when the process ends.
"""

import logging
import math
import random
from _queue import Empty, SimpleQueue
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from time import monotonic

from gevent import monkey

from gorchestrator.common.sinks.connections import Connection, Target
from gorchestrator.common.sinks.losses import Losses, Tell
from gorchestrator.common.tls import tls_reason

LINES = 10_000  # most that wait; with what a busy service says, that is minutes
_BATCH = 100
_FIRST_WAIT, _LONGEST_WAIT = 0.5, 30.0  # seconds between two tries to connect
_STEADY = 10.0  # seconds that a connection has to last, so that the next try need not wait long
_SLICE = 0.2  # seconds between two looks whether there is something else to do
_CONFIRM = 1.0  # seconds until it is looked once more what has arrived
_FORK_PATIENCE = 0.2  # seconds

_start_thread = monkey.get_original("_thread", "start_new_thread")
_lock = monkey.get_original("_thread", "allocate_lock")


class Sender:
    """One receiver's queue and thread. ``put`` is for one thread at a time, which may be interrupted by itself."""

    def __init__(self, target: Target, tell: Tell) -> None:
        self._target, self._tell, self._losses = target, tell, Losses(tell)
        self._inbox: SimpleQueue[logging.LogRecord | None] = SimpleQueue()
        self._told: SimpleQueue[None] = SimpleQueue()
        self._done: SimpleQueue[int] = SimpleQueue()
        self._at_work = _lock()  # held but while waiting, so that nobody forks in the midst of something
        self._begun = self._halted = False
        self._limit = math.inf  # when it has to be over; only then it ends
        self._alone = False  # nobody waits for its end
        # by the thread
        self._waiting: deque[bytes] = deque()  # what is to be written next
        self._unsure: deque[tuple[int, bytes]] = deque()  # what was written, by its end
        self._current = target
        self._connection: Connection | None = None
        self._down = self._all_taken = self._over = False
        self._connected_at, self._wait, self._tries_at_end = -math.inf, _FIRST_WAIT, 0

    # -- for who logs

    def put(self, record: logging.LogRecord) -> None:
        """Queue a record, whose message is text already, or drop it if too many wait."""
        if self._inbox.qsize() >= LINES:
            self._losses.overflow(self._target.name, LINES)
            return
        self._inbox.put(record)
        if not self._begun:
            self._begun = True
            _start_thread(self._run, ())

    def redirect(self, target: Target) -> None:
        """Send what is queued, and what comes, to another receiver."""
        self._target = target
        self._told.put(None)

    def finish(self, limit: float, *, alone: bool = False) -> None:
        """Send what is queued, then end; give it up at ``limit`` (monotonic). Returns at once.

        ``alone``: nobody will call ``wait``, so that it says itself how much it could not send.
        """
        self._limit, self._alone = limit, alone
        self._inbox.put(None)
        self._told.put(None)

    def wait(self) -> None:
        """Return when the thread has ended, or its limit is over; say how much it could not send."""
        if not self._begun:
            return
        try:
            left = self._done.get(timeout=max(0.0, self._limit - monotonic()))
        except Empty:
            left = self._left()
        self._losses.report_end(self._current.name, left)

    @property
    def ended(self) -> bool:
        """Whether its thread has ended, or was never begun."""
        return not self._begun or self._done.qsize() > 0

    def _left(self) -> int:
        """Return how many lines were not sent, once it was told to finish: the inbox ends with a mark."""
        handed = self._connection.handed() if self._connection else 0
        queued = self._inbox.qsize() - (not self._all_taken)
        return queued + len(self._waiting) + sum(end > handed for end, _ in list(self._unsure))

    # -- around a fork of this process

    def halt(self) -> None:
        """Keep the thread from doing anything, or nearly so: whoever hangs in a look-up of a name is not waited for."""
        self._halted = bool(self._at_work.acquire(timeout=_FORK_PATIENCE))

    def go_on(self) -> None:
        """Let the thread go on."""
        if self._halted:
            self._at_work.release()

    def disown(self) -> None:
        """Let go of the connection in the forked process."""
        if self._connection is not None:
            self._connection.disown()

    # -- the thread

    def _run(self) -> None:
        with self._at_work:
            while not self._over and self._fill():
                try:
                    self._work()
                except Exception as error:  # a fault of ours must not end the thread either
                    self._lose(error)
                    self._pause()
            self._leave()
            left = self._left()
            if self._alone:
                self._losses.report_end(self._current.name, left)
            self._done.put(left)

    @contextmanager
    def _idle(self) -> Iterator[None]:
        self._at_work.release()
        try:
            yield
        finally:
            self._at_work.acquire()

    def _fill(self) -> bool:
        """Take what has come; wait if there is nothing to do. Returns False when all is done for ever."""
        if not self._waiting and not self._all_taken:
            busy = self._unsure or self._losses.untold
            with self._idle(), suppress(Empty):
                self._take(self._inbox.get(timeout=_CONFIRM if busy else None))
        while len(self._waiting) < _BATCH and not self._all_taken and self._inbox.qsize():
            self._take(self._inbox.get())
        return monotonic() < self._limit and bool(self._waiting or not self._all_taken)

    def _take(self, record: logging.LogRecord | None) -> None:
        if record is None:
            self._all_taken = True
            return
        try:
            self._waiting.append(self._current.encode(record))
        except Exception:  # whatever a library has put into its record
            self._losses.spoilt += 1

    def _work(self) -> None:
        if self._current is not self._target:
            self._move()
        connection = self._connection or self._open()
        connection.check()
        while self._waiting:
            message = self._waiting[0]
            connection.write(message)
            self._unsure.append((connection.total, message))
            del self._waiting[0]
        while not self._flush(connection):
            self._over = monotonic() > self._limit
            if self._over or self._current is not self._target:
                return
            self._forget(connection)
        self._forget(connection)
        self._report()

    def _flush(self, connection: Connection) -> bool:
        with self._idle():
            return connection.flush(_SLICE)

    def _forget(self, connection: Connection) -> None:
        confirmed = connection.confirmed()
        while self._unsure and self._unsure[0][0] <= confirmed:
            self._unsure.popleft()

    def _open(self) -> Connection:
        self._connected_at = math.inf
        self._connection = connection = self._current.connect()
        connection.open()
        self._connected_at = monotonic()
        if self._down:
            self._down = False
            name = self._current.name
            self._tell(logging.INFO, f"{name} is reached", {"event": "log_sink_reached", "sink": name})
        return connection

    def _move(self) -> None:
        self._let_go()
        self._current = self._target
        self._down, self._wait = False, _FIRST_WAIT

    def _let_go(self) -> None:
        """End the connection; what may not have arrived is to be written once more."""
        self._waiting.extendleft(message for _, message in reversed(self._unsure))
        self._unsure.clear()
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _lose(self, error: Exception) -> None:
        self._let_go()
        if monotonic() - self._connected_at > _STEADY:
            self._wait = _FIRST_WAIT
        if not self._down:
            self._down = True
            name, reason = self._current.name, tls_reason(error)
            extra = {"event": "log_sink_unreachable", "sink": name, "reason": reason}
            self._tell(logging.WARNING, f"{name} cannot be reached, and lines wait: {reason}", extra)

    def _pause(self) -> None:
        if self._limit < math.inf:
            self._tries_at_end += 1
            self._over = self._tries_at_end > 1
            return
        wait = self._wait * random.uniform(0.5, 1.0)  # noqa: S311  (no secret; not all processes shall come at once)
        self._wait = min(2 * self._wait, _LONGEST_WAIT)
        with self._idle(), suppress(Empty):
            self._told.get(timeout=wait)

    def _report(self, *, now: bool = False) -> None:
        """Have the receiver told what it has missed, before what comes next."""
        if note := self._losses.report(self._current.name, now=now):
            self._waiting.appendleft(self._current.encode(note))

    def _leave(self) -> None:
        if self._connection is None:
            return
        with suppress(OSError):
            if not self._over:
                self._report(now=True)
                self._work()
        self._connection.close()
