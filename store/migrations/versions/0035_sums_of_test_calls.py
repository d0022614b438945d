"""sums of test calls.

The sums are made anew with columns of test calls; until the server has done so figures are counted from rows.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

CELLS = ("rollup_quarters", "rollup_wholes", "rollup_days", "rollup_agent_days", "rollup_agent_months")
SUMS = ("test_calls", "test_answered", "test_within", "test_answer_ms")


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
        op.execute("DROP TRIGGER rollup_test_calls ON test_calls")
        op.execute("DROP FUNCTION rollup_test_calls()")
    _forget_sums()
    for table in CELLS:
        for name in SUMS:
            op.drop_column(table, name)


def _forget_sums() -> None:
    for table in ("rolled_days", "rolled_months", *CELLS):
        op.execute(f"DELETE FROM {table}")  # noqa: S608  # of names in this file


def _mark(moment: str) -> str:
    """Mark the slot of a test call; see migration 0023."""
    slot = f"CAST(strftime('%s', {moment}) AS INTEGER) / 900"
    same = f"first_slot = {slot} AND last_slot = {slot} AND token = 0"
    return (
        f"INSERT INTO stale_slots SELECT {slot}, {slot}, 0"  # noqa: S608  # likewise
        f" WHERE NOT EXISTS (SELECT 1 FROM stale_slots WHERE {same});"
    )


# name, when, what
SQLITE_TRIGGERS = (
    ("rollup_test_call_added", "AFTER INSERT ON test_calls", _mark("NEW.began_at")),
    ("rollup_test_call_removed", "AFTER DELETE ON test_calls", _mark("OLD.began_at")),
    (
        "rollup_test_call_changed",  # a listener's marks change no sum
        "AFTER UPDATE ON test_calls WHEN OLD.began_at <> NEW.began_at OR OLD.line <> NEW.line"
        " OR OLD.result <> NEW.result OR OLD.answer_ms IS NOT NEW.answer_ms",
        _mark("OLD.began_at") + _mark("NEW.began_at"),
    ),
)


def _sqlite() -> list[str]:
    return [f"CREATE TRIGGER {name} {when} BEGIN {what} END" for name, when, what in SQLITE_TRIGGERS]


def _postgresql() -> list[str]:
    function = """
        CREATE FUNCTION rollup_test_calls() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF TG_OP = 'UPDATE' THEN
                IF OLD.began_at = NEW.began_at AND OLD.line = NEW.line AND OLD.result = NEW.result
                    AND OLD.answer_ms IS NOT DISTINCT FROM NEW.answer_ms THEN
                    RETURN NULL;
                END IF;
            END IF;
            IF TG_OP <> 'INSERT' THEN PERFORM rollup_mark(OLD.began_at, OLD.began_at); END IF;
            IF TG_OP <> 'DELETE' THEN PERFORM rollup_mark(NEW.began_at, NEW.began_at); END IF;
            RETURN NULL;
        END $$"""
    trigger = (
        "CREATE TRIGGER rollup_test_calls AFTER INSERT OR UPDATE OR DELETE ON test_calls"
        " FOR EACH ROW EXECUTE FUNCTION rollup_test_calls()"
    )
    return [function, trigger]
