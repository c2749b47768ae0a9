"""The runs of this process: started when a graph is accepted here, taken over when their owner is gone."""

import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence

import gevent
from gevent.event import Event

from gorchestrator.common.reasons import ReasonCode
from gorchestrator.common.states import State
from gorchestrator.domain.errors import StoreError
from gorchestrator.domain.measures import Measures
from gorchestrator.domain.ports import Executors, Journal, Stored
from gorchestrator.domain.records import Change, EventRow, Kind, Resolution, TaskRow
from gorchestrator.engine import doubts, stopping
from gorchestrator.engine.ownership import LOOKS_PER_LEASE, Ownership
from gorchestrator.engine.run import Run
from gorchestrator.engine.stopping import Stop

_CANCELS_KEPT = 1000

log = logging.getLogger(__name__)


class Scheduler:
    """Holds the runs that this process owns, and shows the other processes that it lives.

    ``load`` returns what is stored of a task, ``said`` what people have said of its attempts; ``share`` is told how
    many processes use the executors.
    """

    def __init__(
        self,
        *,
        journal: Journal,
        ownership: Ownership,
        executors: Executors,
        load: Callable[[str], Stored | None],
        said: Callable[[str], Sequence[Resolution]],
        share: Callable[[int], None],
        lease: float,
        measures: Measures | None = None,
    ) -> None:
        self._journal = journal
        self._ownership = ownership
        self._load = load
        self._said = said
        self._share = share
        self._executors = executors
        self._measures = measures or Measures()
        self._pause = lease / LOOKS_PER_LEASE
        self._runs: dict[str, Run] = {}
        self._stopped = False
        self._look = Event()
        self._claimed: dict[str, int] = {}  # owned, but not loaded yet: the fences
        self._canceled: OrderedDict[str, str] = OrderedDict()  # cancels that were seen before their run was here
        self._known = Event()  # to the other processes
        self._keepers: dict[Callable[[], None], gevent.Greenlet[..., None]] = {}

    def start(self) -> None:
        """Take over what has no living owner, now and from now on."""
        # Apart, so that this process does not look dead while it loads what it has taken over.
        for work in (self._beat, self._look_after):
            self._keep(work, 0)

    def _keep(self, work: Callable[[], None], delay: float) -> None:
        """Do something for as long as the process lives, whatever goes wrong."""
        self._keepers[work] = greenlet = gevent.spawn_later(delay, work)
        greenlet.link_exception(lambda failed: self._keeper_failed(failed, work))

    def stop(self) -> None:
        """Give up all runs: the next owner goes on with them. What runs on executors is left alone."""
        self._stopped = True
        gevent.killall([*self._keepers.values()])
        for run in list(self._runs.values()):
            run.abandon()
        self._ownership.release()

    @property
    def open_runs(self) -> int:
        """How many runs this process owns."""
        return len(self._runs)

    def prove(self) -> None:
        """Return when something was written to the store. Raises StoreUnavailable."""
        self._ownership.beat({})

    def run(self, stored: Stored) -> None:
        """Execute a graph that this process has accepted or claimed; one that stops leaves it to the others."""
        if self._stopped:
            return
        run = Run(
            stored,
            journal=self._journal,
            executors=self._executors,
            ended=self._forget,
            measures=self._measures,
        )
        self._runs[run.task.id] = run
        run.start()
        actor = self._canceled.pop(run.task.id, None)
        if actor is not None:
            run.helper(stopping.stop, run, Stop.by_cancel(actor))

    def _forget(self, run: Run) -> None:
        if self._runs.get(run.task.id) is run:  # and not the one that has followed it
            del self._runs[run.task.id]

    # -- the other processes

    def follow(self, events: Sequence[EventRow]) -> None:
        """Do what was asked for through any process, and look at once for what one of them has given up."""
        for event in events:
            run = self._runs.get(event.task)
            if event.kind is Kind.TASK_RELEASED:
                self._look.set()
            elif event.kind is Kind.TASK_CANCEL:
                self._cancel(run, event)
            elif event.kind is Kind.NODE_RESOLVE and run is not None:
                run.helper(doubts.learn, run, self._said)
            elif event.kind is Kind.TASK_CLAIMED and run is not None and _fence(event) > run.task.fence:
                log.warning("another process owns it now", extra={"event": "run_fenced", "task": event.task})
                run.abandon()

    def _cancel(self, run: Run | None, event: EventRow) -> None:
        if run is not None:
            run.helper(stopping.stop, run, Stop.by_cancel(event.actor))
            return
        self._canceled[event.task] = event.actor
        if len(self._canceled) > _CANCELS_KEPT:
            self._canceled.popitem(last=False)

    def _beat(self) -> None:
        while True:
            try:
                self._ownership.beat({run.task.id: run.elapsed for run in self._runs.values() if run.task.deadline})
                self._known.set()
            except StoreError as error:
                log.warning("the store is away: %s", error, extra={"event": "store_away"})
            gevent.sleep(self._pause)

    def _look_after(self) -> None:
        self._known.wait()
        while True:
            try:
                for claimed in list(self._claimed.items()):
                    self._adopt(*claimed)
                orphans = self._ownership.orphans(self._runs.keys() | self._claimed.keys())
                self._share(self._ownership.living)
                for task in orphans:  # each when it is its turn: others may be quicker
                    fence = self._ownership.claim(task)
                    if fence is not None:
                        self._claimed[task.id] = fence
                        self._adopt(task.id, fence)
            except StoreError as error:
                log.warning("the store is away: %s", error, extra={"event": "store_away"})
            self._look.wait(self._pause)
            self._look.clear()

    def _adopt(self, task: str, fence: int) -> None:
        """Go on with a claimed run; what the store does not give now is loaded the next time."""
        try:
            stored = self._load(task)
        except StoreError:
            raise
        except Exception as error:
            log.exception("a run cannot be loaded", extra={"event": "run_fault", "task": task})
            self._give_up(task, fence, f"a fault of the orchestrator: its graph cannot be loaded: {error!r}")
            stored = None
        del self._claimed[task]
        # It may have ended, or have been claimed by another process, while the store was away.
        if stored is None or stored.task.state.final or stored.task.fence != fence:
            return
        log.info("took over", extra={"event": "run_adopted", "task": task, "fence": fence})
        self.run(stored)
        if run := self._runs.get(task):  # read only now that events reach it, so that nothing can come between
            run.helper(doubts.learn, run, self._said)

    def _give_up(self, task: str, fence: int, reason: str) -> None:
        code, now = ReasonCode.INTERNAL, time.time()
        row = TaskRow(task, "", State.FAILURE, reason, code, stopped_at=now)
        tally = self._measures.tasks_ended.tally(row.state.label)
        self._journal.post(Change(Kind.TASK_FINAL, task, fence, now, task_row=row, tally=tally))

    def _keeper_failed(self, greenlet: "gevent.Greenlet[..., None]", work: Callable[[], None]) -> None:
        log.error("the keeper of leases failed; it starts again", exc_info=greenlet.exc_info, extra={"event": "fault"})
        self._keep(work, self._pause)


def _fence(event: EventRow) -> int:
    fence = event.data.get("fence")
    return fence if isinstance(fence, int) else 0
