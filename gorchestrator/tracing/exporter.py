"""Sends the traces of tasks that have ended, in the background: one process at a time does so for all of a service.

What is to be sent is in the store (``store.traces``): a receiver that is away costs nothing but that the rows stay
there, and a process that is killed leaves them to the next one. Only what a receiver had taken without being able to
say so is sent twice, then with the same ids.
"""

import logging
import random
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import NoReturn, TypeVar

import gevent
from gevent.event import Event

from gorchestrator.common import traceparent
from gorchestrator.domain.attempts import Attempt
from gorchestrator.domain.errors import StoreError
from gorchestrator.domain.measures import Measures
from gorchestrator.domain.records import EventRow, Kind
from gorchestrator.store import Store
from gorchestrator.store.traces import Forget
from gorchestrator.store.turns import TRACES, turn
from gorchestrator.tracing.receiver import Away, Receiver, Refused
from gorchestrator.tracing.spans import Batch

_GATHER = 0.2  # seconds in which tasks that end are gathered
_EVERY = 10.0  # seconds between two looks for what another process has left
_TASKS, _SPANS = 100, 512  # looked for at once; sent at once
_FIRST_WAIT, _LONGEST_WAIT = 1.0, 30.0  # seconds between two tries
_AT_END = 1.0  # seconds for what is to be sent when the process ends; the rest waits for another one
_ALL = 1 << 64  # what the first digits of an id are compared with

T = TypeVar("T")
log = logging.getLogger(__name__)


class Exporter:
    """What this process does for traces. ``ratio``: which part of the tasks is traced, from 0 to 1."""

    def __init__(self, store: Store, receiver: Receiver, measures: Measures, ratio: float = 1.0) -> None:
        self._store, self._receiver, self._measures = store, receiver, measures
        self._bound = round(ratio * _ALL)
        self._woken = Event()
        self._down = self._ending = False
        self._wait = _FIRST_WAIT
        self._greenlet: gevent.Greenlet[[], NoReturn] | None = None

    def wants(self, task: str) -> bool:
        """Whether a task is traced: that follows from its id, so all processes agree."""
        return int(traceparent.trace_of(task)[:16], 16) < self._bound

    def context(self, attempt: Attempt) -> str:
        """Return the trace context that an attempt runs in."""
        task = attempt.task
        span = traceparent.span_of(task, attempt.node.id, attempt.number)
        return traceparent.written(traceparent.trace_of(task), span, sampled=self.wants(task))

    def start(self) -> None:
        """Begin, until :meth:`stop`; in the process that uses it, after a fork."""
        self._store.tailer.listen(self._hear, lambda: False)
        self._woken.set()  # there may be some that others have left
        self._greenlet = gevent.spawn(self._keep)

    def stop(self) -> None:
        """Send what can be sent within a second, and end; what is left waits in the store."""
        if self._greenlet is not None:
            self._greenlet.kill()
            self._ending = True
            with suppress(gevent.Timeout), gevent.Timeout(_AT_END):
                self._try()
        self._receiver.close()

    def _hear(self, found: Sequence[EventRow]) -> None:
        if any(event.kind is Kind.TASK_FINAL for event in found):
            self._woken.set()

    def _keep(self) -> NoReturn:
        while True:
            self._woken.wait(_EVERY)
            gevent.sleep(_GATHER)
            self._woken.clear()
            self._try()

    def _try(self) -> None:
        try:
            self.look()
        except StoreError as error:
            log.info("no traces can be sent now: %s", error, extra={"event": "store_away"})
        except Away:
            pass  # told by who has found it; this process ends
        except Exception:
            log.exception("sending traces failed; it begins again", extra={"event": "fault"})

    def look(self) -> None:
        """Send what is there, unless another process is about it."""
        with turn(self._store.path, TRACES) as mine:
            while mine and (due := self._store.reader.due_traces(_TASKS)):
                self._send(due)

    def _send(self, due: Sequence[tuple[str, str]]) -> None:
        batch, done = Batch(), []
        for task, context in due:
            try:
                batch = self._gather(batch, task, context)
            except (StoreError, Away):
                raise
            except Exception:  # a fault of ours must not keep the others waiting for ever
                log.exception("the trace of a task cannot be made", extra={"event": "fault", "task": task})
            done.append(task)
            if len(batch) >= _SPANS:
                self._post(batch)
                self._store.journal.maintain(Forget(done))
                batch, done = Batch(), []
        self._post(batch)
        self._store.journal.maintain(Forget(done))

    def _gather(self, batch: Batch, task_id: str, context: str) -> Batch:
        """Add the spans of a task, and send some where there are many; return the batch of those not sent yet."""
        task = self._store.reader.task(task_id)
        if task is None:  # removed a moment ago
            return batch
        first = 0
        while nodes := self._store.reader.traced_nodes(task_id, first):
            first, added = nodes[-1].row.node + 1, 0
            while added < len(nodes):
                added += _in_thread(partial(batch.add_nodes, task, nodes[added:], _SPANS))
                if len(batch) >= _SPANS:
                    self._post(batch)
                    batch = Batch()
        batch.add_task(task, context)
        return batch

    def _post(self, batch: Batch) -> None:
        """Send spans, however long the receiver is away: those before them were sent, and shall not be sent again."""
        if not len(batch):
            return
        body = _in_thread(batch.packed)
        while True:
            try:
                remark = self._receiver.send(body)
            except Away as fault:
                self._note_away(fault)
                if self._ending:
                    raise
                gevent.sleep(max(fault.after, self._wait * random.uniform(0.5, 1.0)))  # noqa: S311  (no secret)
                self._wait = min(2 * self._wait, _LONGEST_WAIT)
            except Refused as fault:
                self._measures.spans_lost.inc(by=len(batch))
                extra = {"event": "spans_lost", "count": len(batch), "receiver": self._receiver.url}
                log.error("%s does not take %d spans: %s", self._receiver.url, len(batch), fault, extra=extra)
                return
            else:
                self._note_back(len(batch), remark)
                return

    def _note_away(self, fault: Away) -> None:
        if not self._down:
            self._down = True
            extra = {"event": "traces_wait", "receiver": self._receiver.url, "reason": str(fault)}
            log.warning("traces wait, since %s does not take them: %s", self._receiver.url, fault, extra=extra)

    def _note_back(self, spans: int, remark: str | None) -> None:
        self._measures.spans_sent.inc(by=spans)
        self._wait = _FIRST_WAIT
        if self._down:
            self._down = False
            extra = {"event": "traces_go_on", "receiver": self._receiver.url}
            log.info("%s takes traces again", self._receiver.url, extra=extra)
        if remark:
            extra = {"event": "spans_remarked", "receiver": self._receiver.url}
            log.warning("%s says of spans that it was sent: %s", self._receiver.url, remark, extra=extra)


def _in_thread(function: Callable[[], T]) -> T:
    """Do what takes milliseconds in a native thread."""
    found: T = gevent.get_hub().threadpool.apply(function)
    return found
