"""sums of counts, and the marks of what changed since.

The sums are made empty: the server makes them while it runs, and until then figures are counted from rows.
A change of a row marks its quarter hour in its own transaction, so that no sum of it is believed any longer.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

SUMS = (
    "offered", "still_open", "closed", "closed_but_short", "answered", "abandoned", "short_abandon",
    "timeout", "full", "empty", "key_exit", "callback", "transferred", "answered_within", "talked", "wait_ms",
    "abandoned_wait_ms", "ring_ms", "talk_ms", "hold_ms", "wrap_up_ms", "menu_before_ms", "unanswered_rings",
    "calls", "menu_visits", "machine_served", "menu_hangups", "menu_ms", "callbacks", "callbacks_reached",
    "signed_in_ms", "busy_ms", "ready_ms", "paused_ms",
)  # fmt: skip
CELLS = {
    "rollup_quarters": ("line", "queue", "language"),
    "rollup_days": ("line", "queue", "language"),
    "rollup_agent_days": ("agent", "line", "queue"),
}
FOR_EVER = 2**31 - 1


def upgrade() -> None:
    """To this shape from the one before."""
    for table, dims in CELLS.items():
        op.create_table(
            table,
            sa.Column("slot", sa.Integer(), autoincrement=False, nullable=False),
            *(sa.Column(name, sa.String(length=120), nullable=False) for name in dims),
            *(sa.Column(name, sa.BigInteger(), nullable=False) for name in SUMS),
            sa.PrimaryKeyConstraint("slot", *dims),
            sqlite_with_rowid=False,
        )
    op.create_index("ix_rollup_agent_days_agent", "rollup_agent_days", ["agent", "slot"], unique=False)
    op.create_table(
        "rolled_days",
        sa.Column("slot", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("until_slot", sa.Integer(), nullable=False),
        sa.Column("fingerprint", sa.String(length=16), nullable=False),
        sa.PrimaryKeyConstraint("slot"),
    )
    op.create_table(
        "stale_slots",
        sa.Column("first_slot", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("last_slot", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("token", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("first_slot", "last_slot", "token"),
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
        for table in ("queue_entries", "calls", "agent_intervals"):
            op.execute(f"DROP TRIGGER rollup_{table} ON {table}")
            op.execute(f"DROP FUNCTION rollup_{table}()")
        op.execute("DROP FUNCTION rollup_mark(timestamptz, timestamptz)")
    for table in ("stale_slots", "rolled_days", *CELLS):
        op.drop_table(table)


def _slot(moment: str) -> str:
    return f"CAST(strftime('%s', {moment}) AS INTEGER) / 900"


def _mark(first: str, last: str) -> str:
    """Mark slots, if they are not; SQLite lets the outer statement's ON CONFLICT overrule a trigger's."""
    same = f"first_slot = {first} AND last_slot = {last} AND token = 0"
    return (
        f"INSERT INTO stale_slots SELECT {first}, {last}, 0"  # noqa: S608  # of names in this file
        f" WHERE NOT EXISTS (SELECT 1 FROM stale_slots WHERE {same});"
    )


def _mark_moment(moment: str) -> str:
    return _mark(_slot(moment), _slot(moment))


def _mark_waits(where: str) -> str:
    """Mark the waits of a call: the first of them bears the call's time in menus."""
    slot = _slot("joined_at")
    same = "s.first_slot = w.slot AND s.last_slot = w.slot AND s.token = 0"
    return (
        "INSERT INTO stale_slots SELECT DISTINCT w.slot, w.slot, 0"  # noqa: S608  # likewise
        f" FROM (SELECT {slot} AS slot FROM queue_entries WHERE {where}) AS w"  # likewise
        f" WHERE NOT EXISTS (SELECT 1 FROM stale_slots AS s WHERE {same});"
    )


def _mark_state(row: str) -> str:
    return _mark(_slot(f"{row}.since"), f"coalesce({_slot(f'{row}.until')}, {FOR_EVER})")


_ENDS = [f"coalesce({_slot(f'{row}.until')}, {FOR_EVER})" for row in ("OLD", "NEW")]

# name, when, what
SQLITE_TRIGGERS = (
    (
        "rollup_wait_added",
        "AFTER INSERT ON queue_entries",
        _mark_moment("NEW.joined_at") + _mark_waits("call_id = NEW.call_id AND joined_at > NEW.joined_at"),
    ),
    (
        "rollup_wait_removed",
        "AFTER DELETE ON queue_entries",
        _mark_moment("OLD.joined_at") + _mark_waits("call_id = OLD.call_id AND joined_at > OLD.joined_at"),
    ),
    ("rollup_wait_changed", "AFTER UPDATE ON queue_entries", _mark_moment("NEW.joined_at")),
    (
        "rollup_wait_moved",
        "AFTER UPDATE ON queue_entries WHEN OLD.joined_at <> NEW.joined_at OR OLD.call_id <> NEW.call_id",
        _mark_moment("OLD.joined_at") + _mark_waits("call_id IN (OLD.call_id, NEW.call_id)"),
    ),
    (
        "rollup_call_added",
        "AFTER INSERT ON calls",
        _mark_moment("NEW.started_at") + _mark_waits("call_id = NEW.call_id"),
    ),
    (
        "rollup_call_removed",
        "AFTER DELETE ON calls",
        _mark_moment("OLD.started_at") + _mark_waits("call_id = OLD.call_id"),
    ),
    ("rollup_call_changed", "AFTER UPDATE ON calls", _mark_moment("NEW.started_at")),
    (
        "rollup_call_moved",
        "AFTER UPDATE ON calls WHEN OLD.started_at <> NEW.started_at OR OLD.call_id <> NEW.call_id"
        " OR OLD.menu_ms <> NEW.menu_ms",
        _mark_moment("OLD.started_at") + _mark_waits("call_id IN (OLD.call_id, NEW.call_id)"),
    ),
    ("rollup_state_added", "AFTER INSERT ON agent_intervals", _mark_state("NEW")),
    ("rollup_state_removed", "AFTER DELETE ON agent_intervals", _mark_state("OLD")),
    (
        "rollup_state_changed",
        "AFTER UPDATE ON agent_intervals"
        " WHEN OLD.since <> NEW.since OR OLD.state <> NEW.state OR OLD.agent <> NEW.agent",
        _mark_state("OLD") + _mark_state("NEW"),
    ),
    (
        "rollup_state_ended",  # only what lies between the two ends is another time
        "AFTER UPDATE ON agent_intervals WHEN OLD.until IS NOT NEW.until",
        _mark(f"min({_ENDS[0]}, {_ENDS[1]})", f"max({_ENDS[0]}, {_ENDS[1]})"),
    ),
)


def _sqlite() -> list[str]:
    return [f"CREATE TRIGGER {name} {when} BEGIN {what} END" for name, when, what in SQLITE_TRIGGERS]


def _postgresql() -> list[str]:
    slot = "floor(extract(epoch FROM {}) / 900)::integer"
    mark = f"""
        CREATE FUNCTION rollup_mark(since timestamptz, until timestamptz) RETURNS void LANGUAGE sql AS $$
            INSERT INTO stale_slots
            VALUES ({slot.format("since")}, coalesce({slot.format("until")}, {FOR_EVER}), 0)
            ON CONFLICT DO NOTHING
        $$"""  # noqa: S608  # likewise
    waits = """
        CREATE FUNCTION rollup_queue_entries() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF TG_OP <> 'DELETE' THEN PERFORM rollup_mark(NEW.joined_at, NEW.joined_at); END IF;
            IF TG_OP = 'UPDATE' THEN
                IF OLD.joined_at <> NEW.joined_at OR OLD.call_id <> NEW.call_id THEN
                    PERFORM rollup_mark(OLD.joined_at, OLD.joined_at);
                    PERFORM rollup_mark(joined_at, joined_at) FROM queue_entries
                        WHERE call_id IN (OLD.call_id, NEW.call_id);
                END IF;
            ELSIF TG_OP = 'INSERT' THEN
                PERFORM rollup_mark(joined_at, joined_at) FROM queue_entries
                    WHERE call_id = NEW.call_id AND joined_at > NEW.joined_at;
            ELSE
                PERFORM rollup_mark(OLD.joined_at, OLD.joined_at);
                PERFORM rollup_mark(joined_at, joined_at) FROM queue_entries
                    WHERE call_id = OLD.call_id AND joined_at > OLD.joined_at;
            END IF;
            RETURN NULL;
        END $$"""
    calls = """
        CREATE FUNCTION rollup_calls() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF TG_OP <> 'DELETE' THEN PERFORM rollup_mark(NEW.started_at, NEW.started_at); END IF;
            IF TG_OP = 'UPDATE' THEN
                IF OLD.started_at <> NEW.started_at OR OLD.call_id <> NEW.call_id
                    OR OLD.menu_ms <> NEW.menu_ms THEN
                    PERFORM rollup_mark(OLD.started_at, OLD.started_at);
                    PERFORM rollup_mark(joined_at, joined_at) FROM queue_entries
                        WHERE call_id IN (OLD.call_id, NEW.call_id);
                END IF;
            ELSIF TG_OP = 'INSERT' THEN
                PERFORM rollup_mark(joined_at, joined_at) FROM queue_entries WHERE call_id = NEW.call_id;
            ELSE
                PERFORM rollup_mark(OLD.started_at, OLD.started_at);
                PERFORM rollup_mark(joined_at, joined_at) FROM queue_entries WHERE call_id = OLD.call_id;
            END IF;
            RETURN NULL;
        END $$"""
    states = """
        CREATE FUNCTION rollup_agent_intervals() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF TG_OP = 'UPDATE' AND OLD.since = NEW.since AND OLD.state = NEW.state
                AND OLD.agent = NEW.agent THEN
                -- only what lies between the two ends is another time
                IF OLD.until IS DISTINCT FROM NEW.until THEN
                    PERFORM rollup_mark(
                        least(OLD.until, NEW.until),
                        CASE WHEN OLD.until IS NULL OR NEW.until IS NULL THEN NULL
                            ELSE greatest(OLD.until, NEW.until) END);
                END IF;
                RETURN NULL;
            END IF;
            IF TG_OP <> 'INSERT' THEN PERFORM rollup_mark(OLD.since, OLD.until); END IF;
            IF TG_OP <> 'DELETE' THEN PERFORM rollup_mark(NEW.since, NEW.until); END IF;
            RETURN NULL;
        END $$"""
    triggers = [
        f"CREATE TRIGGER rollup_{table} AFTER INSERT OR UPDATE OR DELETE ON {table}"
        f" FOR EACH ROW EXECUTE FUNCTION rollup_{table}()"
        for table in ("queue_entries", "calls", "agent_intervals")
    ]
    return [mark, waits, calls, states, *triggers]
