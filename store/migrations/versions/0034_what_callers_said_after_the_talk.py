"""what callers said after the talk, and the sums of it.

The sums are made anew with columns of surveys; until the server has done so figures are counted from rows.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

CELLS = ("rollup_quarters", "rollup_wholes", "rollup_days", "rollup_agent_days", "rollup_agent_months")
SUMS = (
    "surveyed", "survey_answered", "survey_satisfied", "survey_5", "survey_4", "survey_3", "survey_2",
    "survey_1", "survey_no_answer", "survey_wrong_key", "survey_hung_up",
)  # fmt: skip


def upgrade() -> None:
    """To this shape from the one before."""
    op.create_table(
        "surveys",
        sa.Column("call_id", sa.String(length=120), nullable=False),
        sa.Column("node", sa.String(length=120), nullable=False),
        sa.Column("line", sa.String(length=120), nullable=False),
        sa.Column("queue", sa.String(length=120), nullable=False),
        sa.Column("language", sa.String(length=35), nullable=False),
        sa.Column("caller_lists", sa.String(length=420), nullable=False),
        sa.Column("agent", sa.String(length=120), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("answer", sa.Integer(), nullable=True),
        sa.Column("source", sa.String(length=120), nullable=False),
        sa.PrimaryKeyConstraint("call_id"),
    )
    op.create_index("ix_surveys_agent", "surveys", ["agent"], unique=False)
    op.create_index("ix_surveys_asked_at", "surveys", ["asked_at"], unique=False)
    _forget_sums()
    for table in CELLS:
        for name in SUMS:
            op.add_column(table, sa.Column(name, sa.BigInteger(), nullable=False, server_default="0"))
    for statement in _sqlite() if op.get_bind().dialect.name == "sqlite" else _postgresql():
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    """Back to the shape before."""
    op.drop_table("surveys")  # and its triggers with it
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION rollup_surveys()")
    _forget_sums()
    for table in CELLS:
        for name in SUMS:
            op.drop_column(table, name)


def _forget_sums() -> None:
    for table in ("rolled_days", "rolled_months", *CELLS):
        op.execute(f"DELETE FROM {table}")  # noqa: S608  # of names in this file


def _mark(moment: str) -> str:
    """Mark the slot of a survey; see migration 0023."""
    slot = f"CAST(strftime('%s', {moment}) AS INTEGER) / 900"
    same = f"first_slot = {slot} AND last_slot = {slot} AND token = 0"
    return (
        f"INSERT INTO stale_slots SELECT {slot}, {slot}, 0"  # noqa: S608  # likewise
        f" WHERE NOT EXISTS (SELECT 1 FROM stale_slots WHERE {same});"
    )


# name, when, what
SQLITE_TRIGGERS = (
    ("rollup_survey_added", "AFTER INSERT ON surveys", _mark("NEW.asked_at")),
    ("rollup_survey_removed", "AFTER DELETE ON surveys", _mark("OLD.asked_at")),
    ("rollup_survey_changed", "AFTER UPDATE ON surveys", _mark("NEW.asked_at")),
    (
        "rollup_survey_moved",
        "AFTER UPDATE ON surveys WHEN OLD.asked_at <> NEW.asked_at",
        _mark("OLD.asked_at"),
    ),
)


def _sqlite() -> list[str]:
    return [f"CREATE TRIGGER {name} {when} BEGIN {what} END" for name, when, what in SQLITE_TRIGGERS]


def _postgresql() -> list[str]:
    function = """
        CREATE FUNCTION rollup_surveys() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF TG_OP <> 'INSERT' THEN PERFORM rollup_mark(OLD.asked_at, OLD.asked_at); END IF;
            IF TG_OP <> 'DELETE' THEN PERFORM rollup_mark(NEW.asked_at, NEW.asked_at); END IF;
            RETURN NULL;
        END $$"""
    trigger = (
        "CREATE TRIGGER rollup_surveys AFTER INSERT OR UPDATE OR DELETE ON surveys"
        " FOR EACH ROW EXECUTE FUNCTION rollup_surveys()"
    )
    return [function, trigger]
