"""Version 5: short requests and replies stand in their attempt; an index that nothing asks is gone. Frozen."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    """Add `request_text` and `response_text` to `attempts`; drop `steps_step_started`."""
    op.add_column("attempts", sa.Column("request_text", TEXT))
    op.add_column("attempts", sa.Column("response_text", TEXT))
    op.drop_index("steps_step_started", "steps")
