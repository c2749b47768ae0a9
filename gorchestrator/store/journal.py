"""The writing side of the store, as greenlets use it. All of it runs in the hub's thread; see ``writer.py``."""

import logging
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from time import monotonic
from typing import Any

import gevent
from gevent.event import AsyncResult
from gevent.threadpool import ThreadPool

from gorchestrator.domain.audit import Act
from gorchestrator.domain.errors import StoreDamaged, StoreUnavailable, TooManyRuns
from gorchestrator.domain.measures import Measures
from gorchestrator.domain.records import Change, LogChunk, NodeRow, OwnerRow, Quota, Request, Resolution, TaskRow
from gorchestrator.store import doubts, verbs
from gorchestrator.store.accepting import Accept
from gorchestrator.store.audit import Auditor, Prune
from gorchestrator.store.batch import Item, Verb
from gorchestrator.store.damage import Damage
from gorchestrator.store.executors import Remember
from gorchestrator.store.logs import Gate
from gorchestrator.store.seal import Seal
from gorchestrator.store.writer import Report, Writer

PATIENCE = 5.0  # s that a greenlet waits for a database that is at fault
_ENDED = "The thread of the journal has ended: restart the service."

log = logging.getLogger(__name__)


class Journal:
    """Queues what is to be written and wakes who waits for it. The order of calls is the order of commits.

    Calls that block return when it is durable, and raise StoreUnavailable if the database was at fault for some
    seconds; then it is certain that nothing was or will be written. Of a call that is interrupted (its greenlet was
    killed, a gevent.Timeout passed) that is not known.
    """

    def __init__(
        self,
        path: Path,
        *,
        committed: Callable[[], None],
        damage: Damage,
        seal: Seal,
        patience: float = PATIENCE,
        measures: Measures | None = None,
    ) -> None:
        """Start the thread; ``committed`` is called in the hub when new events are durable."""
        hub = gevent.get_hub()
        self._auditor = Auditor(seal)
        self._committed = committed
        self._damage = damage
        self._patience = patience
        self._gate = Gate()
        self._reports: deque[Report] = deque()
        self._fault: str | None = None
        self._closed = False
        self._wake = hub.loop.async_()
        self._wake.start(self._settle)
        self._writer = Writer(path, self._receive, patience, measures or Measures(), self._auditor.committed)
        # A pool of one: a native thread, known to coverage and to fork, whose end can be waited for.
        self._pool = ThreadPool(1, hub=hub)
        self._thread = self._pool.spawn(self._writer.run)
        self._thread.rawlink(self._ended)

    # -- changes of runs

    def post(self, change: Change, failed: Callable[[BaseException], None] | None = None) -> None:
        """Queue a change and return. In a fault it is kept and tried again; ``failed`` is called if it is refused."""
        self._put(Item(change, failed=failed))

    def write(self, change: Change) -> None:
        """Return when a change is durable. Raises Fenced if the run has ended or belongs to another process."""
        self._wait(change)

    def sync(self) -> None:
        """Return when everything that was posted before is durable (or refused)."""
        self._wait(_nothing)

    # -- tasks and owners

    def accept(
        self,
        task: TaskRow,
        digraph: str | None,
        nodes: Sequence[tuple[int, str, str]],
        owner: str,
        most: int | None = None,
        reused: Sequence[NodeRow] = (),
        request: Request | None = None,
        context: str | None = None,
        act: Act | None = None,
        quota: Quota | None = None,
    ) -> str:
        """Insert a task with its nodes (number, name, JSON), owned by ``owner`` with fence 1; return its id.

        ``reused``: the rows of those that have ended already. ``context``: None unless the task is traced; then the
        trace context that it was submitted in, or nothing. Where ``request`` was taken before, nothing is written
        and the id is that of the task that it made. Raises KeyReused if its key was used for something else,
        TooManyRuns if ``most`` tasks are open already, whichever processes run them, and TooManyTasks if who submits
        has come to the end of a ``quota``. ``act``, here and below: the line
        of the audit that is written with it, if anything is.
        """
        note = self._auditor.note(act)
        found: str | None = self._wait(Accept(task, digraph, nodes, owner, most, reused, request, context, note, quota))
        if found is None:
            raise TooManyRuns(most)
        return found

    def request_cancel(self, task: str, actor: str, at: float, act: Act | None = None) -> TaskRow | None:
        """Remember that a task is to be cancelled, once; return its row after that, None if it is unknown."""
        row: TaskRow | None = self._wait(verbs.RequestCancel(task, actor, at, self._auditor.note(act)))
        return row

    def resolve(self, said: Resolution, act: Act | None = None) -> Resolution:
        """Take somebody's word on how a node's current attempt counts; return what is stored. Raises NotInDoubt."""
        taken: Resolution = self._wait(doubts.Resolve(said, self._auditor.note(act)))
        return taken

    def keep_layout(self, task: str, layout: bytes) -> None:
        """Remember how a task is drawn (JSON, packed with zlib), unless that is known already."""
        self._wait(verbs.KeepLayout(task, layout))

    def claim(self, task: str, owner: str, expected_owner: str | None, expected_fence: int) -> int | None:
        """Become the owner of an open task; return the new fence, or None if somebody else was faster."""
        fence: int | None = self._wait(verbs.Claim(task, owner, expected_owner, expected_fence))
        return fence

    def register(self, owner: OwnerRow) -> None:
        """Make a process known as an owner."""
        self._wait(verbs.Register(owner))

    def beat(self, owner: str, elapsed: Mapping[str, float]) -> bool:
        """Show that an owner lives; return False if it is not known any more (somebody took it for dead).

        ``elapsed``: the seconds that its tasks with a deadline have used.
        """
        known: bool = self._wait(verbs.Beat(owner, elapsed))
        return known

    def release(self, owner: str) -> None:
        """Take an owner from its open tasks, which anybody may claim then, and forget it."""
        self._wait(verbs.Release(owner))

    def remember_executors(self, endpoints: Mapping[str, str]) -> None:
        """Queue where executors are, by their names, for :meth:`Reader.executor`; it is written when it can be."""
        self._put(Item(Remember(endpoints)))

    def maintain(self, step: Verb) -> Any:
        """Take a step of what ``removing`` does, in its turn between the commits of runs; return what it returns."""
        return self._wait(step)

    # -- the audit

    def audit(self, act: Act) -> None:
        """Write a line of the audit that tells of something outside of the database."""
        self._wait(lambda transaction: self._auditor.append(transaction.connection, act))

    def prune_audit(self, through: int, *, begin: bool) -> int:
        """Take a step of pruning the audit up to a line; return how many lines are gone: 0, that was all.

        ``begin``: write a line that tells of it before.
        """
        gone: int = self._wait(Prune(self._auditor, through, begin=begin))
        return gone

    # -- logs

    def append_log(self, chunk: LogChunk) -> None:
        """Queue a piece of a log; blocks while too much is queued."""
        self._gate.enter(chunk)
        self._put(Item(chunk, in_logs=True))

    def flush_logs(self, task: str, node: int, attempt: int) -> None:
        """Return when the queued pieces of this log are durable."""
        if self._gate.holds((task, node, attempt)):
            self._wait(_nothing, in_logs=True)  # the log queue keeps its order

    @property
    def fault(self) -> str | None:
        """What keeps the journal from being written, None if nothing is known to."""
        return _ENDED if self.ended else self._fault

    @property
    def ended(self) -> bool:
        """Whether nothing can be written any more by this process, though nobody has asked for that."""
        return bool(self._thread.ready()) and not self._closed

    def close(self) -> None:
        """Write what is queued and end the thread."""
        if not self._closed:
            self._closed = True
            self._writer.stop()
            self._thread.wait()
            self._settle()
            self._wake.stop()
            self._wake.close()
            self._pool.kill()

    # -- to the thread and back

    def _put(self, item: Item) -> None:
        if self._closed:
            raise StoreUnavailable("The store is closed: this process is about to end.")
        self._damage.check()
        if self._thread.ready():
            raise StoreUnavailable(_ENDED)
        self._writer.put(item)

    def _wait(self, work: Change | Verb, *, in_logs: bool = False) -> Any:
        waiter: AsyncResult[Any] = AsyncResult()
        self._put(Item(work, waiter=waiter, deadline=monotonic() + self._patience, in_logs=in_logs))
        return waiter.get()

    def _receive(self, report: Report) -> None:
        """Take a report, in the writer's thread."""
        self._reports.append(report)
        self._wake.send()

    def _settle(self) -> None:
        """Do what the reports ask for, in the hub, so without blocking."""
        while self._reports:
            report = self._reports.popleft()
            if report.damaged:
                self._damage.found(report.fault or "")
            else:
                self._note(report.fault)
            for item in report.done:
                self._settle_item(item)
            if report.events:
                self._committed()

    def _settle_item(self, item: Item) -> None:
        if isinstance(item.work, LogChunk):
            self._gate.leave(item.work)
        if item.waiter is not None:
            if item.error is None:
                item.waiter.set(item.value)
            else:
                item.waiter.set_exception(item.error)
        elif item.error is not None:
            self._refused(item, item.error)

    def _refused(self, item: Item, error: BaseException) -> None:
        if item.failed is None and isinstance(error, StoreDamaged):
            return  # that was told already, once for all
        if item.failed is None:
            log.error("the journal refused a change: %s", error, extra={"event": "change_refused", **_ids(item)})
            return
        try:
            item.failed(error)
        except Exception:
            log.exception("a callback failed", extra={"event": "callback_failed", **_ids(item)})

    def _ended(self, thread: "AsyncResult[None]") -> None:
        """Let nobody wait for a thread that is gone; whoever asked for its end has nothing left in the queue."""
        if not self._closed:
            log.critical(_ENDED, exc_info=thread.exception, extra={"event": "writer_ended"})
        for item in self._writer.left():
            item.error = StoreUnavailable(_ENDED)
            self._settle_item(item)

    def _note(self, fault: str | None) -> None:
        """Log where a fault begins and ends."""
        if fault is not None and fault != self._fault:
            log.error("the store is unavailable: %s", fault, extra={"event": "store_unavailable"})
        elif fault is None and self._fault is not None:
            log.info("the store works again", extra={"event": "store_available"})
        self._fault = fault


def _nothing(_: object) -> None:
    """Mark a place in the queue."""


def _ids(item: Item) -> dict[str, object]:
    return {"task": item.work.task} if isinstance(item.work, (Change, LogChunk)) else {}
