"""The use cases: submit, validate, show, list, wait, cancel, logs, ping. No Flask, no SQL, no HTTP.

Everything that is shown is read from the store, so each worker process answers for the runs of all.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import uuid4

import gevent

from gorchestrator.client.fleet import Fleet, RemoteExecutor
from gorchestrator.common.hub import breathe
from gorchestrator.common.states import State
from gorchestrator.domain.attempts import attempt_id
from gorchestrator.domain.build import build
from gorchestrator.domain.documents import graph_from_json, matrix_to_json, node_to_json
from gorchestrator.domain.errors import Fault, UnknownNode, UnknownTask
from gorchestrator.domain.graph import Graph
from gorchestrator.domain.ports import Stored
from gorchestrator.domain.records import Answer, AttemptRow, NodeRow, Resolution, TaskRow, Whole
from gorchestrator.engine.ownership import Ownership
from gorchestrator.engine.scheduler import Scheduler
from gorchestrator.store import Store
from gorchestrator.store.logs import Gap

T = TypeVar("T")

_NODES_PER_SLICE = 100
_LOG_PIECE = 2**20  # bytes of log that one answer holds at the most
_PING_PATIENCE = 3.0  # seconds for all executors to answer


@dataclass(frozen=True, slots=True)
class LogPiece:
    """A piece of the log of an attempt: what it printed before ``next``; ``complete`` if nothing can follow it.

    Where something was left out, which ``gap`` tells, a line in ``data`` says so.
    """

    attempt: int
    data: bytes
    next: int
    complete: bool
    gap: Gap | None


@dataclass(frozen=True, slots=True)
class AttemptsView:
    """Attempts of a node with the sizes of their logs, and the number of the last one if others follow."""

    attempts: Sequence[tuple[AttemptRow, int]]
    next: int | None


@dataclass(frozen=True, slots=True)
class ExecutorView:
    """What a ping tells about one executor. ``engines`` and the numbers are None where it does not answer."""

    name: str
    url: str
    reason: str | None = None
    engines: Mapping[str, Any] | None = None
    capacity: int | None = None
    load: int | None = None


class Service:
    """What the API offers, as plain calls."""

    def __init__(
        self, *, store: Store, scheduler: Scheduler, ownership: Ownership, fleet: Fleet, open_runs: int
    ) -> None:
        """``open_runs``: how many tasks of all processes may be open."""
        self._store = store
        self._scheduler = scheduler
        self._ownership = ownership
        self._fleet = fleet
        self._open_runs = open_runs

    # -- in

    def validate(self, document: Mapping[str, Any], faults: Sequence[Fault] = ()) -> Graph:
        """Return the graph of a document. Raises InvalidGorch with ``faults`` and all others that it has."""
        return build(document, faults=faults, engines=self._fleet.engines(), pause=breathe)

    def submit(self, document: Mapping[str, Any], faults: Sequence[Fault] = ()) -> TaskRow:
        """Accept a gorch: it is stored when this returns, and runs.

        Raises InvalidGorch, TooManyRuns or StoreUnavailable; then nothing is stored.
        """
        graph = self.validate(document, faults)
        cells = document.get("digraph")
        task = TaskRow(
            id=uuid4().hex,
            name=graph.name,
            labels=graph.labels,
            size=len(graph.nodes),
            accepted_at=time.time(),
            owner=self._ownership.id,
            fence=1,
            deadline=graph.deadline,
        )
        nodes = []
        for node in graph.nodes:
            nodes.append((node.id, node.name, node_to_json(node, with_needs=cells is None)))
            if node.id % _NODES_PER_SLICE == 0:
                breathe()
        digraph = None if cells is None else _in_thread(matrix_to_json, cells)
        self._store.journal.accept(task, digraph, nodes, owner=self._ownership.id, most=self._open_runs)
        rows = [NodeRow(task.id, node.id) for node in graph.nodes]
        self._scheduler.run(Stored(task, graph, rows, attempts={}, log_sizes={}))
        return task

    # -- out

    def tasks(self, limit: int, *, open_only: bool = False) -> list[TaskRow]:
        """Return the newest tasks, newest first; ``open_only``: of those that are not final."""
        if open_only:
            return self._store.reader.open_tasks()[: -limit - 1 : -1]
        return self._store.reader.tasks(limit=limit)

    def task(self, task_id: str, wait: float = 0) -> TaskRow:
        """Return a task, when it is final or after ``wait`` seconds. Raises UnknownTask."""
        deadline = time.monotonic() + wait
        seq = self._store.reader.last_seq() if wait else 0
        while True:
            row = self._store.reader.task(task_id)
            if row is None:
                raise UnknownTask(task=task_id)
            left = deadline - time.monotonic()
            if row.state.final or left <= 0:
                return row
            newest = self._store.tailer.wait(task_id, seq, left)
            if newest == seq:  # the time is over, or this process is about to stop
                return row
            seq = newest

    def show(self, task_id: str, *, digraph: bool) -> Whole:
        """Return a task with its nodes, all as of one moment. Raises UnknownTask."""
        found = self._store.reader.whole(task_id, digraph=digraph)
        if found is None:
            raise UnknownTask(task=task_id)
        return found

    def log(self, task_id: str, node: str, offset: int, attempt: int | None = None) -> LogPiece:
        """Return the log of a node (name, else number) from ``offset`` on.

        By default of its last attempt, which is not complete while another one may follow.
        """
        row = self._node(task_id, node)
        number = row.attempt if attempt is None else attempt
        # Whether it has ended is looked at before its log is read, so that nothing can come between.
        ended = row.state.final or (attempt is not None and self._has_ended(row, attempt))
        piece = self._store.reader.log(task_id, row.node, number, offset, _LOG_PIECE)
        data = b"".join((piece.data, piece.gap.marker if piece.gap else b"", piece.behind))
        return LogPiece(number, data, piece.next, ended and not piece.more, piece.gap)

    def attempts(self, task_id: str, node: str, after: int = 0) -> AttemptsView:
        """Return attempts of a node (name, else number) behind number ``after``. Raises UnknownTask or UnknownNode."""
        row = self._node(task_id, node)
        found = self._store.reader.attempts(task_id, row.node, after)
        last = found[-1][0].attempt if found else row.attempt
        return AttemptsView(found, last if last < row.attempt else None)

    def _has_ended(self, row: NodeRow, attempt: int) -> bool:
        """Whether an attempt has ended of a node that may go on with the next one."""
        name = attempt_id(row.task, row.node, attempt)
        return attempt < row.attempt or (row.state is State.TORUN and name in self._store.reader.final_attempts([name]))

    def _node(self, task_id: str, node: str) -> NodeRow:
        """Return a node by its name, else its number. Raises UnknownTask or UnknownNode."""
        self.task(task_id)
        found = self._store.reader.node(task_id, node)  # its name may be the number of another one
        if found is None and node.isdecimal():
            found = self._store.reader.node(task_id, int(node))
        if found is None:
            raise UnknownNode(f"Task {task_id} has no node {node[:100]!r}; give its name or its number.", node=node)
        return found[0]

    # -- stop

    def cancel(self, task_id: str, actor: str, wait: float = 0) -> TaskRow:
        """Ask for the end of a task and return it; ``wait``: until it is dead, at most so many seconds."""
        row = self._store.journal.request_cancel(task_id, actor, time.time())
        if row is None:
            raise UnknownTask(task=task_id)
        return self.task(task_id, wait) if wait and not row.state.final else row

    def resolve(
        self, task_id: str, node: str, answer: Answer, actor: str, output: Mapping[str, str] | None = None
    ) -> Resolution:
        """Take somebody's word on how a node's attempt counts of which nobody knows how it ended.

        ``output``: what it has produced, for a success. Raises NotInDoubt if the node does not need that.
        """
        row = self._node(task_id, node)
        said = Resolution(task_id, row.node, row.attempt, answer, output or {}, actor, time.time())
        return self._store.journal.resolve(said)

    # -- about itself

    def ping(self) -> list[ExecutorView]:
        """Ask all executors at once."""
        asked = [gevent.spawn(_view, executor) for executor in self._fleet]
        gevent.joinall(asked, timeout=_PING_PATIENCE)
        gevent.killall(asked, block=False)
        late = "did not answer in time"
        return [
            greenlet.value
            if isinstance(greenlet.value, ExecutorView)
            else ExecutorView(executor.name, executor.url, f"executor {executor.name!r} at {executor.url} {late}")
            for executor, greenlet in zip(self._fleet, asked, strict=True)
        ]


def _view(executor: RemoteExecutor) -> ExecutorView:
    info, fault = executor.ask()
    if info is None:
        return ExecutorView(executor.name, executor.url, fault)
    return ExecutorView(executor.name, executor.url, None, info.engines, info.capacity, info.load)


def _in_thread(function: Callable[..., T], *args: Any) -> T:
    """Run what would hold the hub in a native thread."""
    found: T = gevent.get_hub().threadpool.apply(function, args)
    return found


def load_stored(store: Store, task_id: str) -> Stored | None:
    """Return a task as recovery needs it, None if there is no such task."""
    task = store.reader.task(task_id)
    if task is None:
        return None
    found = store.reader.nodes(task_id)
    graph = graph_from_json(task.name, task.labels, [spec for _, spec in found], store.reader.digraph(task_id), breathe)
    running = _last_of_each(store.reader.running_attempts(task_id))
    sizes = {node: store.reader.log_size(task_id, node, row.attempt) for node, row in running.items()}
    return Stored(task, graph, [row for row, _ in found], running, sizes)


def _last_of_each(attempts: Iterable[AttemptRow]) -> dict[int, AttemptRow]:
    found: dict[int, AttemptRow] = {}
    for row in sorted(attempts, key=lambda row: row.attempt):
        found[row.node] = row
    return found


def slices(rows: Sequence[tuple[NodeRow, str]]) -> Iterator[Sequence[tuple[NodeRow, str]]]:
    """Yield rows a slice at a time, and let other greenlets run between two of them."""
    for start in range(0, len(rows), _NODES_PER_SLICE):
        yield rows[start : start + _NODES_PER_SLICE]
        breathe()
