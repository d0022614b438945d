"""Final texts of calls: saved in batches, read by call. Saving the same text twice changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite

from hotline.core.events import Side
from hotline.core.views import Segment
from hotline.store.database import Sessions
from hotline.store.models import TranscriptRow
from hotline.store.text_index import note_unindexed

_KEY = ("call_id", "side", "utterance")
_ROWS_A_STATEMENT = 500  # SQLite takes 32,766 variables a statement, a row has eleven


class TranscriptStore:
    """Reads and writes final texts.

    Every method raises ``sqlalchemy.exc.SQLAlchemyError`` when the database cannot be had; nothing is half
    done.
    """

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def save(self, segments: Sequence[Segment]) -> None:
        """Insert or replace every segment, all or nothing."""
        rows = [_values(segment) for segment in segments]
        async with self._sessions.begin() as session:
            dialect = session.get_bind().dialect.name
            insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
            for first in range(0, len(rows), _ROWS_A_STATEMENT):
                statement = insert(TranscriptRow).values(rows[first : first + _ROWS_A_STATEMENT])
                changed = {name: statement.excluded[name] for name in rows[0] if name not in _KEY}
                await session.execute(
                    statement.on_conflict_do_update(index_elements=list(_KEY), set_=changed)
                )
            await note_unindexed(session, rows)

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


def _values(segment: Segment) -> dict[str, Any]:
    return {
        "call_id": segment.call_id,
        "side": segment.side.value,
        "utterance": segment.utterance,
        "revision": segment.revision,
        "text": segment.text,
        "start_ms": round(segment.start_seconds * 1000),
        "end_ms": round(segment.end_seconds * 1000),
        "confidence": segment.confidence,
        "at": segment.at,
        "party": segment.party,
        "written": segment.written,
    }


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
