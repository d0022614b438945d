"""Past calls for lists and look-ups, read from ``calls``, ``queue_entries`` and ``talks``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeVar

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from hotline.core.events import CallbackOutcome, Outcome, SurveyOutcome
from hotline.core.views import CallFilter, CallSummary, OwnPart
from hotline.store.database import Sessions
from hotline.store.models import Call, QueueEntry, Recording, SurveyRow, TalkRow

PATH_SEPARATOR = " > "
SAME_HANG_UP = timedelta(seconds=1)  # whoever leaves a talk so little later heard nothing more

Row = TypeVar("Row", QueueEntry, TalkRow)


def summarise(
    call: Call,
    entries: Iterable[QueueEntry],
    agent: str | None = None,
    *,
    talks: Iterable[TalkRow] = (),
    recorded: bool = False,
    survey: SurveyRow | None = None,
) -> CallSummary:
    """One line for a call that may have waited several times.

    Told is the wait that mattered: the newest answered one (of ``agent``, if given), else the newest. A talk
    that still goes on has no length yet. An agent to whom others handed the call has no wait of the own: then
    the own talk is told; so for an agent who called a citizen back. What the caller said after the talk is of
    the agent who had it last: others do not read it.
    """
    ordered = sorted(entries, key=lambda entry: entry.joined_at)
    own = [entry for entry in ordered if agent is not None and entry.agent == agent]
    answered = [entry for entry in own or ordered if entry.outcome == Outcome.ANSWERED]
    candidates = answered or own or ordered
    chosen = candidates[-1] if candidates else None
    said = survey if survey is not None and agent in (None, survey.agent) else None
    summary = CallSummary(
        call_id=call.call_id,
        line=chosen.line if chosen else call.line,
        did=call.did,
        caller_number=call.caller_number,
        menu_path=tuple(call.menu_path.split(PATH_SEPARATOR)) if call.menu_path else (),
        started_at=call.started_at,
        outcome=Outcome(chosen.outcome) if chosen and chosen.outcome else None,
        agent=chosen.agent if chosen else call.callback_agent,
        wait_seconds=chosen.wait_ms / 1000 if chosen and chosen.outcome else None,
        talk_seconds=(
            chosen.talk_ms / 1000
            if chosen and chosen.outcome == Outcome.ANSWERED and chosen.closed_at is not None
            else None
        ),
        has_recording=recorded,
        language=call.language,
        callback_of=call.callback_of,
        callback_outcome=CallbackOutcome(call.callback_outcome) if call.callback_outcome else None,
        survey=SurveyOutcome(said.outcome) if said else None,
        answer=said.answer if said else None,
    )
    whose = agent or call.callback_agent
    handed = [talk for talk in talks if whose is not None and talk.agent == whose]
    if own or not handed or (agent is None and ordered):
        return summary
    talk = max(handed, key=lambda one: one.answered_at)
    length = talk.talk_ms / 1000 if talk.ended_at is not None else None
    outcome = Outcome.ANSWERED if call.callback_of is None else None
    return replace(summary, agent=whose, outcome=outcome, talk_seconds=length)


class StoredHistory:
    """The CallHistory port over the store, with the single look-ups that the console needs besides."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def recent(
        self, wanted: CallFilter, *, limit: int, before: datetime | None = None
    ) -> list[CallSummary]:
        """The calls wanted that began before ``before``, newest first."""
        query = select(Call).order_by(Call.started_at.desc(), Call.call_id.desc()).limit(limit)
        if before is not None:
            query = query.where(Call.started_at < before)
        query = query.where(*call_conditions(wanted))
        async with self._sessions() as session:
            calls = list(await session.scalars(query))
            return await _summaries(session, calls, wanted.agent)

    async def some(self, call_ids: Sequence[str], agent: str | None) -> dict[str, CallSummary]:
        """These calls by their ids."""
        async with self._sessions() as session:
            calls = list(await session.scalars(select(Call).where(Call.call_id.in_(call_ids))))
            return {one.call_id: one for one in await _summaries(session, calls, agent)}

    async def callbacks_of(self, call_id: str) -> list[CallSummary]:
        """The calls by which this call's caller was called back, oldest first."""
        query = select(Call).where(Call.callback_of == call_id).order_by(Call.started_at)
        async with self._sessions() as session:
            return await _summaries(session, list(await session.scalars(query)), None)

    async def one(self, call_id: str, *, agent: str | None) -> CallSummary | None:
        """One call; with ``agent`` only if that seat took part in it."""
        query = select(Call).where(Call.call_id == call_id, *call_conditions(CallFilter(agent=agent)))
        async with self._sessions() as session:
            call = await session.scalar(query)
            if call is None:
                return None
            return (await _summaries(session, [call], agent))[0]

    async def own_part(self, call_id: str, agent: str) -> OwnPart | None:
        """How much of a call the seat took part in; None when it did not, or still does."""
        async with self._sessions() as session:
            talks = (await _of_calls(session, TalkRow, [call_id]))[call_id]
            entries = (await _of_calls(session, QueueEntry, [call_id]))[call_id]
            call = await session.get(Call, call_id)
        spans = [(talk.agent, talk.answered_at, talk.ended_at) for talk in talks]
        spans += [(one.agent, one.answered_at, one.closed_at) for one in entries if one.answered_at]
        over = call.ended_at if call is not None else None
        ends = [end or over for who, _, end in spans if who == agent]
        until = max((end for end in ends if end is not None), default=None)
        if until is None or None in ends:
            return None
        zero = min(start for _, start, _ in spans)
        late = until + SAME_HANG_UP
        others = any(who != agent and (end or over or late) >= late for who, _, end in spans)
        return OwnPart(until, (until - zero).total_seconds(), others)


def call_conditions(wanted: CallFilter) -> list[ColumnElement[bool]]:
    """What the calls wanted fulfil. A seat's calls are found by its own rows: it has few of all there are."""
    found: list[ColumnElement[bool]] = []
    if wanted.agent is not None:
        answered = QueueEntry.outcome == Outcome.ANSWERED.value
        queued = select(QueueEntry.call_id).where(QueueEntry.agent == wanted.agent, answered)
        talked = select(TalkRow.call_id).where(TalkRow.agent == wanted.agent)
        called = select(Call.call_id).where(Call.callback_agent == wanted.agent)
        found.append(Call.call_id.in_(queued.union(talked, called)))
    if wanted.caller_number is not None:
        found.append(Call.caller_number == wanted.caller_number)
    if wanted.since is not None:
        found.append(Call.started_at >= wanted.since)
    if wanted.until is not None:
        found.append(Call.started_at < wanted.until)
    waits = select(QueueEntry.call_id).where(QueueEntry.call_id == Call.call_id)
    if wanted.line is not None:
        found.append(or_(Call.line == wanted.line, waits.where(QueueEntry.line == wanted.line).exists()))
    if wanted.outcome is not None:
        found.append(waits.where(QueueEntry.outcome == wanted.outcome.value).exists())
    return found


async def _summaries(session: AsyncSession, calls: Sequence[Call], agent: str | None) -> list[CallSummary]:
    call_ids = [call.call_id for call in calls]
    entries = await _of_calls(session, QueueEntry, call_ids)
    callbacks = [call.call_id for call in calls if call.callback_of is not None]
    talks = await _of_calls(session, TalkRow, call_ids if agent is not None else callbacks)
    recorded = await _recorded(session, call_ids)
    asked = select(SurveyRow).where(SurveyRow.call_id.in_(call_ids))
    surveys = {row.call_id: row for row in await session.scalars(asked)} if call_ids else {}
    return [
        summarise(
            call,
            entries[call.call_id],
            agent,
            talks=talks[call.call_id],
            recorded=call.call_id in recorded,
            survey=surveys.get(call.call_id),
        )
        for call in calls
    ]


async def _of_calls(session: AsyncSession, model: type[Row], call_ids: list[str]) -> dict[str, list[Row]]:
    by_call: dict[str, list[Row]] = defaultdict(list)
    if call_ids:
        for row in await session.scalars(select(model).where(model.call_id.in_(call_ids))):
            by_call[row.call_id].append(row)
    return by_call


async def _recorded(session: AsyncSession, call_ids: list[str]) -> set[str]:
    """Which of the calls have a recording."""
    query = select(Recording.call_id).where(Recording.call_id.in_(call_ids))
    return set(await session.scalars(query)) if call_ids else set()
