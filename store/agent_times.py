"""Adding up how long agents were in states.

A state is cut where a bucket ends, each end taken to the millisecond, so that parts add up to the whole. An
agent is in one state at a time: of all that began before a period only the last can reach into it.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    and_,
    bindparam,
    case,
    cast,
    extract,
    func,
    literal_column,
    not_,
    or_,
    select,
    text,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from hotline.store.counts import DIMS, Count, Origin
from hotline.store.models import AgentInterval, UtcDateTime
from hotline.store.wanted import Rows, Tally, Wanted, add, add_up, conditions, slot_in

_LAST_BEFORE: Final = text(
    # the agents one by one, and the newest row of each: two look-ups in the index of (agent, since) each
    "agent_intervals.id IN ("
    "WITH RECURSIVE names(agent) AS ("
    "SELECT min(agent) FROM agent_intervals UNION ALL "
    "SELECT (SELECT min(agent) FROM agent_intervals WHERE agent > names.agent) "
    "FROM names WHERE names.agent IS NOT NULL) "
    "SELECT (SELECT id FROM agent_intervals WHERE agent = names.agent AND since < :low "
    "ORDER BY since DESC LIMIT 1) FROM names)"
).bindparams(bindparam("low", type_=UtcDateTime()))


async def tally_times(
    connection: AsyncConnection,
    wanted: Wanted,
    counts: list[Count],
    start: datetime,
    end: datetime,
    found: Tally,
) -> None:
    """Add up the states of [start, end), up to ``wanted.now`` those that go on."""
    end = min(end, wanted.now)
    if end <= start:
        return
    begun = and_(AgentInterval.since >= start, AgentInterval.since < end)
    if not wanted.inner_edges(start, end):
        for where in (begun, _going_on_at(start)):
            rows = _rows(counts, _common_ms(connection), where, start)
            await add_up(connection, wanted, rows, found, {"first_ms": ms_of(start), "last_ms": ms_of(end)})
        return
    # most states begin and end in one slot and are summed up there; the others are cut one by one
    slots = [slot_in(connection, one, wanted.step) for one in (AgentInterval.since, AgentInterval.until)]
    within = and_(begun, AgentInterval.until <= end, slots[0] == slots[1])
    spent = ms_in(connection, AgentInterval.until) - ms_in(connection, AgentInterval.since)
    await add_up(connection, wanted, _rows(counts, spent, within, start, slots[0]), found)
    over = and_(begun, or_(AgentInterval.until.is_(None), not_(within)))
    for where in (over, _going_on_at(start)):
        await _cut(connection, wanted, counts, (start, end), where, found)


def _going_on_at(start: datetime) -> ColumnElement[bool]:
    """The states that began before and had not ended."""
    goes_on = or_(AgentInterval.until.is_(None), AgentInterval.until > start)
    return and_(_LAST_BEFORE.bindparams(low=start), goes_on)


def _rows(
    counts: list[Count],
    spent: ColumnElement[int],
    where: ColumnElement[bool],
    start: datetime,
    slot: ColumnElement[int] | None = None,
) -> Rows:
    sums = {count.id: func.sum(spent).filter(count.where) for count in counts}
    return Rows(DIMS[Origin.AGENT_TIMES], sums, [where], start, slot)


def _common_ms(connection: AsyncConnection) -> ColumnElement[int]:
    """What a state has in common with the time from ``first_ms`` to ``last_ms``."""
    first, last = (bindparam(name, type_=BigInteger()) for name in ("first_ms", "last_ms"))
    low, high = (func.max, func.min) if _on_sqlite(connection) else (func.greatest, func.least)
    over = func.coalesce(ms_in(connection, AgentInterval.until), last)
    return high(over, last) - low(ms_in(connection, AgentInterval.since), first)


async def _cut(
    connection: AsyncConnection,
    wanted: Wanted,
    counts: list[Count],
    period: tuple[datetime, datetime],
    where: ColumnElement[bool],
    found: Tally,
) -> None:
    """Add up states one by one, a part for each bucket that they reach into."""
    columns = DIMS[Origin.AGENT_TIMES]
    groups = [columns[dim] for dim in wanted.by]
    ends = [ms_in(connection, AgentInterval.since), ms_in(connection, AgentInterval.until)]
    meant = (case((count.where, 1), else_=0) for count in counts)
    query = select(*groups, *ends, *meant).where(where, *conditions(columns, wanted.only))
    first, last = ms_of(period[0]), ms_of(period[1])
    edges = [ms_of(edge) for edge in wanted.edges]
    for row in await connection.execute(query):
        key, (since, until, *flags) = tuple(row[: len(groups)]), row[len(groups) :]
        low, high = max(since, first), last if until is None else min(until, last)
        bucket = wanted.bucket(period[0] + timedelta(milliseconds=low - first))
        while low < high:
            part = min(high, edges[bucket + 1]) - low
            add(found, bucket, key, ((one.id, part * flag) for one, flag in zip(counts, flags, strict=True)))
            low, bucket = low + part, bucket + 1


def ms_of(moment: datetime) -> int:
    """Milliseconds since 1970, as the databases round them."""
    return round((moment - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(milliseconds=1))


def ms_in(connection: AsyncConnection, moment: Any) -> ColumnElement[int]:
    """The same of a row's moment, as the database works it out."""
    if _on_sqlite(connection):
        since_1970 = func.julianday(moment).op("-")(literal_column("2440587.5"))
        return cast(func.round(since_1970.op("*")(literal_column("86400000.0"))), Integer)
    return cast(func.round(extract("epoch", moment).op("*")(literal_column("1000"))), BigInteger)


def _on_sqlite(connection: AsyncConnection) -> bool:
    return connection.dialect.name == "sqlite"
