"""whose ring was in vain."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this shape from the one before. Of waits that go on it is not known whose phone rang last."""
    with op.batch_alter_table("queue_entries", schema=None) as batch_op:
        batch_op.add_column(sa.Column("ring_ends", sa.Text(), server_default="", nullable=False))
        batch_op.drop_column("last_ring_at")


def downgrade() -> None:
    """Back to the shape before."""
    with op.batch_alter_table("queue_entries", schema=None) as batch_op:
        batch_op.add_column(sa.Column("last_ring_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.drop_column("ring_ends")
