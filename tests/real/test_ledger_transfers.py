"""The ledger of calls that were handed on, beside what the phones of everybody in them measured."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hotline.config.schema import Site
from hotline.store.counting import Counting
from hotline.store.counts import COUNT, Dim
from hotline.store.wanted import Wanted
from tests.real.answered_case import TALK_SECONDS, AnsweredCase, answered_by_zhang, was
from tests.real.books import NEAR_MS, Books, Party, ms, near, open_books, take
from tests.real.exchange import StartAsterisk
from tests.real.floor import open_floor, ringing, site_with_outside


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return site_with_outside(tmp_path)


async def test_blind_transfers(start_asterisk: StartAsterisk, site: Site, tmp_path: Path) -> None:
    """To an agent, to a queue, outside, by keys, and to nobody: each talk is a row of its own."""
    async with open_floor(start_asterisk, site) as floor, open_books(floor, tmp_path) as books:
        await floor.serve("zhang", "12345")
        await floor.serve("wang", "12333")
        async with asyncio.timeout(60):
            await _blind_to_an_agent(books)
            await _blind_to_a_queue(books)
            await _blind_outside(books)
            await _blind_by_keys_to_nobody(books)
            await books.check_everything()


async def _blind_to_an_agent(books: Books) -> None:
    async with AnsweredCase(books, "1381001") as case:
        await case.floor.blind_transfer("zhang", "8002")
        await case.zhang.ended()
        li = await take(case.floor.phones["li"], ring_seconds=0.3)
        await asyncio.sleep(TALK_SECONDS)
        await li.hangup()
        await case.caller.ended()
    (entry,), (first, second) = await books.closed(case.number)
    answered_by_zhang(entry, case.zhang, "transfer")
    was(first, "queue", "8001", case.zhang.answered_at, case.zhang.ended_at)
    was(second, "transfer", "8002", li.answered_at, li.ended_at)
    assert (first.entry_id, first.ended_by) == (entry.entry_id, "transfer")
    assert (second.agent, second.ended_by, second.hold_ms) == ("li", "agent", 0)


async def _blind_to_a_queue(books: Books) -> None:
    async with AnsweredCase(books, "1381002") as case:
        await case.floor.blind_transfer("zhang", "q12333")
        wang = await take(case.floor.phones["wang"], ring_seconds=0.3)
        await asyncio.sleep(TALK_SECONDS)
        await case.caller.hangup()
        await wang.ended()
        await case.zhang.ended()
    (first, second), talks = await books.closed(case.number)
    answered_by_zhang(first, case.zhang, "transfer")
    assert (second.queue, second.line, second.outcome, second.agent) == ("12333", "12345", "answered", "wang")
    assert second.call_id == first.call_id and second.ended_by == "caller"
    assert near(second.joined_at, first.closed_at) and 300 <= second.ring_ms <= 300 + 2 * NEAR_MS
    assert [(talk.kind, talk.agent) for talk in talks] == [("queue", "zhang"), ("queue", "wang")]
    was(talks[1], "queue", "8003", wang.answered_at, wang.ended_at)


async def _blind_outside(books: Books) -> None:
    async with AnsweredCase(books, "1381003") as case:
        await case.floor.blind_transfer("zhang", "110")
        police = await take(case.floor.outside)
        await asyncio.sleep(TALK_SECONDS)
        await police.hangup()
        await case.caller.ended()
        await case.zhang.ended()
    (entry,), talks = await books.closed(case.number)
    answered_by_zhang(entry, case.zhang, "transfer")
    was(talks[1], "transfer", "110", police.answered_at, police.ended_at)
    assert (talks[1].agent, talks[1].ended_by) == (None, "party")


async def _blind_by_keys_to_nobody(books: Books) -> None:
    """Li refuses: the caller is back in the same queue at once, its second visit."""
    async with AnsweredCase(books, "1381004") as case:
        await case.zhang.call.send_dtmf("##8002")
        (await ringing(case.floor.phones["li"])).reject()
        await case.zhang.ended()
        again = await take(case.floor.phones["zhang"])
        await asyncio.sleep(TALK_SECONDS)
        await again.hangup()
        await case.caller.ended()
    (first, second), talks = await books.closed(case.number)
    answered_by_zhang(first, case.zhang, "transfer")
    assert (first.visit, second.visit) == (1, 2) and second.entry_id == f"{second.uniqueid}:12345:2"
    assert 0 < first.hold_ms < first.talk_ms, "while Zhang keys the number the caller is on hold"
    assert (second.outcome, second.ended_by) == ("answered", "agent")
    assert near(second.answered_at, again.answered_at) and near(second.closed_at, again.ended_at)
    assert [talk.kind for talk in talks] == ["queue", "queue"]


async def test_attended_transfers(start_asterisk: StartAsterisk, site: Site, tmp_path: Path) -> None:
    """Consult and join, consult and back, three-way, into a queue, and by keys."""
    async with open_floor(start_asterisk, site) as floor, open_books(floor, tmp_path) as books:
        await floor.serve("zhang", "12345")
        await floor.serve("wang", "12333")
        async with asyncio.timeout(90):
            await _consult_and_join(books)
            await _consult_and_back(books)
            await _three_way_by_keys(books)
            await _consult_a_queue_and_join(books)
            await _leave_while_the_queue_rings(books)
            await _ask_a_queue_in_vain(books)
            await _leave_the_caller_to_the_queue(books)
            await books.check_everything()


async def _consult_and_join(books: Books) -> None:
    async with AnsweredCase(books, "1382001") as case:
        await case.consult("8002")
        li = await take(case.floor.phones["li"], ring_seconds=0.3)
        await asyncio.sleep(TALK_SECONDS)
        await case.zhang.hangup()
        await asyncio.sleep(TALK_SECONDS)
        await case.caller.hangup()
        await li.ended()
    (entry,), (first, asked, last) = await books.closed(case.number)
    answered_by_zhang(entry, case.zhang, "transfer")
    was(first, "queue", "8001", case.zhang.answered_at, case.zhang.ended_at)
    was(asked, "consult", "8002", li.answered_at, case.zhang.ended_at)
    was(last, "transfer", "8002", case.zhang.ended_at, li.ended_at)
    assert (last.agent, last.ended_by) == ("li", "caller")
    assert entry.hold_ms == first.hold_ms >= asked.talk_ms, "the caller waited while the two spoke"
    assert first.hold_ms < first.talk_ms - TALK_SECONDS * 1000 + NEAR_MS


async def _consult_and_back(books: Books) -> None:
    async with AnsweredCase(books, "1382002") as case:
        await case.consult("8002")
        li = await take(case.floor.phones["li"])
        await asyncio.sleep(TALK_SECONDS)
        await case.floor.ami.action("CancelAtxfer", {"Channel": await case.floor.channel_of("zhang")})
        back_at = await li.ended()
        await asyncio.sleep(TALK_SECONDS)
        await case.zhang.hangup()
        await case.caller.ended()
    (entry,), (first, asked) = await books.closed(case.number)
    answered_by_zhang(entry, case.zhang, "agent")
    was(asked, "consult", "8002", li.answered_at, back_at)
    after_ms = ms(back_at, case.zhang.ended_at)
    assert entry.hold_ms == first.hold_ms >= asked.talk_ms - NEAR_MS
    assert first.talk_ms - first.hold_ms >= TALK_SECONDS * 1000 + after_ms - 2 * NEAR_MS


async def _three_way_by_keys(books: Books) -> None:
    async with AnsweredCase(books, "1382003") as case:
        await case.zhang.call.send_dtmf("*28002")
        li = await take(case.floor.phones["li"])
        await asyncio.sleep(TALK_SECONDS)
        await case.zhang.call.send_dtmf("*5")
        joined = await _hear_each_other(case.caller, li)
        await asyncio.sleep(TALK_SECONDS)
        await case.zhang.hangup()
        await asyncio.sleep(TALK_SECONDS)
        await li.hangup()
        await case.caller.ended()
    (entry,), (first, asked, third) = await books.closed(case.number)
    answered_by_zhang(entry, case.zhang, "agent")
    was(first, "queue", "8001", case.zhang.answered_at, case.zhang.ended_at)
    assert asked.kind == "consult" and near(asked.answered_at, li.answered_at)
    assert (third.kind, third.party, third.ended_by) == ("three_way", "8002", "agent")
    assert third.answered_at == asked.ended_at and third.answered_at <= joined
    assert near(third.ended_at, li.ended_at)
    assert first.hold_ms < ms(case.zhang.answered_at, third.answered_at), "in the three-way nobody is on hold"


async def _hear_each_other(caller: Party, other: Party) -> datetime:
    """Wait until the caller's keys reach the other; when the first did."""
    while "7" not in other.call.digits_heard:
        await caller.call.send_dtmf("7")
    return datetime.now(UTC)


async def _consult_a_queue_and_join(books: Books) -> None:
    async with AnsweredCase(books, "1382004") as case:
        await case.consult("q12333")
        wang = await take(case.floor.phones["wang"], ring_seconds=0.3)
        await asyncio.sleep(TALK_SECONDS)
        await case.zhang.hangup()
        await asyncio.sleep(TALK_SECONDS)
        await wang.hangup()
        await case.caller.ended()
    (first, second), talks = await books.closed(case.number)
    answered_by_zhang(first, case.zhang, "transfer")
    assert (second.queue, second.outcome, second.agent, second.visit) == ("12333", "answered", "wang", 1)
    assert near(second.answered_at, wang.answered_at) and near(second.closed_at, wang.ended_at)
    assert [talk.kind for talk in talks] == ["queue", "consult", "transfer"]
    was(talks[1], "consult", "8003", wang.answered_at, case.zhang.ended_at)
    was(talks[2], "transfer", "8003", case.zhang.ended_at, wang.ended_at)
    assert talks[1].entry_id == talks[2].entry_id == second.entry_id
    assert not second.enquiry, "the caller talked with whom the queue found"


async def _leave_while_the_queue_rings(books: Books) -> None:
    async with AnsweredCase(books, "1382005") as case:
        await case.consult("q12333")
        ring = await ringing(case.floor.phones["wang"])
        await case.zhang.hangup()
        await ring.answer()
        wang = await Party.of(ring)
        await asyncio.sleep(TALK_SECONDS)
        await case.caller.hangup()
        await wang.ended()
    (first, second), talks = await books.closed(case.number)
    answered_by_zhang(first, case.zhang, "transfer")
    assert (second.queue, second.outcome, second.agent) == ("12333", "answered", "wang")
    assert [talk.kind for talk in talks] == ["queue", "transfer"]
    was(talks[1], "transfer", "8003", wang.answered_at, wang.ended_at)


async def _ask_a_queue_in_vain(books: Books) -> None:
    """Nobody of the queue answers, and Zhang goes back: no caller waited there."""
    async with AnsweredCase(books, "1382006") as case:
        await case.consult("q12333")
        await ringing(case.floor.phones["wang"])
        await case.floor.ami.action("CancelAtxfer", {"Channel": await case.floor.channel_of("zhang")})
        await books.outcome(case.number, "12333", "short_abandon")
        await case.caller.hangup()
        await case.zhang.ended()
    (first, asked), _ = await books.closed(case.number)
    answered_by_zhang(first, case.zhang, "caller")
    assert (asked.queue, asked.enquiry, first.enquiry) == ("12333", True, False)
    now = datetime.now(UTC)
    wanted = Wanted((COUNT["short_abandon"],), (first.joined_at, now), 15, now, (Dim.QUEUE,))
    (counted,) = await Counting(books.sessions, None).tallies([wanted])
    assert not counted.get((0, ("12333",))), "an agent's question is nobody's abandoned call"


async def _leave_the_caller_to_the_queue(books: Books) -> None:
    """Zhang leaves while the queue rings, and the caller gives up: that is a caller lost."""
    async with AnsweredCase(books, "1382007") as case:
        await case.consult("q12333")
        await ringing(case.floor.phones["wang"])
        await case.zhang.hangup()
        await asyncio.sleep(TALK_SECONDS)
        await case.caller.hangup()
    (first, waited), _ = await books.closed(case.number)
    answered_by_zhang(first, case.zhang, "transfer")
    assert (waited.queue, waited.enquiry) == ("12333", False)
    assert waited.outcome in ("abandoned", "short_abandon")
