"""callbacks found quickly."""

from __future__ import annotations

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this shape from the one before."""
    with op.batch_alter_table("queue_entries", schema=None) as batch_op:
        batch_op.create_index("ix_queue_entries_outcome_joined", ["outcome", "joined_at"], unique=False)


def downgrade() -> None:
    """Back to the shape before."""
    with op.batch_alter_table("queue_entries", schema=None) as batch_op:
        batch_op.drop_index("ix_queue_entries_outcome_joined")
