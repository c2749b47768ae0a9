"""The reading side of the store: snapshots of rows."""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from gorchestrator.common.states import State
from gorchestrator.domain import audit
from gorchestrator.domain.access import Token
from gorchestrator.domain.attempts import attempt_id
from gorchestrator.domain.listing import Wanted
from gorchestrator.domain.records import (
    AttemptRow,
    EventRow,
    NodeRow,
    OwnerRow,
    Request,
    Resolution,
    TaskRow,
    Totals,
    TracedNode,
    Whole,
)
from gorchestrator.domain.retention import Due, Limits
from gorchestrator.store import audit as audit_table
from gorchestrator.store import auditing, executors, listing, logs, queries, removing, rows, tokens, traces, wholes
from gorchestrator.store import connection as connections
from gorchestrator.store.accepting import same_request
from gorchestrator.store.damage import Damage
from gorchestrator.store.sql import fetch_json, int64
from gorchestrator.store.threads import Threads, snapshot

_ATTEMPTS, _ARGS = 100, 2**20  # attempts in one answer, and the characters of arguments beyond which no other follows

T = TypeVar("T")


class Reader:
    """Every method blocks its greenlet, not the hub, and raises StoreUnavailable if the database cannot be read."""

    def __init__(self, path: Path, damage: Damage) -> None:
        self._threads = Threads(path, damage)

    # -- tasks

    def task(self, task: str) -> TaskRow | None:
        """Return a task."""
        found = self._one(queries.TASK, {"task": task})
        return None if found is None else rows.to_task(found)

    def tasks(self, wanted: Wanted) -> tuple[listing.Page, int]:
        """Return a page of the list of tasks, and the number of the last event as of the same moment."""

        def read(connection: sqlite3.Connection) -> tuple[listing.Page, int]:
            with snapshot(connection):
                return listing.read(connection, wanted), int(connection.execute(queries.LAST_SEQ).fetchone()[0])

        return self._threads.call(read)

    def open_tasks(self) -> list[TaskRow]:
        """Return the tasks that are not final, oldest first."""
        return self._all(queries.OPEN_TASKS, {}, rows.to_task)

    def digraph(self, task: str) -> str | None:
        """Return the matrix as it was submitted; None if edges were given by ``needs``."""
        return self._threads.call(lambda connection: wholes.digraph(connection, task))

    def whole(self, task: str, *, digraph: bool) -> Whole | None:
        """Return a task with its nodes, and its matrix if asked for: all as of one moment."""
        return self._threads.call(lambda connection: wholes.whole(connection, task, with_digraph=digraph))

    def layout(self, task: str) -> bytes | None:
        """Return how a task is drawn, as :meth:`Journal.keep_layout` was given it; None if nobody has asked before."""
        found = self._one(queries.LAYOUT, {"task": task})
        return None if found is None else bytes(found[0])

    def edges(self, task: str) -> str | None:
        """Return the JSON object of a task's edges: ``size`` with ``digraph`` or ``needs``; None if it is unknown."""
        return self._threads.call(lambda connection: wholes.edges(connection, task))

    def newest(self, task: str) -> tuple[int, float]:
        """Return the number and time of the task's last event."""
        found = self._one(queries.NEWEST_OF_TASK, {"task": task})
        return (0, 0.0) if found is None else (found[0], rows.from_micro(found[1]) or 0.0)

    def same_request(self, request: Request, now: float) -> str | None:
        """Return the task that an earlier request made; None also if that was too long ago.

        ``now``: seconds since the epoch. Raises KeyReused if it asked for something else.
        """
        return self._threads.call(lambda connection: same_request(connection, request, now))

    # -- nodes and attempts

    def nodes(self, task: str) -> list[tuple[NodeRow, str]]:
        """Return all nodes of a task with their JSON as accepted, by number: one snapshot, read in slices."""
        return self._threads.call(lambda connection: wholes.nodes(connection, task))

    def node(self, task: str, node: int | str) -> tuple[NodeRow, str] | None:
        """Return a node by its number or name."""
        sql = queries.NODE_BY_NUMBER if isinstance(node, int) else queries.NODE_BY_NAME
        found = self._one(sql, {"task": task, "wanted": int64(node) if isinstance(node, int) else node})
        return None if found is None else (rows.to_node(task, found[1:]), found[0])

    def attempts(self, task: str, node: int, after: int = 0) -> list[tuple[AttemptRow, int]]:
        """Return the attempts of a node behind number ``after``, in order, with the sizes of their logs.

        Not always all of them, but at least one if there is one.
        """
        wanted = {"task": task, "node": node, "after": int64(after), "limit": _ATTEMPTS, "enough": _ARGS}
        return self._all(queries.ATTEMPTS, wanted, lambda row: (rows.to_attempt(row), row[-2]))

    def running_attempts(self, task: str) -> list[AttemptRow]:
        """Return the attempts that have not ended, as far as is known here."""
        return self._all(queries.RUNNING_ATTEMPTS, {"task": task}, rows.to_attempt)

    def final_attempts(self, ids: Sequence[str]) -> dict[str, int]:
        """Return those of some attempts, by their names on executors, that have ended, or whose task has, as is stored.

        With each comes the fence of its run.
        """
        keys = [(task, int(node), int(attempt)) for task, node, attempt in (each.split(".") for each in ids)]
        found = self._all(
            queries.FINAL_ATTEMPTS, {"ids": rows.encode(keys)}, lambda row: (attempt_id(*row[:3]), row[3])
        )
        wanted = {*ids}
        return {name: fence for name, fence in found if name in wanted}

    def resolutions(self, task: str) -> list[Resolution]:
        """Return what was said of attempts of which nobody knew how they ended."""
        return self._all(queries.RESOLUTIONS, {"task": task}, rows.to_resolution)

    # -- logs

    def log(self, task: str, node: int, attempt: int, offset: int, limit: int) -> logs.Piece:
        """Return at most ``limit`` bytes of a log from ``offset`` on, as of one moment."""
        key = {"task": task, "node": int64(node), "attempt": int64(attempt)}

        def read(connection: sqlite3.Connection) -> logs.Piece:
            with snapshot(connection):
                return logs.read(connection, key, offset, limit)

        return self._threads.call(read)

    def log_size(self, task: str, node: int, attempt: int) -> int:
        """Return the offset behind what is stored of a log, so what was left out counts too."""
        found = self._one(queries.LOG_END, {"task": task, "node": node, "attempt": attempt})
        return 0 if found is None else int(found[0])

    # -- the journal

    def events(self, after: int, limit: int, task: str | None = None) -> list[EventRow]:
        """Return the lines of the journal behind ``after``, in order; of all tasks or of one."""
        sql = queries.EVENTS if task is None else queries.TASK_EVENTS
        return self._all(sql, {"after": int64(after), "limit": limit, "task": task}, rows.to_event)

    def last_seq(self, task: str | None = None) -> int:
        """Return the number of the last event, of all or of one task; 0 if there is none."""
        sql = queries.LAST_SEQ if task is None else queries.LAST_SEQ_OF_TASK
        found = self._one(sql, {"task": task})
        return int(found[0] or 0) if found else 0

    def kept(self) -> tuple[int, int]:
        """Return the numbers behind which all events are kept, and of the last event."""
        pruned, last = self._one(queries.KEPT, {})
        return int(pruned), int(last)

    def has_event(self, seq: int) -> bool:
        """Whether there is an event of this number."""
        return self._one(queries.HAS_EVENT, {"seq": seq}) is not None

    def totals(self) -> Totals:
        """Return how much there is: at a cost that does not grow with the tasks that have ended."""

        def read(connection: sqlite3.Connection) -> Totals:
            with snapshot(connection):
                (seq,) = connection.execute(queries.LAST_SEQ).fetchone()
                return Totals(_by_state(connection, queries.TOTALS), _by_state(connection, queries.OPEN_NODES), seq)

        return self._threads.call(read)

    def due(self, limits: Limits) -> Due:
        """Return what retention is to do next."""
        return self._threads.call(lambda connection: removing.due(connection, limits))

    def checkpoint(self) -> bool:
        """Bring the write-ahead log into the file, as far as nobody reads there; whether all of it is in there now."""
        return self._threads.call(connections.checkpoint)

    def owners(self) -> list[OwnerRow]:
        """Return the processes that own runs, dead ones included."""
        return self._threads.call(lambda connection: [OwnerRow(*row) for row in connection.execute(queries.OWNERS)])

    def executor(self, name: str) -> str | None:
        """Return where an executor is, as :meth:`Journal.remember_executors` was given it."""
        return self._threads.call(lambda connection: executors.endpoint(connection, name))

    def tokens(self) -> list[Token]:
        """Return all tokens that were ever made."""
        return self._threads.call(tokens.read)

    def audit(self, wanted: audit.Wanted) -> tuple[list[audit.Line], bool]:
        """Return lines of the audit, the newest first, and whether there are more like them."""
        return self._threads.call(lambda connection: auditing.page(connection, wanted))

    def old_audit(self, before: float) -> int | None:
        """Return up to which line the audit is to be pruned where it is not kept from ``before`` on; None: not yet."""
        return self._threads.call(lambda connection: audit_table.old(connection, before))

    # -- traces

    def due_traces(self, limit: int) -> list[tuple[str, str]]:
        """Return tasks that have ended and whose traces are to be sent, each with the context it was submitted in."""
        return self._threads.call(lambda connection: traces.due(connection, limit))

    def traced_nodes(self, task: str, first: int) -> list[TracedNode]:
        """Return some nodes of a task from number ``first`` on, with their attempts; none: there are no more."""
        return self._threads.call(lambda connection: traces.part(connection, task, first))

    def close(self) -> None:
        """End the threads and close the connections."""
        self._threads.close()

    def _one(self, sql: str, wanted: Mapping[str, object]) -> Any:
        return self._threads.call(lambda connection: connection.execute(sql, wanted).fetchone())

    def _all(self, sql: str, wanted: Mapping[str, object], convert: Callable[[list[Any]], T]) -> list[T]:
        return self._threads.call(lambda connection: [convert(row) for row in fetch_json(connection, sql, wanted)])


def _by_state(connection: sqlite3.Connection, sql: str) -> dict[State, int]:
    return {State(int(state)): n for state, n in connection.execute(sql)}
