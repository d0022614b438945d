"""What may be asked of the ledger's counts, and the form of the answer.

A tally is split by time into buckets, and by what rows say of themselves (line, queue, ...).
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from math import gcd
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    cast,
    extract,
    false,
    func,
    literal_column,
    or_,
    select,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from hotline.core.names import joined
from hotline.store.counts import Count, Dim, Origin

SLOT_SECONDS: Final = 900
"""A slot is a quarter hour since 1970 in UTC: every zone's days and hours begin with one."""

Key = tuple[str, ...]
"""What rows say of themselves, a value for each `Dim` that they are told apart by."""

Tally = dict[tuple[int, Key], dict[str, int]]
"""By bucket and key: the sum of each count that is not 0."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to add up.

    Attributes:
        counts: which counts; those of one origin are asked for together.
        edges: the bounds of the buckets, aware and rising: bucket n is [edges[n], edges[n + 1]). All but the
            first and the last begin a slot where there are several.
        within_seconds: the norm of ``answered_within``.
        now: how far states of agents that go on have come.
        by: what to tell rows apart by. Every origin of ``counts`` must know it (`DIMS`).
        only: rows with one of these values alone; likewise.
        alike: values of the first of ``by`` that count as another one (agents with the same skills).
    """

    counts: tuple[Count, ...]
    edges: tuple[datetime, ...]
    within_seconds: int
    now: datetime
    by: tuple[Dim, ...] = ()
    only: Mapping[Dim, frozenset[str]] = field(default_factory=dict)
    alike: Mapping[str, str] = field(default_factory=dict)

    def key(self, said: Sequence[str]) -> Key:
        """What a row's values for ``by`` count as."""
        return (self.alike.get(said[0], said[0]), *said[1:]) if self.alike else tuple(said)

    def bucket(self, moment: datetime) -> int:
        """The bucket of a moment; those before all buckets are of the first: slots begin before rows do."""
        return max(0, bisect_right(self.edges, moment) - 1)

    def inner_edges(self, start: datetime, end: datetime) -> bool:
        """Whether a bucket ends between the two."""
        after = bisect_right(self.edges, start)
        return after < len(self.edges) and self.edges[after] < end

    @property
    def step(self) -> int:
        """How many slots can be taken together: each bucket but the first begins with a multiple of them."""
        return gcd(*(slot_of(edge) for edge in self.edges[1:-1])) or 1

    @property
    def dims(self) -> frozenset[Dim]:
        """All that must be known of rows."""
        return frozenset((*self.only, *self.by))

    def by_origin(self) -> Mapping[Origin, list[Count]]:
        """The counts of each kind of rows."""
        found: dict[Origin, list[Count]] = defaultdict(list)
        for count in self.counts:
            found[count.origin].append(count)
        return found


def slot_of(moment: datetime) -> int:
    """The slot that a moment lies in."""
    return int(moment.timestamp() // SLOT_SECONDS)


def begin_of(slot: int) -> datetime:
    """The first moment of a slot."""
    return datetime.fromtimestamp(slot * SLOT_SECONDS, UTC)


def add(into: Tally, bucket: int, key: Key, sums: Iterable[tuple[str, int | None]]) -> None:
    """Add sums of counts to a tally; of nothing it keeps no trace."""
    found = into.get((bucket, key))
    for name, value in sums:
        if value:
            if found is None:
                found = into[bucket, key] = {}
            found[name] = found.get(name, 0) + int(value)


def conditions(columns: Mapping[Dim, Any], only: Mapping[Dim, frozenset[str]]) -> list[ColumnElement[bool]]:
    """What rows with these values alone fulfil; of several names in one value, with one of these names."""
    return [
        or_(false(), *(columns[dim].contains(joined((one,)), autoescape=True) for one in sorted(values)))
        if dim is Dim.CALLER_LISTS
        else columns[dim].in_(sorted(values))
        for dim, values in only.items()
    ]


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows to add up.

    Attributes:
        columns: what they say of themselves.
        sums: by count.
        where: which rows.
        start: from when on.
        slot: when each row counts, by ``Wanted.step``; None where all lie in the bucket of ``start``.
    """

    columns: Mapping[Dim, Any]
    sums: Mapping[str, ColumnElement[int]]
    where: Sequence[ColumnElement[bool]]
    start: datetime
    slot: ColumnElement[int] | None = None


async def add_up(
    connection: AsyncConnection,
    wanted: Wanted,
    rows: Rows,
    found: Tally,
    parameters: Mapping[str, int] | None = None,
) -> None:
    """Add up rows, in one statement."""
    groups = [rows.columns[dim].label(f"by_{dim.value}") for dim in wanted.by]
    if rows.slot is not None:
        groups.append(rows.slot.label("slot"))
    query = select(*groups, *rows.sums.values()).where(*rows.where, *conditions(rows.columns, wanted.only))
    if Dim.AGENT in wanted.by:  # all else is said of every row
        query = query.where(rows.columns[Dim.AGENT].is_not(None))
    query = query.group_by(*(literal_column(one.name) for one in groups))
    dims, bucket = len(wanted.by), wanted.bucket(rows.start)
    step = wanted.step
    of_step = cache(lambda number: wanted.bucket(begin_of(number * step)))
    for row in await connection.execute(query, parameters or {}):
        if rows.slot is not None:
            bucket = of_step(row[dims])
        add(found, bucket, wanted.key(row[:dims]), zip(rows.sums, row[len(groups) :], strict=True))


def slot_in(connection: AsyncConnection, moment: Any, step: int) -> ColumnElement[int]:
    """The slot that a row's moment lies in, as the database works it out; in steps of so many."""
    if connection.dialect.name == "sqlite":
        seconds = cast(func.strftime(literal_column("'%s'"), moment), Integer)
        return seconds.op("/")(literal_column(f"{SLOT_SECONDS * step}"))
    quarter = extract("epoch", moment).op("/")(literal_column(f"{SLOT_SECONDS * step}"))
    return cast(func.floor(quarter), BigInteger)
