"""The ledger of what agents do with their phones' own buttons: hold, and transfer by REFER."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from hotline.config.schema import Site
from tests.real.answered_case import TALK_SECONDS, AnsweredCase, answered_by_zhang, was
from tests.real.books import NEAR_MS, Books, Party, open_books, take
from tests.real.exchange import StartAsterisk
from tests.real.floor import open_floor, site_with_outside


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return site_with_outside(tmp_path)


async def test_the_phones_own_buttons(start_asterisk: StartAsterisk, site: Site, tmp_path: Path) -> None:
    """Hold and resume; transfer unannounced; a second call from the phone, then joining the two."""
    async with open_floor(start_asterisk, site) as floor, open_books(floor, tmp_path) as books:
        await floor.serve("zhang", "12345")
        async with asyncio.timeout(60):
            await _hold_and_resume(books)
            await _refer(books)
            await _refer_with_replaces(books)
            await books.check_everything()


async def _hold_and_resume(books: Books) -> None:
    async with AnsweredCase(books, "1383001") as case:
        await case.zhang.call.hold()
        await asyncio.sleep(TALK_SECONDS)
        await case.zhang.call.resume()
        await asyncio.sleep(TALK_SECONDS)
        await case.zhang.hangup()
        await case.caller.ended()
    (entry,), (talk,) = await books.closed(case.number)
    answered_by_zhang(entry, case.zhang, "agent")
    assert abs(entry.hold_ms - TALK_SECONDS * 1000) <= 2 * NEAR_MS and talk.hold_ms == entry.hold_ms


async def _refer(books: Books) -> None:
    async with AnsweredCase(books, "1383002") as case:
        referring = asyncio.create_task(case.zhang.call.transfer("8002"))
        li = await take(case.floor.phones["li"])
        await referring
        await case.zhang.ended()
        await asyncio.sleep(TALK_SECONDS)
        await case.caller.hangup()
        await li.ended()
    (entry,), (first, second) = await books.closed(case.number)
    assert (entry.outcome, entry.agent, entry.ended_by) == ("answered", "zhang", "transfer")
    was(second, "transfer", "8002", li.answered_at, li.ended_at)
    assert second.ended_by == "caller" and first.ended_at == entry.closed_at


async def _refer_with_replaces(books: Books) -> None:
    async with AnsweredCase(books, "1383003") as case:
        await case.zhang.call.hold()
        consultation = await case.floor.phones["zhang"].call("8002")
        li = await take(case.floor.phones["li"])
        await consultation.wait_answered()
        asked = await Party.of(consultation)
        await asyncio.sleep(TALK_SECONDS)
        await case.zhang.call.transfer_to(consultation)
        await case.zhang.ended()
        await asked.ended()
        await asyncio.sleep(TALK_SECONDS)
        await li.hangup()
        await case.caller.ended()
    (entry,), (first, consult, second) = await books.closed(case.number)
    answered_by_zhang(entry, case.zhang, "transfer")
    assert entry.hold_ms == first.hold_ms >= TALK_SECONDS * 1000
    was(consult, "consult", "8002", li.answered_at, case.zhang.ended_at)
    was(second, "transfer", "8002", case.zhang.ended_at, li.ended_at)
    assert (second.agent, second.ended_by) == ("li", "agent")
