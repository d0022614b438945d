"""Counting ledger rows by line, queue, language or agent: what is behind every figure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, case, exists, func, select
from sqlalchemy.orm import aliased

from hotline.core.events import Outcome
from hotline.store.database import Sessions
from hotline.store.models import Call, QueueEntry


class By(StrEnum):
    """What a count is of: the column of the ledger that has its name."""

    LINE = "line"
    QUEUE = "queue"
    LANGUAGE = "language"


@dataclass(frozen=True, slots=True)
class LineCount:
    """Rows of one line (or queue, or language) with one class (None: still waiting)."""

    line: str
    outcome: Outcome | None
    rows: int
    within: int
    wait_ms: int
    talk_ms: int
    ring_ms: int = 0
    hold_ms: int = 0
    wrap_up_ms: int = 0
    menu_ms: int = 0


@dataclass(frozen=True, slots=True)
class AgentCount:
    """Answered rows of one agent; ``ended`` of the talks are over, and took ``talk_ms`` together."""

    agent: str
    answered: int
    ended: int
    talk_ms: int


async def count_by_agent(sessions: Sessions, start: datetime, end: datetime) -> list[AgentCount]:
    """Count the answered rows that joined a queue in [start, end), by who answered."""
    query = (
        select(QueueEntry.agent, func.count(), func.count(QueueEntry.closed_at), func.sum(QueueEntry.talk_ms))
        .where(QueueEntry.joined_at >= start, QueueEntry.joined_at < end)
        .where(QueueEntry.outcome == Outcome.ANSWERED)
        .group_by(QueueEntry.agent)
    )
    async with sessions() as session:
        return [
            AgentCount(agent, answered, ended, int(talk_ms))
            for agent, answered, ended, talk_ms in await session.execute(query)
            if agent is not None
        ]


async def count_by_line(
    sessions: Sessions,
    start: datetime,
    end: datetime,
    within_seconds: int,
    by: By = By.LINE,
    *,
    with_menu: bool = False,
) -> list[LineCount]:
    """Count the rows that joined a queue in [start, end).

    Args:
        sessions: the database.
        start: aware; the first moment counted.
        end: aware; the first moment not counted.
        within_seconds: ``within`` counts answered rows that waited no longer than this.
        by: what `LineCount.line` names.
        with_menu: count time in menus too, with the call's first wait. It takes a look-up for each row.
    """
    answered_in_time = (QueueEntry.outcome == Outcome.ANSWERED) & (
        QueueEntry.wait_ms <= within_seconds * 1000
    )
    group = {By.LINE: QueueEntry.line, By.QUEUE: QueueEntry.queue, By.LANGUAGE: QueueEntry.language}[by]
    query = (
        select(
            group,
            QueueEntry.outcome,
            func.count(),
            func.sum(case((answered_in_time, 1), else_=0)),
            func.sum(QueueEntry.wait_ms),
            func.sum(QueueEntry.talk_ms),
            func.sum(QueueEntry.ring_ms),
            func.sum(QueueEntry.hold_ms),
            func.sum(QueueEntry.wrap_up_ms),
            *([func.sum(_menu_ms())] if with_menu else []),
        )
        .where(QueueEntry.joined_at >= start, QueueEntry.joined_at < end, QueueEntry.enquiry.is_(False))
        .group_by(group, QueueEntry.outcome)
    )
    async with sessions() as session:
        return [
            LineCount(name, Outcome(outcome) if outcome else None, rows, *(int(number) for number in sums))
            for name, outcome, rows, *sums in await session.execute(query)
        ]


def _menu_ms() -> ColumnElement[int]:
    """The menu time of an entry's call, at its first entry; 0 at the others."""
    earlier = aliased(QueueEntry)
    again = exists().where(earlier.call_id == QueueEntry.call_id, earlier.joined_at < QueueEntry.joined_at)
    of_call = select(Call.menu_ms).where(Call.call_id == QueueEntry.call_id).scalar_subquery()
    return case((again, 0), else_=func.coalesce(of_call, 0))
