"""Adding up the counts of ``store.counts`` over the rows themselves.

A tally is split by time into buckets, and by one thing that rows say of themselves (line, queue, ...). It is
asked of one connection, so that several of them can see the same moment of the database.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    bindparam,
    cast,
    extract,
    func,
    literal_column,
    or_,
    select,
    text,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from hotline.store.counts import DIMS, MOMENT, WITHIN_MS, Count, Dim, Origin
from hotline.store.models import AgentInterval, UtcDateTime

SLOT_SECONDS: Final = 900
"""A slot is a quarter hour since 1970 in UTC: every zone's days and hours begin with one."""

Tally = dict[tuple[int, str], dict[str, int]]
"""By bucket and key (empty unless split by something): the sum of each count that is not 0."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to add up.

    Attributes:
        counts: which counts; those of one origin are asked for together.
        edges: the bounds of the buckets, aware and rising: bucket n is [edges[n], edges[n + 1]). All but the
            first and the last begin a slot where there are several.
        within_seconds: the norm of ``answered_within``.
        now: how far states of agents that go on have come.
        by: what to tell rows apart by, if anything. Every origin of ``counts`` must know it (`DIMS`).
        only: rows with one of these values alone; likewise.
    """

    counts: tuple[Count, ...]
    edges: tuple[datetime, ...]
    within_seconds: int
    now: datetime
    by: Dim | None = None
    only: Mapping[Dim, frozenset[str]] = field(default_factory=dict)

    def bucket(self, moment: datetime) -> int:
        """The bucket of a moment; those before all buckets are of the first: slots begin before rows do."""
        return max(0, bisect_right(self.edges, moment) - 1)

    def inner_edges(self, start: datetime, end: datetime) -> bool:
        """Whether a bucket ends between the two."""
        after = bisect_right(self.edges, start)
        return after < len(self.edges) and self.edges[after] < end

    @property
    def dims(self) -> frozenset[Dim]:
        """All that must be known of rows."""
        return frozenset(self.only) | (frozenset() if self.by is None else {self.by})

    def by_origin(self) -> Mapping[Origin, list[Count]]:
        """The counts of each kind of rows."""
        found: dict[Origin, list[Count]] = defaultdict(list)
        for count in self.counts:
            found[count.origin].append(count)
        return found


def add(into: Tally, bucket: int, key: str, sums: Iterable[tuple[str, int | None]]) -> None:
    """Add sums of counts to a tally."""
    found = into.setdefault((bucket, key), {})
    for name, value in sums:
        if value:
            found[name] = found.get(name, 0) + int(value)


async def tally_rows(connection: AsyncConnection, wanted: Wanted, start: datetime, end: datetime) -> Tally:
    """Add up the rows of [start, end), which lies within the buckets."""
    found: Tally = {}
    for origin, counts in wanted.by_origin().items():
        if origin is Origin.AGENT_TIMES:
            await _times(connection, wanted, counts, start, end, found)
        else:
            await _rows(connection, wanted, origin, counts, start, end, found)
    return found


async def _rows(
    connection: AsyncConnection,
    wanted: Wanted,
    origin: Origin,
    counts: list[Count],
    start: datetime,
    end: datetime,
    found: Tally,
) -> None:
    moment = MOMENT[origin]
    several = wanted.inner_edges(start, end)
    groups = _groups(wanted, origin)
    if several:
        groups.append(_slot(connection, moment).label("slot"))
    sums = [func.sum(count.each) for count in counts]
    query = select(*groups, *sums).where(moment >= start, moment < end, *conditions(origin, wanted.only))
    if wanted.by is not None:
        query = query.where(DIMS[origin][wanted.by].is_not(None))
    query = query.group_by(*[literal_column(one.name) for one in groups])
    ids = [count.id for count in counts]
    for row in await connection.execute(query, {WITHIN_MS: wanted.within_seconds * 1000}):
        values = list(row)
        key = values.pop(0) if wanted.by is not None else ""
        at = start if not several else datetime.fromtimestamp(values.pop(0) * SLOT_SECONDS, UTC)
        add(found, wanted.bucket(at), key, zip(ids, values, strict=True))


def conditions(origin: Origin, only: Mapping[Dim, frozenset[str]]) -> list[ColumnElement[bool]]:
    """What rows with these values alone fulfil."""
    return [DIMS[origin][dim].in_(sorted(values)) for dim, values in only.items()]


def _groups(wanted: Wanted, origin: Origin) -> list[Any]:
    return [DIMS[origin][wanted.by].label("group_key")] if wanted.by is not None else []


def _slot(connection: AsyncConnection, moment: Any) -> ColumnElement[int]:
    """The slot that a row's moment lies in, as the database works it out."""
    if connection.dialect.name == "sqlite":
        seconds = cast(func.strftime(literal_column("'%s'"), moment), Integer)
        return seconds.op("/")(literal_column(f"{SLOT_SECONDS}"))
    quarter = extract("epoch", moment).op("/")(literal_column(f"{SLOT_SECONDS}"))
    return cast(func.floor(quarter), BigInteger)


async def _times(
    connection: AsyncConnection,
    wanted: Wanted,
    counts: list[Count],
    start: datetime,
    end: datetime,
    found: Tally,
) -> None:
    """Add up how long agents were in states, bucket by bucket: a state is cut where a bucket ends.

    An agent is in one state at a time, so of all that began earlier only the last can reach into a bucket.
    """
    inner = [edge for edge in wanted.edges if start < edge < end]
    for low, high in zip([start, *inner], [*inner, end], strict=True):
        until = min(high, wanted.now)
        if until <= low:
            continue
        await _times_of_bucket(connection, wanted, counts, low, until, found)


async def _times_of_bucket(
    connection: AsyncConnection,
    wanted: Wanted,
    counts: list[Count],
    low: datetime,
    until: datetime,
    found: Tally,
) -> None:
    groups = _groups(wanted, Origin.AGENT_TIMES)
    spent = _common_ms(connection, low, until)
    sums = [func.sum(spent).filter(count.where) for count in counts]
    begun = (AgentInterval.since >= low, AgentInterval.since < until)
    going_on = (_LAST_BEFORE, or_(AgentInterval.until.is_(None), AgentInterval.until > low))
    for where in (begun, going_on):
        query = select(*groups, *sums).where(*where, *conditions(Origin.AGENT_TIMES, wanted.only))
        query = query.group_by(*[literal_column(one.name) for one in groups])
        for row in await connection.execute(query, {"low": low}):
            values = list(row)
            key = values.pop(0) if wanted.by is not None else ""
            ids = [count.id for count in counts]
            add(found, wanted.bucket(low), key, zip(ids, values, strict=True))


_LAST_BEFORE: Final = text(
    # the agents one by one, and the newest row of each: two look-ups in the index of (agent, since) each
    "(agent_intervals.agent, agent_intervals.since) IN ("
    "WITH RECURSIVE names(agent) AS ("
    "SELECT min(agent) FROM agent_intervals UNION ALL "
    "SELECT (SELECT min(agent) FROM agent_intervals WHERE agent > names.agent) "
    "FROM names WHERE names.agent IS NOT NULL) "
    "SELECT agent, (SELECT max(since) FROM agent_intervals WHERE agent = names.agent AND since < :low) "
    "FROM names)"
).bindparams(bindparam("low", type_=UtcDateTime()))


def _common_ms(connection: AsyncConnection, low: datetime, until: datetime) -> ColumnElement[int]:
    """What a state has in common with [low, until), each end taken to the millisecond."""
    over = func.coalesce(_ms(connection, AgentInterval.until), literal_column(f"{ms_of(until)}"))
    since, until_ms, low_ms = _ms(connection, AgentInterval.since), ms_of(until), ms_of(low)
    if connection.dialect.name == "sqlite":
        later, earlier = func.max, func.min
    else:
        later, earlier = func.greatest, func.least
    return earlier(over, literal_column(f"{until_ms}")) - later(since, literal_column(f"{low_ms}"))


def ms_of(moment: datetime) -> int:
    """Milliseconds since 1970, as the databases round them."""
    return round((moment - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(milliseconds=1))


def _ms(connection: AsyncConnection, moment: Any) -> ColumnElement[int]:
    if connection.dialect.name == "sqlite":
        since_1970 = func.julianday(moment).op("-")(literal_column("2440587.5"))
        return cast(func.round(since_1970.op("*")(literal_column("86400000.0"))), Integer)
    return cast(func.round(extract("epoch", moment).op("*")(literal_column("1000"))), BigInteger)
