"""lists of callers.

A call keeps the lists that its caller was on. The sums are made anew, told apart by them; until the server
has done so figures are counted from rows. A call whose lists change marks its waits and talks.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

CELLS = ("rollup_quarters", "rollup_days")
DIMS = ("line", "queue", "language")
SUMS = (
    "offered", "still_open", "closed", "closed_but_short", "answered", "abandoned", "short_abandon",
    "timeout", "full", "empty", "key_exit", "callback", "transferred", "answered_within", "talked", "wait_ms",
    "abandoned_wait_ms", "ring_ms", "talk_ms", "hold_ms", "wrap_up_ms", "menu_before_ms", "unanswered_rings",
    "calls", "menu_visits", "machine_served", "menu_hangups", "menu_ms", "callbacks", "callbacks_reached",
    "talks", "talks_over", "handed_on", "taken_over", "three_ways", "consults", "with_callers_ms",
    "consult_ms", "signed_in_ms", "busy_ms", "ready_ms", "paused_ms",
)  # fmt: skip


def upgrade() -> None:
    """To this shape from the one before."""
    lists = sa.Column("caller_lists", sa.String(length=420), nullable=False, server_default="")
    op.add_column("calls", lists)
    _sums_by(*DIMS, "caller_lists")
    for statement in SQLITE if op.get_bind().dialect.name == "sqlite" else POSTGRESQL:
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    """Back to the shape before."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER rollup_call_listed")
    else:
        op.execute("DROP TRIGGER rollup_call_listed ON calls")
        op.execute("DROP FUNCTION rollup_call_listed()")
    _sums_by(*DIMS)
    op.drop_column("calls", "caller_lists")


def _sums_by(*dims: str) -> None:
    """The tables of sums, empty and with another key."""
    op.execute("DELETE FROM rolled_days")
    for table in CELLS:
        op.drop_table(table)
        op.create_table(
            table,
            sa.Column("slot", sa.Integer(), autoincrement=False, nullable=False),
            *(
                sa.Column(name, sa.String(length=420 if name == "caller_lists" else 120), nullable=False)
                for name in dims
            ),
            *(sa.Column(name, sa.BigInteger(), nullable=False) for name in SUMS),
            sa.PrimaryKeyConstraint("slot", *dims),
            sqlite_with_rowid=False,
        )


SQLITE = (
    """
    CREATE TRIGGER rollup_call_listed AFTER UPDATE ON calls WHEN OLD.caller_lists <> NEW.caller_lists BEGIN
        INSERT INTO stale_slots SELECT DISTINCT t.slot, t.slot, 0 FROM (
            SELECT CAST(strftime('%s', joined_at) AS INTEGER) / 900 AS slot FROM queue_entries
                WHERE call_id = NEW.call_id
            UNION SELECT CAST(strftime('%s', answered_at) AS INTEGER) / 900 FROM talks
                WHERE call_id = NEW.call_id
        ) AS t WHERE NOT EXISTS (
            SELECT 1 FROM stale_slots AS s
                WHERE s.first_slot = t.slot AND s.last_slot = t.slot AND s.token = 0
        );
    END
    """,
)
POSTGRESQL = (
    """
    CREATE FUNCTION rollup_call_listed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF OLD.caller_lists <> NEW.caller_lists THEN
            PERFORM rollup_mark(joined_at, joined_at) FROM queue_entries WHERE call_id = NEW.call_id;
            PERFORM rollup_mark(answered_at, answered_at) FROM talks WHERE call_id = NEW.call_id;
        END IF;
        RETURN NULL;
    END $$
    """,
    "CREATE TRIGGER rollup_call_listed AFTER UPDATE ON calls"
    " FOR EACH ROW EXECUTE FUNCTION rollup_call_listed()",
)
