"""Adding up the counts of ``store.counts`` over the rows themselves.

It is asked of one connection, so that several tallies can see the same moment of the database.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func
from sqlalchemy.ext.asyncio import AsyncConnection

from hotline.store.agent_times import tally_times
from hotline.store.counts import DIMS, MOMENT, WITHIN_MS, Origin
from hotline.store.wanted import Rows, Tally, Wanted, add_up, slot_in


async def tally_rows(connection: AsyncConnection, wanted: Wanted, start: datetime, end: datetime) -> Tally:
    """Add up the rows of [start, end), which lies within the buckets."""
    found: Tally = {}
    for origin, counts in wanted.by_origin().items():
        if origin is Origin.AGENT_TIMES:
            await tally_times(connection, wanted, counts, start, end, found)
            continue
        moment = MOMENT[origin]
        rows = Rows(
            columns=DIMS[origin],
            sums={count.id: func.sum(count.each) for count in counts},
            where=[moment >= start, moment < end],
            start=start,
            slot=slot_in(connection, moment, wanted.step) if wanted.inner_edges(start, end) else None,
        )
        await add_up(connection, wanted, rows, found, {WITHIN_MS: wanted.within_seconds * 1000})
    return found
