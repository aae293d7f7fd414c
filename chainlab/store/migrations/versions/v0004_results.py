"""Version 4: outputs kept across runs; what a backend had cached, and how busy it was. Frozen, as every version."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
INT = sa.BigInteger()
HASH = sa.LargeBinary()


def upgrade() -> None:
    """Create `results`; add `tokens_cached` and `gauges` to `attempts`."""
    op.create_table(
        "results",
        sa.Column("key", HASH, autoincrement=False, nullable=False),
        sa.Column("run_id", TEXT, nullable=False),
        sa.Column("path", TEXT, nullable=False),
        sa.Column("created_at", INT, nullable=False),
        sa.PrimaryKeyConstraint("key", name="results_pkey"),
        sqlite_with_rowid=False,
    )
    op.create_index("results_run", "results", ["run_id"])
    op.add_column("attempts", sa.Column("tokens_cached", INT))
    op.add_column("attempts", sa.Column("gauges", TEXT))
