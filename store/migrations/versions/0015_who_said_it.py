"""who said it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this shape from the one before."""
    with op.batch_alter_table("segments", schema=None) as batch_op:
        batch_op.add_column(sa.Column("party", sa.String(length=120), server_default="", nullable=False))


def downgrade() -> None:
    """Back to the shape before."""
    with op.batch_alter_table("segments", schema=None) as batch_op:
        batch_op.drop_column("party")
