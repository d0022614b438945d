"""language of callers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this shape from the one before."""
    for table in ("calls", "queue_entries"):
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.add_column(
                sa.Column("language", sa.String(length=35), nullable=False, server_default="")
            )


def downgrade() -> None:
    """Back to the shape before."""
    for table in ("calls", "queue_entries"):
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.drop_column("language")
