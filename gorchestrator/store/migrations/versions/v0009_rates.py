"""Rates: how many tasks clients submit."""

import sqlalchemy as sa
from alembic import op

revision: str = "0009"
down_revision: str | None = "0008"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "rates",
        sa.Column("client", sa.Text, primary_key=True),
        sa.Column("paid_until", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("rates_by_age", "rates", ["paid_until"])
