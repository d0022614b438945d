"""Past calls for lists and look-ups, read from ``calls`` and ``queue_entries``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession

from hotline.core.events import Outcome
from hotline.core.views import CallSummary
from hotline.store.database import Sessions
from hotline.store.models import Call, QueueEntry, Recording

PATH_SEPARATOR = " > "


def summarise(
    call: Call, entries: Iterable[QueueEntry], agent: str | None = None, *, recorded: bool = False
) -> CallSummary:
    """One line for a call that may have waited several times.

    Told is the wait that mattered: the newest answered one (of ``agent``, if given), else the newest. A talk
    that still goes on has no length yet.
    """
    ordered = sorted(entries, key=lambda entry: entry.joined_at)
    own = [entry for entry in ordered if agent is not None and entry.agent == agent]
    answered = [entry for entry in own or ordered if entry.outcome == Outcome.ANSWERED]
    candidates = answered or own or ordered
    chosen = candidates[-1] if candidates else None
    return CallSummary(
        call_id=call.call_id,
        line=chosen.line if chosen else call.line,
        did=call.did,
        caller_number=call.caller_number,
        menu_path=tuple(call.menu_path.split(PATH_SEPARATOR)) if call.menu_path else (),
        started_at=call.started_at,
        outcome=Outcome(chosen.outcome) if chosen and chosen.outcome else None,
        agent=chosen.agent if chosen else None,
        wait_seconds=chosen.wait_ms / 1000 if chosen and chosen.outcome else None,
        talk_seconds=(
            chosen.talk_ms / 1000
            if chosen and chosen.outcome == Outcome.ANSWERED and chosen.closed_at is not None
            else None
        ),
        has_recording=recorded,
        language=call.language,
    )


class StoredHistory:
    """The CallHistory port over the store, with the single look-ups that the console needs besides."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def recent(self, *, agent: str | None, limit: int, before: datetime | None) -> list[CallSummary]:
        """Calls that began before ``before``, newest first; of one seat when ``agent`` is given."""
        query = select(Call).order_by(Call.started_at.desc(), Call.call_id.desc()).limit(limit)
        if before is not None:
            query = query.where(Call.started_at < before)
        if agent is not None:
            query = query.where(_had_by(agent))
        async with self._sessions() as session:
            calls = list(await session.scalars(query))
            call_ids = [call.call_id for call in calls]
            entries = await _entries_of(session, call_ids)
            recorded = await _recorded(session, call_ids)
        return [
            summarise(call, entries[call.call_id], agent, recorded=call.call_id in recorded) for call in calls
        ]

    async def one(self, call_id: str, *, agent: str | None) -> CallSummary | None:
        """One call; with ``agent`` only if that seat answered it."""
        query = select(Call).where(Call.call_id == call_id)
        if agent is not None:
            query = query.where(_had_by(agent))
        async with self._sessions() as session:
            call = await session.scalar(query)
            if call is None:
                return None
            entries = await _entries_of(session, [call_id])
            recorded = await _recorded(session, [call_id])
        return summarise(call, entries[call_id], agent, recorded=call_id in recorded)


def _had_by(agent: str) -> ColumnElement[bool]:
    """The seat's answered calls, found by its own entries: a seat has few of all the calls there are."""
    answered = QueueEntry.outcome == Outcome.ANSWERED.value
    return Call.call_id.in_(select(QueueEntry.call_id).where(QueueEntry.agent == agent, answered))


async def _entries_of(session: AsyncSession, call_ids: list[str]) -> dict[str, list[QueueEntry]]:
    by_call: dict[str, list[QueueEntry]] = defaultdict(list)
    if call_ids:
        for entry in await session.scalars(select(QueueEntry).where(QueueEntry.call_id.in_(call_ids))):
            by_call[entry.call_id].append(entry)
    return by_call


async def _recorded(session: AsyncSession, call_ids: list[str]) -> set[str]:
    """Which of the calls have a recording."""
    query = select(Recording.call_id).where(Recording.call_id.in_(call_ids))
    return set(await session.scalars(query)) if call_ids else set()
