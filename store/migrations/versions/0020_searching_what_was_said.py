"""searching what was said; a second decoding of recordings.

The index is made empty, whatever there is to be searched already: the server fills it while it runs.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this shape from the one before."""
    op.create_table(
        "unindexed_texts",
        sa.Column("call_id", sa.String(length=120), nullable=False),
        sa.Column("side", sa.String(length=120), nullable=False),
        sa.Column("utterance", sa.Integer(), nullable=False),
        sa.Column("token", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("call_id", "side", "utterance"),
    )
    op.create_table(
        "search_progress",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("below", sa.BigInteger(), nullable=False),
        sa.Column("edition", sa.String(length=120), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "second_passes",
        sa.Column("call_id", sa.String(length=120), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("model", sa.String(length=120), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("call_id"),
    )
    op.create_table(
        "second_segments",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("call_id", sa.String(length=120), nullable=False),
        sa.Column("side", sa.String(length=120), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("start_ms", sa.Integer(), nullable=False),
        sa.Column("end_ms", sa.Integer(), nullable=False),
        sa.Column("confidence", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_second_segments_call_id", "second_segments", ["call_id"], unique=False)
    if op.get_bind().dialect.name == "sqlite":
        # only which text holds which token: neither places nor phrases are asked of it
        op.execute(
            "CREATE VIRTUAL TABLE segment_words USING fts5"
            "(words, detail=none, tokenize='unicode61 remove_diacritics 0')"
        )
    else:
        op.execute("CREATE TABLE segment_words (rowid BIGINT PRIMARY KEY, words TSVECTOR NOT NULL)")
        op.execute("CREATE INDEX ix_segment_words ON segment_words USING gin (words)")


def downgrade() -> None:
    """Back to the shape before."""
    for table in ("segment_words", "second_segments", "second_passes", "search_progress", "unindexed_texts"):
        op.drop_table(table)
