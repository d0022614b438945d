"""what calls are about."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this shape from the one before."""
    op.create_table(
        "call_points",
        sa.Column("call_id", sa.String(length=120), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("request_type", sa.String(length=20), nullable=True),
        sa.Column("topic", sa.String(length=120), nullable=True),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("source", sa.String(length=120), nullable=False),
        sa.Column("dropped", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("call_id"),
    )
    with op.batch_alter_table("call_points", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_call_points_topic"), ["topic"], unique=False)
    op.create_table(
        "points",
        sa.Column("call_id", sa.String(length=120), nullable=False),
        sa.Column("place", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("score", sa.Double(), nullable=False),
        sa.Column("rules", sa.Text(), nullable=False),
        sa.Column("cites", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("call_id", "place"),
    )


def downgrade() -> None:
    """Back to the shape before."""
    op.drop_table("points")
    with op.batch_alter_table("call_points", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_call_points_topic"))
    op.drop_table("call_points")
