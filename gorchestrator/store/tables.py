"""The tables of the journal, as SQLAlchemy Core knows them; ``migrations/`` makes them.

``events`` is the truth and is only appended to. ``tasks``, ``nodes`` and ``attempts`` are its projections. ``specs``
and ``documents`` are what was submitted: they are written once, so that the row of a node, which changes often, stays
small. Times are whole microseconds since the epoch, so that they survive SQLite's JSON functions exactly.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
)

from gorchestrator.common.states import State

metadata = MetaData()

#: One row: the ``seq`` of the last event. Updated in the committing transaction, so that seq is in commit order.
#: ``pruned`` is that of the last event that was removed: all behind it are there.
counter = Table(
    "counter",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, nullable=False),
    Column("pruned", BigInteger, nullable=False, server_default="0"),
)

events = Table(
    "events",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("task", Text, nullable=False),
    Column("node", Integer),
    Column("attempt", Integer),
    Column("kind", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("actor", Text, nullable=False),
    Column("data", Text, nullable=False),  # JSON
    Index("events_by_task", "task", "seq"),
)

tasks = Table(
    "tasks",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("state", Integer, nullable=False),
    Column("reason", Text),
    Column("reason_code", Text),
    Column("labels", Text, nullable=False),  # JSON
    Column("size", Integer, nullable=False),
    Column("accepted_at", BigInteger, nullable=False),
    Column("started_at", BigInteger),
    Column("stopped_at", BigInteger),
    Column("cancel_at", BigInteger),
    Column("cancel_actor", Text),
    Column("owner", Text),
    Column("fence", Integer, nullable=False),
    Column("deadline", Float),  # seconds
    Column("elapsed", Float, nullable=False, server_default="0"),  # seconds, at seen_at
    Column("seen_at", BigInteger),
    Column("counts", Text, nullable=False, server_default="{}"),  # JSON: nodes by the number of their state
    Column("rerun_of", Text),
    sqlite_with_rowid=False,
)
#: All that a list is filtered and sorted by, so that 100,000 tasks are looked through in the index alone.
Index(
    "tasks_list",
    tasks.c.accepted_at,
    tasks.c.id,
    tasks.c.state,
    tasks.c.name,
    tasks.c.started_at,
    tasks.c.stopped_at,
)
Index("tasks_open", tasks.c.owner, tasks.c.state, sqlite_where=tasks.c.state < int(State.SUCCESS))

#: Oldest end first, for retention.
Index("tasks_ended", tasks.c.stopped_at, tasks.c.id, sqlite_where=tasks.c.state >= int(State.SUCCESS))

#: How many tasks are in each state. Triggers on ``tasks`` keep it, whoever changes a task, see ``v0004_totals.py``.
totals = Table(
    "totals",
    metadata,
    Column("state", Integer, primary_key=True, autoincrement=False),
    Column("n", Integer, nullable=False),
)

specs = Table(
    "specs",
    metadata,
    Column("task", Text, nullable=False),
    Column("node", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("spec", Text, nullable=False),  # JSON
    PrimaryKeyConstraint("task", "node"),
    sqlite_with_rowid=False,
)

documents = Table(
    "documents",
    metadata,
    Column("task", Text, primary_key=True),
    Column("digraph", LargeBinary),  # zlib
)

labels = Table(
    "labels",
    metadata,
    Column("key", Text, nullable=False),
    Column("value", Text, nullable=False),
    Column("accepted_at", BigInteger, nullable=False),
    Column("task", Text, nullable=False),
    PrimaryKeyConstraint("key", "value", "accepted_at", "task"),
    Index("labels_by_key", "key", "accepted_at", "task"),
    sqlite_with_rowid=False,
)

#: Requests that may be sent again without being taken twice: their ``Idempotency-Key``, and what they made.
requests = Table(
    "requests",
    metadata,
    Column("key", Text, primary_key=True),
    Column("digest", Text, nullable=False),  # of what was asked for
    Column("task", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Index("requests_by_age", "at"),
    sqlite_with_rowid=False,
)

#: Until when what clients have submitted is paid for, see ``rates.py``.
rates = Table(
    "rates",
    metadata,
    Column("client", Text, primary_key=True),
    Column("paid_until", BigInteger, nullable=False),
    Index("rates_by_age", "paid_until"),
    sqlite_with_rowid=False,
)

#: The settings that the service ran with last, see ``remembered.py``.
settings = Table(
    "settings",
    metadata,
    Column("name", Text, primary_key=True),
    Column("digest", Text, nullable=False),
    sqlite_with_rowid=False,
)

#: Where executors are, see ``executors.py``.
executors = Table(
    "executors",
    metadata,
    Column("name", Text, primary_key=True),
    Column("endpoint", Text, nullable=False),
    sqlite_with_rowid=False,
)

#: Where the nodes of a task are drawn. Made when it is first asked for.
layouts = Table(
    "layouts",
    metadata,
    Column("task", Text, primary_key=True),
    Column("layout", LargeBinary, nullable=False),  # JSON, zlib
)

#: A node has a row here from its first change on.
nodes = Table(
    "nodes",
    metadata,
    Column("task", Text, nullable=False),
    Column("node", Integer, nullable=False),
    Column("state", Integer, nullable=False),
    Column("reason", Text),
    Column("reason_code", Text),
    Column("attempt", Integer, nullable=False),
    Column("executor", Text),
    Column("started_at", BigInteger),
    Column("stopped_at", BigInteger),
    Column("exit_code", Integer),
    Column("output", Text, nullable=False),  # JSON
    PrimaryKeyConstraint("task", "node"),
    sqlite_with_rowid=False,
)

attempts = Table(
    "attempts",
    metadata,
    Column("task", Text, nullable=False),
    Column("node", Integer, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("executor", Text, nullable=False),
    Column("instance", Text, nullable=False),
    Column("args", Text, nullable=False),  # JSON
    Column("state", Integer, nullable=False),
    Column("reason", Text),
    Column("reason_code", Text),
    Column("started_at", BigInteger),
    Column("stopped_at", BigInteger),
    Column("exit_code", Integer),
    PrimaryKeyConstraint("task", "node", "attempt"),
    sqlite_with_rowid=False,
)

#: What somebody said of attempts of which nobody knows how they ended.
resolutions = Table(
    "resolutions",
    metadata,
    Column("task", Text, nullable=False),
    Column("node", Integer, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("answer", Text, nullable=False),
    Column("output", Text, nullable=False),  # JSON
    Column("actor", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    PrimaryKeyConstraint("task", "node", "attempt"),
    sqlite_with_rowid=False,
)

log_chunks = Table(
    "log_chunks",
    metadata,
    Column("task", Text, nullable=False),
    Column("node", Integer, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("data", LargeBinary, nullable=False),
    PrimaryKeyConstraint("task", "node", "attempt", "offset"),
)

#: Tasks that were removed, while rows of theirs are left in other tables: nobody finds these any more.
remains = Table("remains", metadata, Column("task", Text, primary_key=True), sqlite_with_rowid=False)

#: Tasks whose trace is to be sent when they have ended.
traces = Table(
    "traces",
    metadata,
    Column("task", Text, primary_key=True),
    Column("context", Text, nullable=False),  # the trace context that came with the gorch, or nothing
    sqlite_with_rowid=False,
)

#: The processes that own runs. Who stands still is dead.
owners = Table(
    "owners",
    metadata,
    Column("id", Text, primary_key=True),
    Column("host", Text, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("pid_start", Float, nullable=False),
    Column("beat", BigInteger, nullable=False),
)

#: The tokens that were made, revoked ones too: that there was one is why the service wants one.
tokens = Table(
    "tokens",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("digest", Text, nullable=False),  # SHA-256 of its text
    Column("role", Integer, nullable=False),
    Column("label", Text),  # JSON: [key, value]
    Column("made_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger),
    Column("revoked_at", BigInteger),
    sqlite_with_rowid=False,
)

#: Who did what: each line's MAC covers the line before it, see ``gorchestrator.domain.audit``.
audit = Table(
    "audit",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False),
    Column("actor", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("details", Text, nullable=False),  # JSON
    Column("key", Text, nullable=False),
    Column("mac", Text, nullable=False),
    Index("audit_by_subject", "subject", "number"),
)

#: One row, once there is a line: the last one, and the last one of those that were pruned.
audit_end = Table(
    "audit_end",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("number", BigInteger, nullable=False),
    Column("mac", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("pruned", BigInteger, nullable=False),
    Column("pruned_mac", Text, nullable=False),
    Column("pruned_key", Text, nullable=False),
    Column("sign", Text, nullable=False),
)
