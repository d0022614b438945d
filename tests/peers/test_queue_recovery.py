"""What a starting server makes of queue_log and of its own rows, against a scripted manager."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from hotline.config.schema import Site
from hotline.core.bus import MemoryBus
from hotline.core.events import CallAnswered, CallEnded, EntryClosed, LinkChanged
from hotline.queue.queue_log import following
from hotline.store.database import sessions_of
from hotline.store.ledger import CallRecord, Changes, EntryRecord, Ledger, TailRecord, tail_of
from hotline.store.models import Call, QueueEntry
from hotline.telephony.ami import events as ami
from tests.peers.test_queue_drift import caller, member, queue
from tests.peers.test_queue_exchange import (
    AGENT_UID,
    CONNECTED,
    NOW,
    UID,
    ScriptedManager,
    arrival,
    channel,
    engine,
    rows,
    running,
    site,
    talk,
    until,
)

__all__ = ["engine", "site"]

EPOCH = int(NOW.timestamp())
LONG_AGO = NOW - timedelta(hours=5, microseconds=123_000)


def lines(uniqueid: str, since: int, *, ended: bool = True, agent: str = "1003") -> str:
    """A call that was answered after three seconds and lasted thirty, as queue_log has it."""
    told = (
        f"{since}|{uniqueid}|12315|NONE|HOTLINE|12315|12315|{uniqueid}|\n"
        f"{since}|{uniqueid}|12315|NONE|ENTERQUEUE||13800001234|1\n"
        f"{since + 3}|{uniqueid}|12315|{agent}|CONNECT|3|{uniqueid}-agent|3\n"
    )
    return told + (f"{since + 33}|{uniqueid}|12315|{agent}|COMPLETECALLER|3|30|1\n" if ended else "")


def call_of_the_past(uniqueid: str = "demo-1600000000.1", visit: int = 1) -> tuple[CallRecord, EntryRecord]:
    """What a live server wrote of such a call five hours ago."""
    call = CallRecord(
        uniqueid, "demo", "12315", "12315", "13800001234", "李四", LONG_AGO,
        LONG_AGO + timedelta(seconds=33.4), "商品和服务", "queued", 4_250,
    )  # fmt: skip
    entry = EntryRecord(
        f"{uniqueid}:12315:{visit}", "demo", uniqueid, "12315", visit, uniqueid, "12315", "live", LONG_AGO, 1,
        LONG_AGO + timedelta(seconds=3.25), LONG_AGO + timedelta(seconds=33.375), "answered", "1003",
        3_250, 3_050, 30_125, 4_500, 61_000, 0, "", "caller",
    )  # fmt: skip
    return call, entry


async def call_row(engine: AsyncEngine, call_id: str) -> Call:
    async with sessions_of(engine)() as session:
        return (await session.scalars(select(Call).where(Call.call_id == call_id))).one()


def told_of(bus: MemoryBus) -> list[str]:
    """The kinds of events on the bus that are about calls."""
    events = [envelope.event for envelope in bus.since(0) or []]
    return [type(event).__name__ for event in events if not isinstance(event, LinkChanged)]


async def start_and_stop(
    site: Site, engine: AsyncEngine, queue_log: Path | None, manager: ScriptedManager | None = None
) -> MemoryBus:
    """A server that is started, compares its picture and is stopped."""
    manager, bus = manager or ScriptedManager(), MemoryBus()
    async with running(site, engine, manager, bus, queue_log) as exchange:
        manager.say(CONNECTED)
        await until(bus, LinkChanged)
        await exchange.writer.settled()
    return bus


def records(found: list[QueueEntry]) -> list[EntryRecord]:
    names = EntryRecord.__slots__
    return [EntryRecord(**{name: getattr(row, name) for name in names}) for row in found]


async def test_a_replay_of_forgotten_calls_changes_no_row_and_tells_nobody(
    site: Site, engine: AsyncEngine, tmp_path: Path
) -> None:
    """The position was lost and the file is another by all signs: milliseconds, hold and name stay."""
    log = tmp_path / "queue_log"
    call, entry = call_of_the_past()
    log.write_text(lines(call.call_id, int(LONG_AGO.timestamp())))
    tail = TailRecord(tail_of("demo"), 1, 500_000, "1024:of another file")
    await Ledger(sessions_of(engine)).save(Changes([call], [entry], tail=tail))
    newest = replace(entry, entry_id="demo-2.1:12345:1", uniqueid="demo-2.1", call_id="demo-2.1")
    newest = replace(newest, joined_at=NOW, closed_at=NOW)
    newest_call = replace(call, call_id="demo-2.1", started_at=NOW, ended_at=NOW)
    await Ledger(sessions_of(engine)).save(Changes([newest_call], [newest]))
    bus = await start_and_stop(site, engine, log)
    assert sorted(records(await rows(engine)), key=lambda row: row.joined_at) == [entry, newest]
    row = await call_row(engine, call.call_id)
    assert (row.ended_at, row.caller_name, row.menu_ms) == (call.ended_at, "李四", 4_250)
    assert told_of(bus) == []


async def test_the_first_start_leaves_the_past_to_the_import(
    site: Site, engine: AsyncEngine, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """What an Asterisk wrote before this server ever ran is not taken in, and the log says how to."""
    log = tmp_path / "queue_log"
    log.write_text(lines("1600000000.1", EPOCH - 9_000) + "half a li")
    with caplog.at_level("INFO"):
        await start_and_stop(site, engine, log)
    assert await rows(engine) == []
    assert f"hotline queue-log import {log}" in caplog.text
    with log.open("a") as file:
        file.write("ne\n" + lines("demo-1700000000.9", EPOCH - 60))
    await start_and_stop(site, engine, log)
    assert [row.uniqueid for row in await rows(engine)] == ["demo-1700000000.9"]


@pytest.mark.parametrize("moved", [shutil.copyfile, shutil.move])
async def test_a_file_at_another_place_is_read_on_where_it_was(
    site: Site, engine: AsyncEngine, tmp_path: Path, moved: Callable[[Path, Path], object]
) -> None:
    """data_dir was moved, or restored from a copy: what was written meanwhile comes in, nothing else."""
    old, new = tmp_path / "queue_log", tmp_path / "elsewhere"
    old.write_text(lines("demo-1.1", EPOCH - 9_000))
    await start_and_stop(site, engine, old)
    moved(old, new)
    with new.open("a") as file:
        file.write(lines("demo-1700000000.9", EPOCH - 60))
    await start_and_stop(site, engine, new)
    assert [(row.uniqueid, row.talk_ms) for row in await rows(engine)] == [("demo-1700000000.9", 30_000)]


async def test_a_queue_log_that_may_not_be_read_yet_stops_no_start(
    site: Site, engine: AsyncEngine, tmp_path: Path
) -> None:
    """Its rights are set later: then the news is read, not the past."""
    log = tmp_path / "queue_log"
    log.mkdir()
    await start_and_stop(site, engine, log)
    log.rmdir()
    now = int(datetime.now(UTC).timestamp())  # the start said when it was, and news is what came after
    log.write_text(lines("demo-1.1", now - 9_000) + lines("demo-1700000000.9", now - 60))
    await start_and_stop(site, engine, log)
    assert [row.uniqueid for row in await rows(engine)] == ["demo-1700000000.9"]


async def test_of_an_unknown_file_only_news_is_read(site: Site, engine: AsyncEngine, tmp_path: Path) -> None:
    """The followed file is gone for good: of the next one what is younger than what was heard last."""
    log = tmp_path / "queue_log"
    heard_at = NOW - timedelta(hours=1)
    tail = TailRecord(tail_of("demo"), 1, 500_000, "1024:of another file", heard_at)
    await Ledger(sessions_of(engine)).save(Changes(tail=tail))
    log.write_text(lines("old-1.1", EPOCH - 7_200) * 5_000 + lines("demo-1700000000.9", EPOCH - 1_800))
    await start_and_stop(site, engine, log)
    assert [row.uniqueid for row in await rows(engine)] == ["demo-1700000000.9"]


class Busy(ScriptedManager):
    """An exchange in which, just after its channels were listed, something happens."""

    def __init__(self, happens: Callable[[], None]) -> None:
        super().__init__()
        self._happens = happens

    async def core_show_channels(self) -> tuple[ami.CoreShowChannel, ...]:
        listed = self.channels
        self._happens()
        return listed


async def test_a_call_that_comes_while_the_exchange_is_asked_stays_on_the_board(
    site: Site, engine: AsyncEngine, tmp_path: Path
) -> None:
    """Born after the list of channels and before queue_log was read: it is not given up, it is talked on."""
    log = tmp_path / "queue_log"
    log.touch()
    await start_and_stop(site, engine, log)
    asked: list[int] = []

    def happen() -> None:
        number = len(asked)
        asked.append(number)
        with log.open("a") as file:
            file.write(lines(f"demo-1700000000.{number}", EPOCH - 4, ended=False))

    manager, bus = Busy(happen), MemoryBus()
    async with running(site, engine, manager, bus, log) as exchange:
        manager.say(CONNECTED)
        await until(bus, LinkChanged)
        live = {call.call_id: call.agent for call in exchange.live().calls}
        assert live[f"demo-1700000000.{asked[-1]}"] == "1003"
        await exchange.writer.settled()
    newest = next(row for row in await rows(engine) if row.uniqueid == f"demo-1700000000.{asked[-1]}")
    assert (newest.outcome, newest.closed_at) == ("answered", None)


async def test_calls_of_an_absence_end_with_their_rows_and_nobody_is_told(
    site: Site, engine: AsyncEngine, tmp_path: Path
) -> None:
    """Whole calls while the server was away: answered as queue_log says, ended then, no news to anybody."""
    log = tmp_path / "queue_log"
    log.touch()
    await start_and_stop(site, engine, log)
    with log.open("a") as file:
        for number in range(3):
            file.write(lines(f"demo-1700000000.{number}", EPOCH - 600 + number * 60))
    bus = await start_and_stop(site, engine, log)
    assert told_of(bus) == []
    assert [(row.outcome, row.talk_ms) for row in await rows(engine)] == [("answered", 30_000)] * 3
    for number in range(3):
        row = await call_row(engine, f"demo-1700000000.{number}")
        assert row.ended_at is not None
        assert row.ended_at.timestamp() == EPOCH - 600 + number * 60 + 33


async def test_torn_lines_are_counted_and_cost_no_other(
    site: Site, engine: AsyncEngine, tmp_path: Path
) -> None:
    """A disk was full in the middle of a line, the next is glued to it: what it says cannot be."""
    log = tmp_path / "queue_log"
    log.touch()
    await start_and_stop(site, engine, log)
    first, second = (lines(f"demo-1700000000.{number}", EPOCH - 60) for number in (1, 2))
    with log.open("a") as file:
        file.write(first + f"{EPOCH}|demo-1700000000.2|12315|1003|COMPLETECALLER|3|3{EPOCH}|1\n")
        file.write(f"{EPOCH}{EPOCH}|demo-1700000000.2|12315|NONE|ENTERQUEUE||1|1\n")
        file.write(f"{EPOCH}|demo-1700000000.2|12315|{'1003' * 40}|RINGNOANSWER|1000\n" + second)
    manager, bus = ScriptedManager(), MemoryBus()
    async with running(site, engine, manager, bus, log) as exchange:
        manager.say(CONNECTED)
        await until(bus, LinkChanged)
        await exchange.writer.settled()
        assert exchange.queue_log.malformed == 3
    assert [(row.outcome, row.talk_ms) for row in await rows(engine)] == [("answered", 30_000)] * 2


async def test_who_waits_again_after_a_restart_gets_a_row_of_their_own(
    site: Site, engine: AsyncEngine, tmp_path: Path
) -> None:
    """A long call whose first wait ended hours ago comes back into the same queue: both rows stand."""
    call, entry = call_of_the_past(UID)
    ledger = Ledger(sessions_of(engine))
    await ledger.save(Changes([replace(call, ended_at=None)], [entry]))
    newest = replace(entry, entry_id="demo-2.1:12345:1", uniqueid="demo-2.1", call_id="demo-2.1")
    await ledger.save(Changes([], [replace(newest, queue="12345", joined_at=NOW, closed_at=NOW)]))
    manager, bus = ScriptedManager(), MemoryBus()
    manager.channels = (channel(),)
    async with running(site, engine, manager, bus) as exchange:
        manager.say(CONNECTED, *arrival(), *talk())
        await until(bus, LinkChanged)
        manager.channels = ()
        manager.say(ami.AmiLost(at=NOW, epoch=1, reason="cut"), replace(CONNECTED, epoch=2))
        await until(bus, CallEnded)
        await exchange.writer.settled()
    own = sorted((row for row in await rows(engine) if row.uniqueid == UID), key=lambda row: row.visit)
    assert records(own)[0] == entry
    assert [(row.visit, row.agent) for row in own] == [(1, "1003"), (2, "1003")]


async def test_calls_left_ringing_while_the_server_was_away_pause_the_agent(
    site: Site, engine: AsyncEngine, tmp_path: Path
) -> None:
    """Three in a row are too many; a colleague left three too, but answered a call between them."""
    log = tmp_path / "queue_log"
    log.touch()
    await start_and_stop(site, engine, log)
    rings = "".join(
        f"{EPOCH - 50 + 10 * number}|{UID}|12315|{agent}|RINGNOANSWER|5000\n"
        for number, agent in enumerate(("1003", "1002", "1003", "1003"))
    )
    with log.open("a") as file:
        file.write(f"{EPOCH - 60}|{UID}|12315|NONE|ENTERQUEUE||13800001234|1\n{rings}")
        file.write(lines("demo-1700000000.5", EPOCH - 9, agent="1002"))
        for number in range(2):
            file.write(f"{EPOCH - 5 + number}|{UID}|12315|1002|RINGNOANSWER|500\n")
    manager, bus = ScriptedManager(), MemoryBus()
    manager.channels = (channel(),)
    manager.queues = (queue(caller(), members=(member(),)),)
    async with running(site, engine, manager, bus, log):
        manager.say(CONNECTED)
        await asyncio.wait_for(manager.acted.wait(), 5)
        await until(bus, LinkChanged)
    paused = [fields["Interface"] for name, fields in manager.actions if name == "QueuePause"]
    assert paused == ["PJSIP/1003"]


async def test_after_a_power_cut_a_talk_ends_when_the_exchange_was_heard_last(
    site: Site, engine: AsyncEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The machine comes up ten hours later: the talk did not last the night, nor did the call."""
    log = tmp_path / "queue_log"
    log.touch()
    manager, bus = ScriptedManager(), MemoryBus()
    manager.channels = (channel(), channel(AGENT_UID))
    monkeypatch.setattr(following, "HEARD_EVERY", timedelta(milliseconds=1))
    async with running(site, engine, manager, bus, log):
        manager.say(CONNECTED, *arrival(), *talk())
        await until(bus, CallAnswered)
        heard = await asyncio.wait_for(heard_since(engine, datetime.now(UTC)), 10)
    log.write_text(f"{EPOCH + 36_000}|NONE|NONE|NONE|QUEUESTART|\n")
    manager, bus = ScriptedManager(), MemoryBus()
    async with running(site, engine, manager, bus, log) as exchange:
        manager.say(CONNECTED)
        await until(bus, EntryClosed)
        await exchange.writer.settled()
    (row,) = await rows(engine)
    ended = (await call_row(engine, UID)).ended_at
    assert ended is not None and row.closed_at is not None
    assert heard <= row.closed_at == ended < heard + timedelta(seconds=30)


async def heard_since(engine: AsyncEngine, start: datetime) -> datetime:
    """When the exchange was heard last, once that is written down anew."""
    while True:
        tail = await Ledger(sessions_of(engine)).tail(tail_of("demo"))
        if tail is not None and tail.heard_at is not None and tail.heard_at > start:
            return tail.heard_at
        await asyncio.sleep(0.05)
