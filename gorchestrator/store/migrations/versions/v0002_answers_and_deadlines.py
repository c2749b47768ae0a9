"""Deadlines of graphs, which go on across restarts; what people say of lost attempts; a quick count of open runs."""

import sqlalchemy as sa
from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    """Add the columns and the table."""
    op.add_column("tasks", sa.Column("deadline", sa.Float))
    op.add_column("tasks", sa.Column("elapsed", sa.Float, nullable=False, server_default="0"))
    op.add_column("tasks", sa.Column("seen_at", sa.BigInteger))
    op.drop_index("tasks_open", "tasks")
    op.create_index("tasks_open", "tasks", ["owner", "state"], sqlite_where=sa.text("state < 3"))
    op.create_table(
        "resolutions",
        sa.Column("task", sa.Text, nullable=False),
        sa.Column("node", sa.Integer, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
        sa.Column("output", sa.Text, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("task", "node", "attempt"),
        sqlite_with_rowid=False,
    )
