"""How many tasks a client submits, over all processes: one row for each client, moved on in the committing transaction.

The row holds until when what a client has submitted is paid for, each task being worth its part of a minute. As long as
that is not more than a minute ahead, the client may submit: a minute's worth at once, and then as fast as time goes by.
"""

import sqlite3

from sqlalchemy import bindparam, delete, insert, select

from gorchestrator.domain.errors import TooManyTasks
from gorchestrator.domain.records import Quota
from gorchestrator.store import rows, tables
from gorchestrator.store.sql import named

_MINUTE = 60.0  # seconds
_columns = tables.rates.c
_PAID = named(select(_columns.paid_until).where(_columns.client == bindparam("by")))
_KEEP = named(insert(tables.rates).prefix_with("OR REPLACE"))
_FORGET = named(delete(tables.rates).where(_columns.paid_until < bindparam("now")))


def spend(connection: sqlite3.Connection, quota: Quota, now: float) -> None:
    """Count one more task of a client at ``now``, seconds since the epoch. Raises TooManyTasks, and writes nothing."""
    found = connection.execute(_PAID, {"by": quota.client}).fetchone()
    before = rows.from_micro(found[0]) if found else None
    if before is None or not now <= before <= now + _MINUTE:  # beyond, the clock was set back since
        before = now
    paid = before + _MINUTE / quota.most
    early = paid - now - _MINUTE
    if early > 1e-6:  # noqa: PLR2004  (a microsecond, as times are kept)
        raise TooManyTasks(quota.name, quota.most, early)
    connection.execute(_FORGET, {"now": rows.to_micro(now)})
    connection.execute(_KEEP, {"client": quota.client, "paid_until": rows.to_micro(paid)})
