"""How many tasks are in each state, kept by triggers, so that metrics need not count a hundred thousand of them."""

import sqlalchemy as sa
from alembic import op

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: str | None = None
depends_on: str | None = None

_MORE = "INSERT INTO totals (state, n) VALUES (NEW.state, 1) ON CONFLICT (state) DO UPDATE SET n = n + 1;"
_LESS = "UPDATE totals SET n = n - 1 WHERE state = OLD.state;"


def upgrade() -> None:
    """Add the table and the triggers, and count what is there."""
    op.create_table(
        "totals",
        sa.Column("state", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("n", sa.Integer, nullable=False),
    )
    op.execute("INSERT INTO totals (state, n) SELECT state, count(*) FROM tasks GROUP BY state")
    op.execute(f"CREATE TRIGGER totals_insert AFTER INSERT ON tasks BEGIN {_MORE} END")
    op.execute(f"CREATE TRIGGER totals_delete AFTER DELETE ON tasks BEGIN {_LESS} END")
    op.execute(
        f"CREATE TRIGGER totals_update AFTER UPDATE OF state ON tasks WHEN OLD.state <> NEW.state "
        f"BEGIN {_LESS} {_MORE} END"
    )
