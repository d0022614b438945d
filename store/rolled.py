"""Reading the rollups: which days they hold, and which part of a question they answer.

A day of the site's zone is *clean* when it was summed up with these very definitions and no row of it changed
since. Of clean days the cells are taken, of all others the rows are counted: so a figure always equals the
rows, whatever the rollups have come to. All of it is read at one moment of the database, and the marks of
changed rows are written with the change, in its transaction (migration 0023).
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import Enum
from functools import cache
from itertools import pairwise
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import Column, ColumnElement, Table, func, literal_column, select
from sqlalchemy.dialects import sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from hotline.store.cells import (
    AGENT_DAYS,
    AGENT_MONTHS,
    DAYS,
    QUARTERS,
    ROLLED_DAYS,
    ROLLED_MONTHS,
    STALE_SLOTS,
    WHOLES,
)
from hotline.store.counts import COUNTS, OF_PHONE, WITHIN_MS, Dim
from hotline.store.tally import tally_rows
from hotline.store.wanted import Rows, Tally, Wanted, add, add_up, begin_of, slot_of

EDITION: Final = "2"
"""Of how ``store.tally`` adds up: another one has everything summed up anew."""

OF_WHOLES: Final = frozenset({Dim.LANGUAGE, Dim.CALLER_LISTS, Dim.CHANNEL})
OF_CELLS: Final = frozenset({Dim.LINE, Dim.QUEUE, Dim.LANGUAGE, Dim.CALLER_LISTS, Dim.CHANNEL})
OF_AGENTS: Final = frozenset({Dim.AGENT, Dim.LINE, Dim.QUEUE, Dim.CHANNEL})

DAY_SLOTS: Final = 96
FAR: Final = timedelta(days=5)  # from one edge to the next

Span = tuple[int, int]
"""Slots, from and to, both in it."""


class Way(Enum):
    """How a part of a period is counted."""

    ROWS = "rows"
    QUARTERS = "quarters"
    DAYS = "days"
    MONTHS = "months"


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a period that is counted in one way."""

    way: Way
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Calendar:
    """The site's days, and what their sums are made with.

    Attributes:
        zone: where a day begins.
        within_seconds: the norm of ``answered_within``.
    """

    zone: ZoneInfo
    within_seconds: int

    @property
    def fingerprint(self) -> str:
        """Another one with every change of a definition, of the norm and of the zone."""
        told = f"{self.within_seconds} {self.zone.key} {_definitions()}"
        return hashlib.sha256(told.encode()).hexdigest()[:16]

    def day_of(self, moment: datetime) -> date:
        """The day that a moment lies in."""
        return moment.astimezone(self.zone).date()

    def begin(self, day: date) -> datetime:
        """The first moment of a day, in UTC."""
        return datetime.combine(day, time(), self.zone).astimezone(UTC)

    def slots(self, day: date) -> Span:
        """A day's slots."""
        return slot_of(self.begin(day)), slot_of(self.begin(day + timedelta(days=1))) - 1

    def month_of(self, day: date) -> tuple[date, date]:
        """The first day of a day's month, and of the next."""
        first = day.replace(day=1)
        return first, (first + timedelta(days=31)).replace(day=1)

    def days_of_month(self, day: date) -> dict[int, int]:
        """The first and the last slot of each day of a day's month, in order."""
        first, after = self.month_of(day)
        return dict(self.slots(first + timedelta(days=one)) for one in range((after - first).days))


@cache
def _definitions() -> str:
    """All that a cell's sums depend on, as text."""
    literally: dict[str, Any] = {"dialect": sqlite.dialect(), "compile_kwargs": {"literal_binds": True}}
    told = [EDITION]
    for count in COUNTS:
        each = select(count.each).params({WITHIN_MS: 0}).compile(**literally)
        told.append(f"{count.id} {count.origin} {each}")
    return "\n".join(told)


def merged(spans: Iterable[Span]) -> list[Span]:
    """The same slots as spans that do not touch, in order."""
    found: list[Span] = []
    for first, last in sorted(spans):
        if found and first <= found[-1][1] + 1:
            found[-1] = found[-1][0], max(last, found[-1][1])
        else:
            found.append((first, last))
    return found


async def clean_days(connection: AsyncConnection, fingerprint: str, first: int, last: int) -> set[int]:
    """The first slots of the clean days that begin within these slots; see `STALE_SLOTS` for the marks."""
    days = select(ROLLED_DAYS.c.slot, ROLLED_DAYS.c.until_slot).where(
        ROLLED_DAYS.c.fingerprint == fingerprint, ROLLED_DAYS.c.slot.between(first, last)
    )
    rolled = [(day, until) for day, until in await connection.execute(days)]
    if not rolled:
        return set()
    end = max(until for _, until in rolled)
    stale = merged(await stale_spans(connection, first, end))
    starts = [one for one, _ in stale]

    def touched(day: int, until: int) -> bool:
        at = bisect_right(starts, until) - 1
        return at >= 0 and stale[at][1] >= day

    return {day for day, until in rolled if not touched(day, until)}


async def clean_months(connection: AsyncConnection, calendar: Calendar, clean: Set[int]) -> set[int]:
    """The first slots of the months that are summed up, of clean days alone."""
    if not clean:
        return set()
    query = select(ROLLED_MONTHS.c.slot).where(
        ROLLED_MONTHS.c.fingerprint == calendar.fingerprint,
        ROLLED_MONTHS.c.slot.between(min(clean), max(clean)),
    )
    return {
        slot
        for (slot,) in await connection.execute(query)
        if calendar.days_of_month(calendar.day_of(begin_of(slot))).keys() <= clean
    }


async def stale_spans(connection: AsyncConnection, first: int, last: int) -> list[Span]:
    """The marks that touch these slots."""
    query = select(STALE_SLOTS.c.first_slot, STALE_SLOTS.c.last_slot).where(
        STALE_SLOTS.c.first_slot <= last, STALE_SLOTS.c.last_slot >= first
    )
    return [(begin, end) for begin, end in await connection.execute(query)]


def pieces(
    wanted: Wanted, calendar: Calendar, clean: Set[int], months: Set[int] = frozenset()
) -> list[Piece]:
    """How to count each part of a question's period, in order: by clean days, and months that hold them."""
    found: list[Piece] = []
    for piece in _by_day(wanted, calendar, clean, months):
        if found and found[-1].way is piece.way:
            found[-1] = Piece(piece.way, found[-1].start, piece.end)
        else:
            found.append(piece)
    return found


def _by_day(wanted: Wanted, calendar: Calendar, clean: Set[int], months: Set[int]) -> Iterator[Piece]:
    start, end = wanted.edges[0], wanted.edges[-1]
    by_quarter, by_day = wanted.dims <= OF_CELLS, wanted.dims <= OF_CELLS or wanted.dims <= OF_AGENTS
    if not clean or not by_day:
        yield Piece(Way.ROWS, start, end)
        return
    day = calendar.day_of(start)
    while (begins := calendar.begin(day)) < end:
        if start <= begins and slot_of(begins) in months:
            _, after = calendar.month_of(day)
            ends = calendar.begin(after)
            if ends <= end and not wanted.inner_edges(begins, ends):
                yield Piece(Way.MONTHS, begins, ends)
                day = after
                continue
        day += timedelta(days=1)
        ends = calendar.begin(day)
        low, high = max(start, begins), min(end, ends)
        way = Way.ROWS
        if slot_of(begins) in clean:
            if (low, high) == (begins, ends) and not wanted.inner_edges(low, high):
                way = Way.DAYS
            elif by_quarter and low == begin_of(slot_of(low)) and high == begin_of(slot_of(high)):
                way = Way.QUARTERS
        yield Piece(way, low, high)


def never_summed_up(wanted: Wanted, calendar: Calendar) -> bool:
    """Whether rows of whole days must be counted for this, however clean they are."""
    every = range(slot_of(wanted.edges[0]) - 2 * DAY_SLOTS, slot_of(wanted.edges[-1]) + 1)
    found = pieces(wanted, calendar, frozenset(every))
    return any(one.way is Way.ROWS and one.end - one.start >= timedelta(days=1) for one in found)


async def tally(connection: AsyncConnection, wanted: Wanted, calendar: Calendar) -> Tally:
    """Add up: of clean days by their cells, of all else by the rows."""
    first = slot_of(calendar.begin(calendar.day_of(wanted.edges[0])))
    clean = await clean_days(connection, calendar.fingerprint, first, slot_of(wanted.edges[-1]))
    # by day all lines are a few thousand cells, but the agents of a big city are half a million a year
    months = await clean_months(connection, calendar, clean) if _table(wanted, Way.DAYS) is AGENT_DAYS else ()
    found: Tally = {}
    for piece in pieces(wanted, calendar, clean, frozenset(months)):
        if piece.way is Way.ROWS:
            part = await tally_rows(connection, wanted, piece.start, piece.end)
            for (bucket, key), sums in part.items():
                add(found, bucket, key, sums.items())
        else:
            for one in _at_far_edges(piece, wanted):
                await _tally_cells(connection, wanted, one, found)
    return found


def _at_far_edges(piece: Piece, wanted: Wanted) -> Iterator[Piece]:
    """A piece, cut where buckets end if these are of many slots each, so that the database adds these up."""
    inner = [edge for edge in wanted.edges if piece.start < edge < piece.end]
    if (piece.end - piece.start) / (len(inner) + 1) < FAR:
        inner = []
    for start, end in pairwise([piece.start, *inner, piece.end]):
        yield Piece(piece.way, start, end)


async def _tally_cells(connection: AsyncConnection, wanted: Wanted, piece: Piece, found: Tally) -> None:
    table = _table(wanted, piece.way)
    rows = Rows(
        columns={dim: OF_PHONE if dim is Dim.CHANNEL else table.c[dim.value] for dim in wanted.dims},
        sums={count.id: func.sum(table.c[count.id]) for count in wanted.counts},
        where=[table.c.slot.between(slot_of(piece.start), slot_of(piece.end) - 1)],
        start=piece.start,
        slot=_step_of(table.c.slot, wanted.step) if wanted.inner_edges(piece.start, piece.end) else None,
    )
    await add_up(connection, wanted, rows, found)


def _step_of(slot: Column[int], step: int) -> ColumnElement[int]:
    return slot.op("/")(literal_column(f"{step}")) if step > 1 else slot


def _table(wanted: Wanted, way: Way) -> Table:
    """The table of the fewest cells that know what is asked for."""
    if not wanted.dims <= OF_CELLS:
        return AGENT_MONTHS if way is Way.MONTHS else AGENT_DAYS
    if way is Way.DAYS:
        return DAYS
    return WHOLES if wanted.dims <= OF_WHOLES else QUARTERS
