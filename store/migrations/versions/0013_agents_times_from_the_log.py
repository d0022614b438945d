"""where agents' times are known from, and how those of an import stood where it ended."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this shape from the one before."""
    op.create_table(
        "import_standings",
        sa.Column("node", sa.String(length=120), nullable=False),
        sa.Column("agent", sa.String(length=120), nullable=False),
        sa.Column("state", sa.String(length=120), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("heard_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("shown", sa.Boolean(), nullable=False),
        sa.Column("known", sa.Boolean(), nullable=False),
        sa.Column("queues", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("node", "agent"),
    )
    with op.batch_alter_table("agent_intervals", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_agent_intervals_agent"))  # the unique one begins with the agent
        batch_op.add_column(sa.Column("source", sa.String(length=120), server_default="live", nullable=False))
        batch_op.add_column(sa.Column("wrap_up", sa.String(length=120), server_default="", nullable=False))


def downgrade() -> None:
    """Back to the shape before."""
    with op.batch_alter_table("agent_intervals", schema=None) as batch_op:
        batch_op.drop_column("wrap_up")
        batch_op.drop_column("source")
        batch_op.create_index(batch_op.f("ix_agent_intervals_agent"), ["agent"], unique=False)

    op.drop_table("import_standings")
