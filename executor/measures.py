"""What the executor measures: its metrics, and the instruments of its worker."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from executor.job import Job
from executor.runner import Runner
from gorchestrator.common.metrics import Meter, Metric, Sample
from gorchestrator.common.metrics.definitions import LONG, counter, gauge, histogram
from gorchestrator.common.metrics.shared import REQUESTS, SHARED
from gorchestrator.common.states import State

# -- known anyway, when somebody asks

JOBS = gauge("gorch_jobs", "jobs that are not acknowledged, by engine and state", "engine", "state")
CAPACITY = gauge("gorch_jobs_capacity", "jobs that run at once at the most: the setting capacity")
QUEUE_LIMIT = gauge("gorch_jobs_queue_limit", "jobs that wait at the most: the setting queue")
RUNNING = gauge("gorch_jobs_running", "places that are taken")
QUEUED = gauge("gorch_jobs_queued", "jobs that wait for a place")
DRAINING = gauge("gorch_draining", "1 while it takes no new jobs because it is about to stop")
DISK_FULL = gauge("gorch_disk_full", "1 from when something found no room until something new was stored")

# -- counted

ENDED = counter("gorch_jobs_ended_total", "jobs that have ended, by engine and state", "engine", "state")
DURATION = histogram("gorch_job_duration_seconds", "how long jobs ran", "engine", buckets=LONG)
WAIT = histogram("gorch_job_wait_seconds", "from when a job was accepted until it ran", "engine", buckets=LONG)
LOG_BYTES = counter("gorch_job_log_bytes_total", "what jobs that have ended had printed")

_OWN = [value for value in list(globals().values()) if isinstance(value, Metric)]
METRICS = tuple(dict.fromkeys((*SHARED, *_OWN)))


class Measures:
    """The instruments. ``folder``: where a worker finds what the one before it has counted."""

    def __init__(self, folder: Path) -> None:
        self.meter = meter = Meter(folder)
        self.requests = meter.counter(REQUESTS)
        self._ended = meter.counter(ENDED)
        self._duration = meter.histogram(DURATION)
        self._wait = meter.histogram(WAIT)
        self._log_bytes = meter.counter(LOG_BYTES)

    def ended(self, job: Job) -> None:
        """Count a job that has just got its result."""
        result, engine = job.result, _engine(job)
        if result is None:
            return
        self._ended.inc(engine, result.state.label)
        self._log_bytes.inc(by=result.log_size or 0)
        if result.started_at is not None:
            self._wait.observe(max(0.0, result.started_at - job.created_at), engine)
            if result.stopped_at is not None:
                self._duration.observe(max(0.0, result.stopped_at - result.started_at), engine)


def of(runner: Runner) -> Iterator[Sample]:
    """Yield what a runner shows now."""
    for metric, value in (
        (CAPACITY, runner.limits.capacity),
        (QUEUE_LIMIT, runner.limits.queue),
        (RUNNING, len(runner.running)),
        (QUEUED, len(runner.waiting)),
        (DRAINING, runner.closing or runner.draining),
        (DISK_FULL, runner.storage.full),
    ):
        yield Sample(metric.name, (), (float(value),))
    # Who ended long ago was acknowledged, so there are few, unless no orchestrator has come for days.
    found = Counter((_engine(job), job.state.label) for job in list(runner.jobs.values()))
    for engine in runner.engines:
        found.update({(engine, State.RUNNING.label): 0})
    for labels, number in found.items():
        yield Sample(JOBS.name, labels, (float(number),))


def _engine(job: Job) -> str:
    """Return the label: what was accepted has an engine of ours, what was cancelled before it came has none."""
    return job.attempt.engine or "none"
