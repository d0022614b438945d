"""Recordings that are kept, and the pauses in them. The sound itself lies in files below ``data_dir``."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime

from sqlalchemy import delete, func, or_, select, update

from hotline.core.events import TalkKind
from hotline.store.database import Sessions
from hotline.store.models import Call, QueueEntry, Recording, RecordingPause, TalkRow


@dataclass(frozen=True, slots=True)
class RecordingRecord:
    """A row of ``recordings``.

    Attributes:
        started_at: the first answer, where the sound's clock is zero.
        size_bytes: of the file as it lies on disk; ``sha256`` likewise.
        path: of the file, relative to ``data_dir``.
        key_id: which key it is sealed with; empty when plain.
        held: never deleted by age.
        levels: loudness over time, the caller's half and then the other side's; see ``recording_join``.
    """

    call_id: str
    line: str
    started_at: datetime
    duration_ms: int
    size_bytes: int
    sha256: str
    encrypted: bool
    path: str
    levels: bytes = b""
    held: bool = False
    key_id: str = ""


@dataclass(frozen=True, slots=True)
class PauseRecord:
    """A time in which nothing was recorded, on purpose. ``until`` None: it goes on."""

    call_id: str
    since: datetime
    until: datetime | None
    user: str


class RecordingStore:
    """Rows of ``recordings`` and ``recording_pauses``. Raises what the database raises."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def add(self, record: RecordingRecord) -> None:
        """Write a recording's row; one that is there already is replaced."""
        async with self._sessions.begin() as session:
            await session.merge(Recording(**asdict(record)))

    async def one(self, call_id: str) -> RecordingRecord | None:
        """The recording of a call."""
        async with self._sessions() as session:
            row = await session.get(Recording, call_id)
            return None if row is None else recording_record(row)

    async def sealed(self) -> dict[str, int]:
        """How many recordings are sealed with which key, by its id."""
        query = select(Recording.key_id, func.count()).where(Recording.encrypted).group_by(Recording.key_id)
        async with self._sessions() as session:
            return {key_id: count for key_id, count in await session.execute(query)}

    async def due(
        self,
        before: Mapping[str, datetime],
        others_before: datetime,
        limit: int,
        after: RecordingRecord | None = None,
    ) -> list[RecordingRecord]:
        """Recordings whose time is over, oldest first; never one on hold.

        Args:
            before: line -> recordings of it that began before this moment.
            others_before: likewise for every other line.
            limit: how many at most.
            after: only those that come after this one.
        """
        of_line = [
            (Recording.line == line) & (Recording.started_at < moment) for line, moment in before.items()
        ]
        others = Recording.line.not_in(list(before)) & (Recording.started_at < others_before)
        query = (
            select(Recording)
            .where(Recording.held.is_(False), or_(others, *of_line))
            .order_by(Recording.started_at, Recording.call_id)
            .limit(limit)
        )
        if after is not None:
            same = Recording.started_at == after.started_at
            later = Recording.started_at > after.started_at
            query = query.where(or_(later, same & (Recording.call_id > after.call_id)))
        async with self._sessions() as session:
            return [recording_record(row) for row in await session.scalars(query)]

    async def delete(self, call_ids: Collection[str]) -> None:
        """Forget recordings (not those on hold) and their pauses."""
        async with self._sessions.begin() as session:
            chosen = list(call_ids)
            await session.execute(
                delete(Recording).where(Recording.call_id.in_(chosen), Recording.held.is_(False))
            )
            await session.execute(
                delete(RecordingPause).where(
                    RecordingPause.call_id.in_(chosen),
                    RecordingPause.call_id.not_in(select(Recording.call_id)),
                )
            )

    async def hold(self, call_id: str, held: bool) -> bool:
        """Keep a recording whatever its age, or no longer; False when there is none."""
        async with self._sessions.begin() as session:
            row = await session.get(Recording, call_id)
            if row is not None:
                row.held = held
            return row is not None

    async def line_of(self, call_id: str) -> str:
        """The line a call waited on first; empty when the ledger does not know it."""
        waits = select(QueueEntry.line).where(QueueEntry.call_id == call_id).order_by(QueueEntry.joined_at)
        async with self._sessions() as session:
            line = await session.scalar(waits.limit(1))
            return line or await session.scalar(select(Call.line).where(Call.call_id == call_id)) or ""

    async def talk(self, call_id: str) -> tuple[datetime | None, datetime | None]:
        """When the call was first answered, the zero of its transcript, and when its last talk ended.

        As the ledger knows it; None for what it does not know (yet).
        """
        by_queue = select(func.min(QueueEntry.answered_at), func.max(QueueEntry.closed_at)).where(
            QueueEntry.call_id == call_id, QueueEntry.answered_at.is_not(None)
        )
        called_back = select(func.min(TalkRow.answered_at), func.max(TalkRow.ended_at)).where(
            TalkRow.call_id == call_id, TalkRow.kind == TalkKind.CALLBACK.value
        )
        async with self._sessions() as session:
            back = (await session.execute(called_back)).one()
            row = back if back[0] is not None else (await session.execute(by_queue)).one()
            return row[0], row[1]

    async def begin_pause(self, call_id: str, since: datetime, user: str) -> None:
        """Note that a recording is paused."""
        async with self._sessions.begin() as session:
            session.add(RecordingPause(call_id=call_id, since=since, user=user))

    async def end_pause(self, call_id: str, until: datetime) -> None:
        """Note that a call's recording goes on; nothing happens if it was not paused."""
        async with self._sessions.begin() as session:
            await session.execute(
                update(RecordingPause)
                .where(RecordingPause.call_id == call_id, RecordingPause.until.is_(None))
                .values(until=until)
            )

    async def pauses(self, call_id: str | None = None) -> list[PauseRecord]:
        """A call's pauses in order; without a call, every pause that goes on."""
        chosen = RecordingPause.until.is_(None) if call_id is None else RecordingPause.call_id == call_id
        query = select(RecordingPause).where(chosen).order_by(RecordingPause.since)
        async with self._sessions() as session:
            return [
                PauseRecord(row.call_id, row.since, row.until, row.user)
                for row in await session.scalars(query)
            ]


def recording_record(row: Recording) -> RecordingRecord:
    """The record of a row."""
    return RecordingRecord(**{field.name: getattr(row, field.name) for field in fields(RecordingRecord)})
