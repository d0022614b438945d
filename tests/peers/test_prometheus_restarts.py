"""Counters over replays, lost links, kills and restarts: together they say what the ledger says."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from prometheus_client import CollectorRegistry
from sqlalchemy.ext.asyncio import AsyncEngine

from hotline.config.schema import Site
from hotline.core.bus import MemoryBus
from hotline.core.events import CallAnswered, EntryClosed, LinkChanged
from hotline.metrics.prometheus_rows import Names, RowCounts
from hotline.queue.exchange import Exchange
from hotline.queue.writer import LedgerWriter
from hotline.store.database import sessions_of
from hotline.store.ledger import EntryRecord, Ledger, RowMoment, SurveyRecord
from hotline.telephony.ami import events as ami
from tests.fixtures.store_checks import entry_record
from tests.peers.test_queue_exchange import (
    AGENT_UID,
    CONNECTED,
    NOW,
    UID,
    ClockOfTheEvents,
    ScriptedManager,
    arrival,
    channel,
    engine,
    goodbye,
    rows,
    running,
    site,
    talk,
    until,
)

__all__ = ["engine", "site"]

EPOCH = int(NOW.timestamp())
AWAY = "demo-1700000000.7"
QUEUE_LOG = (
    f"{EPOCH + 6}|{UID}|12315|NONE|HOTLINE|12315|12315|{UID}|consumer.1\n"
    f"{EPOCH + 6}|{UID}|12315|NONE|ENTERQUEUE||13800001234|1\n"
    f"{EPOCH + 9}|{UID}|12315|1003|CONNECT|3|{AGENT_UID}|3\n"
    f"{EPOCH + 20}|{AWAY}|12333|NONE|HOTLINE|12333|12333|{AWAY}|\n"
    f"{EPOCH + 20}|{AWAY}|12333|NONE|ENTERQUEUE||13800001234|1\n"
    f"{EPOCH + 39}|{UID}|12315|1003|COMPLETECALLER|3|30|1\n"
    f"{EPOCH + 50}|{AWAY}|12333|NONE|ABANDON|1|1|30\n"
)
"""Answered while the server ran, over after it was killed; and a caller of whom it never heard live."""


class Counted:
    """What each run of the server counted."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self.runs: list[CollectorRegistry] = []

    def by(self, exchange: Exchange) -> None:
        """A run has begun."""
        registry = CollectorRegistry()
        exchange.writer.known = RowCounts(self._site, Names.of_site(self._site), registry).count
        self.runs.append(registry)

    def total(self, name: str, *labels: str) -> Counter[tuple[str, ...]]:
        """The sum over the runs, by these labels; zeros are left out."""
        found: Counter[tuple[str, ...]] = Counter()
        for registry in self.runs:
            for family in registry.collect():
                for sample in family.samples:
                    if sample.name == f"hotline_{name}" and sample.value:
                        found[tuple(sample.labels[label] for label in labels)] += int(sample.value)
        return found


async def check_counts_are_the_rows(counted: Counted, engine: AsyncEngine) -> None:
    """Every counter that the rows can be asked for, too."""
    ledger = [row for row in await rows(engine) if not row.enquiry]
    closed = Counter(
        (row.line, row.queue, str(row.outcome), row.source) for row in ledger if row.closed_at is not None
    )
    assert counted.total("entries_closed_total", "line", "queue", "outcome", "source") == closed
    assert counted.total("offered_total", "line") == Counter((row.line,) for row in ledger)
    answered = [row for row in ledger if row.outcome == "answered"]
    assert counted.total("answered_total", "line") == Counter((row.line,) for row in answered)
    over = [row for row in ledger if row.outcome is not None]
    assert counted.total("answer_rate_base_total", "line") == Counter((row.line,) for row in over)
    waits = Counter((row.line, str(row.outcome)) for row in over)
    assert counted.total("wait_seconds_count", "line", "outcome") == waits


async def test_a_lost_link_a_kill_and_a_replay_count_nothing_twice_and_lose_nothing(
    site: Site, engine: AsyncEngine, tmp_path: Path
) -> None:
    """Live up to the answer, the rest from queue_log by the next run, all of it told again to the third."""
    log, counted = tmp_path / "queue_log", Counted(site)
    log.touch()
    manager, bus = ScriptedManager(), MemoryBus()
    manager.channels = (channel(UID), channel(AGENT_UID))
    async with running(site, engine, manager, bus, log, ClockOfTheEvents()) as exchange:
        counted.by(exchange)
        manager.say(CONNECTED, *arrival(), *talk())
        await until(bus, CallAnswered)
        cut = ami.AmiLost(at=NOW, epoch=1, reason="cut")
        with bus.subscribe("again") as feed:
            manager.say(cut, replace(CONNECTED, epoch=2), *arrival(), *talk())
            async with asyncio.timeout(5):
                async for envelope in feed:
                    if isinstance(envelope.event, CallAnswered):
                        break  # told anew, for who hears the call
        await exchange.writer.settled()
        await check_counts_are_the_rows(counted, engine)
        assert counted.total("answered_total", "line") == {("12315",): 1}
    log.write_text(QUEUE_LOG)
    for _ in range(2):
        await run_once(site, engine, log, counted)
        assert counted.total("entries_closed_total", "line", "outcome", "source") == {
            ("12315", "answered", "queue_log"): 1, ("12333", "abandoned", "queue_log"): 1
        }  # fmt: skip
        await check_counts_are_the_rows(counted, engine)
        log.rename(tmp_path / "before")  # the position is lost with the file: all of it is read again
        log.write_text("".join(f"{line}\n" for line in ("# another file", *QUEUE_LOG.splitlines())))


async def run_once(site: Site, engine: AsyncEngine, log: Path, counted: Counted) -> None:
    """A server starts, compares its picture and is stopped."""
    manager, bus = ScriptedManager(), MemoryBus()
    async with running(site, engine, manager, bus, log, ClockOfTheEvents()) as exchange:
        counted.by(exchange)
        manager.say(CONNECTED)
        await until(bus, LinkChanged)
        await exchange.writer.settled()


async def test_what_is_not_in_the_database_is_not_counted_yet(
    site: Site, engine: AsyncEngine, tmp_path: Path
) -> None:
    """The database is held while a call comes and goes, and the server is killed: its queue_log counts it."""
    counted = Counted(site)
    manager, bus = ScriptedManager(), MemoryBus()
    async with engine.connect() as holder:
        exchange = Exchange(site, manager, bus, Ledger(sessions_of(engine)), ClockOfTheEvents(), None)
        counted.by(exchange)
        await exchange.restore()
        await holder.exec_driver_sql("BEGIN IMMEDIATE")
        manager.say(CONNECTED, *arrival(), *talk(), *goodbye())
        listening = asyncio.create_task(exchange._listen())  # without its writer, as if the disk stood still
        await until(bus, EntryClosed)
        listening.cancel()
        await asyncio.wait({listening})
        assert exchange.writer.waiting and counted.total("offered_total") == {}
        await holder.rollback()
    log = tmp_path / "queue_log"
    log.touch()
    await run_once(site, engine, log, counted)
    log.write_text(QUEUE_LOG)
    await run_once(site, engine, log, counted)
    assert counted.total("offered_total", "line", "source") == {
        ("12315", "queue_log"): 1, ("12333", "queue_log"): 1
    }  # fmt: skip
    await check_counts_are_the_rows(counted, engine)


class Failing(Ledger):
    """A database that refuses the first saves."""

    failures = 2

    async def save(self, changes: object) -> None:
        if self.failures:
            self.failures -= 1
            raise OSError("away")
        await super().save(changes)  # type: ignore[arg-type]


async def test_a_moment_is_told_once_when_its_row_is_saved(
    engine: AsyncEngine,
) -> None:
    """With the row as it was saved; a later change of the row tells only what is new."""
    writer = LedgerWriter(Failing(sessions_of(engine)))
    told: list[tuple[RowMoment, EntryRecord]] = []
    writer.known = lambda moment, row: told.append((moment, row))
    first = entry_record(1, outcome=None, closed_at=None)
    last = replace(first, outcome="abandoned", closed_at=first.joined_at + timedelta(seconds=9))
    writer.put(entries={first.entry_id: first}, moments=[(RowMoment.OFFERED, first.entry_id)])
    task = asyncio.create_task(writer.run())
    await asyncio.wait_for(writer.settled(), 20)
    assert told == [(RowMoment.OFFERED, first)] and writer.failures == 2
    writer.put(entries={last.entry_id: last}, moments=[(RowMoment.CLOSED, last.entry_id)])
    await asyncio.wait_for(writer.settled(), 20)
    writer.put(entries={last.entry_id: replace(last, ended_by="queue")})
    await asyncio.wait_for(writer.settled(), 20)
    writer.close()
    await asyncio.wait_for(task, 20)
    assert told == [(RowMoment.OFFERED, first), (RowMoment.CLOSED, last)]


async def test_rows_that_memory_had_no_room_for_are_not_counted(engine: AsyncEngine) -> None:
    """The next start brings them back from queue_log, and counts them then."""
    writer = LedgerWriter(Ledger(sessions_of(engine)), limit=3)
    told: list[str] = []
    writer.known = lambda _, row: told.append(row.entry_id)
    all_rows = {row.entry_id: row for row in (entry_record(number) for number in range(5))}
    writer.put(entries=all_rows, moments=[(RowMoment.OFFERED, one) for one in all_rows])
    task = asyncio.create_task(writer.run())
    await asyncio.wait_for(writer.settled(), 20)
    writer.close()
    await asyncio.wait_for(task, 20)
    assert told == list(all_rows)[-3:]


async def test_a_survey_is_counted_once_it_is_saved(site: Site, engine: AsyncEngine) -> None:
    """By the key that was pressed, or why none was; a save that fails counts nothing."""
    writer = LedgerWriter(Failing(sessions_of(engine)))
    registry = CollectorRegistry()
    writer.surveyed = RowCounts(site, Names.of_site(site), registry).count_survey
    said = [
        SurveyRecord(f"c{number}", "n", "12315", "12315", "", "", "1003", NOW, outcome, answer, "live")
        for number, (outcome, answer) in enumerate([("answered", 5), ("answered", 5), ("hung_up", None)])
    ]
    writer.put(surveys={row.call_id: row for row in said})
    task = asyncio.create_task(writer.run())
    await asyncio.wait_for(writer.settled(), 20)
    writer.close()
    await asyncio.wait_for(task, 20)
    assert writer.failures == 2
    labels = {"line": "12315", "queue": "12315", "source": "live"}
    counted = [
        registry.get_sample_value("hotline_surveys_total", {**labels, "answer": one})
        for one in ("5", "1", "hung_up")
    ]
    assert counted == [2, 0, 1]
