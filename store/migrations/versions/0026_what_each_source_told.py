"""what each source told."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

FORGET_RINGS = "UPDATE queue_entries SET ring_ends = '' WHERE ring_ends <> ''"


def upgrade() -> None:
    """To this shape from the one before. Of waits that go on it is not known whose phone rang last."""
    op.execute(FORGET_RINGS)
    with op.batch_alter_table("tail_positions", schema=None) as batch_op:
        batch_op.add_column(sa.Column("read_to", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    """Back to the shape before."""
    op.execute(FORGET_RINGS)
    with op.batch_alter_table("tail_positions", schema=None) as batch_op:
        batch_op.drop_column("read_to")
