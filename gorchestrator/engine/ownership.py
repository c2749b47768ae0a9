"""Who owns which run: every process shows that it lives, and takes over the runs of those that do not.

A process is dead when its counter has stood still for the lease by the observer's own monotonic clock, and at once when
it was on this host and its pid is gone or belongs to another process, or the host was booted since.
"""

import os
import socket
import time
from collections.abc import Collection, Mapping, Sequence
from typing import Protocol
from uuid import uuid4

from gorchestrator.common import processes
from gorchestrator.domain.records import OwnerRow, TaskRow

_ABOUT_TO_RUN = 1.0  # seconds

#: How often in a lease processes show that they live, and look whether others do. A beat is seen one look later, and
#: what is seen is acted on by the next: so that a lease is what it says, a counter may stand still for that much less.
LOOKS_PER_LEASE = 8


class OwnerWrites(Protocol):
    """What the journal does about ownership; each call is one transaction."""

    def register(self, owner: OwnerRow) -> None:
        """Add a process."""

    def beat(self, owner: str, elapsed: Mapping[str, float]) -> bool:
        """Move the counter of a process on, with the age in seconds of some of its tasks; whether it is known."""

    def claim(self, task: str, owner: str, expected_owner: str | None, expected_fence: int) -> int | None:
        """Change the owner of a task if it is still as expected; returns the new fence."""

    def release(self, owner: str) -> None:
        """Give up all open tasks of a process, and the process itself."""


class OwnerReads(Protocol):
    """What can be read about ownership."""

    def open_tasks(self) -> Sequence[TaskRow]:
        """Return the tasks that are not final."""

    def owners(self) -> Sequence[OwnerRow]:
        """Return all processes."""


class Ownership:
    """What one process knows of itself and of the others on the store. ``lease`` is in seconds."""

    def __init__(self, writes: OwnerWrites, reads: OwnerReads, lease: float) -> None:
        self.id = uuid4().hex
        self._writes = writes
        self._reads = reads
        self._patience = lease * (1 - 2 / LOOKS_PER_LEASE)
        self._registered = False
        self.living = 1  # processes that share the store, this one included
        self._adrift: dict[str, float] = {}  # own tasks that it does not run, and since when
        self._seen: dict[str, tuple[int, float]] = {}  # owner: its counter, and when that was first seen

    def beat(self, elapsed: Mapping[str, float]) -> None:
        """Show the other processes that this one lives. ``elapsed``: the age in seconds of tasks with a deadline."""
        if self._registered and self._writes.beat(self.id, elapsed):
            return
        start = float(processes.start_ticks(os.getpid()) or 0)
        self._writes.register(OwnerRow(self.id, f"{socket.gethostname()} {processes.boot()}", os.getpid(), start, 0))
        self._registered = True

    def orphans(self, held: Collection[str]) -> list[TaskRow]:
        """Return the open tasks that nobody runs, by what this process has observed so far; it runs those in ``held``.

        Its own may be among them: a run is given up where an executor has seen a higher fence, as after a restore.
        """
        owners = self._reads.owners()
        living = {self.id} | {owner.id for owner in owners if self._lives(owner)}
        self.living = len(living)
        self._seen = {owner.id: self._seen[owner.id] for owner in owners if owner.id in self._seen}
        tasks = self._reads.open_tasks()
        for dead in {owner.id for owner in owners} - living - {task.owner for task in tasks}:
            self._writes.release(dead)
        adrift = self._own_adrift([task.id for task in tasks if task.owner == self.id and task.id not in held])
        return [task for task in tasks if task.owner not in living or task.id in adrift]

    def _own_adrift(self, tasks: Sequence[str]) -> set[str]:
        """Return which of its own tasks it has not run for a while: one that was just accepted is about to be run."""
        now = time.monotonic()
        self._adrift = {task: self._adrift.get(task, now) for task in tasks}
        return {task for task, since in self._adrift.items() if now - since > _ABOUT_TO_RUN}

    def _lives(self, owner: OwnerRow) -> bool:
        host, _, boot = owner.host.partition(" ")
        if host == socket.gethostname() and not (boot == processes.boot() and _is_process(owner.pid, owner.pid_start)):
            return False
        beat, since = self._seen.get(owner.id, (None, 0.0))
        if beat != owner.beat:
            self._seen[owner.id] = (owner.beat, time.monotonic())
            return True
        return time.monotonic() - since < self._patience

    def claim(self, task: TaskRow) -> int | None:
        """Become the owner of a task; returns the new fence, or None if somebody else was faster."""
        return self._writes.claim(task.id, self.id, task.owner, task.fence)

    def release(self) -> None:
        """Give up all tasks, so that another process takes them at once."""
        if self._registered:
            self._writes.release(self.id)
            self._registered = False


def _is_process(pid: int, start: float) -> bool:
    return processes.start_ticks(pid) == start
