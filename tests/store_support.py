"""What tests of the store share: records to write, and waiting that lets the hub go on."""

import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, TypeVar

import gevent
import pytest

from gorchestrator.common.states import State
from gorchestrator.domain.listing import Wanted
from gorchestrator.domain.records import Acceptance, Change, Kind, NodeRow, TaskRow
from gorchestrator.store import Store
from support import PATIENCE

ROOT = Path(__file__).resolve().parents[1]
TASK = "a" * 32
OTHER = "b" * 32
ME = "owner-1"
T = TypeVar("T")


def eventually(condition: Callable[[], T], deadline: float = 20.0) -> T:
    """Return the condition's value once it is true, while other greenlets run; fail after ``deadline`` seconds."""
    end = time.monotonic() + deadline
    while not (found := condition()):
        if time.monotonic() > end:
            pytest.fail(f"not within {deadline:g} s")
        gevent.sleep(0.005)
    return found


def accept(store: Store, task: str = TASK, size: int = 3, at: float = 1000.5, **columns: Any) -> TaskRow:
    """Accept a task with nodes n0, n1, … owned by ME."""
    row = TaskRow(task, "test", size=size, accepted_at=at, **columns)
    store.journal.accept(Acceptance(row, None, [(i, f"n{i}", f'{{"name":"n{i}"}}') for i in range(size)], ME))
    return row


def node_change(node: int, state: State = State.RUNNING, task: str = TASK, fence: int = 1, **columns: Any) -> Change:
    """Return a change of a node."""
    kind = Kind.NODE_FINAL if state.final else Kind.NODE_RUNNING
    return Change(kind, task, fence, 2000.25, node_row=NodeRow(task, node, state, **columns))


def task_change(state: State, task: str = TASK, fence: int = 1, **columns: Any) -> Change:
    """Return a change of a task."""
    kind = Kind.TASK_FINAL if state.final else Kind.TASK_STARTED
    return Change(kind, task, fence, 2000.25, task_row=TaskRow(task, "test", state, **columns))


def node_states(store: Store, task: str = TASK) -> list[State]:
    """Return the states of a task's nodes."""
    return [row.state for row, _ in store.reader.nodes(task)]


def task_ids(store: Store, **wanted: Any) -> list[str]:
    """Return the ids of a list of tasks."""
    return [row.id for row in store.reader.tasks(Wanted(now=2000.0, **wanted))[0].tasks]


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the write lock of a database, as an open shell of somebody might."""
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


class Process:
    """``store_process.py``: a process of its own, patched by gevent, that runs a command with the store."""

    def __init__(self, path: Path, *arguments: object) -> None:
        script = Path(__file__).with_name("store_process.py")
        command = [sys.executable, "-W", "error", str(script), str(path), *map(str, arguments)]
        env = os.environ | {"PYTHONPATH": str(ROOT)}
        self._child = subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        self._stdin, self._stdout = self._child.stdin, self._child.stdout

    def line(self) -> str:
        """Return the next line that it prints."""
        return self._stdout.readline().rstrip("\n")

    def go(self) -> None:
        """Let it begin."""
        self._stdin.write("go\n")
        self._stdin.flush()

    def kill(self) -> list[str]:
        """Kill it with -9, and return the lines it has printed."""
        self._child.kill()
        return self.end()

    def end(self) -> list[str]:
        """Return the lines it prints until its end."""
        try:
            return self._child.communicate(timeout=PATIENCE)[0].splitlines()
        finally:
            self._child.kill()

    @property
    def status(self) -> int | None:
        """Its exit status once it has ended."""
        return self._child.returncode


@contextmanager
def processes(path: Path, *commands: Sequence[object]) -> Iterator[list[Process]]:
    """Start a process for each command, and leave none behind."""
    started = [Process(path, *command) for command in commands]
    try:
        yield started
    finally:
        for process in started:
            if process.status is None:
                process.kill()
