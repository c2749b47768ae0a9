"""The container of one job, from its creation to its removal, by an executor that may be started again at any moment.

Each step follows from what the daemon says of the container now, so the first executor and those after it do the same.
Its name is the job's. It can be interrupted where it waits: while an image is fetched, while the container runs, and
while the daemon does not answer; not while it is created and started, so that nothing comes up behind a kill.
"""

import logging
import time
from collections.abc import Mapping
from typing import Any

import gevent

from executor import leftovers
from executor.drivers.base import Job
from executor.drivers.docker import endings, order
from executor.drivers.docker.daemon import CONFLICT, Daemon, NoImage, Refused, Unreachable
from executor.drivers.docker.mounts import Mount, moved
from executor.drivers.docker.notes import Notes
from executor.drivers.docker.options import ALWAYS, MISSING, OUTPUT
from executor.drivers.docker.patience import AGAIN, SELDOM, Patience
from executor.inside import TIMEOUT, Interrupted
from executor.outcome import Outcome, failure
from executor.supervised import PATIENCE
from gorchestrator.common.hub import breathe
from gorchestrator.common.reasons import ReasonCode

log = logging.getLogger(__name__)

NEW = frozenset({"created", "configured", "initialized"})  # the last two are Podman's
PRINTING = frozenset({"running", "paused", "restarting"})
ENDED = frozenset({"exited", "dead", "stopped"})  # with any other state, such as "removing", it is about to change
LOOK = 0.05  # seconds between two looks whether it is dead
SLICE = 0.005  # seconds of copying a log without a pause for others
REMOVALS = 5  # tries to remove what is dead


class Container:
    """The container of one job."""

    def __init__(self, daemon: Daemon, job: Job, mounts: tuple[Mount, ...]) -> None:
        """``mounts``: those that were allowed."""
        self.daemon = daemon
        self.job = job
        self.mounts = mounts
        self.name = order.name(job.id)
        self.notes = Notes(job)
        self.patience = Patience(job, daemon.config.docker_host)
        self.pause = 0.0  # before it is followed again
        self.counted = False  # its time has been counted from its start

    def run(self) -> Outcome:
        """Return how it ended. Raises Interrupted: then :meth:`kill` it."""
        self.counted = fresh = self.job.begin()
        if self.notes.killing and not self.notes.ended:
            raise Interrupted(self.notes.killing)
        while True:
            try:
                outcome = self._create() if fresh else self._go_on()
            except Unreachable as fault:
                if not self.notes.started:
                    return failure(ReasonCode.ENGINE, str(fault))
                with self.job.interruptible():
                    gevent.sleep(self.patience.pause(fault))
            else:
                if outcome:
                    return outcome
            fresh = False

    def kill(self, cause: str) -> Outcome:
        """End it: its stop signal, KILL after the grace; return when it is dead and removed. A daemon is waited for.

        What has ended by itself has ended so. ``cause``: ``cancel`` or ``timeout``.
        """
        limit: float | None = None
        while (found := self.patience.insist(self.daemon.find, self.name)) and _status(found) not in NEW | ENDED:
            if limit is None:
                self.notes.stopping(cause)
                self.patience.insist(self._stop, found)
                limit = time.monotonic() + self.daemon.config.kill_grace
            elif time.monotonic() >= limit:
                self.patience.insist(self.daemon.signal, self.name, "SIGKILL")
            if time.monotonic() >= limit + PATIENCE:
                self.job.report([found["State"]["Pid"]])
            gevent.sleep(LOOK)
        if found:
            self.patience.insist(self._copy_rest)
        if found and self.notes.started and _status(found) in NEW:
            self._end_untold()
        self.counted = self.counted and cause != TIMEOUT  # it is over: the daemon knows what was first
        by_itself = found and not self.notes.killing and _status(found) in ENDED
        self._note_end(found["State"] if found else {}, None if by_itself else cause)
        self._remove()
        return endings.outcome(self.job, self.notes.ended or {})

    def discard(self) -> None:
        """Have it removed, dead as it is or never started, beside everything else."""
        self.daemon.spawn(self._remove)

    def _go_on(self) -> Outcome | None:
        """Take the next step; None: there are more."""
        if self.notes.ended:
            self.discard()
            return endings.outcome(self.job, self.notes.ended)
        found = self.patience.ask(self.daemon.find, self.name)
        if found is None:
            return endings.lost(self.name) if self.notes.started else self._create()
        if (found["Config"]["Labels"] or {}).get(order.JOB) != self.job.id:
            return failure(ReasonCode.ENGINE, f"container {self.name} is not of this job: somebody else has made it")
        if _status(found) in NEW:
            return self._start(found)
        if _status(found) not in ENDED:
            return self._follow(printing=_status(found) in PRINTING)
        self._copy_rest()
        self._note_end(found["State"])
        return self._go_on()

    def _create(self) -> Outcome | None:
        self._admit()
        image, policy = self.job.attempt.artifact, self.job.options["pull"]
        try:
            if policy == ALWAYS:
                self._pull(image)
            try:
                self.daemon.create(self.job, self.mounts)
            except NoImage:
                if policy != MISSING:
                    raise
                self._pull(image)
                self.daemon.create(self.job, self.mounts)
        except Refused as fault:
            if fault.status != CONFLICT:
                return endings.not_created(image, missing=isinstance(fault, NoImage), why=str(fault))
            gevent.sleep(AGAIN)  # it is there, or about to go
            return None
        return self._start()

    def _pull(self, image: str) -> None:
        with self.job.interruptible():
            self.daemon.pull(image)

    def _admit(self) -> None:
        """Have nothing come up behind a kill, or after its time."""
        with self.job.interruptible():
            limit = self._limit()
            if limit is not None and time.time() >= limit:
                raise Interrupted(TIMEOUT)

    def _limit(self) -> float | None:
        """Return when its time is up, in seconds since the epoch."""
        timeout, began = self.job.attempt.timeout, self.job.started_at
        return None if timeout is None or began is None else began + timeout

    def _start(self, made: Mapping[str, Any] | None = None) -> Outcome | None:
        """Start it. ``made``: what the daemon knows of it, if it was found."""
        self._admit()
        if fault := moved(self.mounts, made):
            self._remove()
            return failure(ReasonCode.ARGUMENT, fault)
        before = self.notes.started
        self.notes.starting()
        try:
            self.daemon.start(self.name)
        except Refused as fault:
            found = self.daemon.find(self.name)
            if found and _status(found) not in NEW:
                return None
            if before:
                self._end_untold()
                self._remove()
                return endings.untold(self.name, str(fault))
            self._remove()
            return endings.not_started(self.job, str(fault), found["State"]["ExitCode"] if found else 0)
        return self._follow(printing=True)

    def _end_untold(self) -> None:
        """Kill what runs of a container that its daemon takes for one that was never started: it died meanwhile.

        It is found where the executor's user may look at its processes; root may.
        """
        env = {**self.job.our_env, "GORCH_OUTPUT": OUTPUT}
        while left := leftovers.end(None, env, self.daemon.config.kill_grace)[1]:
            self.job.report(left)
        self.job.report([])

    def _follow(self, *, printing: bool) -> Outcome | None:
        """Copy what it prints until it ends, or until the daemon says no more."""
        with self.job.interruptible():
            gevent.sleep(self.pause)
            self.pause = min(SELDOM, max(AGAIN, 2 * self.pause))
            if printing:
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

    def _note_end(self, state: Mapping[str, Any], cause: str | None = None) -> None:
        """Note how it ended. ``cause``: what ended it; None: it itself, perhaps when nobody counted its time."""
        if cause is None:
            late = not self.counted and endings.late(state, self._limit())
            cause = TIMEOUT if late else endings.EXIT
            if endings.may_be_out_of_memory(state) and self.daemon.was_out_of_memory(self.name):
                state = {**state, "OOMKilled": True}
        self.notes.ending(endings.noted(state, cause, self.job.started_at))

    def _stop(self, found: Mapping[str, Any]) -> None:
        if found["State"]["Status"] == "paused":  # signals but KILL would wait
            self.daemon.unpause(self.name)
        self.daemon.signal(self.name, found["Config"].get("StopSignal") or "SIGTERM")

    def _remove(self) -> None:
        """Remove it, dead as it is; what cannot be removed is tried again when an executor starts."""
        for _ in range(REMOVALS):
            try:
                self.patience.insist(self.daemon.remove, self.name)
            except Refused as fault:
                log.warning("%s cannot be removed: %s", self.name, fault, extra={"event": "docker_not_removed"})
            if self.patience.insist(self.daemon.find, self.name) is None:
                return
            gevent.sleep(AGAIN)


def _status(found: Mapping[str, Any]) -> str:
    status: str = found["State"]["Status"]
    return status
