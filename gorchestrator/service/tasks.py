"""What tasks are: listed, shown, waited for, cancelled, resolved."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from gorchestrator.common.hub import breathe
from gorchestrator.domain.audit import Act, Action, Who
from gorchestrator.domain.errors import UnknownNode, UnknownTask
from gorchestrator.domain.listing import Wanted
from gorchestrator.domain.records import Answer, AttemptRow, NodeRow, Resolution, TaskRow, Whole
from gorchestrator.store import Store
from gorchestrator.store.listing import Page

_NODES_PER_SLICE = 100


@dataclass(frozen=True, slots=True)
class AttemptsView:
    """Attempts of a node with the sizes of their logs, and the number of the last one if others follow."""

    attempts: Sequence[tuple[AttemptRow, int]]
    next: int | None


class Tasks:
    """The tasks of all processes, as they are stored."""

    def __init__(self, store: Store) -> None:
        self._store = store

    # -- look

    def list(self, wanted: Wanted) -> tuple[Page, int]:
        """Return a page of tasks, and the number of the last event as of the same moment."""
        return self._store.reader.tasks(wanted)

    def get(self, task_id: str) -> TaskRow:
        """Return a task. Raises UnknownTask."""
        row = self._store.reader.task(task_id)
        if row is None:
            raise UnknownTask(task=task_id)
        return row

    def show(self, task_id: str, *, digraph: bool) -> Whole:
        """Return a task with its nodes, all as of one moment. Raises UnknownTask."""
        found = self._store.reader.whole(task_id, digraph=digraph)
        if found is None:
            raise UnknownTask(task=task_id)
        return found

    def node(self, task_id: str, node: str) -> tuple[NodeRow, str]:
        """Return a node by its name, else its number, and its JSON as accepted. Raises UnknownTask or UnknownNode."""
        self.get(task_id)
        found = self._store.reader.node(task_id, node)  # its name may be the number of another one
        if found is None and node.isdecimal():
            found = self._store.reader.node(task_id, int(node))
        if found is None:
            raise UnknownNode(f"Task {task_id} has no node {node[:100]!r}; give its name or its number.", node=node)
        return found

    def attempts(self, task_id: str, node: str, after: int = 0) -> AttemptsView:
        """Return attempts of a node (name, else number) behind number ``after``. Raises UnknownTask or UnknownNode."""
        row, _ = self.node(task_id, node)
        found = self._store.reader.attempts(task_id, row.node, after)
        last = found[-1][0].attempt if found else row.attempt
        return AttemptsView(found, last if last < row.attempt else None)

    # -- wait

    def ended(self, task_id: str, wait: float) -> TaskRow:
        """Return a task when it is final, or after ``wait`` seconds. Raises UnknownTask."""
        deadline = time.monotonic() + wait
        seq = self._store.reader.last_seq()
        while True:
            row = self.get(task_id)
            left = deadline - time.monotonic()
            if row.state.final or left <= 0:
                return row
            newest = self._store.tailer.wait(task_id, seq, left)
            if newest == seq:  # the time is over, or this process is about to stop
                return row
            seq = newest

    def version(self, task_id: str) -> tuple[int, float]:
        """Return the number and time of a task's last event: while they are the same, so is the task.

        Raises UnknownTask.
        """
        self.get(task_id)
        return self._store.reader.newest(task_id)

    def changed(self, task_id: str, seq: int, wait: float) -> None:
        """Return when the task has an event behind number ``seq``, or after ``wait`` seconds."""
        self._store.tailer.wait(task_id, seq, wait)

    # -- act

    def cancel(self, task_id: str, who: Who, wait: float = 0) -> TaskRow:
        """Ask for the end of a task and return it; ``wait``: until it is dead, at most so many seconds."""
        act = Act(who, Action.CANCEL, task_id)
        row = self._store.journal.request_cancel(task_id, who.actor, time.time(), act)
        if row is None:
            raise UnknownTask(task=task_id)
        return self.ended(task_id, wait) if wait and not row.state.final else row

    def resolve(
        self, task_id: str, node: str, answer: Answer, who: Who, output: Mapping[str, str] | None = None
    ) -> Resolution:
        """Take somebody's word on how a node's attempt counts of which nobody knows how it ended.

        ``output``: what it has produced, for a success. Raises NotInDoubt if the node does not need that.
        """
        row, _ = self.node(task_id, node)
        said = Resolution(task_id, row.node, row.attempt, answer, output or {}, who.actor, time.time())
        details = {"node": row.node, "answer": str(answer)}
        return self._store.journal.resolve(said, Act(who, Action.RESOLVE, task_id, details))


def slices(rows: Sequence[tuple[NodeRow, str]]) -> Iterator[Sequence[tuple[NodeRow, str]]]:
    """Yield rows a slice at a time, and let other greenlets run between two of them."""
    for start in range(0, len(rows), _NODES_PER_SLICE):
        yield rows[start : start + _NODES_PER_SLICE]
        breathe()
