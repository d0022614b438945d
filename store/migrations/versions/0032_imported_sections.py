"""imported sections, and figures of handling units."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

_KEY = ("figure", "start", "until", "channel")
_REST = ("value", "source", "imported_at")


def _figures(name: str, *keys: str) -> None:
    moments = {"start", "until"}
    op.create_table(
        name,
        *(
            sa.Column(
                key, sa.DateTime(timezone=True) if key in moments else sa.String(length=120), nullable=False
            )
            for key in keys
        ),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("imported_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint(*keys),
    )


def _moved(*keys: str, unit: str) -> None:
    """The table with another key: no database changes a key in place as the other does."""
    _figures("imported_figures_new", *keys)
    kept = ", ".join((*_KEY, *_REST))
    into, taken = (f"{kept}, unit", f"{kept}, ''") if unit == "added" else (kept, kept)
    only = "" if unit == "added" else " WHERE unit = ''"
    op.execute(f"INSERT INTO imported_figures_new ({into}) SELECT {taken} FROM imported_figures{only}")  # noqa: S608
    op.drop_table("imported_figures")
    op.rename_table("imported_figures_new", "imported_figures")


def upgrade() -> None:
    """To this shape from the one before."""
    _moved(*_KEY, "unit", unit="added")
    op.create_table(
        "imported_sections",
        sa.Column("start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("section", sa.String(length=120), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("imported_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("start", "until", "section"),
    )


def downgrade() -> None:
    """Back to the shape before."""
    op.drop_table("imported_sections")
    _moved(*_KEY, unit="dropped")
