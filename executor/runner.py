"""The table of jobs and the bounded pool that runs them. Everything that matters is in the jobs' directories."""

import logging
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import gevent

from executor import engines, records, refusals
from executor.archive import Archive
from executor.attempt import NOTHING, Attempt, parts
from executor.drivers.base import Driver
from executor.driving import drive
from executor.fences import Fences
from executor.folder import Folder
from executor.inside import sync_aside
from executor.job import Job, Surroundings
from executor.outcome import Outcome, canceled
from executor.pruning import Pruner
from executor.storage import Storage
from executor.trimmer import Trimmer
from gorchestrator.common.states import State

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Limits:
    """How much at once."""

    capacity: int  # jobs that run
    queue: int  # jobs that wait


class Runner:
    """Accepts, runs, cancels and forgets jobs. Its methods do not hold the hub, save :meth:`recover` at the start."""

    def __init__(
        self, limits: Limits, archive: Archive, fences: Fences, drivers: Mapping[str, Driver], around: Surroundings
    ) -> None:
        self.storage = Storage(archive.live.parents[1])
        self.limits = limits
        self.archive = archive
        self.fences = fences
        self.engines = drivers
        self.around = around
        self.jobs: dict[str, Job] = {}  # all that are not acknowledged
        self.waiting: deque[Job] = deque()
        self.running: dict[str, gevent.Greenlet[..., None]] = {}
        self.closing = False  # nothing new is accepted, and what waits is left to the next executor
        self.draining = False  # nothing more at all
        self.trimmer = Trimmer(around.log_limit)
        self.helpers: list[gevent.Greenlet[..., None]] = []
        self.ended: Callable[[Job], None] = lambda _: None  # who measures is told of each job that has got its result

    def use(self, limits: Limits, around: Surroundings) -> None:
        """Take other limits from now on, and give other surroundings to jobs that come; what runs goes on as it is."""
        self.limits = limits
        self.around = around
        self._fill()

    def recover(self) -> None:
        """Take over what an executor before this one left: ended, running and waiting jobs."""
        waiting = []
        for job_id, folder in self.archive.folders():
            job = records.read(job_id, folder, self.around)
            if job is None:
                self._move(self.archive.discard, folder)
            elif job.result:
                self._keep(job)
                self.help(job.supervised.release)
            else:
                self.jobs[job_id] = job
                waiting.append(job)
        self.waiting.extend(sorted(waiting, key=lambda job: job.created_at))
        for job in [job for job in self.waiting if job.folder.claimed_by()]:
            self.waiting.remove(job)
            self._begin(job)  # it has its place already, whatever the capacity is now
        self._fill()
        self.help(Pruner(self.archive, self.fences).keep_pruning)
        self.help(self.trimmer.keep_trimming, self._growing)

    def help(self, function: Callable[..., None], *args: Any) -> None:
        """Have something done in a greenlet of its own until the executor drains."""
        self.helpers.append(helper := gevent.spawn(function, *args))
        helper.link_exception(_fault)

    def submit(self, job_id: str, attempt: Attempt, *, fence: int = 0, private: bool = False) -> Job:
        """Return the job of this id; a new one is accepted. ``private``: nobody will acknowledge its result."""
        self._admit(job_id, fence)
        known = self.find(job_id)
        if known is None:
            return self._accept(job_id, attempt, private)
        if known.attempt not in (attempt, NOTHING):
            raise refusals.AttemptDiffers
        return known

    def find(self, job_id: str) -> Job | None:
        """Return a job; None: it was never heard of. Raises :class:`refusals.JobGone`."""
        job = self.jobs.get(job_id)
        if job:
            return job
        folder = self.archive.find_done(job_id)
        found = records.read(job_id, folder, self.around) if folder else None
        if not found and (folder or self.archive.was_dropped(job_id)):
            raise refusals.JobGone
        return found

    def cancel(self, job_id: str, fence: int | None = None) -> Job:
        """Ask for a job's death, which its ``ended`` or ``survivors`` tell. An unknown one will never start."""
        self._admit(job_id, fence)
        job = self.find(job_id)
        if job is None:
            return self._bury(job_id)
        if job.result:
            return job
        log.info("cancel %s", job_id, extra=job.ids | {"event": "job_cancel"})
        job.kill()
        if job in self.waiting:
            self._withdraw(job)
        return job

    def acknowledge(self, job_id: str, fence: int | None = None) -> None:
        """Forget a result that its reader has stored."""
        self._admit(job_id, fence)
        job = self.find(job_id)
        if job is None:
            raise refusals.JobUnknown
        if not job.result:
            raise refusals.JobNotFinal
        if job_id in self.jobs:
            with self.storage.needed():
                self.archive.put_away(job.folder)
            del self.jobs[job_id]

    def drain(self) -> None:
        """Take no more work, wake who waits, and let go of the shims. What runs lives on."""
        if self.draining:
            return
        self.draining = True
        gevent.killall([*self.running.values(), *self.helpers])
        for job in self.jobs.values():
            job.supervised.detach()
            job.ended.set()
        self.around.supervisor.close()

    def _admit(self, job_id: str, fence: int | None) -> None:
        if self.draining:
            raise refusals.Draining
        with self.storage.needed():
            seen = None if fence is None else self.fences.admit(parts(job_id)[0], fence)
        if seen is not None:
            raise refusals.FenceStale(f"Fence {fence} is stale: {seen} was seen; another process owns the run now.")

    def _accept(self, job_id: str, attempt: Attempt, private: bool) -> Job:
        if self.closing:
            raise refusals.Draining
        engines.admit(self.engines, attempt)
        if len(self.running) >= self.limits.capacity and len(self.waiting) >= self.limits.queue:
            raise refusals.QueueFull
        now = time.time()
        folder = self._store(job_id, records.node(attempt, now, private=private))
        job = self.jobs[job_id] = Job(job_id, attempt, folder, now, self.around)
        job.private = private
        self.waiting.append(job)
        self._fill()
        return job

    def _store(self, job_id: str, node: Mapping[str, Any], *, claimed: bool = False) -> Folder:
        with self.storage.needed():
            folder = self.archive.create(job_id, node, claimed=claimed)
        self.storage.written()
        return folder

    def _bury(self, job_id: str) -> Job:
        now = time.time()
        folder = self._store(job_id, records.node(NOTHING, now, private=True), claimed=True)
        job = Job(job_id, NOTHING, folder, now, self.around)
        job.private = True
        self._finish(job, canceled())
        return job

    def _withdraw(self, job: Job) -> None:
        """End a job that waits; it is not begun while the disk takes note of that."""
        self.waiting.remove(job)
        try:
            with self.storage.needed():
                job.folder.claim(sync=sync_aside)
        except refusals.StorageFull:
            self.waiting.appendleft(job)
            self._fill()
            raise
        if not self.draining:  # else the next executor says so
            self._finish(job, canceled())

    def _fill(self) -> None:
        while self.waiting and not self.closing and len(self.running) < self.limits.capacity:
            self._begin(self.waiting.popleft())

    def _begin(self, job: Job) -> None:
        greenlet = self.running[job.id] = gevent.spawn(self._run, job)
        greenlet.link_exception(_fault)

    def _run(self, job: Job) -> None:
        """Run one job; killed when the executor drains, and then nothing is said of the job."""
        try:
            outcome = drive(self.engines.get(job.attempt.engine), job, self.storage)
            job.supervised.settle(succeeded=outcome.state == State.SUCCESS)
            self.trimmer.trim(job.folder.log)
            self._finish(job, outcome)
        finally:
            del self.running[job.id]
            if not self.draining:
                self._fill()

    def _finish(self, job: Job, outcome: Outcome) -> None:
        if error := records.finish(job, outcome):  # it is known as long as we live, and can be found out again
            log.error("cannot write a result: %s", error, extra=job.ids | {"event": "result_not_written"})
        self.ended(job)
        self._keep(job)
        job.ended.set()
        log.info(
            "%s: %s",
            job.id,
            outcome.state.label,
            extra=job.ids | {"event": "job_ended", "state": outcome.state.label},
        )

    def _growing(self) -> list[str]:
        return [job.folder.log for job_id in self.running if (job := self.jobs.get(job_id))]

    def _keep(self, job: Job) -> None:
        self.jobs[job.id] = job
        if job.private and self._move(self.archive.put_away, job.folder):
            del self.jobs[job.id]

    def _move(self, move: Callable[[Folder], None], folder: Folder) -> bool:
        try:
            move(folder)
        except OSError as error:
            log.error("cannot put a job away: %s", error, extra={"event": "job_not_moved", "reason": str(error)})
            return False
        return True


def _fault(greenlet: "gevent.Greenlet[..., Any]") -> None:
    log.error("a fault of the executor", exc_info=greenlet.exception, extra={"event": "greenlet_failed"})
