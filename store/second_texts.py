"""Texts of recordings that were decoded anew, and which recordings are still to be done.

An attempt is counted when it begins, so that one that takes the whole machine down is counted too; it is
given back when a call needed the machine. A recording is tried ATTEMPTS times.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import delete, func, or_, select

from hotline.core.events import Side
from hotline.core.views import SecondState, SecondVersion, Segment
from hotline.store.database import Sessions
from hotline.store.models import Recording, SecondPass, SecondSegment
from hotline.store.recordings import RecordingRecord, recording_record

ATTEMPTS: Final = 3


class SecondTextStore:
    """Rows of ``second_passes`` and ``second_segments``. Raises what the database raises."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def next_recording(self, since: datetime) -> RecordingRecord | None:
        """One that has no second text yet and began later than ``since``: untried ones first, the newest."""
        tried = func.coalesce(SecondPass.attempts, 0)
        to_do = SecondPass.state != SecondState.DONE.value
        query = (
            select(Recording)
            .outerjoin(SecondPass, SecondPass.call_id == Recording.call_id)
            .where(Recording.started_at >= since)
            .where(or_(SecondPass.call_id.is_(None), to_do & (SecondPass.attempts < ATTEMPTS)))
            .order_by(tried, Recording.started_at.desc())
            .limit(1)
        )
        async with self._sessions() as session:
            row = await session.scalar(query)
            return None if row is None else recording_record(row)

    async def begin(self, call_id: str, model: str, at: datetime) -> None:
        """Count an attempt."""
        async with self._sessions.begin() as session:
            row = await session.get(SecondPass, call_id)
            attempts = 1 + (row.attempts if row is not None else 0)
            state = SecondState.BEGUN.value
            await session.merge(
                SecondPass(call_id=call_id, state=state, attempts=attempts, model=model, at=at)
            )

    async def give_back(self, call_id: str) -> None:
        """The attempt was broken off for no fault of its own."""
        async with self._sessions.begin() as session:
            row = await session.get(SecondPass, call_id)
            if row is not None:
                row.attempts = max(0, row.attempts - 1)

    async def fail(self, call_id: str, at: datetime) -> None:
        """The attempt came to nothing."""
        async with self._sessions.begin() as session:
            row = await session.get(SecondPass, call_id)
            if row is not None:
                row.state, row.at = SecondState.FAILED.value, at

    async def finish(self, call_id: str, segments: Sequence[Segment], at: datetime) -> None:
        """Keep the texts; they and the end of the attempt are one transaction."""
        async with self._sessions.begin() as session:
            await session.execute(delete(SecondSegment).where(SecondSegment.call_id == call_id))
            session.add_all(
                SecondSegment(
                    call_id=call_id,
                    side=one.side.value,
                    text=one.text,
                    start_ms=round(one.start_seconds * 1000),
                    end_ms=round(one.end_seconds * 1000),
                    confidence=one.confidence,
                    written=one.written,
                )
                for one in segments
            )
            row = await session.get(SecondPass, call_id)
            if row is not None:
                row.state, row.at = SecondState.DONE.value, at

    async def of_call(self, call_id: str) -> SecondVersion | None:
        """The call's second text; None when its recording was never taken up."""
        async with self._sessions() as session:
            row = await session.get(SecondPass, call_id)
            if row is None:
                return None
            query = (
                select(SecondSegment)
                .where(SecondSegment.call_id == call_id)
                .order_by(SecondSegment.start_ms, SecondSegment.id)
            )
            found = (await session.scalars(query)).all() if row.state == SecondState.DONE.value else ()
        segments = (
            Segment(
                call_id, Side(one.side), number, 1, one.text, True, one.start_ms / 1000, one.end_ms / 1000,
                one.confidence, row.at, written=one.written,
            )
            for number, one in enumerate(found, 1)
        )  # fmt: skip
        return SecondVersion(SecondState(row.state), row.model, row.at, tuple(segments))
