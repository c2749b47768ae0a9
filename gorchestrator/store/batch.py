"""A batch of the writer's queue becomes one transaction, in which a faulty item stands alone."""

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any

from gevent.event import AsyncResult

from gorchestrator.domain.errors import Fenced, GorchError, StoreError
from gorchestrator.domain.records import Change, LogChunk
from gorchestrator.store import logs
from gorchestrator.store.accepting import Accept
from gorchestrator.store.connection import is_fault
from gorchestrator.store.projection import Transaction

Verb = Callable[[Transaction], object]


class Item:
    """Something to be written. Who has a ``waiter`` blocks until it is set; ``failed`` is called if it is refused."""

    __slots__ = ("deadline", "error", "failed", "in_logs", "value", "waiter", "work")

    def __init__(
        self,
        work: Change | LogChunk | Verb,
        *,
        waiter: "AsyncResult[Any] | None" = None,
        deadline: float = 0.0,
        failed: Callable[[BaseException], None] | None = None,
        in_logs: bool = False,
    ) -> None:
        self.work = work
        self.waiter = waiter
        self.deadline = deadline
        self.failed = failed
        self.in_logs = in_logs
        self.value: object = None
        self.error: BaseException | None = None

    @property
    def kind(self) -> str:
        """What it is to those who watch a batch: see ``gorchestrator.common.faultpoints``."""
        if isinstance(self.work, Change) and self.work.attempt_row is not None:
            return "result" if self.work.attempt_row.state.final else "attempt"
        return "accept" if isinstance(self.work, Accept) else "other"


def write(connection: sqlite3.Connection, items: Sequence[Item]) -> bool:
    """Write the items inside a transaction and set their ``value`` or ``error``; return whether there are new events.

    Together, as bulk statements, or, if any of these is refused, one by one. Raises what the database is to blame for.
    """
    transaction = Transaction(connection)
    before = transaction.seq
    connection.execute("SAVEPOINT batch")
    try:
        _together(transaction, items)
    except Exception as error:
        if is_fault(error):
            raise
        connection.execute("ROLLBACK TO batch")
        transaction.go_back(before)
        _singly(transaction, items)
    return transaction.seq != before


def _together(transaction: Transaction, items: Sequence[Item]) -> None:
    transaction.know(item.work.task for item in items if isinstance(item.work, Change))
    for item in items:
        item.error = None
        try:
            _apply(transaction, item)
        except Fenced as error:
            item.error = error
    transaction.flush()


def _singly(transaction: Transaction, items: Sequence[Item]) -> None:
    for item in items:
        item.error = None
        before = transaction.seq
        transaction.connection.execute("SAVEPOINT item")
        try:
            _apply(transaction, item)
            transaction.flush()
        except Exception as error:
            if is_fault(error):
                raise
            transaction.connection.execute("ROLLBACK TO item")
            transaction.go_back(before)
            item.error = error if isinstance(error, GorchError) else StoreError(f"It cannot be stored: {error!r}")
        transaction.connection.execute("RELEASE item")


def _apply(transaction: Transaction, item: Item) -> None:
    work = item.work
    if isinstance(work, Change):
        transaction.change(work)
    elif isinstance(work, LogChunk):
        logs.store(transaction.connection, work)
    else:
        transaction.flush()  # a verb reads what was written before it
        item.value = work(transaction)
