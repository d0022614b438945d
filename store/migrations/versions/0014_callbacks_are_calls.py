"""callbacks are calls."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this shape from the one before."""
    with op.batch_alter_table("calls", schema=None) as batch_op:
        batch_op.add_column(sa.Column("callback_of", sa.String(length=120), nullable=True))
        batch_op.add_column(sa.Column("callback_agent", sa.String(length=120), nullable=True))
        batch_op.add_column(sa.Column("callback_outcome", sa.String(length=120), nullable=True))
        batch_op.create_index(batch_op.f("ix_calls_callback_of"), ["callback_of"], unique=False)
        batch_op.create_index(batch_op.f("ix_calls_callback_agent"), ["callback_agent"], unique=False)


def downgrade() -> None:
    """Back to the shape before."""
    with op.batch_alter_table("calls", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_calls_callback_agent"))
        batch_op.drop_index(batch_op.f("ix_calls_callback_of"))
        batch_op.drop_column("callback_outcome")
        batch_op.drop_column("callback_agent")
        batch_op.drop_column("callback_of")
