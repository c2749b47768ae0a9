"""The table of the audit: lines are written in the transaction of what they tell of.

``audit_end`` has one row, the signed end of the chain. It is read and written under the database's write lock, so the
lines of all processes make one chain.
"""

import json
import sqlite3
import time
from collections.abc import Callable
from contextlib import suppress

from sqlalchemy import bindparam, delete, func, literal_column, select

from gorchestrator.domain.audit import BROKEN, SERVICE, Act, Action, End, Line, joint
from gorchestrator.store import rows, tables
from gorchestrator.store.projection import Transaction
from gorchestrator.store.seal import Seal
from gorchestrator.store.sql import inserting, limited, named, upserting

_LINES = inserting(tables.audit)
_ENDS = upserting(tables.audit_end)
_END = named(select(*[column for column in tables.audit_end.c if column.name != "id"]))
_OLDEST = named(limited(select(tables.audit.c.at).order_by(tables.audit.c.number), literal_column("1")))
_FIRST_KEPT = named(select(func.min(tables.audit.c.number)).where(tables.audit.c.at >= bindparam("before")))
_up_to = tables.audit.c.number <= bindparam("through")
_last = select(tables.audit.c.number, tables.audit.c.mac, tables.audit.c.key).where(_up_to)
_LAST_OF_STEP = named(limited(_last.order_by(tables.audit.c.number.desc()), literal_column("1")))
_DELETE = named(delete(tables.audit).where(_up_to))
_STEP = 1000  # lines that are pruned in one transaction: about 2 ms
_DAY = 86_400.0  # seconds; not for each line that grows old there is another one, which tells of that

#: Writes a line beside what it tells of, inside the transaction of that.
Note = Callable[[sqlite3.Connection], object]


class Auditor:
    """Writes the lines of one process, on one connection."""

    def __init__(self, seal: Seal) -> None:
        self._seal = seal
        self._new = False  # whether there may be a line since the end was last kept

    def note(self, act: Act | None) -> Note | None:
        """Return what writes the line of an act, None for none."""
        return None if act is None else lambda connection: self.append(connection, act)

    def append(self, connection: sqlite3.Connection, act: Act, *, older: bool = False) -> Line:
        """Write a line, behind the last one, in the transaction that makes what it tells of.

        ``older``: the database is one of before, put back by somebody who may.
        """
        self._new = True
        end = end_of(connection) or End()
        if self._seal.trusts(end, older=older):
            before = joint(end.mac, end.key, self._seal.key.name)
        else:
            before, end = BROKEN, self._seal.pruned_before(end)
        line = self._seal.key.line(_line(act, end.number + 1), before)
        _LINES.run(connection, [line])
        self.write_end(connection, end._replace(number=line.number, mac=line.mac, key=line.key))
        return line

    def write_end(self, connection: sqlite3.Connection, end: End) -> None:
        """Sign an end and put it in the place of the one before."""
        self._new = True
        _ENDS.run(connection, [(1, *self._seal.key.end(end))])

    def prune(self, connection: sqlite3.Connection, through: int, *, begin: bool) -> int:
        """Remove some of the oldest lines up to number ``through``, and sign which one was the last; return how many.

        ``begin``: write a line that tells of it before. Where the end is not the right one nothing is removed: what is
        there shows what has happened.
        """
        end = end_of(connection)
        if end is None or not self._seal.trusts(end):
            return 0
        if begin:
            self.append(connection, Act(SERVICE, Action.PRUNE, "audit", {"through": through}))
            end = end_of(connection) or end
        found = connection.execute(_LAST_OF_STEP, {"through": min(through, end.pruned + _STEP)}).fetchone()
        if found is None or end.key != self._seal.key.name:
            return 0
        number, mac, key = found
        connection.execute(_DELETE, {"through": number})
        self.write_end(connection, end._replace(pruned=number, pruned_mac=mac, pruned_key=key))
        return int(number) - end.pruned

    def committed(self, connection: sqlite3.Connection) -> None:
        """Keep the end outside of the database too, now that its line is durable. Never raises: that line stands."""
        if self._new:
            self._new = False
            with suppress(sqlite3.Error):
                if (end := end_of(connection)) is not None:
                    self._seal.try_keep(end)


def end_of(connection: sqlite3.Connection) -> End | None:
    """Return the end of the chain, None if nothing was ever written."""
    found = connection.execute(_END).fetchone()
    return None if found is None else End(*found)


def old(connection: sqlite3.Connection, before: float) -> int | None:
    """Return the number of the last line that is to be pruned: all up to it are older than ``before``, in seconds.

    None: there is none, or the oldest one has grown old less than a day ago.
    """
    oldest = connection.execute(_OLDEST).fetchone()
    if oldest is None or oldest[0] >= (rows.to_micro(before - _DAY) or 0):
        return None
    (kept,) = connection.execute(_FIRST_KEPT, {"before": rows.to_micro(before)}).fetchone()
    end = end_of(connection)
    return int(kept) - 1 if kept is not None else None if end is None else end.number


class Prune:
    """Take a step of pruning, as a verb of the journal; see :meth:`Auditor.prune`."""

    def __init__(self, auditor: Auditor, through: int, *, begin: bool) -> None:
        self._auditor, self._through, self._begin = auditor, through, begin

    def __call__(self, transaction: Transaction) -> int:
        """Write it; return how many lines are gone."""
        return self._auditor.prune(transaction.connection, self._through, begin=self._begin)


def _line(act: Act, number: int) -> Line:
    return Line(
        number=number,
        at=rows.to_micro(time.time()) or 0,
        actor=act.who.actor,
        source=act.who.source,
        action=str(act.action),
        subject=act.subject,
        details=json.dumps(act.details),
        key="",
    )
