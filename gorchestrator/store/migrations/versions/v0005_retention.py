"""Tasks that have ended in the order of their ends, and what is left to remove of those that are not kept."""

import sqlalchemy as sa
from alembic import op

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    """Add the table and the index."""
    op.create_table("remains", sa.Column("task", sa.Text, primary_key=True), sqlite_with_rowid=False)
    op.create_index("tasks_ended", "tasks", ["stopped_at", "id"], sqlite_where=sa.text("state >= 3"))
