"""Taps on the real Asterisk, with the real recogniser: both sides heard, the call none the worse for it."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from hotline.asr.hearing import Hearing
from hotline.core.bus import MemoryBus
from hotline.core.clock import SystemClock
from hotline.core.events import CallAnswered, CallEnded, EntryClosed, LegLost, LegTapped, Outcome, Side
from hotline.store.database import open_engine, sessions_of
from hotline.store.transcripts import TranscriptStore
from hotline.telephony.ami.client import AmiClient, AmiSettings
from hotline.telephony.phone.call import Call
from hotline.telephony.phone.phone import Phone
from tests.fixtures.asr import Heardbook, eventually, final_text
from tests.fixtures.migrated import upgrade
from tests.real.exchange import Exchange
from tests.real.speaking import speech

pytestmark = pytest.mark.real
DEADLINE_SECONDS = 60.0


@dataclass
class Talk:
    """Two phones in a call, and the hearing that listens."""

    asterisk: Exchange
    ami: AmiClient
    hearing: Hearing
    bus: MemoryBus
    heard: Heardbook
    caller: Call
    agent: Call
    answered: CallAnswered

    async def channels(self, kind: str) -> int:
        """How many channels of a kind there are."""
        lines = (await self.asterisk.rx("core show channels concise")).splitlines()
        return sum(line.startswith(f"{kind}/") for line in lines)

    async def no_more(self, kind: str) -> None:
        """Wait until there is no channel of this kind."""
        while await self.channels(kind):
            continue  # asking takes its time


@asynccontextmanager
async def hearing_of(
    asterisk: Exchange, ami: AmiClient, bus: MemoryBus, folder: Path
) -> AsyncIterator[Hearing]:
    database = open_engine(f"sqlite+aiosqlite:///{folder / 'hotline.db'}")
    await upgrade(database)
    hearing = Hearing(asterisk.site, ami, bus, TranscriptStore(sessions_of(database)), SystemClock())
    try:
        await hearing.start()
        yield hearing
    finally:
        await hearing.aclose()
        await database.dispose()


def phone_at(asterisk: Exchange, extension: str) -> Phone:
    agent = next(agent for agent in asterisk.site.agents if agent.extension == extension)
    server = (asterisk.site.asterisk.host, asterisk.site.asterisk.sip_port)
    return Phone(extension, asterisk.secret(f"agent-{agent.id}"), server=server)


@pytest.fixture
async def ami(asterisk: Exchange) -> AsyncIterator[AmiClient]:
    section = asterisk.site.asterisk.ami
    client = AmiClient(
        AmiSettings(
            username=section.user, secret=asterisk.secret("ami"), host=section.host, port=section.port
        )
    )
    task = asyncio.create_task(client.run())
    await client.wait_connected(10)
    yield client
    await client.aclose()
    await task


@pytest.fixture
async def talk(asterisk: Exchange, ami: AmiClient, tmp_path: Path) -> AsyncIterator[Talk]:
    """Phone 8001 talks with phone 8002; the hearing is told that the call was answered."""
    bus = MemoryBus()
    async with (
        asyncio.timeout(DEADLINE_SECONDS),
        hearing_of(asterisk, ami, bus, tmp_path) as hearing,
        phone_at(asterisk, "8001") as first,
        phone_at(asterisk, "8002") as second,
    ):
        await first.register()
        await second.register()
        outgoing = await first.call("8002")
        incoming = await second.next_call()
        await incoming.answer()
        await outgoing.wait_answered()
        channels = {one.channel.split("-")[0]: one for one in await ami.core_show_channels()}
        caller, agent = channels["PJSIP/8001"], channels["PJSIP/8002"]
        answered = CallAnswered(
            caller.linkedid,
            SystemClock().now(),
            "e1",
            "12345",
            "12345",
            "li",
            1.0,
            caller.uniqueid,
            agent.uniqueid,
        )
        bus.publish(answered)
        heard = Heardbook(bus)
        await heard.wait(lambda event: isinstance(event, LegTapped), 2)
        yield Talk(asterisk, ami, hearing, bus, heard, outgoing, incoming, answered)
        await outgoing.hangup()
        await incoming.wait_ended()
        await asterisk.quiet()  # no tap outlives its call


async def both_speak(talk: Talk, caller: str, agent: str) -> None:
    said = await speech(caller, "f3"), await speech(agent, "m3")
    clips = [talk.caller.play(said[0]), talk.agent.play(said[1])]
    for clip in clips:
        await clip.done()


async def test_both_sides_of_a_real_call_word_for_word(talk: Talk) -> None:
    """They speak at once; each is heard right, none in the other's text, and the end loses nothing."""
    await both_speak(talk, "您好，我想咨询社保卡怎么办理", "请问您贵姓")
    await talk.heard.wait(final_text(Side.CALLER, "您好我想咨询社保卡怎么办理"))
    await talk.heard.wait(final_text(Side.AGENT, "请问您贵姓"))
    assert await talk.channels("AudioSocket") == 2
    at, call_id = SystemClock().now(), talk.answered.call_id
    talk.bus.publish(EntryClosed(call_id, at, "e1", "12345", "12345", Outcome.ANSWERED, "li", 1.0, 5.0))
    talk.bus.publish(CallEnded(call_id, at))
    await eventually(lambda: not talk.hearing._calls)
    assert talk.heard.of(LegLost) == []
    assert len(await talk.hearing.transcripts.of_call(call_id)) == 2


async def test_a_killed_recogniser_leaves_the_call_alone_and_hears_it_again(talk: Talk) -> None:
    """The voices go on between the phones; both sides are tapped again and heard word for word."""
    (pid,) = talk.hearing.pool.pids
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    await talk.heard.wait(lambda event: isinstance(event, LegTapped), 4)
    await both_speak(talk, "谢谢再见", "请问您贵姓")
    await talk.heard.wait(final_text(Side.CALLER, "谢谢再见"))
    await talk.heard.wait(final_text(Side.AGENT, "请问您贵姓"))
    assert [event.reason for event in talk.heard.of(LegLost) if isinstance(event, LegLost)] == [
        "worker_died",
        "worker_died",
    ]
    assert await talk.channels("AudioSocket") == 2  # the taps that lost their receiver are gone
    assert await talk.channels("PJSIP") == 2


async def test_a_server_that_stops_and_comes_back_hears_the_same_call(talk: Talk, tmp_path: Path) -> None:
    """Its taps end with it, the call does not; the next server taps the call once and hears on."""
    await talk.hearing.aclose()
    await talk.no_more("AudioSocket")
    assert await talk.channels("PJSIP") == 2
    bus = MemoryBus()
    async with hearing_of(talk.asterisk, talk.ami, bus, tmp_path):
        bus.publish(talk.answered)
        bus.publish(talk.answered)
        heard = Heardbook(bus)
        await heard.wait(lambda event: isinstance(event, LegTapped), 2)
        await both_speak(talk, "谢谢再见", "请问您贵姓")
        await heard.wait(final_text(Side.CALLER, "谢谢再见"))
        assert await talk.channels("AudioSocket") == 2
