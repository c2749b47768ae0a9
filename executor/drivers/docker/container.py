"""The container of one job, from its creation to its removal, by an executor that may be started again at any moment.

Each step follows from what the daemon says of the container now, so the first executor and those after it do the same.
Its name is the job's. It can be interrupted where it waits: while an image is fetched, while the container runs, and
while the daemon does not answer; not while it is created and started, so that nothing comes up behind a kill.
"""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

import gevent

from executor.drivers.base import Job
from executor.drivers.docker import order
from executor.drivers.docker.daemon import CONFLICT, NOT_FOUND, Daemon, Refused, Unreachable
from executor.drivers.docker.notes import Notes
from executor.drivers.docker.options import ALWAYS, NEVER
from executor.outcome import Exit, Outcome, failure
from executor.supervised import PATIENCE
from gorchestrator.common.hub import breathe
from gorchestrator.common.reasons import ReasonCode
from gorchestrator.common.states import State

log = logging.getLogger(__name__)
T = TypeVar("T")

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

    def kill(self, cause: str) -> None:
        """End it: its stop signal, KILL after the grace; return when it is dead and removed. A daemon is waited for."""
        grace = self.daemon.config.kill_grace
        told, limit = False, 0.0
        while (found := self._insist(self.daemon.find, self.name)) and found["State"]["Status"] in LIVE:
            if not told:
                told, limit = True, time.monotonic() + grace
                self._insist(self._stop, found)
            elif time.monotonic() >= limit:
                self._insist(self.daemon.signal, self.name, "SIGKILL")
            if time.monotonic() >= limit + PATIENCE:
                self.job.report([found["State"]["Pid"]])
            gevent.sleep(LOOK)
        if found:
            self._insist(self._copy_rest)
        self.notes.ending(_ended(found["State"] if found else {}) | {"cause": cause})
        self._remove()

    def _go_on(self) -> Outcome | None:
        """Take the next step; None: there are more."""
        if self.notes.ended:
            self.daemon.spawn(self._remove)
            return self._outcome(self.notes.ended)
        found = self.daemon.find(self.name)
        if found is None:
            return self._lost() if self.notes.started else self._create()
        if found["Config"]["Labels"].get(order.JOB) != self.job.id:
            return failure(ReasonCode.ENGINE, f"container {self.name} is not of this job: somebody else has made it")
        if found["State"]["Status"] == "created":
            return self._start()
        if found["State"]["Status"] in LIVE:
            return self._follow()
        self._copy_rest()
        self.notes.ending(_ended(found["State"]))
        return self._go_on()

    def _create(self) -> Outcome | None:
        image, pull = self.job.attempt.artifact, self.job.options["pull"]
        try:
            if pull == ALWAYS:
                self._pull(image)
            self.daemon.create(self.job)
        except Refused as fault:
            if fault.status == CONFLICT:  # it is there, or about to go
                gevent.sleep(AGAIN)
                return None
            if fault.status == NOT_FOUND and "image" in str(fault).lower():
                return self._fetch(image, pull)
            return failure(ReasonCode.ARGUMENT, f"the daemon refuses the container: {fault}")
        except _PullFailed as fault:
            return failure(ReasonCode.ARTIFACT, str(fault))
        return self._start()

    def _fetch(self, image: str, pull: str) -> Outcome | None:
        """Get an image that is missing."""
        if pull == NEVER:
            text = (
                f"image {image!r} is not on this executor's machine, and its option pull is never: docker pull {image}"
            )
            return failure(ReasonCode.ARTIFACT, text)
        try:
            self._pull(image)
        except _PullFailed as fault:
            return failure(ReasonCode.ARTIFACT, str(fault))
        return self._create() if pull != ALWAYS else None

    def _pull(self, image: str) -> None:
        try:
            with self.job.interruptible():
                self.daemon.pull(image)
        except Refused as fault:
            raise _PullFailed(
                f"image {image!r} is not on this executor's machine and cannot be pulled: {fault}"
            ) from None

    def _start(self) -> Outcome | None:
        self.notes.starting()
        try:
            self.daemon.start(self.name)
        except Refused as fault:
            found = self.daemon.find(self.name)
            if found and found["State"]["Status"] != "created":
                return None
            self._remove()
            return self._not_started(str(fault), found)
        return self._follow()

    def _not_started(self, why: str, found: Mapping[str, Any] | None) -> Outcome:
        code = found["State"]["ExitCode"] if found else None
        outcome = self.job.outcome(
            Exit(error=why.removesuffix(": unknown")), f"a container of {self.job.attempt.artifact}"
        )
        return replace(outcome, exit_code=code or None)

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
        if not self.away:
            extra = {"event": "docker_unreachable", "job": self.job.id}
            log.warning("%s: waiting for the daemon: %s", self.name, fault, extra=extra)
        self.away = min(SELDOM, 2 * self.away or AGAIN)
        return self.away

    def _lost(self) -> Outcome:
        return failure(ReasonCode.LOST, f"container {self.name} was removed by somebody: nobody knows how it ended")

    def _outcome(self, ended: Mapping[str, Any]) -> Outcome:
        exit = Exit(ended["code"] << 8, ended["cause"], None, ended["started_at"], ended["stopped_at"])
        outcome = self.job.outcome(exit, self.job.attempt.artifact, why=ended["error"] or None)
        if not (ended["out_of_memory"] and outcome.state == State.FAILURE):
            return outcome
        why = "a process of the container was killed, as it needed more than the memory that it may have"
        return replace(outcome, reason=f"{why} ({outcome.reason})", reason_code=ReasonCode.MEMORY)


class _PullFailed(Exception):
    """An image cannot be fetched."""


def _ended(state: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is noted of an end; times are seconds since the epoch."""
    started, stopped = _time(state.get("StartedAt")), _time(state.get("FinishedAt"))
    return {
        "code": state.get("ExitCode", 0) & 0xFF,
        "cause": "exit",
        "error": state.get("Error", ""),
        "out_of_memory": state.get("OOMKilled", False),
        "started_at": started,
        "stopped_at": max(started or 0.0, stopped or time.time()),  # the daemon takes them in another order
    }


def _time(text: str | None) -> float | None:
    """Return seconds since the epoch of ``2026-11-22T17:12:10.298298152Z``; year 1 is never."""
    if not text or text.startswith("0001"):
        return None
    return datetime.fromisoformat(text).timestamp()
