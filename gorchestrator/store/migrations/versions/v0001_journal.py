"""The first schema: the journal and its projections."""

import sqlalchemy as sa
from alembic import op

revision: str = "0001"
down_revision: str | None = None
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    """Make all tables."""
    _journal()
    _projections()
    _submitted()
    _others()


def _journal() -> None:
    op.create_table(
        "counter",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
    )
    op.execute("INSERT INTO counter (id, seq) VALUES (1, 0)")
    op.create_table(
        "events",
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("task", sa.Text, nullable=False),
        sa.Column("node", sa.Integer),
        sa.Column("attempt", sa.Integer),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("data", sa.Text, nullable=False),
    )
    op.create_index("events_by_task", "events", ["task", "seq"])


def _projections() -> None:
    op.create_table(
        "tasks",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("state", sa.Integer, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("reason_code", sa.Text),
        sa.Column("labels", sa.Text, nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("accepted_at", sa.BigInteger, nullable=False),
        sa.Column("started_at", sa.BigInteger),
        sa.Column("stopped_at", sa.BigInteger),
        sa.Column("cancel_at", sa.BigInteger),
        sa.Column("cancel_actor", sa.Text),
        sa.Column("owner", sa.Text),
        sa.Column("fence", sa.Integer, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("tasks_by_age", "tasks", ["accepted_at", "id"])
    op.create_index("tasks_open", "tasks", ["owner"], sqlite_where=sa.text("state < 3"))
    op.create_table(
        "nodes",
        sa.Column("task", sa.Text, nullable=False),
        sa.Column("node", sa.Integer, nullable=False),
        sa.Column("state", sa.Integer, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("reason_code", sa.Text),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("executor", sa.Text),
        sa.Column("started_at", sa.BigInteger),
        sa.Column("stopped_at", sa.BigInteger),
        sa.Column("exit_code", sa.Integer),
        sa.Column("output", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("task", "node"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "attempts",
        sa.Column("task", sa.Text, nullable=False),
        sa.Column("node", sa.Integer, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("executor", sa.Text, nullable=False),
        sa.Column("instance", sa.Text, nullable=False),
        sa.Column("args", sa.Text, nullable=False),
        sa.Column("state", sa.Integer, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("reason_code", sa.Text),
        sa.Column("started_at", sa.BigInteger),
        sa.Column("stopped_at", sa.BigInteger),
        sa.Column("exit_code", sa.Integer),
        sa.PrimaryKeyConstraint("task", "node", "attempt"),
        sqlite_with_rowid=False,
    )


def _submitted() -> None:
    op.create_table(
        "specs",
        sa.Column("task", sa.Text, nullable=False),
        sa.Column("node", sa.Integer, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("spec", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("task", "node"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "documents",
        sa.Column("task", sa.Text, primary_key=True),
        sa.Column("digraph", sa.LargeBinary),
    )


def _others() -> None:
    op.create_table(
        "log_chunks",
        sa.Column("task", sa.Text, nullable=False),
        sa.Column("node", sa.Integer, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("offset", sa.BigInteger, nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("task", "node", "attempt", "offset"),
    )
    op.create_table(
        "owners",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("host", sa.Text, nullable=False),
        sa.Column("pid", sa.Integer, nullable=False),
        sa.Column("pid_start", sa.Float, nullable=False),
        sa.Column("beat", sa.BigInteger, nullable=False),
    )
