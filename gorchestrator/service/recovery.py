"""What recovery reads of the store: a task as the process needs it that goes on with its run."""

from collections.abc import Iterable

from gorchestrator.common.hub import breathe
from gorchestrator.domain.documents import graph_from_json
from gorchestrator.domain.ports import Stored
from gorchestrator.domain.records import AttemptRow
from gorchestrator.store import Store


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
