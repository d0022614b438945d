"""Counting ledger rows by line: the one query behind every figure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import case, func, select

from hotline.core.events import Outcome
from hotline.store.database import Sessions
from hotline.store.models import QueueEntry


@dataclass(frozen=True, slots=True)
class LineCount:
    """Rows of one line with one class (None: still waiting)."""

    line: str
    outcome: Outcome | None
    rows: int
    within: int
    wait_ms: int
    talk_ms: int


async def count_by_line(
    sessions: Sessions, start: datetime, end: datetime, within_seconds: int
) -> list[LineCount]:
    """Count the rows that joined a queue in [start, end).

    Args:
        sessions: the database.
        start: aware; the first moment counted.
        end: aware; the first moment not counted.
        within_seconds: ``within`` counts answered rows that waited no longer than this.
    """
    answered_in_time = (QueueEntry.outcome == Outcome.ANSWERED) & (
        QueueEntry.wait_ms <= within_seconds * 1000
    )
    query = (
        select(
            QueueEntry.line,
            QueueEntry.outcome,
            func.count(),
            func.sum(case((answered_in_time, 1), else_=0)),
            func.sum(QueueEntry.wait_ms),
            func.sum(QueueEntry.talk_ms),
        )
        .where(QueueEntry.joined_at >= start, QueueEntry.joined_at < end)
        .group_by(QueueEntry.line, QueueEntry.outcome)
    )
    async with sessions() as session:
        return [
            LineCount(line, Outcome(outcome) if outcome else None, rows, int(within), int(wait), int(talk))
            for line, outcome, rows, within, wait, talk in await session.execute(query)
        ]
