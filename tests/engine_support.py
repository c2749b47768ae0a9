"""The engine's surroundings in memory: a journal that is a list, and an executor that does what a test says."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import gevent
from gevent.event import Event

from gorchestrator.common.states import State
from gorchestrator.domain.attempts import NoExecutor, Result
from gorchestrator.domain.build import build
from gorchestrator.domain.errors import StoreUnavailable
from gorchestrator.domain.ports import Stored
from gorchestrator.domain.records import Change, Kind, NodeRow, TaskRow
from gorchestrator.engine import stopping
from gorchestrator.engine.run import Run
from gorchestrator.engine.stopping import Stop

PATIENCE = 5.0  # seconds until a test fails


class MemoryJournal:
    """Remembers changes in the order of their calls. ``refuse`` says what is refused, and why."""

    def __init__(self) -> None:
        self.lines: list[object] = []
        self.changes: list[Change] = []
        self.logs: list[bytes] = []
        self.refuse: Callable[[Change], BaseException | None] = lambda change: None
        self.away = 0  # so many durable writes fail
        self.gate = Event()  # durable writes wait for it
        self.gate.set()

    def post(self, change: Change, failed: Callable[[BaseException], None] | None = None) -> None:
        error = self.refuse(change)
        if error is None:
            self._take(change)
        elif failed is not None:
            gevent.get_hub().loop.run_callback(failed, error)  # as the store does: later, in the hub

    def write(self, change: Change) -> None:
        self.gate.wait()
        if self.away:
            self.away -= 1
            raise StoreUnavailable
        error = self.refuse(change)
        if error is not None:
            raise error
        self._take(change)

    def _take(self, change: Change) -> None:
        self.changes.append(change)
        node = None if change.node_row is None else change.node_row.node
        self.lines.append((change.kind, node) if node is not None else (change.kind,))

    def sync(self) -> None:
        gevent.sleep(0)  # what was refused before is told before
        self.lines.append("sync")

    def append_log(self, chunk) -> None:
        self.logs.append(chunk.data)
        self.lines.append(("log", chunk.offset, chunk.data))

    def flush_logs(self, task, node, attempt) -> None:
        self.lines.append(("flush", node, attempt))

    def node(self, node: int) -> NodeRow:
        """Return the last row of a node."""
        return [change.node_row for change in self.changes if change.node_row and change.node_row.node == node][-1]

    def states(self, node: int) -> list[State]:
        """Return the states that a node went through."""
        return [change.node_row.state for change in self.changes if change.node_row and change.node_row.node == node]

    @property
    def task(self) -> TaskRow:
        """The last row of the task."""
        return [change.task_row for change in self.changes if change.task_row][-1]


class ScriptedExecutor:
    """Runs attempts by ``script``; ``room`` must be set for a slot."""

    def __init__(self, script: Callable[..., Result] | None = None, name: str = "executor") -> None:
        self.name = name
        self.script = script or (lambda attempt, watch: Result(State.SUCCESS))
        self.room = Event()
        self.room.set()
        self.in_slots = 0
        self.begun: list[object] = []
        self.killed: list[tuple[str, int]] = []
        self.kill_script: Callable[..., None] = lambda *_: None
        self.acknowledged: list[str] = []
        self.given_up: list[tuple[str, int]] = []
        self.death = Event()

    def run(self, attempt, watch) -> Result:
        self.begun.append(attempt)
        assert len(self.begun) < 1000, "it goes round in circles"
        return self.script(attempt, watch)

    def kill(self, attempt_id, fence, note) -> None:
        self.killed.append((attempt_id, fence))
        self.kill_script(attempt_id, fence, note)
        self.death.set()

    def acknowledge(self, attempt_id) -> None:
        self.acknowledged.append(attempt_id)

    def give_up(self, attempt_id, fence) -> None:
        self.given_up.append((attempt_id, fence))

    # -- the fleet: this one alone

    @contextmanager
    def place(self, node, note) -> Iterator[tuple["ScriptedExecutor", str]]:
        if node.engine == "unknown":
            raise NoExecutor("no executor has the engine 'unknown'")
        self.room.wait()
        self.in_slots += 1
        try:
            yield self, "instance"
        finally:
            self.in_slots -= 1

    def takes(self, target):
        return target == self.name

    def named(self, name):
        return self if name == self.name else None

    recall = named

    def until_killed(self, attempt, watch) -> Result:
        """Be a script: run until a kill."""
        self.death.wait()
        return Result(State.CANCELED, reason_code="canceled")


def stored(*nodes, rows=None, attempts=None, log_sizes=None, **task) -> Stored:
    """Return a task as it was just accepted, or with the given ``rows`` (columns by node) as recovery finds it."""
    graph = build({"nodes": list(nodes)})
    row = TaskRow("0" * 32, "g", size=len(nodes), accepted_at=1.0, owner="me", fence=1)
    found = [NodeRow(row.id, number) for number in range(len(nodes))]
    for number, columns in (rows or {}).items():
        found[number] = replace(found[number], **columns)
    return Stored(replace(row, **task), graph, found, attempts or {}, log_sizes or {})


def shell(name, **fields):
    return {"name": name, "engine": "shell", "artifact": "true", **fields}


class Bench:
    """A run between a journal in memory and a scripted executor."""

    def __init__(self, *nodes, script=None, **columns) -> None:
        self.journal = MemoryJournal()
        self.executor = ScriptedExecutor(script)
        self.ended = Event()
        self.run = Run(
            stored(*nodes, **columns),
            journal=self.journal,
            executors=self.executor,
            ended=lambda run: self.ended.set(),
        )

    def start(self) -> "Bench":
        self.run.start()
        return self

    def finish(self) -> TaskRow:
        """Start unless that was done, wait for the end and return the task's last row."""
        if self.run._main is None:
            self.start()
        with gevent.Timeout(PATIENCE):
            self.ended.wait()
        settle()
        return self.journal.task

    def cancel(self, actor: str = "somebody") -> None:
        """Have the run canceled, as the scheduler does."""
        self.run.helper(stopping.stop, self.run, Stop.by_cancel(actor))

    def until(self, condition: Callable[[], object]) -> None:
        with gevent.Timeout(PATIENCE):
            while not condition():
                gevent.sleep(0.001)

    def states(self) -> dict[str, str]:
        return {node.name: self.run.rows[node.id].state.label for node in self.run.graph.nodes}

    def kinds(self) -> list[Kind]:
        return [change.kind for change in self.journal.changes]


def settle() -> None:
    """Let everything run that can."""
    for _ in range(20):
        gevent.sleep(0)
