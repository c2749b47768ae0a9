"""What can be done to a task or an owner in one step, beside the changes of a run. Each runs inside a transaction."""

import time
from collections.abc import Mapping
from dataclasses import asdict

from sqlalchemy import bindparam, delete, func, insert, literal_column, null, select, update

from gorchestrator.domain.records import ENGINE, Kind, OwnerRow, TaskRow
from gorchestrator.store import rows, tables
from gorchestrator.store.audit import Note
from gorchestrator.store.projection import Transaction
from gorchestrator.store.sql import OPEN, named

TASK = named(select(tables.tasks).where(tables.tasks.c.id == bindparam("task")))
_CANCEL = named(
    update(tables.tasks)
    .where(tables.tasks.c.id == bindparam("task"))
    .values(cancel_at=bindparam("at"), cancel_actor=bindparam("actor"))
)
_CLAIM = named(
    update(tables.tasks)
    .where(
        tables.tasks.c.id == bindparam("task"),
        tables.tasks.c.owner.is_not_distinct_from(bindparam("expected_owner")),
        tables.tasks.c.fence == bindparam("expected_fence"),
        OPEN,
    )
    .values(owner=bindparam("new_owner"), fence=bindparam("new_fence"))
)
_OWNED = named(
    select(tables.tasks.c.id).where(tables.tasks.c.owner == bindparam("by"), OPEN).order_by(tables.tasks.c.id)
)
_DISOWN = named(update(tables.tasks).where(tables.tasks.c.owner == bindparam("by"), OPEN).values(owner=null()))
_REGISTER = named(insert(tables.owners).prefix_with("OR REPLACE"))
_BEAT = named(
    update(tables.owners)
    .where(tables.owners.c.id == bindparam("by"))
    .values(beat=tables.owners.c.beat + literal_column("1"))
)
_each = func.json_each(bindparam("elapsed")).table_valued("key", "value", name="each")
_ELAPSED = named(
    update(tables.tasks)
    .where(tables.tasks.c.id == _each.c.key, tables.tasks.c.owner == bindparam("by"))
    .values(elapsed=_each.c.value, seen_at=bindparam("at"))
)
_KEEP_LAYOUT = named(insert(tables.layouts).prefix_with("OR IGNORE"))
_FORGET = named(delete(tables.owners).where(tables.owners.c.id == bindparam("by")))


class RequestCancel:
    """Remember that somebody wants the task to end."""

    def __init__(self, task: str, actor: str, at: float, note: Note | None = None) -> None:
        self._task, self._actor, self._at, self._note = task, actor, at, note

    def __call__(self, transaction: Transaction) -> TaskRow | None:
        """Write it, unless the task is unknown, final or being cancelled; return the row as it is then."""
        task = self._find(transaction)
        if task is None or task.state.final or task.cancel_at is not None:
            return task
        wanted = {"task": self._task, "at": rows.to_micro(self._at), "actor": self._actor}
        transaction.connection.execute(_CANCEL, wanted)
        transaction.event(Kind.TASK_CANCEL, self._task, self._at, self._actor, {"state": int(task.state)})
        if self._note is not None:
            self._note(transaction.connection)
        return self._find(transaction)

    def _find(self, transaction: Transaction) -> TaskRow | None:
        found = transaction.connection.execute(TASK, {"task": self._task}).fetchone()
        return None if found is None else rows.to_task(found)


class Claim:
    """Make a process the owner of an open task, if its owner and fence are still what that process has seen."""

    def __init__(self, task: str, owner: str, expected_owner: str | None, expected_fence: int) -> None:
        self._task, self._owner, self._from, self._fence = task, owner, expected_owner, expected_fence

    def __call__(self, transaction: Transaction) -> int | None:
        """Write it; return the new fence, or None if somebody was faster."""
        fence = self._fence + 1
        wanted = {
            "task": self._task,
            "expected_owner": self._from,
            "expected_fence": self._fence,
            "new_owner": self._owner,
            "new_fence": fence,
        }
        if not transaction.connection.execute(_CLAIM, wanted).rowcount:
            return None
        transaction.forget(self._task)
        data = {"owner": self._owner, "from": self._from, "fence": fence}
        transaction.event(Kind.TASK_CLAIMED, self._task, time.time(), ENGINE, data)
        return fence


class Register:
    """Make a process known, before it owns anything."""

    def __init__(self, owner: OwnerRow) -> None:
        self._owner = owner

    def __call__(self, transaction: Transaction) -> None:
        """Write it."""
        transaction.connection.execute(_REGISTER, asdict(self._owner))


class Beat:
    """Show that an owner lives, and how many seconds of life its tasks with a deadline have used."""

    def __init__(self, owner: str, elapsed: Mapping[str, float]) -> None:
        self._owner, self._elapsed = owner, elapsed

    def __call__(self, transaction: Transaction) -> bool:
        """Write it; return whether the owner is known."""
        if self._elapsed:
            wanted = {"by": self._owner, "at": rows.to_micro(time.time()), "elapsed": rows.encode(self._elapsed)}
            transaction.connection.execute(_ELAPSED, wanted)
        return transaction.connection.execute(_BEAT, {"by": self._owner}).rowcount == 1


class Release:
    """Take an owner from all its open tasks, and forget it."""

    def __init__(self, owner: str) -> None:
        self._owner = owner

    def __call__(self, transaction: Transaction) -> None:
        """Write it."""
        connection, by = transaction.connection, {"by": self._owner}
        owned = [task for (task,) in connection.execute(_OWNED, by).fetchall()]
        connection.execute(_DISOWN, by)
        connection.execute(_FORGET, by)
        for task in owned:
            transaction.event(Kind.TASK_RELEASED, task, time.time(), ENGINE, {"owner": self._owner})


class KeepLayout:
    """Remember how a task is drawn. Who drew it first is right: what was shown stays as it is."""

    def __init__(self, task: str, layout: bytes) -> None:
        self._task, self._layout = task, layout

    def __call__(self, transaction: Transaction) -> None:
        """Write it, unless the task was removed meanwhile."""
        if transaction.connection.execute(TASK, {"task": self._task}).fetchone() is not None:
            transaction.connection.execute(_KEEP_LAYOUT, {"task": self._task, "layout": self._layout})
