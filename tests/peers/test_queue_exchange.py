"""The queue room against a scripted manager and a real SQLite database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from hotline.config.loading import load_site
from hotline.config.samples import path as sample
from hotline.config.schema import Site
from hotline.core.bus import MemoryBus
from hotline.core.clock import ManualClock, SystemClock
from hotline.core.events import (
    AgentAutoPaused,
    AgentNoAnswer,
    AgentState,
    CallAnswered,
    CallEnded,
    CallerQueued,
    EntryClosed,
)
from hotline.metrics.figures import LedgerFigures
from hotline.queue.exchange import Exchange
from hotline.store.database import open_engine, sessions_of
from hotline.store.ledger import Ledger
from hotline.store.models import QueueEntry
from hotline.telephony.ami import events as ami
from hotline.telephony.ami.answers import AmiResponse
from hotline.telephony.ami.errors import AmiTimeout
from hotline.telephony.ami.feed import AmiFeed
from tests.fixtures.migrated import upgrade

UID, AGENT_UID = "demo-1700000000.1", "demo-1700000000.2"
NOW = datetime.now(UTC).replace(microsecond=0)


class ClockOfTheEvents(SystemClock):
    """The system's, set back to the first event: a suite may come to these tests minutes after the import."""

    def __init__(self) -> None:
        self._behind = super().now() - NOW

    def now(self) -> datetime:
        return super().now() - self._behind


class ScriptedManager:
    """Hands out news as the test says, and answers what it is told to."""

    def __init__(self) -> None:
        self._feed = AmiFeed(1000, lambda: None, lambda feed: None)
        self.queues: tuple[ami.QueueSnapshot, ...] = ()
        self.channels: tuple[ami.CoreShowChannel, ...] = ()
        self.silent = False
        self.reconnects = 0
        self.actions: list[tuple[str, dict[str, object]]] = []
        self.acted = asyncio.Event()

    def feed(self, limit: int = 1000) -> AmiFeed:
        return self._feed

    def say(self, *news: ami.AmiNews) -> None:
        for item in news:
            self._feed.put(item)

    def reconnect(self, reason: str) -> None:
        self.reconnects += 1

    async def action(self, name: str, fields: Mapping[str, str | Sequence[str]]) -> AmiResponse:
        self.actions.append((name, dict(fields)))
        self.acted.set()
        return AmiResponse("Success", "", {})

    async def queue_status(self) -> tuple[ami.QueueSnapshot, ...]:
        if self.silent:
            raise AmiTimeout("QueueStatus", 5)
        return self.queues

    async def core_show_channels(self) -> tuple[ami.CoreShowChannel, ...]:
        return self.channels


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    made = open_engine(f"sqlite+aiosqlite:///{tmp_path}/hotline.db")
    await upgrade(made)
    yield made
    await made.dispose()


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return load_site(sample("demo"), {"HOTLINE_DATA_DIR": str(tmp_path)})


@asynccontextmanager
async def running(
    site: Site,
    engine: AsyncEngine,
    manager: ScriptedManager,
    bus: MemoryBus,
    queue_log: Path | None = None,
    clock: SystemClock | None = None,
) -> AsyncIterator[Exchange]:
    """An exchange at work; leaving the block is a clean stop."""
    ledger = Ledger(sessions_of(engine))
    exchange = Exchange(site, manager, bus, ledger, clock or SystemClock(), queue_log)
    await exchange.restore()
    task = asyncio.create_task(exchange.run())
    try:
        yield exchange
    finally:
        task.cancel()
        await asyncio.wait({task})


def on(seconds: float, **more: object) -> dict[str, object]:
    """The common fields of an event on the caller's channel."""
    return {
        "at": NOW + timedelta(seconds=seconds),
        "channel": "PJSIP/trunk-00000001",
        "uniqueid": UID,
        "linkedid": UID,
        "caller_number": "13800001234",
        "caller_name": "李\u2028Event: Shutdown😀",
        "context": "hotline-in",
        "exten": "12315",
        **more,
    }


def channel(uniqueid: str = UID) -> ami.CoreShowChannel:
    """A caller's who waits."""
    fields = on(0, uniqueid=uniqueid)
    return ami.CoreShowChannel(
        **fields, state="Up", application="Queue", application_data="", bridge_id="",  # type: ignore[arg-type]
        duration_seconds=30, connected_number="", connected_name="",
    )  # fmt: skip


def leg(seconds: float, **more: object) -> dict[str, object]:
    return on(
        seconds,
        queue="12315",
        interface="PJSIP/1003",
        member_name="1003",
        agent_channel="PJSIP/1003-00000002",
        agent_uniqueid=AGENT_UID,
        **more,
    )


CONNECTED = ami.AmiConnected(at=NOW, epoch=1, version="11")


def arrival() -> list[ami.AmiNews]:
    fields = {"Line": "12315", "Did": "12315", "Queue": "12315", "Path": "consumer.1", "Spoken": "en"}
    return [
        ami.UserEvent(**on(0), name="HotlineCall", fields=fields),  # type: ignore[arg-type]
        ami.UserEvent(**on(6), name="HotlineQueue", fields=fields),  # type: ignore[arg-type]
        ami.QueueCallerJoin(**on(6), queue="12315", position=1, count=1),  # type: ignore[arg-type]
    ]


def talk() -> list[ami.AmiNews]:
    return [
        ami.AgentCalled(**leg(6.2)),  # type: ignore[arg-type]
        ami.AgentConnect(**leg(9.5), hold_seconds=3, ring_milliseconds=3000),  # type: ignore[arg-type]
    ]


def goodbye() -> list[ami.AmiNews]:
    reason = ami.CompleteReason.CALLER
    return [
        ami.AgentComplete(**leg(39.5), hold_seconds=3, talk_seconds=30, reason=reason),  # type: ignore[arg-type]
        ami.Hangup(**on(39.6), cause=16, cause_text="Normal Clearing"),  # type: ignore[arg-type]
    ]


async def until(bus: MemoryBus, kind: type[object], act: object = None) -> object:
    """The next event of ``kind`` on the bus, within five seconds."""
    async with asyncio.timeout(5):
        for envelope in bus.since(0) or []:
            if isinstance(envelope.event, kind):
                return envelope.event
        with bus.subscribe("test") as feed:
            async for envelope in feed:
                if isinstance(envelope.event, kind):
                    return envelope.event
    raise AssertionError


async def rows(engine: AsyncEngine) -> list[QueueEntry]:
    async with sessions_of(engine)() as session:
        return list(await session.scalars(select(QueueEntry)))


async def test_a_call_lands_in_the_database_and_in_the_figures(site: Site, engine: AsyncEngine) -> None:
    """From the caller's arrival to the hang-up: one row, its milliseconds, and today's rates from it."""
    manager, bus = ScriptedManager(), MemoryBus()
    async with running(site, engine, manager, bus) as exchange:
        manager.say(CONNECTED, *arrival(), *talk())
        await until(bus, CallAnswered)
        (call,) = exchange.live().calls
        assert call.menu_path == ("商品和服务",) and call.agent == "1003"
        assert (
            exchange.agents.view("1003").state is AgentState.SIGNED_OUT
            or exchange.agents.view("1003").call_id
        )
        manager.say(*goodbye())
        await until(bus, CallEnded)
        await exchange.writer.settled()
    (row,) = await rows(engine)
    assert (row.outcome, row.agent, row.wait_ms, row.talk_ms) == ("answered", "1003", 3500, 30_000)
    clock = ManualClock(wall=NOW)
    day = await LedgerFigures(site, sessions_of(engine), clock).today()
    line = next(figures for figures in day.lines if figures.line == "12315")
    assert (line.offered, line.answered, line.answer_rate, line.asa_seconds) == (1, 1, 1.0, 3.5)


async def test_a_restart_in_mid_call_finishes_the_row_from_queue_log(
    site: Site, engine: AsyncEngine, tmp_path: Path
) -> None:
    """The server dies while they talk and comes back after they hung up: the row is whole."""
    log = tmp_path / "queue_log"
    bus = MemoryBus()
    manager = ScriptedManager()
    async with running(site, engine, manager, bus, log, ClockOfTheEvents()) as exchange:
        manager.say(CONNECTED, *arrival(), *talk())
        await until(bus, CallAnswered)
        await exchange.writer.settled()
    epoch = int(NOW.timestamp())
    log.write_text(
        f"{epoch + 6}|{UID}|12315|NONE|HOTLINE|12315|12315|{UID}|consumer.1\n"
        f"{epoch + 6}|{UID}|12315|NONE|ENTERQUEUE||13800001234|1\n"
        f"this is no line\n"
        f"{epoch + 9}|{UID}|12315|1003|CONNECT|3|{AGENT_UID}|3\n"
        f"{epoch + 39}|{UID}|12315|1003|COMPLETECALLER|3|30|1\n"
    )
    second_bus = MemoryBus()
    manager = ScriptedManager()
    async with running(site, engine, manager, second_bus, log, ClockOfTheEvents()) as exchange:
        manager.say(replace(CONNECTED, epoch=1))
        await until(second_bus, EntryClosed)
        await exchange.writer.settled()
        assert exchange.queue_log.malformed == 1
    (row,) = await rows(engine)
    assert (row.outcome, row.talk_ms, row.ended_by, row.source) == ("answered", 30_000, "caller", "queue_log")
    assert row.language == "en", "told before the kill; that log does not say"


async def test_a_ring_in_vain_that_queue_log_told_first_counts_once_for_row_and_agent(
    site: Site, engine: AsyncEngine, tmp_path: Path
) -> None:
    """The server came back while a busy phone was called: its line is read first, then its events come."""
    log = tmp_path / "queue_log"
    log.write_text("")
    bus, manager = MemoryBus(), ScriptedManager()
    async with running(site, engine, manager, bus, log, ClockOfTheEvents()) as exchange:
        manager.say(CONNECTED, *arrival())
        await until(bus, CallerQueued)
        await exchange.writer.settled()
    with log.open("a") as file:
        file.write(f"{int(NOW.timestamp()) + 7}|{UID}|12315|1003|RINGNOANSWER|0\n")
    bus, manager = MemoryBus(), ScriptedManager()
    called = {"agent_uniqueid": f"demo-{int(NOW.timestamp()) + 7}.9"}
    manager.channels = (channel(),)
    strict = tuple(one.model_copy(update={"no_answer_pause_after": 2}) for one in site.queues)
    site = site.model_copy(update={"queues": strict})
    async with running(site, engine, manager, bus, log, ClockOfTheEvents()) as exchange:
        manager.say(CONNECTED)
        manager.say(ami.AgentCalled(**leg(7.6) | called))  # type: ignore[arg-type]
        manager.say(ami.AgentRingNoAnswer(**leg(7.6) | called, ring_milliseconds=0))  # type: ignore[arg-type]
        manager.say(*talk(), *goodbye())
        await until(bus, CallEnded)
        await exchange.writer.settled()
        told = [one.event for one in bus.since(0) or [] if isinstance(one.event, AgentNoAnswer)]
        assert len(told) == 1 and not any(
            isinstance(one.event, AgentAutoPaused) for one in bus.since(0) or []
        )
    (row,) = await rows(engine)
    assert (row.outcome, row.unanswered_rings) == ("answered", 1)


async def test_a_locked_database_delays_rows_and_loses_none(site: Site, engine: AsyncEngine) -> None:
    """While another program holds the database, calls are followed; the rows arrive when it lets go."""
    manager, bus = ScriptedManager(), MemoryBus()
    async with engine.connect() as holder:
        await holder.exec_driver_sql("BEGIN IMMEDIATE")
        async with running(site, engine, manager, bus) as exchange:
            manager.say(CONNECTED, *arrival(), *talk(), *goodbye())
            await until(bus, EntryClosed)
            assert exchange.writer.waiting
            await holder.rollback()
            await asyncio.wait_for(exchange.writer.settled(), 10)
    assert [row.outcome for row in await rows(engine)] == ["answered"]


async def test_an_exchange_that_does_not_tell_its_state_is_asked_on_a_new_connection(
    site: Site, engine: AsyncEngine
) -> None:
    """Until the picture has been compared the link does not count as up."""
    manager, bus = ScriptedManager(), MemoryBus()
    manager.silent = True
    async with running(site, engine, manager, bus) as exchange:
        manager.say(CONNECTED, *arrival())
        await until(bus, CallerQueued)
        assert manager.reconnects == 1 and not exchange.link_up
        manager.silent = False
        manager.say(ami.AmiLost(at=NOW, epoch=1, reason="given up"), replace(CONNECTED, epoch=2))
        await until(bus, CallEnded)  # no channel of that caller is left: the comparison has been made
        await asyncio.sleep(0)
        assert exchange.link_up
