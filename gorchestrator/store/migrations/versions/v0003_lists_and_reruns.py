"""Nodes counted by state, labels to look for, reruns, requests that may come twice, layouts, and where events begin."""

import sqlalchemy as sa
from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: str | None = None
depends_on: str | None = None

# The states as they were numbered then: 1 is torun.
_COUNTS = """
UPDATE tasks SET counts = (
    SELECT json_group_object(state, n) FROM (
        SELECT coalesce(nodes.state, 1) AS state, count(*) AS n
        FROM specs LEFT JOIN nodes ON nodes.task = specs.task AND nodes.node = specs.node
        WHERE specs.task = tasks.id GROUP BY 1
    )
)
"""
_LABELS = """
INSERT INTO labels (key, value, accepted_at, task)
SELECT each.key, each.value, tasks.accepted_at, tasks.id FROM tasks, json_each(tasks.labels) AS each
"""


def upgrade() -> None:
    """Add the columns and tables, and fill them from what is there."""
    op.add_column("counter", sa.Column("pruned", sa.BigInteger, nullable=False, server_default="0"))
    op.add_column("tasks", sa.Column("counts", sa.Text, nullable=False, server_default="{}"))
    op.add_column("tasks", sa.Column("rerun_of", sa.Text))
    op.drop_index("tasks_by_age", "tasks")
    op.create_index("tasks_list", "tasks", ["accepted_at", "id", "state", "name", "started_at", "stopped_at"])
    op.create_table(
        "labels",
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.Column("accepted_at", sa.BigInteger, nullable=False),
        sa.Column("task", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("key", "value", "accepted_at", "task"),
        sqlite_with_rowid=False,
    )
    op.create_index("labels_by_key", "labels", ["key", "accepted_at", "task"])
    op.create_table(
        "requests",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("task", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("requests_by_age", "requests", ["at"])
    op.create_table(
        "layouts",
        sa.Column("task", sa.Text, primary_key=True),
        sa.Column("layout", sa.LargeBinary, nullable=False),
    )
    op.execute(_COUNTS)
    op.execute(_LABELS)
