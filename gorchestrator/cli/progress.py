"""How running tasks are shown: a live table on a terminal, else a line for each change."""

import time
from collections.abc import Mapping
from typing import Any, Protocol, Self

import click
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from gorchestrator.cli import tables
from gorchestrator.common.states import State
from gorchestrator.common.text import printable

SHOWN = 5  # names of running nodes in a row
Task = Mapping[str, Any]


class Display(Protocol):
    """Shows tasks while they run."""

    def __enter__(self) -> Self:
        """Begin."""

    def __exit__(self, *error: object) -> None:
        """Leave the last picture on the screen."""

    def update(self, task: Task) -> None:
        """Show the present state of a task."""

    def say(self, line: str) -> None:
        """Print a line that stays."""


def display(stderr: bool = False) -> Display:
    """Return the display that fits the output."""
    out = tables.console(stderr)
    return LiveTable(out) if out.is_terminal else Lines(stderr)


class LiveTable:
    """One row a task, painted anew several times a second."""

    def __init__(self, out: Console) -> None:
        self._tasks: dict[str, Task] = {}
        self._live = Live(get_renderable=self._table, console=out, refresh_per_second=8)

    def __enter__(self) -> Self:
        """Begin."""
        self._live.start()
        return self

    def __exit__(self, *error: object) -> None:
        """Leave the last picture on the screen."""
        self._live.stop()

    def update(self, task: Task) -> None:
        """Show the present state of a task."""
        self._tasks[task["id"]] = task

    def say(self, line: str) -> None:
        """Print a line above the table."""
        self._live.console.print(tables.text(line))

    def _table(self) -> Group:
        table = tables.new_table("GRAPH", "STATE", "NODES", "ELAPSED", "RUNNING")
        for task in self._tasks.values():
            label = tables.state_of(task).label
            done, total = _done(task)
            table.add_row(
                tables.text(tables.title_of(task)),
                tables.state_text(label),
                _bar(done, total),
                tables.duration(task),
                Text(running(task)),
            )
        return Group(table)


class Lines:
    """A line each time a task or what it runs has changed, for logs and pipes."""

    def __init__(self, stderr: bool = False) -> None:
        self._stderr = stderr
        self._last: dict[str, str] = {}

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, *error: object) -> None:
        """Nothing is left to do."""

    def update(self, task: Task) -> None:
        """Print the present state of a task if it is another one than before."""
        done, total = _done(task)
        line = f"{tables.title_of(task)}: {tables.state_of(task).label}, {done} of {total} nodes done"
        names = running(task)
        line += f", running: {names}" if names else ""
        if self._last.get(task["id"]) != line:
            self._last[task["id"]] = line
            self.say(line)

    def say(self, line: str) -> None:
        """Print a line."""
        click.echo(f"{time.strftime('%H:%M:%S')} {line}", err=self._stderr)


def running(task: Task) -> str:
    """Return the names of the nodes that run, the first few."""
    names = [printable(node["name"]) for node in task["nodes"] if node["state"] == State.RUNNING]
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


def _done(task: Task) -> tuple[int, int]:
    nodes = task["nodes"]
    return sum(node["state"] >= State.SUCCESS for node in nodes), len(nodes)


def _bar(done: int, total: int) -> Table:
    width = 12
    full = round(width * done / total) if total else width
    grid = Table.grid(padding=(0, 1, 0, 0))
    grid.add_row(Text.assemble(("━" * full, "green"), ("━" * (width - full), "dim")), f"{done}/{total}")
    return grid
