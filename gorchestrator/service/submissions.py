"""How a graph comes in: checked, stored, and run; once, however often the same request is sent."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, TypeVar
from uuid import uuid4

import gevent

from gorchestrator.client.fleet import Fleet
from gorchestrator.common.hub import breathe
from gorchestrator.domain.audit import SERVICE, Act, Action, Who
from gorchestrator.domain.build import build
from gorchestrator.domain.documents import matrix_to_json, node_to_json
from gorchestrator.domain.errors import Fault, InProgress
from gorchestrator.domain.graph import Graph
from gorchestrator.domain.ports import Stored
from gorchestrator.domain.records import Acceptance, NodeRow, Quota, Request, TaskRow
from gorchestrator.engine.ownership import Ownership
from gorchestrator.engine.scheduler import Scheduler
from gorchestrator.store import Store

T = TypeVar("T")

_NODES_PER_SLICE = 100


@dataclass(frozen=True, slots=True)
class Intake:
    """How much is taken: tasks of all processes that may be open, edges of a graph, tasks of a client in a minute.

    ``submit_rate`` 0: as many as come.
    """

    open_runs: int
    max_edges: int
    submit_rate: int = 0


class Submissions:
    """Takes graphs and runs them in this process."""

    def __init__(
        self,
        *,
        store: Store,
        scheduler: Scheduler,
        ownership: Ownership,
        fleet: Fleet,
        intake: Intake,
        accepted: Callable[[], None] = lambda: None,
        traced: Callable[[str], bool] = lambda _: False,
    ) -> None:
        """``intake`` may be changed meanwhile.

        ``accepted`` is called for each new one, ``traced`` says of an id whether that task is to be.
        """
        self.intake = intake
        self._store = store
        self._scheduler = scheduler
        self._ownership = ownership
        self._fleet = fleet
        self._accepted, self._traced = accepted, traced
        self._in_progress: set[str] = set()

    def validate(self, document: Mapping[str, Any], faults: Sequence[Fault] = ()) -> Graph:
        """Return the graph of a document. Raises InvalidGorch with ``faults`` and all others that it has."""
        return build(
            document, faults=faults, engines=self._fleet.engines(), max_edges=self.intake.max_edges, pause=breathe
        )

    def earlier(self, request: Request) -> str | None:
        """Return the task that a request made when it came before. Raises KeyReused or InProgress."""
        found = self._store.reader.same_request(request, time.time())
        if found is None and request.key in self._in_progress:
            raise InProgress
        return found

    def submit(
        self,
        document: Mapping[str, Any],
        faults: Sequence[Fault] = (),
        request: Request | None = None,
        who: Who = SERVICE,
        context: str = "",
    ) -> str:
        """Accept a gorch of somebody and return the id of its task: it is stored when this returns, and runs.

        ``context``: the trace context that it comes in, if any.
        Raises InvalidGorch, TooManyRuns, TooManyTasks, KeyReused, InProgress or StoreUnavailable; then nothing is
        stored.
        """
        with self.once(request):
            graph = self.validate(document, faults)
            return self.start(graph, document.get("digraph"), request=request, who=who, context=context)

    def start(
        self,
        graph: Graph,
        cells: Sequence[int] | str | None,
        *,
        reused: Mapping[int, NodeRow] | None = None,
        rerun_of: str | None = None,
        request: Request | None = None,
        who: Who = SERVICE,
        context: str = "",
    ) -> str:
        """Store and run a sound graph; return the id of its task.

        ``cells``: its matrix, or the JSON of that, if it was submitted with one. ``reused``: the rows, but for their
        task, of nodes that have ended already. The id is that of an earlier task if ``request`` was taken before.
        """
        task = TaskRow(
            id=uuid4().hex,
            name=graph.name,
            labels=graph.labels,
            size=len(graph.nodes),
            accepted_at=time.time(),
            owner=self._ownership.id,
            fence=1,
            deadline=graph.deadline,
            rerun_of=rerun_of,
        )
        ended = _of_task(task.id, reused or {})
        nodes, rows = [], []
        for node in graph.nodes:
            nodes.append((node.id, node.name, node_to_json(node, with_needs=cells is None)))
            rows.append(ended.get(node.id) or NodeRow(task.id, node.id))
            if node.id % _NODES_PER_SLICE == 0:
                breathe()
        digraph = cells if cells is None or isinstance(cells, str) else _in_thread(matrix_to_json, cells)
        coming = Acceptance(
            task,
            digraph,
            nodes,
            owner=self._ownership.id,
            most=self.intake.open_runs,
            reused=list(ended.values()),
            context=context if self._traced(task.id) else None,
            request=request,
            quota=Quota(who.key, who.actor, self.intake.submit_rate) if self.intake.submit_rate else None,
        )
        taken = self._store.journal.accept(coming, _act(task, who))
        if taken == task.id:
            self._accepted()
            self._scheduler.run(Stored(task, graph, rows, attempts={}, log_sizes={}))
        return taken

    @contextmanager
    def once(self, request: Request | None) -> Iterator[None]:
        """Refuse a request while the same one is being stored by this process; those of others the store sees."""
        if request is None:
            yield
            return
        if request.key in self._in_progress:
            raise InProgress
        self._in_progress.add(request.key)
        try:
            yield
        finally:
            self._in_progress.discard(request.key)


def _act(task: TaskRow, who: Who) -> Act:
    """Return what the audit has of a new task. Its labels are not in there: they may be long, and the task has them."""
    details: dict[str, object] = {"name": task.name, "nodes": task.size}
    if task.rerun_of is None:
        return Act(who, Action.SUBMIT, task.id, details)
    return Act(who, Action.RERUN, task.id, {"rerun_of": task.rerun_of, **details})


def _of_task(task: str, reused: Mapping[int, NodeRow]) -> dict[int, NodeRow]:
    found = {}
    for place, (number, row) in enumerate(reused.items()):
        found[number] = replace(row, task=task)
        if place % _NODES_PER_SLICE == 0:
            breathe()
    return found


def _in_thread(function: Callable[..., T], *args: Any) -> T:
    """Run what would hold the hub in a native thread."""
    found: T = gevent.get_hub().threadpool.apply(function, args)
    return found
