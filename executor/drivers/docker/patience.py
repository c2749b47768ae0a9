"""Waiting for a daemon that is away, in the name of a job: it says so as long as it lasts, and goes on afterwards."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import gevent

from executor.drivers.base import Job
from executor.drivers.docker.daemon import Refused, Unreachable
from gorchestrator.common.timestamps import to_wire

log = logging.getLogger(__name__)
T = TypeVar("T")

AGAIN, SELDOM = 0.1, 5.0  # seconds until the next try: the first and the longest pause
SILENCE = 5.0  # seconds without an answer until that is told


class Patience:
    """What one job knows of its daemon being away."""

    def __init__(self, job: Job, host: str) -> None:
        """``host``: the daemon's address."""
        self._job = job
        self._host = host
        self._pause = 0.0  # seconds until the next try; 0: it answers
        self._told = False

    def ask(self, call: Callable[..., T], *args: object) -> T:
        """Call once. Raises what it raises."""
        with self._expecting():
            return call(*args)

    def insist(self, call: Callable[..., T], *args: object) -> T:
        """Call until the daemon answers."""
        while True:
            try:
                return self.ask(call, *args)
            except Unreachable as fault:
                gevent.sleep(self.pause(fault))

    def pause(self, fault: Unreachable) -> float:
        """Return how many seconds to wait before the next try."""
        self._tell(fault.why)
        self._pause = min(SELDOM, 2 * self._pause or AGAIN)
        return self._pause

    @contextmanager
    def _expecting(self) -> Iterator[None]:
        """Tell if an answer takes long, and take that back when it is there, whatever it says."""
        since = time.time()
        timer = gevent.spawn_later(SILENCE, self._tell, "no answer", since)
        try:
            yield
        except Refused:  # an answer, too
            self._answered()
            raise
        finally:
            timer.kill(block=False)
        self._answered()

    def _answered(self) -> None:
        self._pause = 0.0
        if self._told:
            self._told = False
            self._job.explain(None)

    def _tell(self, why: str, since: float | None = None) -> None:
        if self._told:
            return
        self._told = True
        moment = (to_wire(since or time.time()) or "")[:19] + "Z"
        trouble = f"Docker daemon at {self._host} unreachable since {moment} ({why})"
        self._job.explain(trouble)
        log.warning("%s: %s", self._job.id, trouble, extra={"event": "docker_unreachable", "job": self._job.id})
