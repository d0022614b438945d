"""how the file that is followed begins, and when its exchange was heard."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this shape from the one before."""
    with op.batch_alter_table("tail_positions", schema=None) as batch_op:
        batch_op.add_column(sa.Column("beginning", sa.String(length=120), server_default="", nullable=False))
        batch_op.add_column(sa.Column("heard_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    """Back to the shape before."""
    with op.batch_alter_table("tail_positions", schema=None) as batch_op:
        batch_op.drop_column("heard_at")
        batch_op.drop_column("beginning")
