"""How many calls were about what, counted for reports: of clean days by their sums (``store.rolled``)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from hotline.core.drafts import RequestType
from hotline.core.understanding import PointKind
from hotline.store.cells import POINT_DAYS
from hotline.store.counting import one_moment
from hotline.store.database import Sessions
from hotline.store.models import Call, CallPointsRow, PointRow
from hotline.store.rolled import Calendar, Way, clean_days, pieces
from hotline.store.wanted import Wanted, slot_of

CALLS_AT_ONCE: Final = 500  # SQLite takes only so many values in one statement


@dataclass(frozen=True, slots=True)
class PointCount:
    """Calls of one type and topic; None: it was not recognised."""

    request_type: RequestType | None
    topic: str | None
    calls: int


Abouts = Counter[tuple[str | None, str | None]]
"""Calls by type and topic, as rows have them."""


async def count_points(
    sessions: Sessions, calendar: Calendar, start: datetime, end: datetime
) -> list[PointCount]:
    """Count the calls that began in [start, end) and of which anything was understood."""
    found: Abouts = Counter()
    wanted = Wanted((), (start, end), calendar.within_seconds, end)
    async with one_moment(sessions) as connection:
        first = slot_of(calendar.begin(calendar.day_of(start)))
        clean = await clean_days(connection, calendar.fingerprint, first, slot_of(end))
        for piece in pieces(wanted, calendar, clean):
            count = _points_of_days if piece.way is Way.DAYS else points_of_rows
            found.update(await count(connection, piece.start, piece.end))
    return [
        PointCount(RequestType(kind) if kind else None, topic, calls)
        for (kind, topic), calls in found.items()
    ]


async def points_of_rows(connection: AsyncConnection, start: datetime, end: datetime) -> Abouts:
    """The same over the rows themselves."""
    query = (
        select(CallPointsRow.request_type, CallPointsRow.topic, func.count())
        .join(Call, Call.call_id == CallPointsRow.call_id)
        .where(Call.started_at >= start, Call.started_at < end)
        .group_by(CallPointsRow.request_type, CallPointsRow.topic)
    )
    found: Abouts = Counter()
    for kind, topic, calls in await connection.execute(query):
        found[kind or None, topic or None] += calls
    return found


async def _points_of_days(connection: AsyncConnection, start: datetime, end: datetime) -> Abouts:
    """The same of clean days."""
    cells = POINT_DAYS.c
    query = (
        select(cells.request_type, cells.topic, func.sum(cells.calls))
        .where(cells.slot.between(slot_of(start), slot_of(end) - 1))
        .group_by(cells.request_type, cells.topic)
    )
    rows = await connection.execute(query)
    return Counter({(kind or None, topic or None): int(calls) for kind, topic, calls in rows})


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was understood of a call; ``rules`` are those that found it, as JSON."""

    call_id: str
    kind: PointKind
    value: str
    rules: str


async def findings(sessions: Sessions, call_ids: Sequence[str], kinds: Sequence[PointKind]) -> list[Finding]:
    """What was understood of these calls, of some kinds."""
    found: list[Finding] = []
    wanted = [kind.value for kind in kinds]
    async with sessions() as session:
        for first in range(0, len(call_ids), CALLS_AT_ONCE):
            some = call_ids[first : first + CALLS_AT_ONCE]
            query = select(PointRow.call_id, PointRow.kind, PointRow.value, PointRow.rules).where(
                PointRow.call_id.in_(some), PointRow.kind.in_(wanted)
            )
            found += [
                Finding(call_id, PointKind(kind), value, rules)
                for call_id, kind, value, rules in await session.execute(query)
            ]
    return found
