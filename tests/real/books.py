"""The queue room at work beside a real Asterisk: what it wrote of a call, and what queue_log alone tells."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import select

from hotline.core.bus import MemoryBus
from hotline.core.clock import SystemClock
from hotline.core.events import LinkChanged, Outcome, Source
from hotline.queue.calls.table import CallTable
from hotline.queue.exchange import Exchange as QueueRoom
from hotline.queue.facts import AGENTS_ONLY
from hotline.queue.queue_log.reader import NewsOfTheExchange, parse_line
from hotline.queue.routing import Routing
from hotline.store.database import Sessions, open_engine, sessions_of
from hotline.store.ledger import EntryRecord, Ledger
from hotline.store.models import Call as CallRow
from hotline.store.models import QueueEntry, TalkRow
from hotline.telephony.asterisk_config.places import queue_log_of
from hotline.telephony.phone.call import Call
from hotline.telephony.phone.phone import Phone
from tests.fixtures.migrated import upgrade
from tests.real.floor import WITHIN_SECONDS, Floor, ringing

ABANDONS = (Outcome.ABANDONED, Outcome.SHORT_ABANDON)
NEAR_MS = 150
"""How far rows and phones may differ: both clocks are this machine's, the rest is its other work."""


@dataclass
class Party:
    """One side of a call, with the moments that its own phone measured."""

    call: Call
    answered_at: datetime
    ended_at: datetime | None = None
    _watch: asyncio.Task[None] | None = field(default=None, repr=False)

    @classmethod
    async def of(cls, call: Call) -> Party:
        """From now on: the call has just been answered."""
        party = cls(call, datetime.now(UTC))
        party._watch = asyncio.create_task(party._wait())
        return party

    async def _wait(self) -> None:
        await self.call.wait_ended()
        self.ended_at = datetime.now(UTC)

    async def hangup(self) -> None:
        """Hang up, if that is still to be done, and wait until the moment is noted."""
        if self.call.end is None:
            await self.call.hangup()
        await self.ended()

    async def ended(self) -> datetime:
        """When the call ended here."""
        assert self._watch is not None
        async with asyncio.timeout(WITHIN_SECONDS):
            await self._watch
        assert self.ended_at is not None
        return self.ended_at


async def take(phone: Phone, *, ring_seconds: float = 0.0) -> Party:
    """Answer the next call here, after letting it ring."""
    call = await ringing(phone)
    await asyncio.sleep(ring_seconds)
    await call.answer()
    return await Party.of(call)


class Lag:
    """How late this process was at most, in milliseconds: phones and rows may differ by so much more."""

    worst_ms = 0.0

    @classmethod
    async def measure(cls) -> None:
        """Until cancelled."""
        cls.worst_ms = 0.0
        while True:
            before = time.monotonic()
            await asyncio.sleep(0.01)
            cls.worst_ms = max(cls.worst_ms, (time.monotonic() - before - 0.01) * 1000)


def near(moment: datetime | None, other: datetime | None, *, more_ms: float = 0) -> bool:
    """Whether the two moments are the same as far as can be measured."""
    assert moment is not None and other is not None
    return abs((moment - other).total_seconds()) * 1000 <= NEAR_MS + Lag.worst_ms + more_ms


def ms(begin: datetime | None, end: datetime | None) -> float:
    """Milliseconds between two moments."""
    assert begin is not None and end is not None
    return (end - begin).total_seconds() * 1000


@dataclass
class Books:
    """The room's rows. A call is asked for by its caller's number: each case uses one of its own."""

    floor: Floor
    room: QueueRoom
    sessions: Sessions

    async def closed(self, number: str) -> tuple[list[QueueEntry], list[TalkRow]]:
        """The rows of a caller whose call is over, once all are closed: waits and talks, each in order."""
        deadline = time.monotonic() + WITHIN_SECONDS
        while True:
            entries, talks, over = await self._rows(number)
            if over and all(row.closed_at for row in entries) and all(row.ended_at for row in talks):
                return entries, talks
            assert time.monotonic() < deadline, f"rows of the call are still open: {entries} {talks}"
            await asyncio.sleep(0.05)

    async def _rows(self, number: str) -> tuple[list[QueueEntry], list[TalkRow], bool]:
        async with self.sessions() as session:
            call = await session.scalar(select(CallRow).where(CallRow.caller_number == number))
            if call is None:
                return [], [], False
            entries = select(QueueEntry).where(QueueEntry.call_id == call.call_id)
            talks = select(TalkRow).where(TalkRow.call_id == call.call_id)
            return (
                list(await session.scalars(entries.order_by(QueueEntry.joined_at))),
                list(await session.scalars(talks.order_by(TalkRow.answered_at))),
                call.ended_at is not None,
            )

    async def outcome(self, number: str, queue: str, outcome: str | None, *, visit: int = 1) -> None:
        """Wait until this visit of the caller has that class; None: until it has begun."""
        deadline = time.monotonic() + WITHIN_SECONDS
        while True:
            entries, _, _ = await self._rows(number)
            if any((row.queue, row.visit, row.outcome) == (queue, visit, outcome) for row in entries):
                return
            seen = [(row.queue, row.visit, row.outcome) for row in entries]
            assert time.monotonic() < deadline, f"not {queue} visit {visit} {outcome}: {seen}"
            await asyncio.sleep(0.05)

    async def every_row(self) -> list[QueueEntry]:
        """The whole ledger."""
        async with self.sessions() as session:
            return list(await session.scalars(select(QueueEntry)))

    def from_queue_log(self) -> dict[str, EntryRecord]:
        """The rows a fresh table makes of queue_log alone, as if nobody had listened."""
        site = self.floor.exchange.site
        table = CallTable(site.site.node, Routing.of_site(site), site.figures.short_abandon_seconds)
        rows: dict[str, EntryRecord] = {}
        for line in self.floor.exchange.queue_log():
            fact = parse_line(line)
            if isinstance(fact, AGENTS_ONLY):
                continue
            if fact is not None and (isinstance(fact, NewsOfTheExchange) or fact.queue != "NONE"):
                rows |= table.apply(fact, Source.QUEUE_LOG).entries
        assert not table.illegal, table.illegal
        return rows

    async def check_everything(self) -> None:
        """All that was offered has one class, and queue_log alone tells the same, in whole seconds."""
        live = {row.entry_id: row for row in await self.every_row()}
        told = self.from_queue_log()
        limit_ms = 1000 * self.floor.exchange.site.figures.short_abandon_seconds
        for key, seen in live.items():
            if seen.outcome in ABANDONS and abs(seen.wait_ms - limit_ms) <= 1000:  # whole seconds cannot tell
                assert told[key].outcome in ABANDONS
                seen.outcome = told[key].outcome
        assert {key: (row.outcome, row.agent) for key, row in told.items()} == {
            key: (row.outcome, row.agent) for key, row in live.items()
        }, (told, self.floor.exchange.queue_log())
        for key, row in told.items():
            for one, other in ((row.wait_ms, live[key].wait_ms), (row.talk_ms, live[key].talk_ms)):
                assert abs(one - other) < 1000 + NEAR_MS, (row, live[key])
        lines = [line.split("|") for line in self.floor.exchange.queue_log()]
        offered = Counter((fields[2], fields[5]) for fields in lines if fields[4] == "HOTLINE")
        classed = Counter((row.queue, row.line) for row in live.values() if row.outcome is not None)
        assert classed == offered, "each way into a queue, by queue and line, has one row with one class"
        assert not self.room.table.illegal, self.room.table.illegal
        assert self.room.faults == 0


@asynccontextmanager
async def open_books(floor: Floor, folder: Path) -> AsyncIterator[Books]:
    """The queue room, listening to the floor's Asterisk and writing into a database of its own."""
    engine = open_engine(f"sqlite+aiosqlite:///{folder}/books.db")
    await upgrade(engine)
    sessions = sessions_of(engine)
    site = floor.exchange.site
    bus = MemoryBus()
    room = QueueRoom(site, floor.ami, bus, Ledger(sessions), SystemClock(), queue_log_of(site))
    await room.restore()
    listening = asyncio.create_task(_link_up(bus))
    await asyncio.sleep(0)  # it is subscribed
    task = asyncio.create_task(room.run())
    lag = asyncio.create_task(Lag.measure())
    try:
        await listening
        yield Books(floor, room, sessions)
    finally:
        task.cancel()
        lag.cancel()
        await asyncio.wait({task, lag})
        await engine.dispose()


async def _link_up(bus: MemoryBus) -> None:
    """Wait until the room listens to Asterisk."""
    with bus.subscribe("books") as feed:
        async with asyncio.timeout(WITHIN_SECONDS):
            async for envelope in feed:
                if isinstance(envelope.event, LinkChanged) and envelope.event.up:
                    return
