"""sums of agents by month, and of all lines and queues together by quarter hour.

The server fills them while it runs; the next migration has every day summed up anew.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

SUMS = (
    "offered", "still_open", "closed", "closed_but_short", "answered", "abandoned", "short_abandon",
    "timeout", "full", "empty", "key_exit", "callback", "transferred", "answered_within", "talked", "wait_ms",
    "abandoned_wait_ms", "ring_ms", "talk_ms", "hold_ms", "wrap_up_ms", "menu_before_ms", "unanswered_rings",
    "calls", "menu_visits", "machine_served", "menu_hangups", "menu_ms", "callbacks", "callbacks_reached",
    "talks", "talks_over", "handed_on", "taken_over", "three_ways", "consults", "with_callers_ms",
    "consult_ms", "signed_in_ms", "busy_ms", "ready_ms", "paused_ms",
)  # fmt: skip
CELLS = {
    "rollup_wholes": {"language": 120, "caller_lists": 420},
    "rollup_agent_months": {"agent": 120, "line": 120, "queue": 120},
}


def upgrade() -> None:
    """To this shape from the one before."""
    for table, dims in CELLS.items():
        op.create_table(
            table,
            sa.Column("slot", sa.Integer(), autoincrement=False, nullable=False),
            *(sa.Column(name, sa.String(length=size), nullable=False) for name, size in dims.items()),
            *(sa.Column(name, sa.BigInteger(), nullable=False) for name in SUMS),
            sa.PrimaryKeyConstraint("slot", *dims),
            sqlite_with_rowid=False,
        )
    op.create_table(
        "rolled_months",
        sa.Column("slot", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("until_slot", sa.Integer(), nullable=False),
        sa.Column("fingerprint", sa.String(length=16), nullable=False),
        sa.PrimaryKeyConstraint("slot"),
    )


def downgrade() -> None:
    """Back to the shape before."""
    for table in ("rolled_months", *CELLS):
        op.drop_table(table)
