"""sums of what calls are about, and the marks of what changed since.

The sums are made empty, as those of migration 0023: every day is summed up anew while the server runs.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

_CHANGED = "OLD.call_id <> NEW.call_id OR OLD.request_type {0} NEW.request_type OR OLD.topic {0} NEW.topic"


def _mark(where: str) -> str:
    """Mark the quarter hours of calls, if they are not; see migration 0023."""
    same = "s.first_slot = c.slot AND s.last_slot = c.slot AND s.token = 0"
    return (
        "INSERT INTO stale_slots SELECT DISTINCT c.slot, c.slot, 0"  # noqa: S608  # of names in this file
        " FROM (SELECT CAST(strftime('%s', started_at) AS INTEGER) / 900 AS slot"
        f" FROM calls WHERE {where}) AS c"  # likewise
        f" WHERE NOT EXISTS (SELECT 1 FROM stale_slots AS s WHERE {same});"
    )


# name, when, what
SQLITE_TRIGGERS = (
    ("rollup_points_added", "AFTER INSERT ON call_points", _mark("call_id = NEW.call_id")),
    ("rollup_points_removed", "AFTER DELETE ON call_points", _mark("call_id = OLD.call_id")),
    (
        "rollup_points_changed",
        f"AFTER UPDATE ON call_points WHEN {_CHANGED.format('IS NOT')}",
        _mark("call_id IN (OLD.call_id, NEW.call_id)"),
    ),
)


def upgrade() -> None:
    """To this shape from the one before."""
    op.create_table(
        "rollup_point_days",
        sa.Column("slot", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("request_type", sa.String(length=20), nullable=False),
        sa.Column("topic", sa.String(length=120), nullable=False),
        sa.Column("calls", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("slot", "request_type", "topic"),
        sqlite_with_rowid=False,
    )
    for statement in _sqlite() if op.get_bind().dialect.name == "sqlite" else _postgresql():
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    """Back to the shape before."""
    if op.get_bind().dialect.name == "sqlite":
        for name, _, _ in SQLITE_TRIGGERS:
            op.execute(f"DROP TRIGGER {name}")
    else:
        op.execute("DROP TRIGGER rollup_call_points ON call_points")
        op.execute("DROP FUNCTION rollup_call_points()")
    op.drop_table("rollup_point_days")


def _sqlite() -> list[str]:
    return [f"CREATE TRIGGER {name} {when} BEGIN {what} END" for name, when, what in SQLITE_TRIGGERS]


def _postgresql() -> list[str]:
    function = f"""
        CREATE FUNCTION rollup_call_points() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF TG_OP = 'UPDATE' AND NOT ({_CHANGED.format("IS DISTINCT FROM")}) THEN RETURN NULL; END IF;
            IF TG_OP <> 'INSERT' THEN
                PERFORM rollup_mark(started_at, started_at) FROM calls WHERE call_id = OLD.call_id;
            END IF;
            IF TG_OP <> 'DELETE' THEN
                PERFORM rollup_mark(started_at, started_at) FROM calls WHERE call_id = NEW.call_id;
            END IF;
            RETURN NULL;
        END $$"""  # likewise
    trigger = (
        "CREATE TRIGGER rollup_call_points AFTER INSERT OR UPDATE OR DELETE ON call_points"
        " FOR EACH ROW EXECUTE FUNCTION rollup_call_points()"
    )
    return [function, trigger]
