"""The ledger's repository: rows in, rows out. Saving the same row twice changes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import TypeVar

from sqlalchemy import ColumnElement, func, or_, select

from hotline.core.events import Source
from hotline.store.database import Sessions
from hotline.store.models import AgentInterval, Base, Call, QueueEntry, TailPosition, TalkRow
from hotline.store.upsert import insert_new, upsert


@dataclass(frozen=True, slots=True)
class CallRecord:
    """A row of ``calls``."""

    call_id: str
    node: str
    line: str
    did: str
    caller_number: str
    caller_name: str
    started_at: datetime
    ended_at: datetime | None = None
    menu_path: str = ""
    menu_outcome: str | None = None
    menu_ms: int = 0
    fallback_used: bool = False
    language: str = ""


@dataclass(frozen=True, slots=True)
class EntryRecord:
    """A row of ``queue_entries``."""

    entry_id: str
    node: str
    uniqueid: str
    queue: str
    visit: int
    call_id: str
    line: str
    source: str
    joined_at: datetime
    position: int = 0
    answered_at: datetime | None = None
    closed_at: datetime | None = None
    outcome: str | None = None
    agent: str | None = None
    wait_ms: int = 0
    ring_ms: int = 0
    talk_ms: int = 0
    hold_ms: int = 0
    wrap_up_ms: int = 0
    unanswered_rings: int = 0
    last_ring_at: datetime | None = None
    ended_by: str | None = None
    language: str = ""


@dataclass(frozen=True, slots=True)
class TalkRecord:
    """A row of ``talks``."""

    talk_id: str
    node: str
    call_id: str
    entry_id: str | None
    kind: str
    agent: str | None
    party: str
    source: str
    answered_at: datetime
    ended_at: datetime | None = None
    talk_ms: int = 0
    hold_ms: int = 0
    ended_by: str | None = None


@dataclass(frozen=True, slots=True)
class IntervalRecord:
    """A row of ``agent_intervals``; ``until`` None: the present state."""

    agent: str
    state: str
    reason: str
    since: datetime
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class TailRecord:
    """How far a file has been read."""

    path: str
    inode: int
    offset: int


@dataclass(frozen=True, slots=True)
class Changes:
    """Rows to write in one transaction."""

    calls: Sequence[CallRecord] = ()
    entries: Sequence[EntryRecord] = ()
    intervals: Sequence[IntervalRecord] = ()
    tail: TailRecord | None = None
    talks: Sequence[TalkRecord] = ()


R = TypeVar("R", CallRecord, EntryRecord, TalkRecord, IntervalRecord)


class Ledger:
    """Reads and writes the ledger's rows.

    Every method raises ``sqlalchemy.exc.SQLAlchemyError`` when the database cannot be had; nothing is
    half done.
    """

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def save(self, changes: Changes) -> None:
        """Insert or update every row of ``changes``, all or nothing."""
        async with self._sessions.begin() as session:
            await upsert(session, Call, changes.calls, ("call_id",))
            await upsert(session, QueueEntry, changes.entries, ("entry_id",))
            await upsert(session, TalkRow, changes.talks, ("talk_id",))
            await upsert(session, AgentInterval, changes.intervals, ("agent", "since"))
            if changes.tail is not None:
                await upsert(session, TailPosition, (changes.tail,), ("path",))

    async def add_history(
        self,
        calls: Sequence[CallRecord],
        entries: Sequence[EntryRecord],
        talks: Sequence[TalkRecord],
        tails: Sequence[TailRecord],
    ) -> None:
        """Insert the calls, entries and talks that are not there yet, and set ``tails``, all or nothing.

        A row that is there stays as it is: what was seen live is never replaced by an import.
        """
        async with self._sessions.begin() as session:
            await insert_new(session, Call, calls, ("call_id",))
            await insert_new(session, QueueEntry, entries, ("entry_id",))
            await insert_new(session, TalkRow, talks, ("talk_id",))
            await upsert(session, TailPosition, tails, ("path",))

    async def tail(self, path: str) -> TailRecord | None:
        """How far ``path`` has been read, or None if never."""
        async with self._sessions() as session:
            row = await session.get(TailPosition, path)
            return None if row is None else TailRecord(row.path, row.inode, row.offset)

    async def recent(self, node: str, within: timedelta) -> tuple[list[CallRecord], list[EntryRecord]]:
        """Calls and entries of ``node`` still open, and those ended up to ``within`` before the newest row.

        What a starting server needs to carry on: the open rows to finish, the others to know a replayed line
        of queue_log again.
        """
        async with self._sessions() as session:
            newest = await session.scalar(
                select(func.max(func.coalesce(QueueEntry.closed_at, QueueEntry.joined_at))).where(
                    QueueEntry.node == node, QueueEntry.source != Source.IMPORT.value
                )
            )
            newest_call = await session.scalar(select(func.max(Call.started_at)).where(Call.node == node))
            entries = select(QueueEntry).where(
                QueueEntry.node == node, QueueEntry.source != Source.IMPORT.value
            )
            calls = select(Call).where(Call.node == node)
            entry_floor = _aware(newest) - within if newest else None
            call_floor = _aware(newest_call) - within if newest_call else None
            entry_open: list[ColumnElement[bool]] = [QueueEntry.closed_at.is_(None)]
            call_open: list[ColumnElement[bool]] = [Call.ended_at.is_(None)]
            if entry_floor is not None:
                entry_open.append(QueueEntry.closed_at >= entry_floor)
            if call_floor is not None:
                call_open.append(Call.started_at >= call_floor)
            entry_rows = (await session.scalars(entries.where(or_(*entry_open)))).all()
            wanted = {row.call_id for row in entry_rows}
            call_rows = (await session.scalars(calls.where(or_(*call_open, Call.call_id.in_(wanted))))).all()
            return (
                [_record(CallRecord, row) for row in call_rows],
                [_record(EntryRecord, row) for row in entry_rows],
            )

    async def talks_of(self, call_ids: Iterable[str]) -> list[TalkRecord]:
        """The talks of these calls, oldest first. What a starting server needs beside `recent`."""
        query = select(TalkRow).where(TalkRow.call_id.in_(list(call_ids))).order_by(TalkRow.answered_at)
        async with self._sessions() as session:
            return [_record(TalkRecord, row) for row in await session.scalars(query)]

    async def intervals(self, start: datetime, end: datetime) -> list[IntervalRecord]:
        """The intervals of all agents that overlap [start, end), by agent and time."""
        wanted = (
            select(AgentInterval)
            .where(AgentInterval.since < end, or_(AgentInterval.until.is_(None), AgentInterval.until > start))
            .order_by(AgentInterval.agent, AgentInterval.since)
        )
        async with self._sessions() as session:
            return [_record(IntervalRecord, row) for row in await session.scalars(wanted)]

    async def open_intervals(self) -> list[IntervalRecord]:
        """The intervals of agents that have no end yet."""
        async with self._sessions() as session:
            rows = await session.scalars(select(AgentInterval).where(AgentInterval.until.is_(None)))
            return [_record(IntervalRecord, row) for row in rows]


def _aware(moment: datetime) -> datetime:
    """MAX() over a typed column keeps the type, so this only guards drivers that lose it."""
    if moment.tzinfo is None:  # pragma: no cover - the column type restores the zone
        raise ValueError("a moment came back naive")
    return moment


def _record(kind: type[R], row: Base) -> R:
    return kind(**{field.name: getattr(row, field.name) for field in fields(kind)})
