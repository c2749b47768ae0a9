"""A job whose work is done inside of the executor: calls to elsewhere, and no process here.

The claim in the job's directory says that it was begun, so that an executor that starts again goes on with it. A cancel
and the timeout, which counts from the claim, are raised in the driver where it said that it can bear that.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast

import gevent

from executor import names
from executor.files import sync
from executor.folder import Folder

CANCEL, TIMEOUT = "cancel", "timeout"


class Interrupted(BaseException):
    """The job has to end now; not an ``Exception``, so that nobody swallows it by mistake."""

    def __init__(self, cause: str) -> None:
        """``cause``: ``cancel`` or ``timeout``."""
        super().__init__(cause)
        self.cause = cause


class Inside:
    """The life of such a job. ``moved`` is called when it begins and when there are survivors."""

    def __init__(self, folder: Folder, timeout: float | None, moved: Callable[[], None]) -> None:
        self._folder = folder
        self._timeout = timeout
        self._moved = moved
        self._greenlet: gevent.Greenlet[..., Any] | None = None
        self._cause: str | None = None
        self._thrown = False  # and not caught yet
        self.started_at: float | None = None
        self.survivors: list[int] = []
        self.trouble: str | None = None  # why it does not get on

    def begin(self) -> bool:
        """Claim the job; False if it was begun before: then what was begun is to be found and followed."""
        first = self._folder.claim(names.INSIDE, sync_aside)
        self.started_at = self._folder.claimed_at() or time.time()  # the same after a restart
        self._moved()
        return first

    def report(self, survivors: list[int]) -> None:
        """Tell who cannot be killed."""
        self.survivors = survivors
        self._moved()

    def explain(self, trouble: str | None) -> None:
        """Tell why it does not get on; None: it does."""
        if trouble != self.trouble:
            self.trouble = trouble
            self._moved()

    def interrupt(self, cause: str) -> None:
        """Have the driver interrupted, now or as soon as it can bear that; the first cause counts."""
        if self._cause is None:
            self._cause = cause
            if self._greenlet is not None:
                self._thrown = True
                self._greenlet.kill(Interrupted(cause), block=False)

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """Let :class:`Interrupted` be raised in what is done here."""
        timer = gevent.spawn_later(self._left(), self.interrupt, TIMEOUT) if self._timeout is not None else None
        try:
            if self._cause is not None:
                raise Interrupted(self._cause)
            self._greenlet = cast("gevent.Greenlet[..., Any]", gevent.getcurrent())  # as all that run jobs
            yield
        except Interrupted:
            self._thrown = False
            raise
        finally:
            self._greenlet = None
            if timer is not None:
                timer.kill(block=False)
            if self._thrown:  # it is on its way, and must not arrive behind the block that can bear it
                self._thrown = False
                gevent.sleep(0)

    def _left(self) -> float:
        passed = 0.0 if self.started_at is None else time.time() - self.started_at
        return max(0.0, (self._timeout or 0.0) - max(0.0, passed))


def sync_aside(folder: str) -> None:
    """Wait for the disk in a native thread: many jobs may be claimed at once, and meanwhile others want an answer."""
    gevent.get_hub().threadpool.apply(sync, (folder,))
