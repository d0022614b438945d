"""Adding up how long agents were in states.

A state is cut where a bucket ends, each end taken to the millisecond, so that parts add up to the whole. An
agent is in one state at a time: of all that began before a period only the last can reach into it.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
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
    or_,
    select,
    text,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from hotline.store.counts import DIMS, Count, Origin
from hotline.store.models import AgentInterval, UtcDateTime
from hotline.store.wanted import SLOT_SECONDS, Tally, Wanted, add, begin_of, conditions

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
    for where in (begun, _going_on_at(start)):
        await _add_up(connection, wanted, counts, (start, end), where, found)


def _going_on_at(start: datetime) -> ColumnElement[bool]:
    """The states that began before and had not ended."""
    goes_on = or_(AgentInterval.until.is_(None), AgentInterval.until > start)
    return and_(_LAST_BEFORE.bindparams(low=start), goes_on)


async def _add_up(
    connection: AsyncConnection,
    wanted: Wanted,
    counts: list[Count],
    period: tuple[datetime, datetime],
    where: ColumnElement[bool],
    found: Tally,
) -> None:
    """Add up states; those that begin in one slot and end in one are cut together.

    Of so many states a bucket in which they begin gets its end that often less the sum of their beginnings,
    one in which they end the sum of their ends less its beginning that often, and one between its length.
    """
    columns = DIMS[Origin.AGENT_TIMES]
    groups = [columns[dim].label(f"by_{dim.value}") for dim in wanted.by]
    flags = [case((count.where, 1), else_=0).label(f"is_{count.id}") for count in counts]
    since, until = _within_period(connection)
    cut = wanted.inner_edges(*period)
    length_ms = SLOT_SECONDS * 1000 * wanted.step
    length: ColumnElement[int] = literal_column(f"{length_ms}")
    slots = [moment.op("/")(length).label(name) for moment, name in ((since, "low"), (until, "high")) if cut]
    # within a slot: of moments since 1970 a sum of five million would be more than 64 bits
    sums = [func.sum(since % length), func.sum(until % length)] if cut else [func.sum(until - since)]
    keys = [*groups, *flags, *slots]
    query = (
        select(*keys, func.count(), *sums)
        .where(where, or_(*(count.where for count in counts)), *conditions(columns, wanted.only))
        .group_by(*(literal_column(key.name) for key in keys))
    )
    first, last = ms_of(period[0]), ms_of(period[1])
    edges = [ms_of(edge) for edge in wanted.edges]
    bucket_of = cache(lambda slot: wanted.bucket(begin_of(slot * wanted.step)))
    low = high = wanted.bucket(period[0])
    for row in await connection.execute(query, {"first_ms": first, "last_ms": last}):
        number, *within = (int(one) for one in row[len(keys) :])
        key, meant = wanted.key(row[: len(groups)]), row[len(groups) : len(groups) + len(flags)]
        begun, ended = 0, within[-1]
        if cut:
            first_slot, last_slot = row[len(keys) - 2 : len(keys)]
            begun = number * first_slot * length_ms + within[0]
            ended = number * last_slot * length_ms + within[1]
            low, high = bucket_of(first_slot), bucket_of(last_slot)
        for bucket in range(low, max(low, high) + 1):
            until_ms = number * edges[bucket + 1] if bucket < high else ended
            spent_ms = until_ms - (number * edges[bucket] if bucket > low else begun)
            add(
                found,
                bucket,
                key,
                ((one.id, spent_ms * flag) for one, flag in zip(counts, meant, strict=True)),
            )


def _within_period(connection: AsyncConnection) -> tuple[ColumnElement[int], ColumnElement[int]]:
    """When a state begins and ends, in milliseconds, not before ``first_ms`` nor after ``last_ms``."""
    first, last = (bindparam(name, type_=BigInteger()) for name in ("first_ms", "last_ms"))
    low, high = (func.max, func.min) if _on_sqlite(connection) else (func.greatest, func.least)
    until = func.coalesce(ms_in(connection, AgentInterval.until), last)
    return low(ms_in(connection, AgentInterval.since), first), high(until, last)


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
