"""Version 3: backtests and noise controls. Frozen, as every version."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
INT = sa.BigInteger()
HASH = sa.LargeBinary()


def upgrade() -> None:
    """Create `batches`."""
    op.create_table(
        "batches",
        sa.Column("id", TEXT, autoincrement=False, nullable=False),
        sa.Column("project", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("chain", TEXT, nullable=False),
        sa.Column("edits_hash", HASH, nullable=False),
        sa.Column("plan_hash", HASH, nullable=False),
        sa.Column("idempotency_key", TEXT),
        sa.Column("status", TEXT, nullable=False),
        sa.Column("total", INT, nullable=False),
        sa.Column("done", INT, server_default="0", nullable=False),
        sa.Column("summary", TEXT),
        sa.Column("created_at", INT, nullable=False),
        sa.Column("finished_at", INT),
        sa.Column("process_id", TEXT, nullable=False),
        sa.Column("change", INT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="batches_pkey"),
        sqlite_with_rowid=False,
    )
    unique = sa.text("idempotency_key IS NOT NULL")
    op.create_index(
        "batches_idempotency", "batches", ["idempotency_key"],
        unique=True, sqlite_where=unique, postgresql_where=unique,
    )  # fmt: skip
    op.create_index("batches_change", "batches", ["change"])
