"""What calls were about: one row a call, and a row for each finding. Saving a call again replaces both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import TypeAdapter
from sqlalchemy import delete, select

from hotline.core.understanding import CallPoints, Cite, Point, PointKind
from hotline.store.database import Sessions
from hotline.store.models import CallPointsRow, PointRow
from hotline.store.upsert import upsert

_CITES = TypeAdapter(tuple[Cite, ...])
_RULES = TypeAdapter(tuple[str, ...])


@dataclass(frozen=True, slots=True)
class _Call:
    call_id: str
    at: datetime
    request_type: str | None
    topic: str | None
    summary: str
    source: str
    dropped: int


@dataclass(frozen=True, slots=True)
class _Finding:
    call_id: str
    place: int
    kind: str
    value: str
    score: float
    rules: str
    cites: str


class PointStore:
    """Reads and writes them. Every method raises ``sqlalchemy.exc.SQLAlchemyError``; nothing is half done."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def save(self, calls: Sequence[CallPoints]) -> None:
        """Keep what is known of these calls, in place of what was known before."""
        findings = [
            _Finding(
                call.call_id,
                place,
                point.kind.value,
                point.value,
                point.score,
                _RULES.dump_json(point.rules).decode(),
                _CITES.dump_json(point.cites).decode(),
            )
            for call in calls
            for place, point in enumerate(call.points)
        ]
        async with self._sessions.begin() as session:
            ids = [call.call_id for call in calls]
            await session.execute(delete(PointRow).where(PointRow.call_id.in_(ids)))
            await upsert(session, CallPointsRow, [_row(call) for call in calls], ("call_id",))
            await upsert(session, PointRow, findings, ("call_id", "place"))

    async def of_call(self, call_id: str) -> CallPoints | None:
        """What is known of a past call."""
        query = select(PointRow).where(PointRow.call_id == call_id).order_by(PointRow.place)
        async with self._sessions() as session:
            call = await session.get(CallPointsRow, call_id)
            points = tuple(_point(row) for row in await session.scalars(query))
        if call is None:
            return None
        return CallPoints(call_id, call.at, 0, True, points, call.source, call.dropped)


def _row(call: CallPoints) -> _Call:
    topic, summary = call.one(PointKind.TOPIC), call.one(PointKind.SUMMARY)
    return _Call(
        call.call_id,
        call.at,
        call.request_type.value if call.request_type else None,
        topic.value if topic else None,
        summary.value if summary else "",
        call.source,
        call.dropped,
    )


def _point(row: PointRow) -> Point:
    rules, cites = _RULES.validate_json(row.rules), _CITES.validate_json(row.cites)
    return Point(PointKind(row.kind), row.value, row.score, rules, cites)
