"""Tasks whose trace is still to be sent."""

import sqlalchemy as sa
from alembic import op

revision: str = "0007"
down_revision: str | None = "0006"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "traces",
        sa.Column("task", sa.Text, primary_key=True),
        sa.Column("context", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )
