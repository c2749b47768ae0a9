"""The runs of a process: begun, canceled through any process, taken over from the dead, given up at a stop."""

import os
import socket
import time
from types import SimpleNamespace

import gevent
import psutil
import pytest

from engine_support import MemoryJournal, ScriptedExecutor, settle, shell, stored
from gorchestrator.common import processes
from gorchestrator.common.states import State
from gorchestrator.domain.errors import StoreUnavailable
from gorchestrator.domain.records import EventRow, Kind, OwnerRow, TaskRow
from gorchestrator.engine import scheduler as module
from gorchestrator.engine.ownership import LOOKS_PER_LEASE, Ownership
from gorchestrator.engine.scheduler import Scheduler

TASK = "0" * 32
LEASE = 10.0
PATIENCE = LEASE - 2 * LEASE / LOOKS_PER_LEASE  # a beat is seen one look later, and acted on by the next


class Owners:
    """What processes know of each other, in memory."""

    def __init__(self):
        self.tasks: dict[str, TaskRow] = {}
        self.known: dict[str, OwnerRow] = {}
        self.released: list[str] = []
        self.elapsed: dict[str, float] = {}

    def register(self, owner):
        self.known[owner.id] = owner

    def beat(self, owner, elapsed):
        self.elapsed = elapsed
        return owner in self.known

    def claim(self, task, owner, expected_owner, expected_fence):
        row = self.tasks[task]
        if (row.owner, row.fence) != (expected_owner, expected_fence):
            return None
        self.own(task, owner, row.fence + 1)
        return row.fence + 1

    def own(self, task, owner, fence):
        self.tasks[task] = stored(shell("a"), id=task, owner=owner, fence=fence, state=State.RUNNING).task

    def release(self, owner):
        self.released.append(owner)

    def open_tasks(self):
        return list(self.tasks.values())

    def owners(self):
        return list(self.known.values())


def process(pid=None, pid_start=None, host=None, beat=0, name="other"):
    pid = os.getpid() if pid is None else pid
    start = processes.start_ticks(os.getpid()) if pid_start is None else pid_start
    return OwnerRow(name, host or f"{socket.gethostname()} {processes.boot()}", pid, start, beat)


@pytest.fixture
def owners():
    return Owners()


@pytest.fixture
def ownership(owners):
    return Ownership(owners, owners, LEASE)


# -- who is dead


def test_tasks_that_nobody_owns_are_orphans_at_once_and_own_ones_never(owners, ownership):
    owners.own("1", None, 1)
    owners.own("2", ownership.id, 1)
    assert [task.id for task in ownership.orphans(set())] == ["1"]


@pytest.mark.parametrize(
    "dead",
    [
        {"pid": 2**22 + 1},  # beyond what Linux gives: no such process
        {"pid_start": processes.start_ticks(os.getpid()) - 1},  # the pid is another process's now
        {"host": f"{socket.gethostname()} 0a1b"},  # that was before the machine was booted
    ],
)
def test_tasks_of_a_process_of_this_host_that_is_gone_are_orphans_at_once(owners, ownership, dead):
    owners.own("1", "other", 1)
    owners.register(process(**dead))
    assert [task.id for task in ownership.orphans(set())] == ["1"]


def test_tasks_of_a_process_that_was_forgotten_are_orphans_at_once(owners, ownership):
    owners.own("1", "other", 1)
    assert [task.id for task in ownership.orphans(set())] == ["1"]


@pytest.mark.parametrize("host", [None, "another-host"])
def test_a_process_is_dead_when_its_counter_stood_still_for_the_lease(owners, ownership, monkeypatch, host):
    clock = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    owners.own("1", "other", 1)
    for beat in (5, 6, 7):
        owners.register(process(host=host, beat=beat))
        assert ownership.orphans(set()) == []
        clock[0] += PATIENCE - 1  # long, but the counter moves
    owners.register(process(host=host, beat=8))
    assert ownership.orphans(set()) == []
    clock[0] += PATIENCE - 0.1
    assert ownership.orphans(set()) == []
    clock[0] += 0.2
    assert [task.id for task in ownership.orphans(set())] == ["1"]


def test_the_clock_of_the_observer_begins_with_its_first_look(owners, ownership, monkeypatch):
    """What it has not seen before may be alive, however old it is."""
    monkeypatch.setattr(time, "monotonic", lambda: 10.0**6)
    owners.own("1", "other", 1)
    owners.register(process(host="another-host", beat=0))
    assert ownership.orphans(set()) == []


def test_a_process_is_not_taken_for_dead_because_the_clock_was_set(owners, ownership, monkeypatch):
    """The time of day at which a process started is reckoned from the clock."""
    ownership.beat({})
    owners.own("1", ownership.id, 1)
    create_time = psutil.Process.create_time
    monkeypatch.setattr(psutil.Process, "create_time", lambda self: create_time(self) + 3600)
    assert Ownership(owners, owners, LEASE).orphans(set()) == []


def test_a_process_that_others_took_for_dead_registers_again(owners, ownership):
    ownership.beat({})
    assert owners.known[ownership.id].pid == os.getpid()
    owners.known.clear()
    ownership.beat({})
    assert ownership.id in owners.known


def test_an_own_task_that_is_not_run_for_a_while_is_an_orphan(owners, ownership, monkeypatch):
    """So it is after its executor has fenced the run off, though no other process has claimed it."""
    clock = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    owners.own("1", ownership.id, 1)
    owners.own("2", ownership.id, 1)
    assert ownership.orphans({"2"}) == []
    clock[0] += 2
    assert [task.id for task in ownership.orphans({"2"})] == ["1"]


def test_the_dead_are_forgotten_once_nothing_is_theirs(owners, ownership):
    owners.register(process(pid_start=1.0))
    owners.own("1", "other", 1)
    ownership.orphans(set())
    assert owners.released == []
    owners.own("1", "third", 2)
    ownership.orphans(set())
    assert owners.released == ["other"]


def test_who_lives_shares_the_executors(owners, ownership):
    ownership.beat({})
    owners.register(process(name="other"))
    owners.register(process(name="dead", pid_start=1.0))
    ownership.orphans(set())
    assert ownership.living == 2


# -- the scheduler


@pytest.fixture
def bench(owners, ownership, monkeypatch):
    monkeypatch.setattr(module, "LOOKS_PER_LEASE", 1000)  # every 10 ms
    found = SimpleNamespace(journal=MemoryJournal(), executor=ScriptedExecutor(), owners=owners, loads=[])
    found.executor.script = found.executor.until_killed

    def load(task):
        found.loads.append(task)
        row = owners.tasks[task]
        return stored(shell("a"), id=task, owner=row.owner, fence=row.fence, state=State.RUNNING)

    def load_by_what_is_set_now(task):
        return found.load(task)

    found.load = load
    found.said = []
    found.scheduler = Scheduler(
        journal=found.journal,
        ownership=ownership,
        executors=found.executor,
        load=load_by_what_is_set_now,
        said=lambda task: found.said,
        share=lambda processes: None,
        lease=LEASE,
    )
    yield found
    found.scheduler.stop()
    settle()


def until(condition):
    with gevent.Timeout(5):
        while not condition():
            gevent.sleep(0.002)


def cancel(task=TASK, actor="somebody"):
    return EventRow(1, task, None, None, Kind.TASK_CANCEL, 1.0, actor, {})


def test_a_run_is_held_until_it_has_ended(bench):
    bench.scheduler.run(stored(shell("a")))
    assert bench.scheduler.open_runs == 1
    until(lambda: bench.executor.begun)
    bench.scheduler.follow([cancel()])
    until(lambda: bench.scheduler.open_runs == 0)
    assert bench.journal.task.reason == "canceled by somebody; 1 node stopped"


def test_other_events_and_other_tasks_cancel_nothing(bench):
    bench.scheduler.run(stored(shell("a")))
    bench.scheduler.follow([EventRow(1, TASK, 0, 1, Kind.NODE_RUNNING, 1.0, "engine", {}), cancel("1" * 32)])
    settle()
    assert bench.scheduler.open_runs == 1
    assert bench.executor.killed == []


def test_a_cancel_that_comes_before_its_run_is_kept_for_it(bench):
    bench.scheduler.follow([cancel()])
    bench.scheduler.run(stored(shell("a")))
    until(lambda: bench.scheduler.open_runs == 0)
    assert bench.journal.task.state is State.CANCELED


def test_cancels_of_the_runs_of_others_are_not_kept_without_end(bench):
    for number in range(3000):
        bench.scheduler.follow([cancel(f"{number:032x}")])
    assert len(bench.scheduler._canceled) == 1000


def test_orphans_are_claimed_and_go_on(bench):
    bench.owners.own(TASK, None, 4)
    bench.scheduler.start()
    until(lambda: bench.executor.begun)
    assert bench.executor.begun[0].fence == 5
    settle()
    assert bench.loads == [TASK]


def test_an_orphan_that_somebody_else_has_claimed_is_left_to_him(bench, monkeypatch):
    bench.owners.own(TASK, None, 4)
    claims = []
    monkeypatch.setattr(bench.owners, "claim", lambda *claim: claims.append(claim))
    bench.scheduler.start()
    until(lambda: len(claims) > 2)
    assert bench.loads == []
    assert bench.scheduler.open_runs == 0


def test_a_claimed_run_that_cannot_be_read_now_is_read_later(bench):
    """It is owned already, so nobody else would ever take it."""
    load, faults = bench.load, [StoreUnavailable(), StoreUnavailable()]

    def away(task):
        if faults:
            raise faults.pop()
        return load(task)

    bench.load = away
    bench.owners.own(TASK, None, 4)
    bench.scheduler.start()
    until(lambda: bench.executor.begun)
    assert faults == []


def test_a_run_that_cannot_be_loaded_ends_as_failure_and_is_in_nobodys_way(bench):
    load = bench.load

    def broken(task):
        if task == "1" * 32:
            raise ValueError("what is this")
        return load(task)

    bench.load = broken
    bench.owners.own("1" * 32, None, 4)
    bench.owners.own(TASK, None, 4)
    bench.scheduler.start()
    until(lambda: bench.executor.begun)
    (ended,) = [change for change in bench.journal.changes if change.task == "1" * 32]
    assert (ended.task_row.state, ended.task_row.reason_code, ended.fence) == (State.FAILURE, "internal", 5)
    assert "ValueError('what is this')" in ended.task_row.reason


def test_a_run_that_somebody_has_claimed_while_it_was_loaded_is_left_to_him(bench):
    bench.load = lambda task: bench.loads.append(task) or stored(shell("a"), id=task, fence=9, state=State.RUNNING)
    bench.owners.own(TASK, None, 4)
    bench.scheduler.start()
    until(lambda: bench.loads)
    settle()
    assert bench.scheduler.open_runs == 0


def test_the_keeper_outlives_a_fault_of_ours(bench, monkeypatch, caplog):
    beat, faults = bench.owners.beat, [ZeroDivisionError("of ours")]

    def faulty(owner, elapsed):
        if faults:
            raise faults.pop()
        return beat(owner, elapsed)

    monkeypatch.setattr(bench.owners, "beat", faulty)
    bench.scheduler.start()
    until(lambda: not faults)
    bench.owners.own(TASK, None, 4)
    until(lambda: bench.executor.begun)
    assert any(record.event == "fault" and record.exc_info for record in caplog.records)


def test_a_stop_gives_all_runs_up_and_touches_nothing_that_runs(bench, ownership):
    bench.scheduler.start()
    bench.scheduler.run(stored(shell("a")))
    until(lambda: bench.executor.begun and bench.owners.known)
    before = list(bench.journal.changes)
    bench.scheduler.stop()
    settle()
    assert bench.journal.changes == before
    assert bench.executor.killed == []
    assert bench.owners.released == [ownership.id]
    assert bench.scheduler.open_runs == 0


def test_what_a_process_gives_up_is_looked_for_at_once(bench, monkeypatch):
    monkeypatch.setattr(module, "LOOKS_PER_LEASE", 0.001)  # in hours, if nobody tells
    bench.scheduler.start()
    until(lambda: bench.owners.known)
    settle()
    bench.owners.own(TASK, None, 4)
    bench.scheduler.follow([EventRow(1, TASK, None, None, Kind.TASK_RELEASED, 1.0, "engine", {})])
    until(lambda: bench.executor.begun)


def test_a_process_that_stops_begins_nothing_more(bench):
    """What it has accepted in its last moment is left to the others."""
    bench.scheduler.stop()
    bench.scheduler.run(stored(shell("a")))
    settle()
    assert bench.scheduler.open_runs == 0
    assert bench.journal.changes == []


def test_a_process_shows_that_it_lives_while_it_loads_what_it_has_taken_over(bench, monkeypatch):
    loading = gevent.event.Event()
    bench.load = lambda task: loading.wait() and None
    beats = []
    beat = bench.owners.beat
    monkeypatch.setattr(bench.owners, "beat", lambda *told: beats.append(told) or beat(*told))
    bench.owners.own(TASK, None, 4)
    bench.scheduler.start()
    until(lambda: len(beats) > 5)
    assert not loading.is_set()
    loading.set()


def claimed(task, owner, fence):
    return EventRow(1, task, None, None, Kind.TASK_CLAIMED, 1.0, "engine", {"owner": owner, "fence": fence})


def test_a_run_that_another_process_has_claimed_is_given_up_at_once(bench):
    bench.executor.room.clear()
    bench.scheduler.run(stored(shell("a"), fence=5))
    bench.scheduler.follow([claimed(TASK, "me before", 5)])
    assert bench.scheduler.open_runs == 1
    bench.scheduler.follow([claimed(TASK, "other", 6)])
    settle()
    assert bench.scheduler.open_runs == 0


def test_an_old_run_that_ends_late_is_not_taken_for_the_new_one(bench):
    bench.executor.room.clear()
    bench.scheduler.run(stored(shell("a"), fence=5))
    (old,) = bench.scheduler._runs.values()
    bench.scheduler.run(stored(shell("a"), fence=6))
    old.abandon()
    old.abandon()
    assert bench.scheduler.open_runs == 1
