"""Test calls (拨测) and the listener's marks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import or_, select, update

from hotline.core.trials import ALL_TRIALS, MARKS, TrialCall, TrialFilter, TrialMarks, TrialOrder, TrialResult
from hotline.store.database import Sessions
from hotline.store.models import Call, QueueEntry, TrialRow


@dataclass(frozen=True, slots=True)
class Reached:
    """What the ledger says of a call that our phone made to our own exchange."""

    call_id: str
    line: str
    agent: str | None
    answered_at: datetime | None


class TrialStore:
    """Rows of ``test_calls``. Every method raises ``sqlalchemy.exc.SQLAlchemyError`` without a database."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def save(self, trial: TrialCall) -> None:
        """Keep a new test call, or what is known of it by now; its marks are left as they are."""
        values = {
            **{name: getattr(trial.order, name) for name in ("name", "number", "unit", "line", "via")},
            **{name: getattr(trial, name) for name in (
                "trial_id", "began_at", "status", "level_dbfs", "silent_share", "keys", "call_id", "agent",
                "reached_line", "text", "has_sound",
            )},
            "result": trial.result.value,
            "answer_ms": _ms(trial.answer_seconds),
            "sound_ms": _ms(trial.sound_seconds),
            "spoken_ms": _ms(trial.spoken_seconds) or 0,
            "person_ms": _ms(trial.person_seconds),
        }  # fmt: skip
        async with self._sessions.begin() as session:
            row = await session.get(TrialRow, trial.trial_id)
            if row is None:
                session.add(TrialRow(**values, **_sheet(trial.marks), marked_by=trial.marked_by))
            else:
                for name, value in values.items():
                    setattr(row, name, value)

    async def mark(self, trial_id: str, marks: TrialMarks, user: str) -> TrialCall | None:
        """Keep the listener's sheet in place of an earlier one; None if there is no such test call."""
        async with self._sessions.begin() as session:
            row = await session.get(TrialRow, trial_id)
            if row is None:
                return None
            for name, value in _sheet(marks).items():
                setattr(row, name, value)
            row.marked_by = user
            return _trial(row)

    async def one(self, trial_id: str) -> TrialCall | None:
        """One test call."""
        async with self._sessions() as session:
            row = await session.get(TrialRow, trial_id)
            return None if row is None else _trial(row)

    async def newest(
        self, limit: int, before: datetime | None = None, wanted: TrialFilter = ALL_TRIALS
    ) -> list[TrialCall]:
        """Test calls that began before a moment, the newest first."""
        query = select(TrialRow).order_by(TrialRow.began_at.desc()).limit(limit)
        for until in (before, wanted.until):
            if until is not None:
                query = query.where(TrialRow.began_at < until)
        if wanted.since is not None:
            query = query.where(TrialRow.began_at >= wanted.since)
        if wanted.line:
            query = query.where(or_(TrialRow.line == wanted.line, TrialRow.reached_line == wanted.line))
        if wanted.unit:
            query = query.where(TrialRow.unit == wanted.unit)
        async with self._sessions() as session:
            return [_trial(row) for row in await session.scalars(query)]

    async def between(self, start: datetime, end: datetime) -> list[TrialCall]:
        """Test calls that began in [start, end), the oldest first."""
        query = select(TrialRow).where(TrialRow.began_at >= start, TrialRow.began_at < end)
        async with self._sessions() as session:
            return [_trial(row) for row in await session.scalars(query.order_by(TrialRow.began_at))]

    async def older_sounds(self, before: datetime) -> Sequence[str]:
        """Test calls from before a moment whose sound is still kept."""
        query = select(TrialRow.trial_id).where(TrialRow.began_at < before, TrialRow.has_sound.is_(True))
        async with self._sessions() as session:
            return (await session.scalars(query)).all()

    async def sound_is_gone(self, trial_id: str) -> None:
        """Its sound was deleted."""
        async with self._sessions.begin() as session:
            await session.execute(
                update(TrialRow).where(TrialRow.trial_id == trial_id).values(has_sound=False)
            )

    async def reached(self, caller_number: str, began_at: datetime, ended_at: datetime) -> Reached | None:
        """The call of this number that our exchange knows from that time, and who answered it first."""
        slack = timedelta(seconds=2)
        calls = (
            select(Call)
            .where(Call.caller_number == caller_number)
            .where(Call.started_at >= began_at - slack, Call.started_at <= ended_at + slack)
            .order_by(Call.started_at)
            .limit(1)
        )
        async with self._sessions() as session:
            call = await session.scalar(calls)
            if call is None:
                return None
            answers = (
                select(QueueEntry)
                .where(QueueEntry.call_id == call.call_id, QueueEntry.answered_at.is_not(None))
                .order_by(QueueEntry.answered_at)
                .limit(1)
            )
            entry = await session.scalar(answers)
            if entry is None:
                return Reached(call.call_id, call.line, None, None)
            return Reached(call.call_id, entry.line, entry.agent, entry.answered_at)


def _trial(row: TrialRow) -> TrialCall:
    return TrialCall(
        trial_id=row.trial_id,
        order=TrialOrder(row.number, row.name, row.unit, row.line, row.via),
        began_at=row.began_at,
        result=TrialResult(row.result),
        status=row.status,
        answer_seconds=_seconds(row.answer_ms),
        sound_seconds=_seconds(row.sound_ms),
        spoken_seconds=row.spoken_ms / 1000,
        level_dbfs=row.level_dbfs,
        silent_share=row.silent_share,
        keys=row.keys,
        call_id=row.call_id,
        person_seconds=_seconds(row.person_ms),
        agent=row.agent,
        reached_line=row.reached_line,
        text=row.text,
        has_sound=row.has_sound,
        marks=TrialMarks(
            **{part: getattr(row, part) for part in MARKS},
            note=row.note,
            person_seconds=_seconds(row.heard_person_ms),
        ),
        marked_by=row.marked_by,
    )


def _sheet(marks: TrialMarks) -> dict[str, float | str | None]:
    """The columns of a listener's sheet."""
    points = {part: getattr(marks, part) for part in MARKS}
    return points | {"note": marks.note, "heard_person_ms": _ms(marks.person_seconds)}


def _ms(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * 1000)


def _seconds(milliseconds: int | None) -> float | None:
    return None if milliseconds is None else milliseconds / 1000
