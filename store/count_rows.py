"""The rows behind a count, by the very predicate that counts them: newest first, a page at a time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, String, and_, cast, func, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from hotline.core.errors import UsageError
from hotline.core.figures import FigureRow
from hotline.store.agent_times import ms_of
from hotline.store.counts import DIMS, MOMENT, WITHIN_MS, Count, Dim, Origin
from hotline.store.models import AgentInterval, Call, QueueEntry, SurveyRow, TalkRow, TrialRow, UtcDateTime
from hotline.store.wanted import conditions

_KEYS: Final[dict[Origin, Any]] = {
    Origin.WAITS: QueueEntry.entry_id,
    Origin.CALLS: Call.call_id,
    Origin.TALKS: TalkRow.talk_id,
    Origin.SURVEYS: SurveyRow.call_id,
    Origin.TRIALS: TrialRow.trial_id,
    Origin.AGENT_TIMES: AgentInterval.id,
}


@dataclass(frozen=True, slots=True)
class Behind:
    """Which rows are wanted; see `store.tally.Wanted`. ``counts`` are of one origin."""

    counts: Sequence[Count]
    start: datetime
    end: datetime
    within_seconds: int
    now: datetime
    only: Mapping[Dim, frozenset[str]]


async def rows_behind(
    connection: AsyncConnection, wanted: Behind, *, limit: int, after: str | None
) -> tuple[list[FigureRow], str | None]:
    """A page of rows, and where the next goes on (None after the last).

    Raises:
        UsageError: ``after`` is not what an earlier page ended with.
    """
    (origin,) = {count.origin for count in wanted.counts}
    moment, key = MOMENT[origin], _KEYS[origin]
    query = _SELECTS[origin]([count.each for count in wanted.counts])
    query = query.where(
        or_(*(count.where for count in wanted.counts)), *conditions(DIMS[origin], wanted.only)
    )
    if origin is Origin.AGENT_TIMES:
        over = func.coalesce(AgentInterval.until, literal(wanted.now, UtcDateTime()))
        query = query.where(moment < min(wanted.end, wanted.now), over > wanted.start)
    else:
        query = query.where(moment >= wanted.start, moment < wanted.end)
    if after is not None:
        query = query.where(_beyond(moment, key, after, whole=origin is Origin.AGENT_TIMES))
    query = query.order_by(moment.desc(), key.desc()).limit(limit + 1)
    found = list(await connection.execute(query, {WITHIN_MS: wanted.within_seconds * 1000}))
    rows = [_ROWS[origin](row, wanted) for row in found[:limit]]
    more = len(found) > limit
    return rows, f"{rows[-1].at.isoformat()}|{rows[-1].id}" if more else None


def _beyond(moment: Any, key: Any, after: str, *, whole: bool) -> ColumnElement[bool]:
    """Rows older than the last of a page, or as old and with a smaller key."""
    try:
        at_text, last = after.split("|", 1)
        at, last_key = datetime.fromisoformat(at_text), int(last) if whole else last
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise UsageError("not the end of a page", hint="give `after` as the page before said it")
    return or_(moment < at, and_(moment == at, key < last_key))


def _waits(each: list[ColumnElement[int]]) -> Any:
    number = select(Call.caller_number).where(Call.call_id == QueueEntry.call_id).scalar_subquery()
    return select(
        QueueEntry.entry_id, QueueEntry.joined_at, QueueEntry.call_id, QueueEntry.line, QueueEntry.queue,
        QueueEntry.language, QueueEntry.agent, QueueEntry.outcome, QueueEntry.wait_ms, QueueEntry.talk_ms,
        number, *each,
    )  # fmt: skip


def _wait(row: Any, _wanted: Behind) -> FigureRow:
    key, at, call_id, line, queue, language, agent, outcome, wait_ms, talk_ms, number, *each = row
    return FigureRow(
        key, at, _sum(each), call_id, line, queue, language, agent, outcome, wait_ms / 1000, talk_ms / 1000,
        number or "",
    )  # fmt: skip


def _calls(each: list[ColumnElement[int]]) -> Any:
    how = func.coalesce(Call.callback_outcome, Call.menu_outcome)
    return select(
        Call.call_id, Call.started_at, Call.line, Call.language, Call.callback_agent, how, Call.menu_ms,
        Call.caller_number, *each,
    )  # fmt: skip


def _call(row: Any, _wanted: Behind) -> FigureRow:
    call_id, at, line, language, agent, how, menu_ms, number, *each = row
    return FigureRow(
        call_id, at, _sum(each), call_id, line, None, language, agent, how, menu_ms / 1000, None, number
    )


def _talks(each: list[ColumnElement[int]]) -> Any:
    number = select(Call.caller_number).where(Call.call_id == TalkRow.call_id).scalar_subquery()
    of_call = DIMS[Origin.TALKS]
    return select(
        TalkRow.talk_id, TalkRow.answered_at, TalkRow.call_id, of_call[Dim.LINE], of_call[Dim.LANGUAGE],
        TalkRow.agent, TalkRow.kind, TalkRow.talk_ms, number, *each,
    )  # fmt: skip


def _talk(row: Any, _wanted: Behind) -> FigureRow:
    key, at, call_id, line, language, agent, kind, talk_ms, number, *each = row
    return FigureRow(
        key, at, _sum(each), call_id, line or None, None, language, agent, kind, None, talk_ms / 1000,
        number or "",
    )  # fmt: skip


def _surveys(each: list[ColumnElement[int]]) -> Any:
    row = SurveyRow
    number = select(Call.caller_number).where(Call.call_id == row.call_id).scalar_subquery()
    said = func.coalesce(cast(row.answer, String), row.outcome)
    return select(
        row.call_id, row.asked_at, row.line, row.queue, row.language, row.agent, said, number, *each
    )  # fmt: skip


def _survey(row: Any, _wanted: Behind) -> FigureRow:
    call_id, at, line, queue, language, agent, said, number, *each = row
    return FigureRow(
        call_id, at, _sum(each), call_id, line, queue, language, agent, said, caller_number=number or ""
    )


def _trials(each: list[ColumnElement[int]]) -> Any:
    row = TrialRow
    return select(
        row.trial_id, row.began_at, row.call_id, row.line, row.agent, row.result, row.answer_ms, *each
    )


def _trial(row: Any, _wanted: Behind) -> FigureRow:
    """It may have been to another exchange; then there is no call of ours."""
    key, at, call_id, line, agent, result, answer_ms, *each = row
    seconds = None if answer_ms is None else answer_ms / 1000
    return FigureRow(key, at, _sum(each), call_id, line or None, None, None, agent, result, seconds)


def _times(_each: list[ColumnElement[int]]) -> Any:
    row = AgentInterval
    return select(row.id, row.since, row.until, row.agent, row.state)


def _time(row: Any, wanted: Behind) -> FigureRow:
    """A state of an agent; it adds what it has in common with the period."""
    key, since, until, agent, state = row
    over = min(until or wanted.now, wanted.end, wanted.now)
    common = ms_of(over) - ms_of(max(since, wanted.start))
    return FigureRow(str(key), since, common, agent=agent, state=state, seconds=common / 1000)


def _sum(each: Iterable[int | None]) -> int:
    return sum(int(one or 0) for one in each)


_SELECTS: Final = {
    Origin.WAITS: _waits,
    Origin.CALLS: _calls,
    Origin.TALKS: _talks,
    Origin.SURVEYS: _surveys,
    Origin.TRIALS: _trials,
    Origin.AGENT_TIMES: _times,
}
_ROWS: Final = {
    Origin.WAITS: _wait,
    Origin.CALLS: _call,
    Origin.TALKS: _talk,
    Origin.SURVEYS: _survey,
    Origin.TRIALS: _trial,
    Origin.AGENT_TIMES: _time,
}
