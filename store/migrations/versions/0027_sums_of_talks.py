"""sums of talks.

The sums are made anew with columns of talks; until the server has done so figures are counted from rows. A
change of a talk marks its quarter hour, and a call that says something else of itself those of its talks.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

CELLS = ("rollup_quarters", "rollup_days", "rollup_agent_days")
SUMS = (
    "talks", "talks_over", "handed_on", "taken_over", "three_ways", "consults", "with_callers_ms",
    "consult_ms",
)  # fmt: skip


def upgrade() -> None:
    """To this shape from the one before."""
    _forget_sums()
    for table in CELLS:
        for name in SUMS:
            op.add_column(table, sa.Column(name, sa.BigInteger(), nullable=False, server_default="0"))
    for statement in _sqlite() if op.get_bind().dialect.name == "sqlite" else _postgresql():
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    """Back to the shape before."""
    if op.get_bind().dialect.name == "sqlite":
        for name, _, _ in SQLITE_TRIGGERS:
            op.execute(f"DROP TRIGGER {name}")
    else:
        for table, function in (("talks", "rollup_talks"), ("calls", "rollup_talks_of_calls")):
            op.execute(f"DROP TRIGGER {function} ON {table}")
            op.execute(f"DROP FUNCTION {function}()")
    _forget_sums()
    for table in CELLS:
        for name in SUMS:
            op.drop_column(table, name)


def _forget_sums() -> None:
    for table in ("rolled_days", *CELLS):
        op.execute(f"DELETE FROM {table}")  # noqa: S608  # of names in this file


def _mark(rows: str, where: str) -> str:
    """Mark the slots of talks; SQLite lets the outer statement's ON CONFLICT overrule a trigger's."""
    same = "s.first_slot = t.slot AND s.last_slot = t.slot AND s.token = 0"
    return (
        "INSERT INTO stale_slots SELECT DISTINCT t.slot, t.slot, 0"  # noqa: S608  # likewise
        f" FROM (SELECT CAST(strftime('%s', {rows}) AS INTEGER) / 900 AS slot {where}) AS t"
        f" WHERE NOT EXISTS (SELECT 1 FROM stale_slots AS s WHERE {same});"
    )


def _mark_of_call(ids: str) -> str:
    return _mark("answered_at", f"FROM talks WHERE call_id IN ({ids})")


# name, when, what
SQLITE_TRIGGERS = (
    ("rollup_talk_added", "AFTER INSERT ON talks", _mark("NEW.answered_at", "")),
    ("rollup_talk_removed", "AFTER DELETE ON talks", _mark("OLD.answered_at", "")),
    ("rollup_talk_changed", "AFTER UPDATE ON talks", _mark("NEW.answered_at", "")),
    (
        "rollup_talk_moved",
        "AFTER UPDATE ON talks WHEN OLD.answered_at <> NEW.answered_at",
        _mark("OLD.answered_at", ""),
    ),
    ("rollup_call_added_talks", "AFTER INSERT ON calls", _mark_of_call("NEW.call_id")),
    ("rollup_call_removed_talks", "AFTER DELETE ON calls", _mark_of_call("OLD.call_id")),
    (
        "rollup_call_changed_talks",
        "AFTER UPDATE ON calls WHEN OLD.call_id <> NEW.call_id OR OLD.line <> NEW.line"
        " OR OLD.language <> NEW.language",
        _mark_of_call("OLD.call_id, NEW.call_id"),
    ),
)


def _sqlite() -> list[str]:
    return [f"CREATE TRIGGER {name} {when} BEGIN {what} END" for name, when, what in SQLITE_TRIGGERS]


def _postgresql() -> list[str]:
    talks = """
        CREATE FUNCTION rollup_talks() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF TG_OP <> 'DELETE' THEN PERFORM rollup_mark(NEW.answered_at, NEW.answered_at); END IF;
            IF TG_OP = 'DELETE' THEN
                PERFORM rollup_mark(OLD.answered_at, OLD.answered_at);
            ELSIF TG_OP = 'UPDATE' THEN
                IF OLD.answered_at <> NEW.answered_at THEN
                    PERFORM rollup_mark(OLD.answered_at, OLD.answered_at);
                END IF;
            END IF;
            RETURN NULL;
        END $$"""
    calls = """
        CREATE FUNCTION rollup_talks_of_calls() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF TG_OP = 'UPDATE' THEN
                IF OLD.call_id = NEW.call_id AND OLD.line = NEW.line AND OLD.language = NEW.language THEN
                    RETURN NULL;
                END IF;
            END IF;
            IF TG_OP <> 'DELETE' THEN
                PERFORM rollup_mark(answered_at, answered_at) FROM talks WHERE call_id = NEW.call_id;
            END IF;
            IF TG_OP <> 'INSERT' THEN
                PERFORM rollup_mark(answered_at, answered_at) FROM talks WHERE call_id = OLD.call_id;
            END IF;
            RETURN NULL;
        END $$"""
    triggers = [
        f"CREATE TRIGGER {function} AFTER INSERT OR UPDATE OR DELETE ON {table}"
        f" FOR EACH ROW EXECUTE FUNCTION {function}()"
        for table, function in (("talks", "rollup_talks"), ("calls", "rollup_talks_of_calls"))
    ]
    return [talks, calls, *triggers]
