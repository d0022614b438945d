"""Handing calls on through the real Asterisk: whom a caller reaches, and that nobody is lost on the way."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from hotline.config.schema import Site
from hotline.telephony.phone.call import EndedBy
from hotline.telephony.phone.phone import Phone
from tests.real.exchange import StartAsterisk
from tests.real.floor import Floor, answered, open_floor, ringing, site_with_outside


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return site_with_outside(tmp_path)


async def test_a_call_is_handed_on_to_whoever_the_agent_chooses(
    start_asterisk: StartAsterisk, site: Site
) -> None:
    """Agent, queue, number outside; by console and by keys; who reaches nobody waits again."""
    async with open_floor(start_asterisk, site) as floor, floor.caller() as caller, asyncio.timeout(60):
        await floor.serve("zhang", "12345")
        await floor.serve("wang", "12333")
        await _reaches(floor, caller, floor.phones["li"], "8002")
        await _reaches(floor, caller, floor.phones["wang"], "q12333")
        await _reaches(floor, caller, floor.outside, "110")
        await _reaches(floor, caller, floor.phones["zhang"], "9999")  # nobody has it: back to the queue
        await _by_keys_to_somebody_busy(floor, caller)
        await _consult_by_keys(floor, caller)
        assert floor.exchange.messages() == []


async def _reaches(floor: Floor, caller: Phone, target: Phone, extension: str) -> None:
    """The agent hands the call on and is free; the caller talks with the target, whose goodbye ends it."""
    call = await caller.call("12345")
    first = await answered(floor.phones["zhang"])
    await call.wait_answered()
    await floor.blind_transfer("zhang", extension)
    await first.wait_ended()
    second = await answered(target)
    while "7" not in second.digits_heard:  # keys are lost while the bridges are being joined
        await call.send_dtmf("7")
    await second.hangup()
    assert (await call.wait_ended()).by is EndedBy.THEM
    await floor.exchange.quiet()


async def _by_keys_to_somebody_busy(floor: Floor, caller: Phone) -> None:
    """## and the extension; the target refuses, and the caller waits again and is answered again."""
    call = await caller.call("12345")
    first = await answered(floor.phones["zhang"])
    await first.send_dtmf("##8002")
    refused = await ringing(floor.phones["li"])
    assert refused.number == "13800000001", "the target sees who is calling"
    refused.reject()
    again = await answered(floor.phones["zhang"])
    assert call.end is None
    await again.hangup()
    await call.wait_ended()
    await floor.exchange.quiet()


async def _consult_by_keys(floor: Floor, caller: Phone) -> None:
    """*2 and the extension, a word with the colleague, hanging up: the caller talks with the colleague."""
    call = await caller.call("12345")
    first = await answered(floor.phones["zhang"])
    await first.send_dtmf("*28002")
    second = await answered(floor.phones["li"])
    await first.send_dtmf("1")
    assert await second.wait_digits(1) == "1"
    await first.hangup()
    while "7" not in second.digits_heard:  # keys are lost while the bridges are being joined
        await call.send_dtmf("7")
    await call.hangup()
    await second.wait_ended()
    await floor.exchange.quiet()


async def test_a_caller_cannot_send_the_agent_elsewhere(start_asterisk: StartAsterisk, site: Site) -> None:
    """What the caller keys transfers nobody."""
    async with open_floor(start_asterisk, site) as floor, floor.caller() as caller, asyncio.timeout(30):
        await floor.serve("zhang", "12345")
        call = await caller.call("12345")
        agent = await answered(floor.phones["zhang"])
        await call.send_dtmf("##8002")
        assert await agent.wait_digits(6) == "##8002", "the agent hears the keys, nobody else is called"
        assert agent.end is None and floor.phones["li"].calls == []
        assert "allow_transfer" in (await floor.exchange.rx("pjsip show endpoint trunk"))
