"""How graphs are drawn: computed when somebody asks for the first time, and kept with the task."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from gevent.event import AsyncResult

from gorchestrator.common.hub import breathe
from gorchestrator.domain.errors import StoreError, UnknownTask
from gorchestrator.domain.graph import Graph
from gorchestrator.store import Store

_NODES_PER_SLICE = 500


class Layouts:
    """The drawings of tasks and graphs, each as JSON packed with zlib."""

    def __init__(self, store: Store, draw: Callable[[str], bytes]) -> None:
        """``draw`` takes the JSON of edges (``size`` with ``needs`` or ``digraph``), and may raise NoLayout."""
        self._store = store
        self._draw = draw
        self._being_drawn: dict[str, Any] = {}  # the results of tasks for which one is awaited

    def of_task(self, task_id: str) -> bytes:
        """Return the drawing of a task: the same one for ever. Raises UnknownTask or NoLayout."""
        found = self._store.reader.layout(task_id)
        if found is not None:
            return found
        if task_id in self._being_drawn:
            shared: bytes = self._being_drawn[task_id].get()
            return shared
        result = self._being_drawn[task_id] = AsyncResult()
        try:
            drawn = self._new(task_id)
        except BaseException as error:
            result.set_exception(error)
            raise
        else:
            result.set(drawn)
            return drawn
        finally:
            del self._being_drawn[task_id]

    def _new(self, task_id: str) -> bytes:
        edges = self._store.reader.edges(task_id)
        if edges is None:
            raise UnknownTask(task=task_id)
        drawn = self._draw(edges)
        with suppress(StoreError):  # then it is drawn again when it is asked for again
            self._store.journal.keep_layout(task_id, drawn)
        return self._store.reader.layout(task_id) or drawn  # of another process, if that was faster

    def of_graph(self, graph: Graph) -> bytes:
        """Return the drawing of a graph that is no task. Raises NoLayout."""
        needs = []
        for node in graph.nodes:
            needs.append(f"[{','.join(map(str, node.needs))}]")
            if node.id % _NODES_PER_SLICE == 0:
                breathe()
        return self._draw(f'{{"size":{len(graph.nodes)},"needs":[{",".join(needs)}]}}')
