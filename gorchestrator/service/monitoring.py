"""What operators' machines ask: the metrics, whether the service is alive, and whether it is ready."""

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import gevent

from gorchestrator.client.executor import RemoteExecutor
from gorchestrator.client.fleet import Fleet
from gorchestrator.common.hub import breathe
from gorchestrator.common.metrics import Metric, Sample, encode
from gorchestrator.common.metrics.pulse import Pulse, free, known
from gorchestrator.common.states import State
from gorchestrator.domain import measures as of
from gorchestrator.domain.errors import StoreError
from gorchestrator.domain.measures import Measures
from gorchestrator.domain.records import Totals
from gorchestrator.store import Store

_PATIENCE = 2.0  # seconds for the store to take something; probes do not wait long themselves
_PROVEN = 1.0  # seconds for which one proof is good
_ROOM = 2**20  # bytes of a disk below which it counts as full: what is written then may find room, a graph does not

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Contact:
    """Whether this process is in contact with an executor; ``since`` is in seconds since the epoch."""

    name: str
    reachable: bool
    since: float
    reason: str | None


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether graphs are accepted. ``fault``: what is wrong with the store.

    Executors are told, but do not count: a graph is accepted while none is reachable, and waits.
    """

    fault: str | None
    draining: bool
    executors: tuple[Contact, ...]

    @property
    def ready(self) -> bool:
        """Whether it is."""
        return self.fault is None and not self.draining


class Monitoring:
    """Of one worker process; what it tells of all is the same whichever is asked.

    ``prove`` writes something to the store. ``limit``: the setting ``open_runs``, which may be changed.
    """

    def __init__(
        self,
        *,
        measures: Measures,
        store: Store,
        fleet: Fleet,
        prove: Callable[[], None],
        runs: Callable[[], int],
        limit: int,
    ) -> None:
        self.measures = measures
        self.draining = False
        self.limit = limit
        self._store = store
        self._fleet = fleet
        self._prove = prove
        self._runs = runs
        self._proven = 0.0
        self._opened = 0
        self._pulse = Pulse(measures.meter, self._show)
        measures.has_engine = self._has_engine

    def start(self) -> None:
        """Keep the gauges of this process up to date until :meth:`stop`."""
        self._pulse.start()

    def stop(self) -> None:
        """End that, and leave the gauges to the workers that live on."""
        self._pulse.stop()
        self.measures.meter.close()

    # -- health

    @property
    def alive(self) -> bool:
        """Whether it works; where not, only a restart helps."""
        return not self._store.journal.ended

    def readiness(self) -> Readiness:
        """Return whether graphs are accepted now; something is written for that, but at most once a second."""
        contacts = tuple(_contact(executor) for executor in self._fleet)
        return Readiness(None if self.draining else self._fault(), self.draining, contacts)

    def _fault(self) -> str | None:
        known = self._store.journal.fault
        if known is not None or time.monotonic() - self._proven < _PROVEN:
            return known
        if free(self._store.path.parent) < _ROOM:
            return f"The disk is full: free some space on the file system of {self._store.path}."
        try:
            with gevent.Timeout(_PATIENCE):
                self._prove()
        except StoreError as error:
            return error.detail
        except gevent.Timeout:
            return self._store.journal.fault or f"The store took nothing within {_PATIENCE:g} s."
        self._proven = time.monotonic()
        return None

    # -- metrics

    def metrics(self, accept: str) -> tuple[bytes, str]:
        """Return the metrics of the whole service as a text, and its media type as a client accepts it."""
        self._pulse.beat()
        samples = [*self.measures.meter.samples(), *self._known(), *self._stored()]
        return encode(of.METRICS, samples, accept, breathe)

    def _known(self) -> Iterator[Sample]:
        yield from known("orchestrator", self._store.path.parent)
        yield Sample(of.WORKERS.name, (), (float(self.measures.meter.workers()),))
        yield Sample(of.OPEN_RUNS_LIMIT.name, (), (float(self.limit),))

    def _stored(self) -> Iterator[Sample]:
        try:
            totals = self._store.reader.totals()
        except StoreError as error:  # all else can be told
            log.info("the store is away: %s", error, extra={"event": "store_away"})
            return
        yield from _totals(totals)
        size = _size(self._store.path) + _size(self._store.path.with_name(self._store.path.name + "-wal"))
        yield Sample(of.JOURNAL_BYTES.name, (), (float(size),))

    def _show(self) -> None:
        """Bring the gauges of this process up to date, and count what is known as a sum."""
        shown, opened = self.measures, self._store.feed.opened
        shown.streams_opened.inc(by=opened - self._opened)
        self._opened = opened
        shown.runs.set(self._runs())
        shown.streams.set(self._store.feed.followers)
        shown.writable.set(self._store.journal.fault is None)
        for executor in self._fleet:
            self._show_executor(executor)
        names = [(executor.name,) for executor in self._fleet]
        for gauge in (shown.reachable, shown.in_flight, shown.slots, shown.waiting, shown.capacity, shown.load):
            gauge.keep(names)

    def _show_executor(self, executor: RemoteExecutor) -> None:
        shown, name, slots = self.measures, executor.name, executor.slots
        shown.reachable.set(executor.contact.wait(0), name)
        shown.in_flight.set(slots.used, name)
        shown.slots.set(slots.limit, name)
        shown.waiting.set(slots.queued, name)
        shown.attempts_lost.show(name)
        info = executor.contact.info
        if info is not None:
            shown.capacity.set(info.capacity, name)
            shown.load.set(info.load, name)

    def _has_engine(self, engine: str) -> bool:
        return any(engine in info.engines for executor in self._fleet if (info := executor.contact.info) is not None)


def _contact(executor: RemoteExecutor) -> Contact:
    contact = executor.contact
    reachable = contact.wait(0)
    if reachable:
        return Contact(executor.name, reachable, contact.since_at, None)
    reason = "it was not reached yet" if contact.fault is None else contact.fault.reason
    return Contact(executor.name, reachable, contact.since_at, reason)


def _totals(totals: Totals) -> Iterator[Sample]:
    yield Sample(of.JOURNAL_EVENTS.name, (), (float(totals.events),))
    yield from _by_state(of.TASKS, totals.tasks)
    yield from _by_state(of.NODES, totals.nodes)


def _by_state(metric: Metric, found: Mapping[State, int]) -> Iterator[Sample]:
    for state in State:
        yield Sample(metric.name, (state.label,), (float(found.get(state, 0)),))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
