"""when a listener heard a person."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this shape from the one before."""
    with op.batch_alter_table("test_calls", schema=None) as batch_op:
        batch_op.add_column(sa.Column("heard_person_ms", sa.Integer(), nullable=True))


def downgrade() -> None:
    """Back to the shape before."""
    with op.batch_alter_table("test_calls", schema=None) as batch_op:
        batch_op.drop_column("heard_person_ms")
