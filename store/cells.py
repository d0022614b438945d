"""The tables of the rollups: sums of counts, a row for each slot and whatever tells rows apart.

rollup_quarters      by quarter hour, line, queue, language and lists of callers
rollup_wholes        by quarter hour, language and lists of callers, of all lines and queues together
rollup_days          as rollup_quarters, by day of the site's zone
rollup_agent_days    by day, agent, line and queue
rollup_agent_months  the same by month of the site's zone
rollup_point_days    calls by day and by what they were about
rolled_days          the days of which these hold the sums, and with which definitions
rolled_months        the months of which rollup_agent_months holds those of the days
stale_slots          quarter hours whose rows changed since; triggers write them with the change itself

On SQLite rows are WITHOUT ROWID, in the order of time, as they are read. A new count of ``store.counts`` is a
new column here: the next migration adds it, and the fingerprint of the definitions has every day summed up
anew.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table

from hotline.store.counts import COUNTS, Dim
from hotline.store.models import Base

FOR_EVER: Final = 2**31 - 1
"""The last slot of a change that has no end: an agent's present state."""


_WIDTHS: Final = {Dim.CALLER_LISTS: 420}


def _cells(name: str, *dims: Dim) -> Table:
    return Table(
        name,
        Base.metadata,
        Column("slot", Integer, primary_key=True, autoincrement=False),
        *(Column(dim.value, String(_WIDTHS.get(dim, 120)), primary_key=True) for dim in dims),
        *(Column(count.id, BigInteger, nullable=False) for count in COUNTS),
        sqlite_with_rowid=False,
    )


QUARTERS = _cells("rollup_quarters", Dim.LINE, Dim.QUEUE, Dim.LANGUAGE, Dim.CALLER_LISTS)
WHOLES = _cells("rollup_wholes", Dim.LANGUAGE, Dim.CALLER_LISTS)
DAYS = _cells("rollup_days", Dim.LINE, Dim.QUEUE, Dim.LANGUAGE, Dim.CALLER_LISTS)
AGENT_DAYS = _cells("rollup_agent_days", Dim.AGENT, Dim.LINE, Dim.QUEUE)
Index("ix_rollup_agent_days_agent", AGENT_DAYS.c.agent, AGENT_DAYS.c.slot)
AGENT_MONTHS = _cells("rollup_agent_months", Dim.AGENT, Dim.LINE, Dim.QUEUE)

POINT_DAYS = Table(
    "rollup_point_days",
    Base.metadata,
    Column("slot", Integer, primary_key=True, autoincrement=False),
    Column("request_type", String(20), primary_key=True),  # empty: not recognised; the topic likewise
    Column("topic", String(120), primary_key=True),
    Column("calls", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)


def _rolled(name: str) -> Table:
    return Table(
        name,
        Base.metadata,
        Column("slot", Integer, primary_key=True, autoincrement=False),
        Column("until_slot", Integer, nullable=False),  # the day's or the month's last
        Column("fingerprint", String(16), nullable=False),
    )


ROLLED_DAYS = _rolled("rolled_days")
ROLLED_MONTHS = _rolled("rolled_months")

STALE_SLOTS = Table(
    "stale_slots",
    Base.metadata,
    Column("first_slot", Integer, primary_key=True, autoincrement=False),
    Column("last_slot", Integer, primary_key=True, autoincrement=False),  # itself stale too
    Column("token", BigInteger, primary_key=True, autoincrement=False),  # 0, or of who sums it up now
    sqlite_with_rowid=False,
)

METADATA: Final[Any] = Base.metadata
"""Every table there is, those of ``store.models`` and these."""
