"""The ledger's repository: rows in, rows out. Saving the same row twice changes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import islice
from typing import Self, TypeVar

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from hotline.core.events import Source
from hotline.store.database import Sessions
from hotline.store.models import (
    AgentInterval,
    Base,
    Call,
    ImportStanding,
    QueueEntry,
    RefusedRow,
    SurveyRow,
    TailPosition,
    TalkRow,
)
from hotline.store.refusals import RefusedRecord
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
    callback_of: str | None = None
    callback_agent: str | None = None
    callback_outcome: str | None = None
    caller_lists: str = ""


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
    ring_ends: str = ""
    ended_by: str | None = None
    language: str = ""
    enquiry: bool = False


class RowMoment(StrEnum):
    """What becomes known of a row of ``queue_entries``, each once, whichever source tells of it."""

    OFFERED = "offered"  # a caller waits: the row is there
    DECIDED = "decided"  # the wait is over: answered, or its class is known
    CLOSED = "closed"  # it has its class and its end
    WRAPPED_UP = "wrapped_up"  # the work after the talk is over


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
    held_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class SurveyRecord:
    """A row of ``surveys``."""

    call_id: str
    node: str
    line: str
    queue: str
    language: str
    caller_lists: str
    agent: str | None
    asked_at: datetime
    outcome: str
    answer: int | None
    source: str


@dataclass(frozen=True, slots=True)
class IntervalRecord:
    """A row of ``agent_intervals``; ``until`` None: the present state."""

    agent: str
    state: str
    reason: str
    since: datetime
    until: datetime | None = None
    source: str = Source.LIVE.value
    wrap_up: str = ""


@dataclass(frozen=True, slots=True)
class StandingRecord:
    """A row of ``import_standings``."""

    node: str
    agent: str
    state: str
    since: datetime
    heard_at: datetime
    shown: bool
    known: bool
    queues: str


@dataclass(frozen=True, slots=True)
class HistoryRows:
    """Rows of an import, to be written in one transaction."""

    calls: Sequence[CallRecord] = ()
    entries: Sequence[EntryRecord] = ()
    talks: Sequence[TalkRecord] = ()
    intervals: Sequence[IntervalRecord] = ()
    standings: Sequence[StandingRecord] = ()
    tails: Sequence[TailRecord] = ()


@dataclass(frozen=True, slots=True)
class TailRecord:
    """How far a file has been read.

    Attributes:
        path: the file, or what stands for it: ``tail_of`` an exchange's queue_log.
        beginning: length and hash of how the file begins, by which it is known wherever it lies by now.
        heard_at: all that the exchange did up to then is in the rows; of queue_log only.
        read_to: the time of the last line that was read; of queue_log only.
    """

    path: str
    inode: int
    offset: int
    beginning: str = ""
    heard_at: datetime | None = None
    read_to: datetime | None = None


@dataclass(frozen=True, slots=True)
class Changes:
    """Rows to write in one transaction."""

    calls: Sequence[CallRecord] = ()
    entries: Sequence[EntryRecord] = ()
    intervals: Sequence[IntervalRecord] = ()
    tail: TailRecord | None = None
    talks: Sequence[TalkRecord] = ()
    surveys: Sequence[SurveyRecord] = ()

    @property
    def rows(self) -> list[Row]:
        """Its rows one by one."""
        return [*self.calls, *self.entries, *self.talks, *self.intervals, *self.surveys]

    @classmethod
    def of(cls, rows: Iterable[Row]) -> Self:
        """Changes of these rows."""
        rows = list(rows)
        return cls(
            [row for row in rows if isinstance(row, CallRecord)],
            [row for row in rows if isinstance(row, EntryRecord)],
            [row for row in rows if isinstance(row, IntervalRecord)],
            talks=[row for row in rows if isinstance(row, TalkRecord)],
            surveys=[row for row in rows if isinstance(row, SurveyRecord)],
        )


Row = CallRecord | EntryRecord | TalkRecord | IntervalRecord | SurveyRecord
"""What a change may be about."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """Calls with all their waits (in order), talks (likewise) and surveys, as the database has them."""

    calls: Sequence[CallRecord] = ()
    entries: Sequence[EntryRecord] = ()
    talks: Sequence[TalkRecord] = ()
    surveys: Sequence[SurveyRecord] = ()


IDS_AT_ONCE = 500  # of one statement: SQLite takes 32,766 values, older ones 999

R = TypeVar(
    "R", CallRecord, EntryRecord, TalkRecord, SurveyRecord, IntervalRecord, StandingRecord, TailRecord
)


class Ledger:
    """Reads and writes the ledger's rows.

    Every method raises one of ``store.refusals.SAVE_ERRORS`` when the database cannot be had or does not take
    what it is given; nothing is half done.
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
            await upsert(session, SurveyRow, changes.surveys, ("call_id",))
            if changes.tail is not None:
                await upsert(session, TailPosition, (changes.tail,), ("path",))

    async def set_aside(self, row: Row, error: Exception) -> None:
        """Keep a row that the database did not take, for a person to look at."""
        async with self._sessions.begin() as session:
            await upsert(session, RefusedRow, (RefusedRecord.of(row, error),), ("digest",))

    async def add_history(self, rows: HistoryRows) -> None:
        """Insert what is not there yet, and set the standings and tails, all or nothing.

        A row that is there stays as it is: what was seen live is never replaced by an import.
        """
        async with self._sessions.begin() as session:
            await insert_new(session, Call, rows.calls, ("call_id",))
            await insert_new(session, QueueEntry, rows.entries, ("entry_id",))
            await insert_new(session, TalkRow, rows.talks, ("talk_id",))
            await insert_new(session, AgentInterval, rows.intervals, ("agent", "since"))
            await upsert(session, ImportStanding, rows.standings, ("node", "agent"))
            await upsert(session, TailPosition, rows.tails, ("path",))

    async def standings(self, node: str) -> list[StandingRecord]:
        """How the agents of ``node`` stood where its import ended."""
        async with self._sessions() as session:
            rows = await session.scalars(select(ImportStanding).where(ImportStanding.node == node))
            return [_record(StandingRecord, row) for row in rows]

    async def live_since(self) -> dict[str, datetime]:
        """From when on each agent's intervals are our own, gapless."""
        own = AgentInterval.source != Source.IMPORT.value
        query = select(AgentInterval.agent, func.min(AgentInterval.since)).where(own)
        async with self._sessions() as session:
            rows = await session.execute(query.group_by(AgentInterval.agent))
            return {agent: _aware(since) for agent, since in rows}

    async def tail(self, path: str) -> TailRecord | None:
        """How far ``path`` has been read, or None if never."""
        async with self._sessions() as session:
            row = await session.get(TailPosition, path)
            return None if row is None else _record(TailRecord, row)

    async def recent(self, node: str, within: timedelta) -> Remembered:
        """Calls of ``node`` that go on, or ended up to ``within`` before the newest row.

        What a starting server needs to carry on: the open rows to finish, the others to know a replayed line
        of queue_log again. A call comes with all its entries: the next one's number follows from them.
        """
        live = (QueueEntry.node == node, QueueEntry.source != Source.IMPORT.value)
        end = func.coalesce(QueueEntry.closed_at, QueueEntry.joined_at)
        async with self._sessions() as session:
            newest = await session.scalar(select(func.max(end)).where(*live))
            newest_call = await session.scalar(select(func.max(Call.started_at)).where(Call.node == node))
            entry_open: list[ColumnElement[bool]] = [QueueEntry.closed_at.is_(None)]
            call_open: list[ColumnElement[bool]] = [Call.ended_at.is_(None)]
            if newest is not None:
                entry_open.append(QueueEntry.closed_at >= _aware(newest) - within)
            if newest_call is not None:
                call_open.append(Call.started_at >= _aware(newest_call) - within)
            of_entries = await session.scalars(select(QueueEntry.call_id).where(*live, or_(*entry_open)))
            of_calls = await session.scalars(select(Call.call_id).where(Call.node == node, or_(*call_open)))
            return await _all_of(session, {*of_entries, *of_calls})

    async def of_channels(self, node: str, uniqueids: Iterable[str]) -> Remembered:
        """The calls of ``node`` that these channels, callers' or of agents who asked a queue, belong to."""
        wanted: set[str] = set()
        async with self._sessions() as session:
            for some in _portions(uniqueids):
                waits = (QueueEntry.node == node, QueueEntry.uniqueid.in_(some))
                wanted.update(await session.scalars(select(QueueEntry.call_id).where(*waits)))
                own = (Call.node == node, Call.call_id.in_(some))
                wanted.update(await session.scalars(select(Call.call_id).where(*own)))
            return await _all_of(session, wanted)

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


async def _all_of(session: AsyncSession, call_ids: Iterable[str]) -> Remembered:
    calls: list[CallRecord] = []
    entries: list[EntryRecord] = []
    talks: list[TalkRecord] = []
    surveys: list[SurveyRecord] = []
    for some in _portions(call_ids):
        call_rows = await session.scalars(select(Call).where(Call.call_id.in_(some)))
        calls += [_record(CallRecord, row) for row in call_rows]
        entry_rows = await session.scalars(select(QueueEntry).where(QueueEntry.call_id.in_(some)))
        entries += [_record(EntryRecord, row) for row in entry_rows]
        talk_rows = await session.scalars(select(TalkRow).where(TalkRow.call_id.in_(some)))
        talks += [_record(TalkRecord, row) for row in talk_rows]
        survey_rows = await session.scalars(select(SurveyRow).where(SurveyRow.call_id.in_(some)))
        surveys += [_record(SurveyRecord, row) for row in survey_rows]
    entries.sort(key=lambda row: (row.joined_at, row.visit))
    talks.sort(key=lambda row: row.answered_at)
    return Remembered(calls, entries, talks, surveys)


def _portions(ids: Iterable[str]) -> Iterator[list[str]]:
    waiting = iter(ids)
    while some := list(islice(waiting, IDS_AT_ONCE)):
        yield some


def tail_of(node: str) -> str:
    """The name under which the position in an exchange's queue_log is kept, wherever the file lies."""
    return f"queue_log {node}"


def _aware(moment: datetime) -> datetime:
    """MAX() over a typed column keeps the type, so this only guards drivers that lose it."""
    if moment.tzinfo is None:  # pragma: no cover - the column type restores the zone
        raise ValueError("a moment came back naive")
    return moment


def _record(kind: type[R], row: Base) -> R:
    return kind(**{field.name: getattr(row, field.name) for field in fields(kind)})
