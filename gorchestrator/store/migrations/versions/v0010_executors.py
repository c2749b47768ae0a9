"""Where executors are: what runs on one that was taken out of the settings is followed to its end."""

import sqlalchemy as sa
from alembic import op

revision: str = "0010"
down_revision: str | None = "0009"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "executors",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("endpoint", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )
