"""A call that Zhang answered, and how its rows are held against the phones' own record."""

from __future__ import annotations

import asyncio
from datetime import datetime

from hotline.store.models import QueueEntry, TalkRow
from hotline.telephony.phone.phone import Phone
from tests.real.books import NEAR_MS, Books, Party, ms, near, take

TALK_SECONDS = 0.6


class AnsweredCase:
    """A citizen calls 12345 and Zhang answers; what follows is each test's own."""

    def __init__(self, books: Books, number: str) -> None:
        self.books, self.floor, self.number = books, books.floor, number
        self.citizen: Phone = books.floor.caller(number)
        self.zhang: Party
        self.caller: Party

    async def __aenter__(self) -> AnsweredCase:
        await self.citizen.open()
        call = await self.citizen.call("12345")
        self.zhang = await take(self.floor.phones["zhang"])
        await call.wait_answered()
        self.caller = await Party.of(call)
        await asyncio.sleep(TALK_SECONDS)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.citizen.aclose()

    async def consult(self, target: str) -> None:
        fields = {
            "Channel": await self.floor.channel_of("zhang"),
            "Context": "hotline-transfer",
            "Exten": target,
        }
        await self.floor.ami.action("Atxfer", fields)


def was(talk: TalkRow, kind: str, party: str, begin: datetime | None, end: datetime | None) -> None:
    """The row is of this connection, and the phone says the same of it."""
    assert (talk.kind, talk.party) == (kind, party)
    assert near(talk.answered_at, begin) and near(talk.ended_at, end), (talk.kind, talk.answered_at, begin)
    assert abs(talk.talk_ms - ms(begin, end)) <= 2 * NEAR_MS


def answered_by_zhang(entry: QueueEntry, zhang: Party, ended_by: str) -> None:
    """The first wait was answered by Zhang, whose talk ended when Zhang's phone says."""
    assert (entry.outcome, entry.agent, entry.ended_by) == ("answered", "zhang", ended_by)
    assert near(entry.answered_at, zhang.answered_at) and near(entry.closed_at, zhang.ended_at)
    assert abs(entry.talk_ms - ms(zhang.answered_at, zhang.ended_at)) <= 2 * NEAR_MS
