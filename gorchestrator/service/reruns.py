"""How a task that has ended runs again: as a new one, which takes over what has succeeded."""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from gorchestrator.common.hub import breathe
from gorchestrator.common.reasons import ReasonCode
from gorchestrator.common.states import State
from gorchestrator.domain.audit import SERVICE, Who
from gorchestrator.domain.documents import graph_from_json
from gorchestrator.domain.errors import NotEnded, UnknownNode
from gorchestrator.domain.graph import Graph
from gorchestrator.domain.records import NodeRow, Request, Whole
from gorchestrator.domain.rerunning import Plan, plan
from gorchestrator.service.submissions import Submissions
from gorchestrator.service.tasks import Tasks, slices

FAILED = "failed"
_DIGITS = 20  # of a number as text; Python refuses to read very long ones
_NODES_PER_SLICE = 500
_SHOWN = 100  # characters of the name of a node that is not there


@dataclass(frozen=True, slots=True)
class RerunView:
    """The nodes that run and those that are taken over, each with its number and name; the new task, if it was made."""

    runs: Sequence[tuple[int, str]]
    reused: Sequence[tuple[int, str]]
    task: str | None = None


class Reruns:
    """Makes new tasks out of tasks that have ended."""

    def __init__(self, tasks: Tasks, submissions: Submissions) -> None:
        self._tasks = tasks
        self._submissions = submissions

    def rerun(
        self,
        task_id: str,
        chosen: Sequence[str | int] = (),
        *,
        preview: bool = False,
        request: Request | None = None,
        who: Who = SERVICE,
    ) -> RerunView:
        """Run a task again from the chosen nodes (names, else numbers) on, and from all that did not succeed.

        ``preview``: only tell what would run. Raises UnknownTask, UnknownNode, NotEnded or NothingToRerun, and what
        :meth:`Submissions.submit` raises but for faults.
        """
        whole = self._tasks.show(task_id, digraph=True)
        if not whole.task.state.final:
            raise NotEnded(task=task_id)
        specs = [spec for _, spec in whole.nodes]
        graph = graph_from_json(whole.task.name, whole.task.labels, specs, whole.digraph, breathe)
        planned = plan(
            [node.needs for node in graph.nodes],
            [row.state for row, _ in whole.nodes],
            _numbers(graph, chosen),
            breathe,
        )
        view = RerunView(_named(graph, planned.runs), _named(graph, planned.reused))
        if preview:
            return view
        graph = replace(graph, deadline=whole.task.deadline)
        return replace(view, task=self._start(whole, graph, planned, request, who))

    def made(self, task_id: str) -> RerunView:
        """Return what :meth:`rerun` did when it made this task. Raises UnknownTask."""
        runs: list[tuple[int, str]] = []
        reused: list[tuple[int, str]] = []
        for rows in slices(self._tasks.show(task_id, digraph=False).nodes):
            for row, spec in rows:
                nodes = reused if row.reason_code == ReasonCode.REUSED else runs
                nodes.append((row.node, str(json.loads(spec)["name"])))
        return RerunView(runs, reused, task_id)

    def _start(self, whole: Whole, graph: Graph, planned: Plan, request: Request | None, who: Who) -> str:
        now = time.time()
        reused = {}
        for place, number in enumerate(planned.reused):
            reused[number] = _taken_over(whole.nodes[number][0], whole.task.id, now)
            if place % _NODES_PER_SLICE == 0:
                breathe()
        with self._submissions.once(request):
            return self._submissions.start(
                graph, whole.digraph, reused=reused, rerun_of=whole.task.id, request=request, who=who
            )


def _numbers(graph: Graph, chosen: Sequence[str | int]) -> list[int]:
    by_name = {node.name: node.id for node in graph.nodes}
    found = []
    for wanted in chosen:
        number = by_name.get(wanted) if isinstance(wanted, str) else wanted
        if number is None and isinstance(wanted, str) and wanted.isdecimal() and len(wanted) <= _DIGITS:
            number = int(wanted)
        if number is None or not 0 <= number < len(graph.nodes):
            shown = wanted[:_SHOWN] if isinstance(wanted, str) else wanted
            raise UnknownNode(f"The task has no node {str(shown)!r}; give its name or its number.", node=shown)
        found.append(number)
    return found


def _named(graph: Graph, numbers: Sequence[int]) -> list[tuple[int, str]]:
    return [(number, graph.nodes[number].name) for number in numbers]


def _taken_over(row: NodeRow, task_id: str, now: float) -> NodeRow:
    """Return the row of a node that has ended already, but for its task. It tells in which task it ran."""
    reason = row.reason if row.reason_code == ReasonCode.REUSED else f"reused from task {task_id}"
    return NodeRow(
        task="",
        node=row.node,
        state=State.SUCCESS,
        reason=reason,
        reason_code=ReasonCode.REUSED,
        stopped_at=now,
        output=row.output,
    )
