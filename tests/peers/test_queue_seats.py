"""The agents at work against a scripted manager: what is asked of the exchange, and in which order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hotline.config.schema import Agent, Line, Queue, Site
from hotline.core.bus import MemoryBus
from hotline.core.clock import SystemClock
from hotline.core.events import AgentState, WrapUpEnded
from hotline.queue.agents.changes import Membership
from hotline.queue.agents.desk import Desk
from hotline.queue.exchange import Exchange
from hotline.store.database import open_engine, sessions_of
from hotline.store.ledger import Ledger
from hotline.telephony.ami import events as ami
from hotline.telephony.ami.answers import AmiResponse
from hotline.telephony.ami.errors import AmiTimeout
from hotline.telephony.ami.feed import AmiFeed
from tests.fixtures.migrated import upgrade

QUEUE, AGENT = "12345", "1001"
SITE = Site(
    lines=(Line(id=QUEUE, name="热线", dids=(QUEUE,)),),
    queues=(Queue(name=QUEUE, title="综合", wrap_up_seconds=60),),
    agents=(Agent(id=AGENT, name="张", extension=AGENT, skills={QUEUE: 1}),),
)


@dataclass
class Pbx:
    """An Asterisk that carries out QueuePause, at once or when the test lets it, or not at all."""

    exchange: Exchange | None = None
    asked: list[str] = field(default_factory=list)
    dead: bool = False
    free: asyncio.Event = field(default_factory=asyncio.Event)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def action(self, name: str, fields: Mapping[str, str | Sequence[str]]) -> AmiResponse:
        if name == "QueuePause":
            reason = str(fields.get("Reason", "")) if fields["Paused"] == "true" else None
            self.asked.append(reason.partition(" ")[0] if reason is not None else "resume")
            self.changed.set()
            await self.free.wait()
            if self.dead:
                raise AmiTimeout(name, 5)
            self.member(reason)
        return AmiResponse("Success", "", {})

    def member(self, reason: str | None) -> None:
        """What the exchange says of the agent."""
        assert self.exchange is not None
        seats = self.exchange.seats
        seats.tell(seats.table.member(AGENT, datetime.now(UTC), Membership(QUEUE, reason, True)))

    def talk(self) -> None:
        """A talk that ends now."""
        assert self.exchange is not None
        seats, now = self.exchange.seats, datetime.now(UTC)
        seats.tell(seats.table.answered(AGENT, now, call_id="c", leg="l", queue=QUEUE, entry_id="e:12345:1"))
        seats.tell(seats.table.completed(AGENT, now, QUEUE, None))

    async def asked_for(self, *wanted: str) -> None:
        """Wait until just this has been asked."""
        async with asyncio.timeout(5):
            while self.asked != list(wanted):
                self.changed.clear()
                await self.changed.wait()

    def feed(self, limit: int = 1000) -> AmiFeed:
        return AmiFeed(1000, lambda: None, lambda feed: None)

    def reconnect(self, reason: str) -> None: ...

    async def queue_status(self) -> tuple[ami.QueueSnapshot, ...]:
        return ()

    async def core_show_channels(self) -> tuple[ami.CoreShowChannel, ...]:
        return ()


@dataclass
class Room:
    """Desk, table, bus and exchange of one agent who is ready."""

    pbx: Pbx
    desk: Desk
    bus: MemoryBus
    exchange: Exchange

    @property
    def state(self) -> AgentState:
        return self.exchange.agents.view(AGENT).state


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    engine = open_engine(f"sqlite+aiosqlite:///{tmp_path}/hotline.db")
    await upgrade(engine)
    pbx, bus, clock = Pbx(), MemoryBus(), SystemClock()
    pbx.free.set()
    exchange = pbx.exchange = Exchange(SITE, pbx, bus, Ledger(sessions_of(engine)), clock, None)
    await exchange.restore()
    pbx.member(None)
    task = asyncio.create_task(exchange.run())
    yield Room(pbx, Desk(SITE, pbx, exchange, clock), bus, exchange)
    task.cancel()
    await asyncio.wait({task})
    await engine.dispose()


async def test_a_talks_end_pauses_the_agent_and_its_early_end_resumes(room: Room) -> None:
    """One order each way; the row that was wrapped up is told."""
    room.pbx.talk()
    await room.pbx.asked_for("wrap-up")
    view = await room.desk.end_wrap_up(AGENT)
    assert (view.state, room.pbx.asked) == (AgentState.READY, ["wrap-up", "resume"])
    ended = [one.event for one in room.bus.since(0) or [] if isinstance(one.event, WrapUpEnded)]
    assert [one.entry_id for one in ended] == ["e:12345:1"]


async def test_a_break_asked_for_while_the_wrap_ups_pause_is_on_its_way_is_not_lost(room: Room) -> None:
    """The order that was first is carried out first; the break holds afterwards, and is not resumed over."""
    room.pbx.free.clear()
    room.pbx.talk()
    await room.pbx.asked_for("wrap-up")
    asking = asyncio.create_task(room.desk.pause(AGENT, "小休"))
    room.pbx.free.set()
    view = await asking
    assert (view.state, view.pending_reason) == (AgentState.WRAP_UP, "小休")
    view = await room.desk.end_wrap_up(AGENT)
    assert (view.state, view.reason) == (AgentState.PAUSED, "小休")
    assert room.pbx.asked == ["wrap-up", "小休"]


async def test_a_wrap_up_that_begins_while_a_break_is_on_its_way_leaves_the_break_in_force(
    room: Room,
) -> None:
    """The talk ends between the agent's wish and its effect: the wish holds, the order is dropped."""
    room.pbx.free.clear()
    asking = asyncio.create_task(room.desk.pause(AGENT, "用餐"))
    await room.pbx.asked_for("用餐")
    room.pbx.talk()
    room.pbx.free.set()
    view = await asking
    assert (view.state, view.pending_reason) == (AgentState.WRAP_UP, "用餐")
    await room.desk.end_wrap_up(AGENT)
    assert room.state is AgentState.PAUSED and room.pbx.asked == ["用餐"]


async def test_an_order_that_failed_is_asked_for_again(room: Room) -> None:
    """No answer: the failure is counted, the wrap-up goes on and its pause is asked for anew."""
    room.pbx.dead = True
    room.pbx.talk()
    await room.pbx.asked_for("wrap-up")
    assert room.state is AgentState.WRAP_UP
    async with asyncio.timeout(10):
        while len(room.pbx.asked) < 2:  # five seconds later
            room.pbx.changed.clear()
            await room.pbx.changed.wait()
    assert room.pbx.asked == ["wrap-up", "wrap-up"] and room.exchange.seats.failed_orders >= 1
