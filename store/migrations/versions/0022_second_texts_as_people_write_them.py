"""second texts as people write them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this shape from the one before. Texts that are there already are known as heard only."""
    with op.batch_alter_table("second_segments", schema=None) as batch_op:
        batch_op.add_column(sa.Column("written", sa.Text(), server_default="", nullable=False))


def downgrade() -> None:
    """Back to the shape before."""
    with op.batch_alter_table("second_segments", schema=None) as batch_op:
        batch_op.drop_column("written")
