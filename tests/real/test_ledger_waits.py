"""The ledger of waiting: rings in vain, callers who leave or are sent on, Local channels, a dead Asterisk."""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hotline.config.schema import FiguresSection, Line, Queue, QueueKey, Site
from hotline.store.models import QueueEntry
from tests.real.answered_case import TALK_SECONDS, AnsweredCase, answered_by_zhang, was
from tests.real.books import NEAR_MS, Books, Party, ms, near, open_books, take
from tests.real.exchange import StartAsterisk
from tests.real.floor import Floor, open_floor, ringing, site_with_outside

QUEUES = ("12345", "12315", "12333")
RING_SECONDS = 1
MAX_WAIT_SECONDS = 2
KEYS = (QueueKey(key="1", callback=True), QueueKey(key="2", queue="12333"))


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """No menus; phones ring for a second, 12315 overflows to 12333, and 12333 holds its callers."""
    quick = {"ring_seconds": RING_SECONDS, "wrap_up_seconds": 0, "strategy": "linear"}
    limits = {"max_wait_seconds": MAX_WAIT_SECONDS}
    return site_with_outside(tmp_path).model_copy(
        update={
            "lines": tuple(Line(id=did, name="线", number=did, dids=(did,)) for did in QUEUES),
            "queues": tuple(
                Queue(name=name, title=name).model_copy(update=quick | changes)
                for name, changes in (
                    ("12345", {"keys": KEYS}),
                    ("12315", limits | {"max_waiting": 1, "overflow": "12333"}),
                    ("12333", limits),
                )
            ),
            "figures": FiguresSection(short_abandon_seconds=1),
        }
    )


@asynccontextmanager
async def calling(books: Books, number: str, did: str) -> AsyncIterator[Party]:
    """A citizen in the queue of ``did``; the dialplan answers, so the phone knows when the wait began."""
    async with books.floor.caller(number) as phone:
        call = await phone.call(did)
        await call.wait_answered()
        yield await Party.of(call)


def left(entry: QueueEntry, outcome: str, caller: Party) -> None:
    """The wait ended so, and lasted as long as the caller's phone says."""
    assert entry.outcome == outcome and entry.agent is None
    assert near(entry.joined_at, caller.answered_at) and near(entry.closed_at, caller.ended_at)
    assert abs(entry.wait_ms - ms(caller.answered_at, caller.ended_at)) <= 2 * NEAR_MS


async def test_rings_in_vain_and_callers_who_leave(
    start_asterisk: StartAsterisk, site: Site, tmp_path: Path
) -> None:
    """An agent who does not answer, the next who does, and callers who hang up before and while it rings."""
    async with open_floor(start_asterisk, site) as floor, open_books(floor, tmp_path) as books:
        async with asyncio.timeout(60):
            async with calling(books, "1384001", "12345") as caller:
                await books.outcome("1384001", "12345", None)
                await caller.hangup()
            (entry,), talks = await books.closed("1384001")
            left(entry, "short_abandon", caller)
            assert talks == []
            await floor.serve("zhang", "12345")
            async with calling(books, "1384002", "12345") as caller:
                ring = await ringing(floor.phones["zhang"])
                await ring.wait_ended()  # in vain
                await ringing(floor.phones["zhang"])
                await caller.hangup()
            (entry,), _ = await books.closed("1384002")
            left(entry, "abandoned", caller)
            assert entry.unanswered_rings == 1
            await floor.serve("li", "12345")
            async with calling(books, "1384003", "12345") as caller:
                await (await ringing(floor.phones["zhang"])).wait_ended()
                li = await take(floor.phones["li"], ring_seconds=0.3)
                await asyncio.sleep(TALK_SECONDS)
                await li.hangup()
                await caller.ended()
            (entry,), (talk,) = await books.closed("1384003")
            assert (entry.outcome, entry.agent, entry.unanswered_rings) == ("answered", "li", 1)
            assert abs(entry.wait_ms - ms(caller.answered_at, li.answered_at)) <= 2 * NEAR_MS
            assert 300 <= entry.ring_ms <= 300 + 2 * NEAR_MS
            was(talk, "queue", "8002", li.answered_at, li.ended_at)
            await books.check_everything()


async def test_queues_that_send_their_callers_on(
    start_asterisk: StartAsterisk, site: Site, tmp_path: Path
) -> None:
    """Overflow after the longest wait, a full queue, and one without overflow that is entered again."""
    async with open_floor(start_asterisk, site) as floor, open_books(floor, tmp_path) as books:
        async with asyncio.timeout(60):
            async with calling(books, "1385001", "12315") as first:
                await books.outcome("1385001", "12315", None)
                async with calling(books, "1385002", "12315") as second:
                    await books.outcome("1385002", "12315", "full")
                    await books.outcome("1385001", "12315", "timeout")
                    await books.outcome("1385001", "12333", "timeout")
                    await books.outcome("1385001", "12333", None, visit=2)
                    await first.hangup()
                    await second.hangup()
            entries, _ = await books.closed("1385001")
            assert [(row.queue, row.visit, row.line) for row in entries[:3]] == [
                ("12315", 1, "12315"), ("12333", 1, "12315"), ("12333", 2, "12315"),
            ]  # fmt: skip
            assert [row.outcome for row in entries[:2]] == ["timeout", "timeout"]
            # Asterisk's own clock says when, and on a busy machine it says it late
            assert 0 <= entries[0].wait_ms - MAX_WAIT_SECONDS * 1000 < 2000
            entries, _ = await books.closed("1385002")
            assert (entries[0].queue, entries[0].outcome, entries[0].wait_ms) == ("12315", "full", 0)
            assert {row.queue for row in entries[1:]} == {"12333"}
            await books.check_everything()


async def test_keys_of_those_who_wait(start_asterisk: StartAsterisk, site: Site, tmp_path: Path) -> None:
    """One is to be called back, also while a phone rings; one waits elsewhere; other keys do nothing."""
    async with open_floor(start_asterisk, site) as floor, open_books(floor, tmp_path) as books:
        async with asyncio.timeout(60):
            async with calling(books, "1387001", "12345") as caller:
                await books.outcome("1387001", "12345", None)
                await caller.call.send_dtmf("7")
                await caller.call.send_dtmf("1")
                await books.outcome("1387001", "12345", "callback")
                await caller.ended()  # told that somebody will call
            async with calling(books, "1387002", "12345") as caller:
                await books.outcome("1387002", "12345", None)
                await caller.call.send_dtmf("2")
                await books.outcome("1387002", "12333", None)
                await caller.hangup()
            entries, talks = await books.closed("1387002")
            assert [(row.queue, row.outcome) for row in entries[:1]] == [("12345", "key_exit")]
            assert entries[1].queue == "12333" and talks == []
            await floor.serve("zhang", "12345")
            async with calling(books, "1387003", "12345") as caller:
                ring = await ringing(floor.phones["zhang"])
                await caller.call.send_dtmf("1")
                await ring.wait_ended()
                await caller.ended()
            (entry,), _ = await books.closed("1387003")
            assert (entry.outcome, entry.agent) == ("callback", None)
            await books.check_everything()


async def test_local_channels(start_asterisk: StartAsterisk, site: Site, tmp_path: Path) -> None:
    """An agent reached through a Local channel, and a caller who is one, have the same rows as any."""
    async with open_floor(start_asterisk, site) as floor, open_books(floor, tmp_path) as books:
        for number, interface in (
            ("1386001", "Local/8001@hotline-agents"),
            ("1386002", "Local/8001@hotline-agents/n"),
        ):
            await floor.serve("zhang", "12345", interface=interface)
            async with asyncio.timeout(30), AnsweredCase(books, number) as case:
                await case.zhang.hangup()
                await case.caller.ended()
            (entry,), (talk,) = await books.closed(number)
            answered_by_zhang(entry, case.zhang, "agent")
            was(talk, "queue", "8001", case.zhang.answered_at, case.zhang.ended_at)
            await floor.ami.action("QueueRemove", {"Queue": "12345", "Interface": interface})
        await floor.serve("zhang", "12345")
        await floor.ami.originate("Local/12345@hotline-in", application="Wait", data="30")
        zhang = await take(floor.phones["zhang"])
        await asyncio.sleep(TALK_SECONDS)
        await zhang.hangup()
        await floor.exchange.quiet()
        rows = await books.every_row()
        while any(row.closed_at is None for row in rows):
            await asyncio.sleep(0.05)
            rows = await books.every_row()
        answered_by_zhang(max(rows, key=lambda row: row.joined_at), zhang, "agent")
        await books.check_everything()


async def test_an_asterisk_that_dies_takes_its_calls_along(
    start_asterisk: StartAsterisk, site: Site, tmp_path: Path
) -> None:
    """A talk and a wait end when it was killed, not when it was back; the next call is counted as ever."""
    async with open_floor(start_asterisk, site) as floor, open_books(floor, tmp_path) as books:
        await floor.serve("zhang", "12345")
        async with asyncio.timeout(90):
            async with AnsweredCase(books, "1387001") as case, calling(books, "1387002", "12345") as waiting:
                await books.outcome("1387002", "12345", None)
                await asyncio.sleep(2)  # longer than a short abandon, also in whole seconds
                async with calling(books, "1387004", "12345") as last:  # the log's last word before
                    await books.outcome("1387004", "12345", None)
                    pid = floor.exchange.local.pid
                    assert pid is not None
                    os.kill(pid, signal.SIGKILL)
                    killed_at = datetime.now(UTC)
                    last.call.abandon()
                await floor.exchange.local.wait_ended()
                await floor.exchange.local.start()
                (talked,), (talk,) = await books.closed("1387001")
                (waited,), _ = await books.closed("1387002")
                case.caller.call.abandon()
                case.zhang.call.abandon()
                waiting.call.abandon()
            assert (talked.outcome, talked.agent, talked.ended_by) == ("answered", "zhang", "unknown")
            assert near(talked.closed_at, killed_at) and near(talk.ended_at, killed_at)
            assert waited.outcome == "abandoned" and near(waited.closed_at, killed_at)
            await floor.plug_in_anew("zhang")
            async with AnsweredCase(books, "1387003") as case:
                await case.zhang.hangup()
                await case.caller.ended()
            (entry,), _ = await books.closed("1387003")
            answered_by_zhang(entry, case.zhang, "agent")
            told = Counter(row.outcome for row in books.from_queue_log().values())
            assert told == Counter(row.outcome for row in await books.every_row())


async def test_a_waiting_caller_who_is_moved_has_not_given_up(
    start_asterisk: StartAsterisk, site: Site, tmp_path: Path
) -> None:
    """Taken out of the queue to an agent, or into another queue: the first wait counts as transferred."""
    async with open_floor(start_asterisk, site) as floor, open_books(floor, tmp_path) as books:
        async with asyncio.timeout(60):
            async with calling(books, "1388001", "12345") as caller:
                await books.outcome("1388001", "12345", None)
                await _move(floor, "8002")
                li = await take(floor.phones["li"], ring_seconds=0.3)
                await asyncio.sleep(TALK_SECONDS)
                await caller.hangup()
                await li.ended()
            (entry,), (talk,) = await books.closed("1388001")
            assert entry.outcome == "transferred" and entry.agent is None
            was(talk, "transfer", "8002", li.answered_at, li.ended_at)
            async with calling(books, "1388002", "12345") as caller:
                await books.outcome("1388002", "12345", None)
                await _move(floor, "q12315")
                await books.outcome("1388002", "12315", None)
                await caller.hangup()
            entries, _ = await books.closed("1388002")
            assert [(row.queue, row.outcome) for row in entries] == [
                ("12345", "transferred"), ("12315", "short_abandon"),
            ]  # fmt: skip
            await books.check_everything()


async def _move(floor: Floor, target: str) -> None:
    """What a supervisor's move of a waiting caller does."""
    await asyncio.sleep(1.1)  # queue_log's seconds must tell the beginning of the wait from its end
    (channel,) = [
        one for one in await floor.ami.core_show_channels() if one.channel.startswith("PJSIP/trunk")
    ]
    target_fields = {"Context": "hotline-transfer", "Exten": target, "Priority": "1"}
    await floor.ami.action("Redirect", {"Channel": channel.channel, **target_fields})
