"""test calls."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this shape from the one before."""
    op.create_table(
        "test_calls",
        sa.Column("trial_id", sa.String(length=120), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("number", sa.String(length=120), nullable=False),
        sa.Column("unit", sa.String(length=120), nullable=False),
        sa.Column("line", sa.String(length=120), nullable=False),
        sa.Column("via", sa.String(length=120), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("result", sa.String(length=120), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("answer_ms", sa.Integer(), nullable=True),
        sa.Column("sound_ms", sa.Integer(), nullable=True),
        sa.Column("spoken_ms", sa.Integer(), nullable=False),
        sa.Column("level_dbfs", sa.Double(), nullable=True),
        sa.Column("silent_share", sa.Double(), nullable=True),
        sa.Column("keys", sa.String(length=120), nullable=False),
        sa.Column("call_id", sa.String(length=120), nullable=True),
        sa.Column("person_ms", sa.Integer(), nullable=True),
        sa.Column("agent", sa.String(length=120), nullable=True),
        sa.Column("reached_line", sa.String(length=120), nullable=True),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("has_sound", sa.Boolean(), nullable=False),
        sa.Column("menu", sa.Double(), nullable=True),
        sa.Column("answering", sa.Double(), nullable=True),
        sa.Column("manner", sa.Double(), nullable=True),
        sa.Column("knowledge", sa.Double(), nullable=True),
        sa.Column("call_back", sa.Double(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("marked_by", sa.String(length=120), nullable=False),
        sa.PrimaryKeyConstraint("trial_id"),
    )
    with op.batch_alter_table("test_calls", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_test_calls_began_at"), ["began_at"], unique=False)


def downgrade() -> None:
    """Back to the shape before."""
    with op.batch_alter_table("test_calls", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_test_calls_began_at"))

    op.drop_table("test_calls")
