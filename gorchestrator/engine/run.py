"""The live execution of one graph: a greenlet per node, which waits for the events of its predecessors.

Journal order is commit order, so a result need not be durable before its successors go on: their own attempts are
journalled behind it, and nothing leaves this process before its attempt is durable.
"""

import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import gevent
from gevent.event import Event

from gorchestrator.common.hub import breathe
from gorchestrator.common.reasons import ReasonCode
from gorchestrator.common.states import State
from gorchestrator.domain.errors import Fenced, StoreDamaged
from gorchestrator.domain.graph import NIL, SLEEP, Node
from gorchestrator.domain.measures import Measures
from gorchestrator.domain.ports import Executors, Journal, Stored
from gorchestrator.domain.records import AttemptRow, Change, Kind, NodeRow, TaskRow
from gorchestrator.domain.transitions import check_graph, check_node
from gorchestrator.engine import built_in, dispatch, ending, stopping, verdict
from gorchestrator.engine.doubts import Doubts
from gorchestrator.engine.faults import Faults
from gorchestrator.engine.signals import Signal, Waker
from gorchestrator.engine.stopping import Stop

NODES_PER_SLICE = 50  # about 3 ms of work between two breaths

log = logging.getLogger(__name__)


class Run:
    """One graph, executed by this process. ``ended`` is called once, when it is final or was given up."""

    def __init__(
        self,
        stored: Stored,
        *,
        journal: Journal,
        executors: Executors,
        ended: Callable[["Run"], None],
        measures: Measures | None = None,
    ) -> None:
        self.task: TaskRow = stored.task
        self.graph = stored.graph
        self.journal = journal
        self.executors = executors
        self.measures = measures or Measures()
        self.attempts: dict[int, AttemptRow] = dict(stored.attempts)
        self.log_sizes = stored.log_sizes
        self.rows: list[NodeRow] = list(stored.nodes)
        self._counts = Counter(row.state for row in self.rows)
        self.stopping: Stop | None = None
        self.doubts = Doubts()
        self.abandoned = False
        self._faults = Faults(self)
        self._began = time.monotonic() - stopping.used(stored.task)
        self._ended = ended
        self._signals = [Signal() for _ in self.rows]
        self._waker = Waker(self._faults.in_helper)
        self._left = 0
        self._all_done = Event()
        self.greenlets: dict[int, gevent.Greenlet[..., None]] = {}
        self._main: gevent.Greenlet[..., None] | None = None
        self._helpers: set[gevent.Greenlet[..., None]] = set()

    # -- the life of the run

    def start(self) -> None:
        """Run, or go on with, the graph."""
        for row, signal in zip(self.rows, self._signals, strict=True):
            if row.state.final:
                signal.set(self._waker)
            else:
                self._left += 1
        self._main = gevent.spawn(self._conduct)
        self._main.link_exception(self._faults.in_helper)

    def _conduct(self) -> None:
        if not self.task.state.final:
            self.set_task(Kind.TASK_STARTED, State.RUNNING, started_at=self.task.started_at or time.time())
        self._remember_stops()
        self._spawn_nodes()
        if self._left:
            self._all_done.wait()
        if self.task.state.final:  # a fault of ours has ended it
            return
        state, code, reason = verdict.of_graph(self.graph.nodes, self.rows, self.stopping)
        self.set_task(Kind.TASK_FINAL, state, reason_code=code, reason=reason, stopped_at=time.time())
        self._finish()

    def _remember_stops(self) -> None:
        if self.task.cancel_at is not None:
            self.helper(stopping.stop, self, Stop.by_cancel(self.task.cancel_actor or "unknown"))
        if self.task.deadline is not None:
            self.helper(stopping.keep_deadline, self, self.task.deadline)

    def _spawn_nodes(self) -> None:
        for node in self.graph.nodes:
            if not self.rows[node.id].state.final:
                greenlet = gevent.spawn(self._live, node)
                greenlet.link_exception(self._faults.in_node(node))
                self.greenlets[node.id] = greenlet
            if node.id % NODES_PER_SLICE == 0:
                breathe()

    def _finish(self) -> None:
        for helper in list(self._helpers):
            helper.kill(block=False)
        self._ended(self)

    def abandon(self) -> None:
        """Stop at once and write nothing more: the run belongs to another process, or this one stops."""
        if self.abandoned:
            return
        self.abandoned = True
        self._waker.stop()
        current = gevent.getcurrent()
        for greenlet in [self._main, *self.greenlets.values(), *self._helpers]:
            if greenlet is not None and greenlet is not current:
                greenlet.kill(block=False)
        self._ended(self)

    # -- a node

    def output_of(self, node: int) -> Mapping[str, str]:
        """Return what a finished node has produced."""
        return self.rows[node].output

    def _live(self, node: Node) -> None:
        try:
            self._live_on(node)
        except Fenced as error:  # nobody's fault, so no traceback
            log.warning("the run goes on elsewhere: %s", error, extra={"event": "run_fenced", "task": self.task.id})
            self.abandon()
        except StoreDamaged:
            pass  # told by who has found it; nothing can be stored any more, and the service is about to end

    def _live_on(self, node: Node) -> None:
        """Wait for the predecessors of a node, run it, and let its successors know."""
        for predecessor in node.needs:
            self._signals[predecessor].wait()
        if self.rows[node.id].state.final:  # canceled a moment ago
            return
        if self.stopping is not None and node.id not in self.attempts:
            ending.end_waiting(self, node, self.stopping)
        elif not all(verdict.lets_go_on(self.graph.nodes[need], self.rows[need]) for need in node.needs):
            why = verdict.why_not_run(self.graph.nodes, [self.rows[predecessor] for predecessor in node.needs])
            self.end_node(node, State.NOTRUNNABLE, ReasonCode.PREDECESSOR, why)
        elif node.target and self.executors.takes(node.target):
            dispatch.run(self, node)
        elif node.engine == NIL:
            built_in.nil(self, node)
        elif node.engine == SLEEP:
            built_in.sleep(self, node)
        else:
            dispatch.run(self, node)

    def set_node(
        self, node: Node, kind: Kind, *, attempt_row: AttemptRow | None = None, durable: bool = False, **columns: Any
    ) -> None:
        """Bring a node into another state, or give it another reason, and journal that; ``durable`` waits for it."""
        old = self.rows[node.id]
        new = replace(old, **columns)
        check_node(old.state, new.state)
        self.rows[node.id] = new
        change = Change(
            kind,
            self.task.id,
            self.task.fence,
            time.time(),
            node_row=new,
            attempt_row=attempt_row,
            tally=self.measures.of_node(node, old, new, attempt_row),
            **self._move(old.state, new.state),
        )
        if durable:
            self.journal.write(change)
        else:
            self.journal.post(change, partial(self._faults.refused, change))

    def _move(self, old: State, new: State) -> dict[str, Any]:
        """Count a node under another state; return what a change tells of that."""
        if old is new:
            return {}
        self._counts[old] -= 1
        self._counts[new] += 1
        return {"before": old, "counts": dict(self._counts)}

    def end_node(
        self,
        node: Node,
        state: State,
        code: ReasonCode | None = None,
        reason: str | None = None,
        **columns: Any,
    ) -> None:
        """Bring a node into a final state and wake its successors."""
        columns.setdefault("stopped_at", time.time())
        self.set_node(node, Kind.NODE_FINAL, state=state, reason_code=code, reason=reason, **columns)
        self._signals[node.id].set(self._waker)
        self.greenlets.pop(node.id, None)
        self._left -= 1
        if not self._left:
            self._all_done.set()

    @property
    def elapsed(self) -> float:
        """Seconds since the graph was accepted, by a clock that does not jump while one process runs it."""
        return time.monotonic() - self._began

    def helper(self, function: Callable[..., None], *args: Any) -> None:
        """Run something beside the nodes; it ends with the run."""
        greenlet = gevent.spawn(function, *args)
        self._helpers.add(greenlet)
        greenlet.link(self._helpers.discard)
        greenlet.link_exception(self._faults.in_helper)

    def set_task(self, kind: Kind, state: State, **columns: Any) -> None:
        """Bring the task into another state, and journal that."""
        check_graph(self.task.state, state)
        self.task = replace(self.task, state=state, **columns)
        tally = self.measures.tasks_ended.tally(state.label) if state.final else ()
        change = Change(kind, self.task.id, self.task.fence, time.time(), task_row=self.task, tally=tally)
        self.journal.post(change, partial(self._faults.refused, change))
        ids = {"event": kind.value, "task": self.task.id}
        log.info("%s is %s", self.task.name or "graph", state.label, extra=ids)
