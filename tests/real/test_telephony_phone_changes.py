"""Our phone changing a call on the real Asterisk: hold, blind and attended transfer, the server's buttons."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np
import pytest

from hotline.telephony.phone.call import Call, EndedBy
from hotline.telephony.phone.phone import Phone
from hotline.telephony.phone.states import ChangeRefused, State
from tests.fixtures.asr import eventually
from tests.real.exchange import Exchange
from tests.real.test_telephony_phone_asterisk import DEADLINE_SECONDS, phone_at
from tests.real.tones import strength, tone

AGENT_HERTZ, CALLER_HERTZ, THIRD_HERTZ = 500, 1200, 2100
BUTTONS = "".join(f"[{event}]\nEvent=>{event}\n" for event in ("talk", "hold"))


@asynccontextmanager
async def phones(asterisk: Exchange) -> AsyncIterator[tuple[Phone, Phone, Phone]]:
    """Three registered phones: who calls, who hands over (two calls at once), who takes over."""
    caller, agent, third = (
        phone_at(asterisk, "8001"),
        phone_at(asterisk, "8002", max_calls=2, remote_control=True),
        phone_at(asterisk, "8003"),
    )
    async with caller, agent, third, asyncio.timeout(DEADLINE_SECONDS):
        for phone in (caller, agent, third):
            await phone.register()
        yield caller, agent, third


async def connected(caller: Phone, called: Phone) -> tuple[Call, Call]:
    """An answered call, seen from both ends, once Asterisk has joined them (only then can it be changed)."""
    outgoing = await caller.call(called.username)
    incoming = await called.next_call()
    await incoming.answer()
    await outgoing.wait_answered()
    for call in (outgoing, incoming):
        await call.heard.wait_packet()
    return outgoing, incoming


async def hear_each_other(first: Call, second: Call) -> None:
    """Each plays a tone of its own; each hears the other's and not its own."""
    clips = [first.play(tone(0.4, CALLER_HERTZ)), second.play(tone(0.4, THIRD_HERTZ))]
    for clip in clips:
        await clip.done()
    await first.hangup()
    await second.wait_ended()
    for call, theirs, own in ((first, THIRD_HERTZ, CALLER_HERTZ), (second, CALLER_HERTZ, THIRD_HERTZ)):
        heard = call.heard.samples()[-round(0.6 * 8000) :]
        assert strength(heard, theirs) > 20 * strength(heard, own)


async def test_held_caller_hears_music_and_not_the_agent(asterisk: Exchange) -> None:
    """Asterisk plays music from hold to resume; what the agent says meanwhile reaches nobody."""
    async with phones(asterisk) as (caller, agent, _):
        outgoing, incoming = await connected(caller, agent)
        await incoming.hold()
        said = incoming.play(tone(0.5, AGENT_HERTZ))
        await outgoing.heard.wait_sound()  # nobody but the music speaks
        await said.done()
        music = outgoing.heard.samples()
        await incoming.resume()
        assert np.abs(music).max() > 100
        assert strength(music, AGENT_HERTZ) < 50
        await hear_each_other(outgoing, incoming)


async def test_blind_transfer_connects_the_caller_with_the_third(asterisk: Exchange) -> None:
    """REFER: the third's phone rings, our call ends, caller and third hear each other."""
    async with phones(asterisk) as (caller, agent, third):
        outgoing, incoming = await connected(caller, agent)
        transfer = asyncio.create_task(incoming.transfer("8003"))
        taken = await third.next_call()
        taken.ring()
        await transfer
        await taken.answer()
        await taken.wait_answered()
        assert agent.calls == [] and outgoing.state is State.UP
        await hear_each_other(outgoing, taken)


async def test_attended_transfer_joins_caller_and_third(asterisk: Exchange) -> None:
    """Hold, consult, REFER with Replaces: both of our calls end, the other two hear each other."""
    async with phones(asterisk) as (caller, agent, third):
        outgoing, incoming = await connected(caller, agent)
        await incoming.hold()
        consultation, taken = await connected(agent, third)
        await incoming.transfer_to(consultation)
        assert agent.calls == []
        await hear_each_other(outgoing, taken)


async def test_transfer_to_a_number_that_is_not_there_leaves_the_call(asterisk: Exchange) -> None:
    """Asterisk reports 404; agent and caller go on talking."""
    async with phones(asterisk) as (caller, agent, _):
        outgoing, incoming = await connected(caller, agent)
        with pytest.raises(ChangeRefused) as refusal:
            await incoming.transfer("999999")
        assert refusal.value.status == 404
        await hear_each_other(outgoing, incoming)


async def test_asterisk_presses_the_buttons_of_a_phone(asterisk: Exchange) -> None:
    """NOTIFY to the phone or within its call: it answers, holds and resumes, as a desk phone does."""
    async with phones(asterisk) as (caller, agent, _):
        (asterisk.local.places.etc_dir / "pjsip_notify.conf").write_text(BUTTONS, encoding="utf-8")
        await asterisk.rx("module reload res_pjsip_notify.so")
        outgoing = await caller.call("8002")
        incoming = await agent.next_call()
        incoming.ring()
        await outgoing.wait_ringing()
        await asterisk.rx("pjsip send notify talk endpoint 8002")
        await outgoing.wait_answered()
        [channel] = [
            line.split("!")[0]
            for line in (await asterisk.rx("core show channels concise")).splitlines()
            if line.startswith("PJSIP/8002")
        ]
        await asterisk.rx(f"pjsip send notify hold channel {channel}")
        await eventually(lambda: incoming.held)
        await asterisk.rx(f"pjsip send notify talk channel {channel}")
        await eventually(lambda: not incoming.held)
        await hear_each_other(outgoing, incoming)
        assert (await incoming.wait_ended()).by is EndedBy.THEM
