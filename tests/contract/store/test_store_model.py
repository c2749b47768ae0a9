"""Two processes on one journal, driven at random, against a model of a few dictionaries.

The processes accept, claim, change, cancel and release tasks, each by what it believes to own, which may be out of
date; they close the store, and open it again under the same name (an exec) or a new one (a restart).
"""

import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

import gevent
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from gorchestrator.common.states import State
from gorchestrator.domain.errors import Fenced, IllegalTransition
from gorchestrator.domain.listing import Wanted
from gorchestrator.domain.records import ENGINE, Acceptance, Change, Kind, NodeRow, OwnerRow, TaskRow
from gorchestrator.domain.transitions import check_graph
from gorchestrator.store import Store, damage, schema
from journal_model_support import UNSTORABLE, Batch, Folded, Model, Move, Process

NODES = 3
PROCESSES = st.integers(0, 1)
STATES = st.sampled_from([State.TORUN, State.RUNNING, State.SUCCESS, State.FAILURE, State.NOTRUNNABLE, State.CANCELED])
ENDS = st.sampled_from([State.SUCCESS, State.FAILURE, State.TIMEOUT, State.CANCELED])


class JournalMachine(RuleBasedStateMachine):
    """The rules. Whatever is done, the store shows what the model holds."""

    tasks = Bundle("tasks")
    moves = st.lists(st.tuples(tasks, st.integers(0, NODES - 1), STATES), min_size=1, max_size=8)
    template: Path  # an empty database, since making one takes its time

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.path = self.folder / "gorchestrator.db"
        shutil.copy(self.template, self.path)
        self.model = Model()
        self.count = 0
        self.processes = [Process(Store.open(self.path), self.name()) for _ in range(2)]

    def teardown(self) -> None:
        for process in self.processes:
            process.store.close()
        assert damage.faults(self.path) is None
        shutil.rmtree(self.folder)

    def name(self) -> str:
        self.count += 1
        return f"{self.count:032x}"

    # -- tasks and owners

    @initialize()
    def register_all(self) -> None:
        for process in self.processes:
            self.register(process)

    def register(self, process: Process) -> None:
        process.store.journal.register(OwnerRow(process.owner, "host", 1, 1.0))
        self.model.owners[process.owner] = 0

    @rule(target=tasks, by=PROCESSES)
    def accept(self, by: int) -> str:
        process, task = self.processes[by], self.name()
        row = TaskRow(task, "test", size=NODES, accepted_at=float(self.count))
        process.store.journal.accept(Acceptance(row, None, [(n, f"n{n}", "{}") for n in range(NODES)], process.owner))
        counts = {State.TORUN: NODES}
        self.model.tasks[task] = replace(row, owner=process.owner, fence=1, seen_at=row.accepted_at, counts=counts)
        self.model.nodes |= {(task, n): NodeRow(task, n) for n in range(NODES)}
        self.model.tell(task, Kind.TASK_ACCEPTED, State.INITIAL)
        process.held[task] = 1
        return task

    @rule(by=PROCESSES, task=tasks, late=st.booleans())
    def claim(self, by: int, task: str, late: bool) -> None:
        """Claim a task as it is, or as it was before somebody else has claimed it."""
        process, row = self.processes[by], self.model.tasks[task]
        fence = process.store.journal.claim(task, process.owner, row.owner, row.fence - late)
        if late or row.state.final:
            assert fence is None
        else:
            assert fence == self.model.claim(task, process.owner)
            process.held[task] = fence

    @rule(by=PROCESSES)
    def beat(self, by: int) -> None:
        owner = self.processes[by].owner
        assert self.processes[by].store.journal.beat(owner, {}) == (owner in self.model.owners)
        if owner in self.model.owners:
            self.model.owners[owner] += 1

    @rule(by=PROCESSES, of=PROCESSES)
    def release(self, by: int, of: int) -> None:
        """Give up all tasks of oneself, or of another process that is taken for dead; it need not know."""
        owner = self.processes[of].owner
        self.processes[by].store.journal.release(owner)
        self.model.owners.pop(owner, None)
        for task, row in sorted(self.model.tasks.items()):
            if row.owner == owner and not row.state.final:
                self.model.tasks[task] = replace(row, owner=None)
                self.model.tell(task, Kind.TASK_RELEASED)

    @rule(by=PROCESSES, task=tasks)
    def cancel(self, by: int, task: str) -> None:
        row = self.model.tasks[task]
        if not row.state.final and row.cancel_at is None:
            self.model.tasks[task] = row = replace(row, cancel_at=9.0, cancel_actor=f"joe{by}")
            self.model.tell(task, Kind.TASK_CANCEL, row.state)
        assert self.processes[by].store.journal.request_cancel(task, f"joe{by}", 9.0) == row

    # -- changes

    @rule(by=PROCESSES, task=tasks)
    def start(self, by: int, task: str) -> None:
        self.write(by, task, Kind.TASK_STARTED, State.RUNNING)

    @rule(by=PROCESSES, task=tasks, state=ENDS)
    def finish(self, by: int, task: str, state: State) -> None:
        self.write(by, task, Kind.TASK_FINAL, state)

    def write(self, by: int, task: str, kind: Kind, state: State) -> None:
        """Write what becomes of a graph, as its run does; of one that has ended, as a run that does not know it."""
        process, row = self.processes[by], self.model.tasks[task]
        try:
            check_graph(row.state, state)
        except IllegalTransition:
            if not row.state.final:
                return
        change = Change(kind, task, process.fence(task), 7.0, task_row=replace(row, state=state))
        if self.model.take(change) is None:
            process.store.journal.write(change)
        else:
            with pytest.raises(Fenced):
                process.store.journal.write(change)

    @rule(by=PROCESSES, moves=moves, faulty=st.none() | st.integers(0, 7))
    def change_nodes(self, by: int, moves: list[Move], faulty: int | None) -> None:
        """Queue steps of runs without waiting, as runs do; what is out of date, or faulty, is refused alone."""
        batch = Batch(self.processes[by], self.model)
        for number, move in enumerate(moves):
            batch.step(move, UNSTORABLE if number == faulty else ENGINE)
        batch.check()

    @rule(by=PROCESSES, moves=moves, state=ENDS)
    def finish_among_changes(self, by: int, moves: list[Move], state: State) -> None:
        """Queue the end of a run with steps before and behind it: these come too late."""
        batch, task = Batch(self.processes[by], self.model), moves[0][0]
        for move in moves:
            batch.step(move)
        row = self.model.tasks[task]
        if row.state is State.INITIAL:
            begun = replace(row, state=State.RUNNING)
            batch.post(Change(Kind.TASK_STARTED, task, row.fence, 7.0, task_row=begun))
        batch.post(Change(Kind.TASK_FINAL, task, row.fence, 7.0, task_row=replace(row, state=state)))
        for move in moves:
            batch.step(move)
        batch.post(Change(Kind.NODE_WAITS, task, row.fence, 8.0))
        batch.check()

    @rule(by=PROCESSES, moves=moves)
    def claim_among_changes(self, by: int, moves: list[Move]) -> None:
        """Queue steps of an owner, a claim by whoever has its store, steps of the new owner, and one of the old."""
        process, task = self.processes[by], moves[0][0]
        batch, row = Batch(process, self.model), self.model.tasks[task]
        for move in moves:
            batch.step(move)
        batch.post(Change(Kind.NODE_WAITS, task, row.fence, 8.0))
        claim = gevent.spawn(process.store.journal.claim, task, process.owner, row.owner, row.fence)
        gevent.sleep(0)  # it is queued when this returns
        if not row.state.final:
            process.held[task] = self.model.claim(task, process.owner)
        for move in moves:
            batch.step(move)
        batch.post(Change(Kind.NODE_WAITS, task, row.fence, 8.0))
        batch.check()
        assert claim.get() == (None if row.state.final else row.fence + 1)

    # -- restarts

    @rule(by=PROCESSES, same=st.booleans())
    def reopen(self, by: int, same: bool) -> None:
        """Start a process again; what it has posted last is written before it ends."""
        process = self.processes[by]
        batch = Batch(process, self.model)
        for task in process.held:
            batch.post(Change(Kind.NODE_WAITS, task, process.fence(task), 8.0))
        process.store.close()
        assert [type(error) for error in batch.refused] == batch.expected
        if same:
            self.processes[by] = replace(process, store=Store.open(self.path))
        else:
            self.processes[by] = Process(Store.open(self.path), self.name())
            self.register(self.processes[by])

    # -- what holds always, in the eyes of either process

    @invariant()
    def the_store_shows_the_model(self) -> None:
        model = self.model
        for reader in [process.store.reader for process in self.processes]:
            assert {row.id: row for row in reader.tasks(Wanted(0.0, limit=1000))[0].tasks} == model.tasks
            assert {row.id: row for row in reader.open_tasks()} == {
                task: row for task, row in model.tasks.items() if not row.state.final
            }
            assert {owner.id: owner.beat for owner in reader.owners()} == model.owners
            nodes = [row for task in model.tasks for row, _ in reader.nodes(task)]
            assert {(row.task, row.node): row for row in nodes} == model.nodes
            attempts = [row for node in nodes for row, _ in reader.attempts(node.task, node.node)]
            assert {(row.task, row.node, row.attempt): row.state for row in attempts} == model.attempts

    @invariant()
    def the_events_tell_the_same_without_a_gap(self) -> None:
        model = self.model
        events = self.processes[0].store.reader.events(0, 100_000)
        assert [event.seq for event in events] == list(range(1, len(model.events) + 1))
        lines = [(event.task, event.node, event.attempt, event.kind, event.data.get("state")) for event in events]
        assert lines == model.events
        folded = Folded().fold(events)
        assert folded.states == {task: row.state for task, row in model.tasks.items()}
        assert folded.owners == {task: (row.owner, row.fence) for task, row in model.tasks.items()}
        assert {key: folded.nodes.get(key, State.TORUN) for key in model.nodes} == {
            key: row.state for key, row in model.nodes.items()
        }


@pytest.fixture(scope="module", autouse=True)
def template(tmp_path_factory: pytest.TempPathFactory) -> None:
    JournalMachine.template = tmp_path_factory.mktemp("template") / "empty.db"
    schema.ensure(JournalMachine.template)


class TestJournal(JournalMachine.TestCase):  # type: ignore[misc,name-defined]
    """Runs the machine for some seconds."""

    settings = settings(
        max_examples=25, stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )
