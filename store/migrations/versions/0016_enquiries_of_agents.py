"""enquiries of agents."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this shape from the one before."""
    with op.batch_alter_table("queue_entries", schema=None) as batch_op:
        batch_op.add_column(sa.Column("enquiry", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    """Back to the shape before."""
    with op.batch_alter_table("queue_entries", schema=None) as batch_op:
        batch_op.drop_column("enquiry")
