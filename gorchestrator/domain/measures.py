"""What the orchestrator measures: its metrics, and the instruments of one process for those that it counts by itself.

They stand here because engine, store and service all measure, and none of them may know the others. What follows from a
change of a node is counted with it, by the journal, once it is durable (:meth:`Measures.of_node`): so a count is told
once, whichever process goes on with a run.
"""

from collections.abc import Callable
from pathlib import Path

from gorchestrator.common.metrics import Meter, Metric, Tally
from gorchestrator.common.metrics.definitions import LONG, SHORT, Merge, counter, gauge, histogram
from gorchestrator.common.metrics.shared import SHARED
from gorchestrator.common.reasons import ReasonCode
from gorchestrator.common.states import State
from gorchestrator.domain.graph import NIL, SLEEP, Node
from gorchestrator.domain.records import AttemptRow, NodeRow

_ITEMS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000)

# -- read from the store, or known anyway, when somebody asks

WORKERS = gauge("gorch_workers", "worker processes that live", merge=Merge.MAX)
TASKS = gauge("gorch_tasks", "tasks in the store by state", "state")
NODES = gauge("gorch_nodes", "nodes by state, of the tasks that have not ended", "state")
OPEN_RUNS_LIMIT = gauge("gorch_open_runs_limit", "tasks that may be open at once: the setting open_runs")
JOURNAL_EVENTS = counter("gorch_journal_events_total", "events in the journal since it was made")
JOURNAL_BYTES = gauge("gorch_journal_bytes", "size of the database with its write-ahead log")

# -- counted by each process

TASKS_ACCEPTED = counter("gorch_tasks_accepted_total", "graphs that were accepted")
TASKS_ENDED = counter("gorch_tasks_ended_total", "tasks that have ended, by state", "state")
NODES_ENDED = counter("gorch_nodes_ended_total", "nodes that have ended, by engine and state", "engine", "state")
ATTEMPTS_ENDED = counter("gorch_attempts_ended_total", "attempts that have ended on executors", "engine", "state")
ATTEMPTS_LOST = counter("gorch_attempts_lost_total", "attempts of which nobody knows how they ended", "executor")
RETRIES = counter("gorch_retries_total", "attempts that another one followed", "engine")
QUEUE_WAIT = histogram(
    "gorch_queue_wait_seconds", "from when a node may run until it has a slot", "executor", buckets=LONG
)
ATTEMPT_DURATION = histogram(
    "gorch_attempt_duration_seconds", "how long attempts ran, by the executor's clock", "engine", buckets=LONG
)
DISPATCH_OVERHEAD = histogram(
    "gorch_dispatch_overhead_seconds",
    "from the slot to the result, without the time that the attempt ran: journal, wire, start",
    "executor",
    buckets=SHORT,
)
COMMIT_ITEMS = histogram("gorch_journal_commit_items", "what one commit of the journal has written", buckets=_ITEMS)
COMMIT_SECONDS = histogram("gorch_journal_commit_seconds", "how long a commit of the journal took", buckets=SHORT)
JOURNAL_FAULTS = counter("gorch_journal_faults_total", "commits that have failed and are tried again")
SPANS_SENT = counter("gorch_spans_sent_total", "spans that the receiver of traces has taken")
SPANS_LOST = counter("gorch_spans_lost_total", "spans that the receiver of traces has refused")
STREAMS_OPENED = counter("gorch_event_streams_opened_total", "event streams that were opened")

# -- shown by each process

RUNS = gauge("gorch_runs", "tasks that the workers run")
STREAMS = gauge("gorch_event_streams", "event streams that are open")
WRITABLE = gauge("gorch_store_writable", "1, or 0 while a worker cannot write the journal", merge=Merge.MIN)
REACHABLE = gauge(
    "gorch_executor_reachable", "1, or 0 while a worker has no contact to it", "executor", merge=Merge.MIN
)
IN_FLIGHT = gauge("gorch_executor_in_flight", "attempts that have a slot", "executor")
SLOTS = gauge("gorch_executor_slots", "attempts that may be sent at once", "executor")
WAITING = gauge("gorch_executor_waiting", "attempts that wait for a slot", "executor")
CAPACITY = gauge("gorch_executor_capacity", "jobs that it runs at once, as it says", "executor", merge=Merge.MAX)
LOAD = gauge("gorch_executor_load", "jobs that it ran when it was asked last", "executor", merge=Merge.MAX)

_OWN = [value for value in list(globals().values()) if isinstance(value, Metric)]
METRICS = tuple(dict.fromkeys((*SHARED, *_OWN)))


class Measures:
    """The instruments of this process. ``folder``: where those of all workers meet; None: this process alone."""

    def __init__(self, folder: Path | None = None) -> None:
        self.meter = meter = Meter(folder)
        self._engines = {NIL, SLEEP}
        #: Whether an executor is known to have an engine; plugged in by who knows the executors.
        self.has_engine: Callable[[str], bool] = lambda _: False
        self.tasks_accepted = meter.counter(TASKS_ACCEPTED)
        self.tasks_ended = meter.counter(TASKS_ENDED)
        self.nodes_ended = meter.counter(NODES_ENDED)
        self.attempts_ended = meter.counter(ATTEMPTS_ENDED)
        self.attempts_lost = meter.counter(ATTEMPTS_LOST)
        self.retries = meter.counter(RETRIES)
        self.queue_wait = meter.histogram(QUEUE_WAIT)
        self.attempt_duration = meter.histogram(ATTEMPT_DURATION)
        self.dispatch_overhead = meter.histogram(DISPATCH_OVERHEAD)
        self.commit_items = meter.histogram(COMMIT_ITEMS)
        self.commit_seconds = meter.histogram(COMMIT_SECONDS)
        self.journal_faults = meter.counter(JOURNAL_FAULTS)
        self.spans_sent = meter.counter(SPANS_SENT)
        self.spans_lost = meter.counter(SPANS_LOST)
        self.streams_opened = meter.counter(STREAMS_OPENED)
        self.runs = meter.gauge(RUNS)
        self.streams = meter.gauge(STREAMS)
        self.writable = meter.gauge(WRITABLE)
        self.reachable = meter.gauge(REACHABLE)
        self.in_flight = meter.gauge(IN_FLIGHT)
        self.slots = meter.gauge(SLOTS)
        self.waiting = meter.gauge(WAITING)
        self.capacity = meter.gauge(CAPACITY)
        self.load = meter.gauge(LOAD)
        for state in State:
            if state.final:  # so that the first of them is seen as an increase
                self.tasks_ended.show(state.label)

    def _engine(self, node: Node) -> str:
        """Return the label of a node's engine: those that no executor has are counted as one."""
        engine = node.engine
        if engine in self._engines:
            return engine
        if not self.has_engine(engine):
            return "other"
        self._engines.add(engine)
        return engine

    def of_node(self, node: Node, old: NodeRow, new: NodeRow, ended: AttemptRow | None) -> Tally:
        """Return what a change of a node counts for; ``ended``: the row of an attempt that is written with it."""
        if ended is not None and ended.state.final:
            return *self._of_attempt(node, new, ended), *self._of_end(node, old, new)
        if new.state.final:
            return self._of_end(node, old, new)
        asked = old.reason_code == ReasonCode.ASK and new.reason_code is None and new.state is State.TORUN
        return self.retries.tally(self._engine(node)) if asked else ()

    def _of_end(self, node: Node, old: NodeRow, new: NodeRow) -> Tally:
        if old.state.final or not new.state.final:
            return ()
        return self.nodes_ended.tally(self._engine(node), new.state.label)

    def _of_attempt(self, node: Node, new: NodeRow, ended: AttemptRow) -> Tally:
        if new.attempt < ended.attempt:  # it never began, so it does not count
            return ()
        engine = self._engine(node)
        tally = [*self.attempts_ended.tally(engine, ended.state.label)]
        if ended.reason_code == ReasonCode.LOST:
            tally += self.attempts_lost.tally(ended.executor)
        elif ended.started_at is not None and ended.stopped_at is not None:
            tally += self.attempt_duration.tally(max(0.0, ended.stopped_at - ended.started_at), engine)
        if new.state is State.TORUN and new.reason_code != ReasonCode.ASK:
            tally += self.retries.tally(engine)
        return tally
