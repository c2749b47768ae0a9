"""The container of one job, from its creation to its removal, by an executor that may be started again at any moment.

Each step follows from what the daemon says of the container now, so the first executor and those after it do the same.
Its name is the job's. It can be interrupted where it waits: while an image is fetched, while the container runs, and
while the daemon does not answer; not while it is created and started, so that nothing comes up behind a kill.
"""

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import gevent

from executor.drivers.base import Job
from executor.drivers.docker import endings, order
from executor.drivers.docker.daemon import CONFLICT, Daemon, NoImage, Refused, Unreachable
from executor.drivers.docker.notes import Notes
from executor.drivers.docker.options import ALWAYS, MISSING
from executor.outcome import Outcome, failure
from executor.supervised import PATIENCE
from gorchestrator.common.hub import breathe
from gorchestrator.common.reasons import ReasonCode

log = logging.getLogger(__name__)
T = TypeVar("T")

CREATED = "created"
LIVE = frozenset({"running", "paused", "restarting"})
LOOK = 0.05  # seconds between two looks whether it is dead
AGAIN, SELDOM = 0.1, 5.0  # seconds until the next try: the first and the longest pause
SLICE = 0.005  # seconds of copying a log without a pause for others
REMOVALS = 5  # tries to remove what is dead


class Container:
    """The container of one job."""

    def __init__(self, daemon: Daemon, job: Job) -> None:
        self.daemon = daemon
        self.job = job
        self.name = order.name(job.id)
        self.notes = Notes(job)
        self.pause = 0.0  # before it is followed again
        self.away = 0.0  # seconds of pause while the daemon does not answer; 0: it does

    def run(self) -> Outcome:
        """Return how it ended. Raises Interrupted: then :meth:`kill` it."""
        fresh = self.job.begin()
        while True:
            try:
                outcome = self._create() if fresh else self._go_on()
            except Unreachable as fault:
                if not self.notes.started:
                    return failure(ReasonCode.ENGINE, str(fault))
                self._wait(fault)
            else:
                self.away = 0.0
                if outcome:
                    return outcome
            fresh = False

    def kill(self, cause: str) -> Outcome:
        """End it: its stop signal, KILL after the grace; return when it is dead and removed. A daemon is waited for.

        What has ended by itself has ended so. ``cause``: ``cancel`` or ``timeout``.
        """
        told, limit = False, 0.0
        while (found := self._insist(self.daemon.find, self.name)) and found["State"]["Status"] in LIVE:
            if not told:
                told, limit = True, time.monotonic() + self.daemon.config.kill_grace
                self._insist(self._stop, found)
            elif time.monotonic() >= limit:
                self._insist(self.daemon.signal, self.name, "SIGKILL")
            if time.monotonic() >= limit + PATIENCE:
                self.job.report([found["State"]["Pid"]])
            gevent.sleep(LOOK)
        if found:
            self._insist(self._copy_rest)
        by_itself = found and not told and found["State"]["Status"] != CREATED
        self._note_end(found["State"] if found else {}, endings.EXIT if by_itself else cause)
        self._remove()
        return endings.outcome(self.job, self.notes.ended or {})

    def _go_on(self) -> Outcome | None:
        """Take the next step; None: there are more."""
        if self.notes.ended:
            self.daemon.spawn(self._remove)
            return endings.outcome(self.job, self.notes.ended)
        found = self.daemon.find(self.name)
        if found is None:
            return endings.lost(self.name) if self.notes.started else self._create()
        if found["Config"]["Labels"].get(order.JOB) != self.job.id:
            return failure(ReasonCode.ENGINE, f"container {self.name} is not of this job: somebody else has made it")
        if found["State"]["Status"] == CREATED:
            return self._start()
        if found["State"]["Status"] in LIVE:
            return self._follow()
        self._copy_rest()
        self._note_end(found["State"], endings.EXIT)
        return self._go_on()

    def _create(self) -> Outcome | None:
        image, policy = self.job.attempt.artifact, self.job.options["pull"]
        try:
            if policy == ALWAYS:
                self._pull(image)
            try:
                self.daemon.create(self.job)
            except NoImage:
                if policy != MISSING:
                    raise
                self._pull(image)
                self.daemon.create(self.job)
        except Refused as fault:
            if fault.status != CONFLICT:
                return endings.not_created(image, missing=isinstance(fault, NoImage), why=str(fault))
            gevent.sleep(AGAIN)  # it is there, or about to go
            return None
        return self._start()

    def _pull(self, image: str) -> None:
        with self.job.interruptible():
            self.daemon.pull(image)

    def _start(self) -> Outcome | None:
        self.notes.starting()
        try:
            self.daemon.start(self.name)
        except Refused as fault:
            found = self.daemon.find(self.name)
            if found and found["State"]["Status"] != CREATED:
                return None
            self._remove()
            return endings.not_started(self.job, str(fault), found["State"]["ExitCode"] if found else 0)
        return self._follow()

    def _follow(self) -> Outcome | None:
        """Copy what it prints until it ends, or until the daemon says no more."""
        with self.job.interruptible():
            gevent.sleep(self.pause)
            self.pause = min(SELDOM, max(AGAIN, 2 * self.pause))
            self._copy(follow=True)
        return None

    def _copy(self, *, follow: bool) -> None:
        """Append to the job's log what is not there yet: its log is that of the container, and nothing else."""
        skip = self.job.log_size
        rested = time.monotonic()
        for piece in self.daemon.log(self.name, follow=follow):
            new = piece[skip:]
            skip = max(0, skip - len(piece))
            if new:
                self.job.write(new)
            if time.monotonic() - rested > SLICE:
                breathe()
                rested = time.monotonic()

    def _copy_rest(self) -> None:
        self._copy(follow=False)

    def _note_end(self, state: Mapping[str, Any], cause: str) -> None:
        self.notes.ending(endings.noted(state, cause, self.job.started_at))

    def _stop(self, found: Mapping[str, Any]) -> None:
        if found["State"]["Status"] == "paused":  # signals but KILL would wait
            self.daemon.unpause(self.name)
        self.daemon.signal(self.name, found["Config"].get("StopSignal") or "SIGTERM")

    def _remove(self) -> None:
        """Remove it, dead as it is; what cannot be removed is tried again when an executor starts."""
        for _ in range(REMOVALS):
            try:
                self._insist(self.daemon.remove, self.name)
            except Refused as fault:
                log.warning("%s cannot be removed: %s", self.name, fault, extra={"event": "docker_not_removed"})
            if self._insist(self.daemon.find, self.name) is None:
                return
            gevent.sleep(AGAIN)

    def _insist(self, call: Callable[..., T], *args: object) -> T:
        """Call until the daemon answers."""
        while True:
            try:
                return call(*args)
            except Unreachable as fault:
                gevent.sleep(self._patience(fault))

    def _wait(self, fault: Unreachable) -> None:
        with self.job.interruptible():
            gevent.sleep(self._patience(fault))

    def _patience(self, fault: Unreachable) -> float:
        """Return how long to wait for the daemon; say once that it is waited for."""
        if not self.away:
            extra = {"event": "docker_unreachable", "job": self.job.id}
            log.warning("%s: waiting for the daemon: %s", self.name, fault, extra=extra)
        self.away = min(SELDOM, 2 * self.away or AGAIN)
        return self.away
