"""Final texts of calls: saved in batches, read by call. Saving the same text twice changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from hotline.core.events import Side
from hotline.core.views import Segment
from hotline.store.database import Sessions
from hotline.store.models import TranscriptRow
from hotline.store.text_index import note_unindexed
from hotline.store.upsert import upsert


class TranscriptStore:
    """Reads and writes final texts.

    Every method raises ``sqlalchemy.exc.SQLAlchemyError`` when the database cannot be had; nothing is half
    done.
    """

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def save(self, segments: Sequence[Segment]) -> None:
        """Insert or replace every segment, all or nothing."""
        rows = [_row(segment) for segment in segments]
        async with self._sessions.begin() as session:
            await upsert(session, TranscriptRow, rows, ("call_id", "side", "utterance"))
            await note_unindexed(session, [(row.call_id, row.side, row.utterance) for row in rows])

    async def of_call(self, call_id: str) -> list[Segment]:
        """The call's final texts, by their start."""
        query = (
            select(TranscriptRow)
            .where(TranscriptRow.call_id == call_id)
            .order_by(TranscriptRow.start_ms, TranscriptRow.side, TranscriptRow.utterance)
        )
        async with self._sessions() as session:
            return [_segment(row) for row in await session.scalars(query)]

    async def last_utterances(self, call_id: str) -> dict[Side, int]:
        """The highest utterance number of each side that has any."""
        query = (
            select(TranscriptRow.side, func.max(TranscriptRow.utterance))
            .where(TranscriptRow.call_id == call_id)
            .group_by(TranscriptRow.side)
        )
        async with self._sessions() as session:
            return {Side(side): number for side, number in await session.execute(query)}


@dataclass(frozen=True, slots=True)
class _Row:
    """A text as its row holds it."""

    call_id: str
    side: str
    utterance: int
    revision: int
    text: str
    start_ms: int
    end_ms: int
    confidence: float | None
    at: datetime
    party: str
    written: str


def _row(segment: Segment) -> _Row:
    return _Row(
        call_id=segment.call_id,
        side=segment.side.value,
        utterance=segment.utterance,
        revision=segment.revision,
        text=segment.text,
        start_ms=round(segment.start_seconds * 1000),
        end_ms=round(segment.end_seconds * 1000),
        confidence=segment.confidence,
        at=segment.at,
        party=segment.party,
        written=segment.written,
    )


def _segment(row: TranscriptRow) -> Segment:
    return Segment(
        call_id=row.call_id,
        side=Side(row.side),
        utterance=row.utterance,
        revision=row.revision,
        text=row.text,
        final=True,
        start_seconds=row.start_ms / 1000,
        end_seconds=row.end_ms / 1000,
        confidence=row.confidence,
        at=row.at,
        party=row.party,
        written=row.written,
    )
