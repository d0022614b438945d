"""rows that the database did not take."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this shape from the one before."""
    op.create_table(
        "refused_rows",
        sa.Column("digest", sa.String(length=120), nullable=False),
        sa.Column("kind", sa.String(length=120), nullable=False),
        sa.Column("row", sa.Text(), nullable=False),
        sa.Column("error", sa.String(length=120), nullable=False),
        sa.PrimaryKeyConstraint("digest"),
    )


def downgrade() -> None:
    """Back to the shape before."""
    op.drop_table("refused_rows")
