"""Our phone against the real Asterisk: registration, sound and keys both ways, every ending."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator

import numpy as np
import pytest

from hotline.core.errors import PeerError
from hotline.telephony.phone.call import EndedBy
from hotline.telephony.phone.phone import Phone
from hotline.telephony.phone.states import CallRefused
from tests.real.exchange import Exchange
from tests.real.tones import strength, tone

DEADLINE_SECONDS = 20.0
ECHO = "*43"


def phone_at(
    asterisk: Exchange,
    extension: str,
    *,
    secret: str | None = None,
    max_calls: int = 1,
    remote_control: bool = False,
) -> Phone:
    """The phone of an agent of the site, not yet registered."""
    agent = next(agent for agent in asterisk.site.agents if agent.extension == extension)
    server = (asterisk.site.asterisk.host, asterisk.site.asterisk.sip_port)
    return Phone(
        extension,
        secret or asterisk.secret(f"agent-{agent.id}"),
        server=server,
        display_name=agent.name,
        max_calls=max_calls,
        remote_control=remote_control,
    )


@pytest.fixture
async def pair(asterisk: Exchange) -> AsyncIterator[tuple[Phone, Phone]]:
    """Two registered agents' phones."""
    async with phone_at(asterisk, "8001") as first, phone_at(asterisk, "8002") as second:
        await first.register()
        await second.register()
        yield first, second


async def contacts(asterisk: Exchange) -> list[str]:
    """The extensions that Asterisk knows an address of."""
    return re.findall(r"Contact:\s+(\d+)/sip", await asterisk.rx("pjsip show contacts"))


async def test_registration_is_known_to_asterisk_until_the_phone_is_closed(asterisk: Exchange) -> None:
    """The digest convinces Asterisk; closing the phone takes the binding away."""
    async with phone_at(asterisk, "8001") as phone:
        await phone.register()
        assert await contacts(asterisk) == ["8001"]
    assert await contacts(asterisk) == []


async def test_wrong_secret_is_refused(asterisk: Exchange) -> None:
    """Asterisk turns a wrong password away and the phone says so."""
    async with phone_at(asterisk, "8001", secret="wrong") as phone:
        with pytest.raises(PeerError, match="401"):
            await phone.register()


async def test_echo_brings_our_own_voice_back(pair: tuple[Phone, Phone]) -> None:
    """What is played arrives, whole: the call is challenged, answered and carries sound both ways."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        call = await pair[0].call(ECHO)
        await call.wait_answered()
        await call.play(tone(1.0, 600)).done()
        await call.heard.wait_quiet(0.3)
        await call.hangup()
    heard = call.heard.samples()
    voiced = heard[np.abs(heard) > 100]
    assert len(voiced) > 0.95 * 8000 * 0.97
    assert strength(heard, 600) > 10 * strength(heard, 950)


async def test_two_phones_hear_each_other_and_keys_arrive(pair: tuple[Phone, Phone]) -> None:
    """Through Asterisk: own voice never comes back, the other's does, keys come once each."""
    first, second = pair
    async with asyncio.timeout(DEADLINE_SECONDS):
        outgoing = await first.call("8002")
        incoming = await second.next_call()
        incoming.ring()
        await outgoing.wait_ringing()
        await incoming.answer()
        await outgoing.wait_answered()
        clips = [outgoing.play(tone(0.8, 500)), incoming.play(tone(0.8, 1200))]
        for clip in clips:
            await clip.done()
        await outgoing.send_dtmf("15#")
        assert await incoming.wait_digits(3) == "15#"
        await incoming.hangup()
        assert (await outgoing.wait_ended()).by is EndedBy.THEM
    assert strength(outgoing.heard.samples(), 1200) > 20 * strength(outgoing.heard.samples(), 500)
    assert strength(incoming.heard.samples(), 500) > 20 * strength(incoming.heard.samples(), 1200)


async def test_caller_who_gives_up_stops_the_other_phone(pair: tuple[Phone, Phone]) -> None:
    """CANCEL goes through Asterisk to the phone that rings."""
    first, second = pair
    async with asyncio.timeout(DEADLINE_SECONDS):
        outgoing = await first.call("8002")
        incoming = await second.next_call()
        incoming.ring()
        await outgoing.wait_ringing()
        assert (await outgoing.hangup()).status == 487
        assert (await incoming.wait_ended()).by is EndedBy.THEM


async def test_busy_and_unknown_are_told_apart(pair: tuple[Phone, Phone], asterisk: Exchange) -> None:
    """A phone that refuses ends the caller's call; a number that is not in the dialplan is 404."""
    first, second = pair
    async with asyncio.timeout(DEADLINE_SECONDS):
        outgoing = await first.call("8002")
        (await second.next_call()).reject(486)
        with pytest.raises(CallRefused):
            await outgoing.wait_answered()
        with pytest.raises(CallRefused) as refusal:
            await (await first.call("999999")).wait_answered()
        assert refusal.value.status == 404
        assert "0 active calls" in await asterisk.rx("core show channels")


async def test_closing_a_phone_in_mid_call_leaves_no_channel(
    pair: tuple[Phone, Phone], asterisk: Exchange
) -> None:
    """Nothing of the call is left on the exchange."""
    first, second = pair
    async with asyncio.timeout(DEADLINE_SECONDS):
        outgoing = await first.call("8002")
        incoming = await second.next_call()
        await incoming.answer()
        await outgoing.wait_answered()
        await first.aclose()
        await incoming.wait_ended()
        while "0 active channels" not in await asterisk.rx("core show channels"):
            continue  # the deadline above fails the test
