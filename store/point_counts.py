"""How many calls were about what, counted for reports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import func, select

from hotline.core.drafts import RequestType
from hotline.core.understanding import PointKind
from hotline.store.database import Sessions
from hotline.store.models import Call, CallPointsRow, PointRow

CALLS_AT_ONCE: Final = 500  # SQLite takes only so many values in one statement


@dataclass(frozen=True, slots=True)
class PointCount:
    """Calls of one type and topic; None: it was not recognised."""

    request_type: RequestType | None
    topic: str | None
    calls: int


async def count_points(sessions: Sessions, start: datetime, end: datetime) -> list[PointCount]:
    """Count the calls that began in [start, end) and of which anything was understood."""
    query = (
        select(CallPointsRow.request_type, CallPointsRow.topic, func.count())
        .join(Call, Call.call_id == CallPointsRow.call_id)
        .where(Call.started_at >= start, Call.started_at < end)
        .group_by(CallPointsRow.request_type, CallPointsRow.topic)
    )
    async with sessions() as session:
        return [
            PointCount(RequestType(kind) if kind else None, topic, calls)
            for kind, topic, calls in await session.execute(query)
        ]


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
