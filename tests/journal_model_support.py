"""A model of the journal in a few dictionaries, and what the random test of the store does with both."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from gorchestrator.common.states import State
from gorchestrator.domain.errors import Fenced, IllegalTransition, StoreError
from gorchestrator.domain.records import ENGINE, AttemptRow, Change, EventRow, Kind, NodeRow, TaskRow
from gorchestrator.domain.transitions import check_node
from gorchestrator.store import Store

UNSTORABLE = "\ud800"  # no name of an actor that SQLite can hold
Line = tuple[str, int | None, int | None, Kind, object]  # task, node, attempt, kind, state
Move = tuple[str, int, State]  # task, node, new state


@dataclass
class Model:
    """What has to be stored."""

    tasks: dict[str, TaskRow] = field(default_factory=dict)
    nodes: dict[tuple[str, int], NodeRow] = field(default_factory=dict)
    attempts: dict[tuple[str, int, int], State] = field(default_factory=dict)
    owners: dict[str, int] = field(default_factory=dict)  # and their beats
    events: list[Line] = field(default_factory=list)

    def tell(self, task: str, kind: Kind, state: State | None = None) -> None:
        """Append an event of a task."""
        self.events.append((task, None, None, kind, None if state is None else int(state)))

    def take(self, change: Change) -> type[StoreError] | None:
        """Take a change, or return how it is to be refused."""
        task, row, attempt = self.tasks[change.task], change.node_row, change.attempt_row
        if task.fence != change.fence or task.state.final:
            return Fenced
        if change.actor == UNSTORABLE:
            return StoreError
        if row is not None:
            self.nodes[task.id, row.node] = row
            self.tasks[task.id] = replace(task, counts=change.counts or task.counts)
            self.events.append((task.id, row.node, row.attempt or None, change.kind, int(row.state)))
        elif change.task_row is not None:
            self.tasks[task.id] = replace(task, state=change.task_row.state)
            self.tell(task.id, change.kind, change.task_row.state)
        else:
            self.tell(task.id, change.kind)
        if attempt is not None:
            self.attempts[task.id, attempt.node, attempt.attempt] = attempt.state
        return None

    def claim(self, task: str, owner: str) -> int:
        """Give a task to another owner; return the new fence."""
        row = self.tasks[task]
        self.tasks[task] = replace(row, owner=owner, fence=row.fence + 1)
        self.tell(task, Kind.TASK_CLAIMED)
        return row.fence + 1

    def step(self, move: Move, fence: int, actor: str = ENGINE) -> Change:
        """Return the change of a step by who believes that this is the task's fence. Raises IllegalTransition."""
        task, node, state = move
        row = self.nodes[task, node]
        check_node(row.state, state)
        attempt = row.attempt + (state is State.RUNNING and row.state is State.TORUN)
        before, row = row.state, replace(row, state=state, attempt=attempt, executor="ex")
        counts = Counter(self.tasks[task].counts)
        counts.subtract([before])
        counts.update([state])
        kind = Kind.NODE_FINAL if state.final else Kind.NODE_WAITS if state is State.TORUN else Kind.NODE_RUNNING
        tried = AttemptRow(task, node, attempt, "ex", "instance", state=State(max(State.RUNNING, state)))
        tried_row = tried if attempt else None
        left = {state: number for state, number in counts.items() if number}
        return Change(kind, task, fence, 5.0, actor, node_row=row, attempt_row=tried_row, before=before, counts=left)


@dataclass
class Process:
    """A process: its store, its name as an owner, and the tasks that it believes to own, with their fences."""

    store: Store
    owner: str
    held: dict[str, int] = field(default_factory=dict)

    def fence(self, task: str) -> int:
        """Return the fence that it writes with; 0 if it never owned the task."""
        return self.held.get(task, 0)


class Batch:
    """Changes that a process queues without waiting; each is taken or refused alone."""

    def __init__(self, process: Process, model: Model) -> None:
        self.process = process
        self.model = model
        self.refused: list[BaseException] = []
        self.expected: list[type[StoreError]] = []

    def step(self, move: Move, actor: str = ENGINE) -> None:
        """Queue a step of a node, unless no run would make it."""
        try:
            self.post(self.model.step(move, self.process.fence(move[0]), actor))
        except IllegalTransition:
            return

    def post(self, change: Change) -> None:
        """Queue a change."""
        refusal = self.model.take(change)
        self.expected += [refusal] if refusal else []
        self.process.store.journal.post(change, self.refused.append)

    def check(self) -> None:
        """Fail unless exactly those were refused that have to be."""
        self.process.store.journal.sync()
        assert [type(error) for error in self.refused] == self.expected


@dataclass
class Folded:
    """What the events alone tell; no final state may be followed by another one."""

    states: dict[str, State] = field(default_factory=dict)
    owners: dict[str, tuple[object, object]] = field(default_factory=dict)  # and fences
    nodes: dict[tuple[str, int], State] = field(default_factory=dict)  # those that have changed

    def fold(self, events: Sequence[EventRow]) -> "Folded":
        """Take events in their order."""
        for event in events:
            if event.kind is Kind.TASK_RELEASED:
                self.owners[event.task] = (None, self.owners[event.task][1])
            if event.kind in {Kind.TASK_ACCEPTED, Kind.TASK_CLAIMED}:
                self.owners[event.task] = (event.data["owner"], event.data.get("fence", 1))
            if "state" in event.data:
                self._state(event, State(event.data["state"]))  # type: ignore[arg-type]
        return self

    def _state(self, event: EventRow, state: State) -> None:
        assert not self.states.get(event.task, State.INITIAL).final
        if event.node is None:
            self.states[event.task] = state
        else:
            assert not self.nodes.get((event.task, event.node), State.TORUN).final
            self.nodes[event.task, event.node] = state
