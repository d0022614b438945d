"""since when a caller is on hold."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this shape from the one before."""
    with op.batch_alter_table("talks", schema=None) as batch_op:
        batch_op.add_column(sa.Column("held_since", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    """Back to the shape before."""
    with op.batch_alter_table("talks", schema=None) as batch_op:
        batch_op.drop_column("held_since")
