"""Making the rollups: a day at a time, in three short steps, then months of agents from their days.

*Take*: the marks of the day's changed rows are replaced by one with a token of our own. *Compute*: the
day's rows are added up at one moment of the database, which holds nobody up. *Write*: if the only mark is
still ours, the day's cells are replaced and the mark is struck off; if a row changed meanwhile there is
another one, and the day is taken again later. Whatever ends the server in between, the day stays marked.

On PostgreSQL a transaction that changes a row and finds its slot marked already writes no mark of its own. So
the first step waits, with a lock of a moment, until the transactions that may have done so are over; the
second then sees their rows.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, delete, func, insert, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection

from hotline.store.cells import (
    AGENT_DAYS,
    AGENT_MONTHS,
    DAYS,
    POINT_DAYS,
    QUARTERS,
    ROLLED_DAYS,
    ROLLED_MONTHS,
    STALE_SLOTS,
    WHOLES,
)
from hotline.store.counting import one_moment
from hotline.store.counts import COUNTS, MOMENT, Dim, Origin
from hotline.store.database import Sessions
from hotline.store.point_counts import points_of_rows
from hotline.store.rolled import Calendar, Span, clean_days, clean_months
from hotline.store.tally import tally_rows
from hotline.store.wanted import Tally, Wanted, add, begin_of, slot_of

LOCK_MS: Final = 300  # how long PostgreSQL's ledger may be held up at the most, while we wait for others
_OF: Final = {origin: tuple(one for one in COUNTS if one.origin is origin) for origin in MOMENT}
_CELL: Final = (Dim.LINE, Dim.QUEUE, Dim.LANGUAGE, Dim.CALLER_LISTS)
_WHOLE: Final = (Dim.LANGUAGE, Dim.CALLER_LISTS)
_CALL: Final = (Dim.LINE, Dim.LANGUAGE, Dim.CALLER_LISTS)
_SEAT: Final = (Dim.AGENT, Dim.LINE, Dim.QUEUE)
_NOTHING: Final = {count.id: 0 for count in COUNTS}

Row = dict[str, Any]


class Rollups:
    """Keeps the rollups of one site.

    Args:
        sessions: the database.
        calendar: the site's days and norm.
    """

    def __init__(self, sessions: Sessions, calendar: Calendar) -> None:
        self._sessions, self._calendar = sessions, calendar

    async def next_day(self, now: datetime) -> date | None:
        """The newest day that is over and not clean; None when there is none."""
        async with one_moment(self._sessions) as connection:
            begun = [await connection.scalar(select(func.min(moment))) for moment in MOMENT.values()]
            known = [one for one in begun if one is not None]
            if not known:
                return None
            first, day = self._calendar.day_of(min(known)), self._calendar.day_of(now)
            slots = self._calendar.slots(first)[0], self._calendar.slots(day)[1]
            clean = await clean_days(connection, self._calendar.fingerprint, *slots)
        while day > first:
            day -= timedelta(days=1)
            if self._calendar.slots(day)[0] not in clean:
                return day
        return None

    async def next_month(self, now: datetime) -> date | None:
        """The newest month that is over, whose days are clean, and that is not summed up."""
        async with one_moment(self._sessions) as connection:
            first = await connection.scalar(select(func.min(ROLLED_DAYS.c.slot)))
            if first is None:
                return None
            clean = await clean_days(connection, self._calendar.fingerprint, first, slot_of(now))
            done = await clean_months(connection, self._calendar, clean)
        month, _ = self._calendar.month_of(self._calendar.day_of(now))
        while slot_of(self._calendar.begin(month)) > first:
            month, _ = self._calendar.month_of(month - timedelta(days=1))
            days = self._calendar.days_of_month(month)
            if min(days) not in done and days.keys() <= clean:
                return month
        return None

    async def roll_month(self, month: date) -> bool:
        """Sum up the days of a month; False if not all of them are summed up.

        Whoever writes one of its days strikes the month off (see ``write``), so that it is summed up anew.
        """
        days, fingerprint = self._calendar.days_of_month(month), self._calendar.fingerprint
        span = min(days), max(days.values())
        keys = [AGENT_DAYS.c[dim.value] for dim in _SEAT]
        sums = [func.sum(AGENT_DAYS.c[count.id]) for count in COUNTS]
        of_days = select(literal(span[0]), *keys, *sums).where(AGENT_DAYS.c.slot.between(*span))
        async with self._writing() as connection:
            await _one_writer(connection)
            there = select(ROLLED_DAYS.c.slot).where(
                ROLLED_DAYS.c.slot.between(*span), ROLLED_DAYS.c.fingerprint == fingerprint
            )
            if set(await connection.scalars(there)) != days.keys():
                return False
            for table in (AGENT_MONTHS, ROLLED_MONTHS):
                await connection.execute(delete(table).where(table.c.slot.between(*span)))
            columns = [column.name for column in AGENT_MONTHS.c]
            await connection.execute(insert(AGENT_MONTHS).from_select(columns, of_days.group_by(*keys)))
            await connection.execute(insert(ROLLED_MONTHS).values((*span, fingerprint)))
        return True

    async def roll(self, day: date, now: datetime) -> bool:
        """Sum up a day that is over; False if a row of it changed meanwhile."""
        span, token = self._calendar.slots(day), secrets.randbits(62) | 1
        await self.take(span, token)
        async with one_moment(self._sessions) as connection:
            sums = await self.sums(connection, span, now)
        return await self.write(span, token, *sums)

    async def take(self, span: Span, token: int) -> None:
        """The first step."""
        first, last = span
        async with self._writing() as connection:
            if connection.dialect.name == "postgresql":
                await connection.exec_driver_sql(f"SET LOCAL lock_timeout = {LOCK_MS}")
                # in the order in which the ledger writes them: neither then holds what the other waits for
                await connection.exec_driver_sql(
                    "LOCK TABLE calls, queue_entries, talks, agent_intervals, surveys, call_points,"
                    " test_calls IN SHARE MODE"
                )
            touching = _touching(span)
            found = list(await connection.execute(select(STALE_SLOTS).where(touching)))
            await connection.execute(delete(STALE_SLOTS).where(touching))
            left = {(one.first_slot, first - 1, 0) for one in found if one.first_slot < first}
            right = {(last + 1, one.last_slot, 0) for one in found if one.last_slot > last}
            for mark in left | right:  # what reaches over the day's ends stays marked there
                there = select(STALE_SLOTS).where(
                    *(column == value for column, value in zip(STALE_SLOTS.c, mark, strict=True))
                )
                if (await connection.execute(there)).first() is None:
                    await connection.execute(insert(STALE_SLOTS).values(mark))
            await connection.execute(insert(STALE_SLOTS).values((first, last, token)))

    async def sums(
        self, connection: AsyncConnection, span: Span, now: datetime
    ) -> tuple[list[Row], list[Row], list[Row]]:
        """The second step: the day's rows of cells, by quarter hour, by agent, by what calls were about."""
        start, end = begin_of(span[0]), begin_of(span[1] + 1)
        each = tuple(begin_of(slot) for slot in range(span[0], span[1] + 2))

        async def tally(origin: Origin, edges: tuple[datetime, ...], *by: Dim) -> Tally:
            wanted = Wanted(_OF[origin], edges, self._calendar.within_seconds, now, by)
            return await tally_rows(connection, wanted, start, end)

        quarters: Tally = {}
        for origin in (Origin.WAITS, Origin.SURVEYS):
            _put(quarters, await tally(origin, each, *_CELL), _CELL, _CELL)
        for origin in (Origin.CALLS, Origin.TALKS):
            _put(quarters, await tally(origin, each, *_CALL), _CALL, _CELL)
        _put(quarters, await tally(Origin.TRIALS, each, Dim.LINE), (Dim.LINE,), _CELL)
        times = await tally(Origin.AGENT_TIMES, each, Dim.AGENT)
        _put(quarters, times, (), _CELL)
        agents: Tally = {}
        for origin in (Origin.WAITS, Origin.SURVEYS):
            _put(agents, await tally(origin, (start, end), *_SEAT), _SEAT, _SEAT)
        for origin in (Origin.CALLS, Origin.TALKS):
            _put(agents, await tally(origin, (start, end), *_SEAT[:2]), _SEAT[:2], _SEAT)
        for (_, key), sums in times.items():
            add(agents, 0, (*key, "", ""), sums.items())
        points = [
            {"slot": span[0], "request_type": kind or "", "topic": topic or "", "calls": calls}
            for (kind, topic), calls in (await points_of_rows(connection, start, end)).items()
        ]
        return _rows(quarters, span[0], _CELL), _rows(agents, span[0], _SEAT), points

    async def write(
        self, span: Span, token: int, quarters: list[Row], agents: list[Row], points: list[Row]
    ) -> bool:
        """The third step; whether nothing changed since the first."""
        day: Tally = {}
        wholes: Tally = {}
        for row in quarters:
            sums = [(one, row[one]) for one in _NOTHING]
            add(day, 0, tuple(row[dim.value] for dim in _CELL), sums)
            add(wholes, row["slot"] - span[0], tuple(row[dim.value] for dim in _WHOLE), sums)
        made = {
            QUARTERS: quarters, WHOLES: _rows(wholes, span[0], _WHOLE), DAYS: _rows(day, span[0], _CELL),
            AGENT_DAYS: agents, POINT_DAYS: points,
        }  # fmt: skip
        async with self._writing() as connection:
            await _one_writer(connection)
            marks = await connection.execute(select(STALE_SLOTS).where(_touching(span)))
            if [tuple(mark) for mark in marks] != [(*span, token)]:
                return False
            for table, rows in made.items():
                await connection.execute(delete(table).where(table.c.slot.between(*span)))
                if rows:
                    await connection.execute(insert(table), rows)
            await connection.execute(delete(ROLLED_DAYS).where(ROLLED_DAYS.c.slot.between(*span)))
            holds = and_(ROLLED_MONTHS.c.slot <= span[0], ROLLED_MONTHS.c.until_slot >= span[1])
            await connection.execute(delete(ROLLED_MONTHS).where(holds))
            done = {"slot": span[0], "until_slot": span[1], "fingerprint": self._calendar.fingerprint}
            await connection.execute(insert(ROLLED_DAYS).values(done))
            await connection.execute(delete(STALE_SLOTS).where(STALE_SLOTS.c.token == token))
        return True

    @asynccontextmanager
    async def _writing(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that writes from its first statement on: SQLite refuses one that turns to it late."""
        async with self._sessions.begin() as session:
            connection = await session.connection()
            if connection.dialect.name == "sqlite":
                await connection.exec_driver_sql("BEGIN IMMEDIATE")
            yield connection


async def _one_writer(connection: AsyncConnection) -> None:
    """Let no month be summed up while another server writes one of its days; SQLite has one writer anyway."""
    if connection.dialect.name == "postgresql":
        await connection.exec_driver_sql("LOCK TABLE rolled_months IN SHARE ROW EXCLUSIVE MODE")


def _touching(span: Span) -> ColumnElement[bool]:
    """The marks that touch these slots."""
    return and_(STALE_SLOTS.c.first_slot <= span[1], STALE_SLOTS.c.last_slot >= span[0])


def _put(into: Tally, tally: Tally, known: tuple[Dim, ...], dims: tuple[Dim, ...]) -> None:
    """Add a tally by ``known`` to one by ``dims``: what its rows do not say of themselves is empty there."""
    for (bucket, key), sums in tally.items():
        said = dict(zip(known, key, strict=False))
        add(into, bucket, tuple(said.get(dim, "") for dim in dims), sums.items())


def _rows(tally: Tally, first: int, dims: tuple[Dim, ...]) -> list[Row]:
    """Rows of a table of cells; a tally's bucket is a slot from ``first`` on."""
    names = [dim.value for dim in dims]
    return [
        {"slot": first + bucket, **dict(zip(names, key, strict=True)), **_NOTHING, **sums}
        for (bucket, key), sums in tally.items()
    ]
