"""Two of our phones calling each other over loopback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import numpy as np
import pytest

from hotline.core.errors import PeerError, UsageError
from hotline.telephony.phone.call import Call, EndedBy
from hotline.telephony.phone.codec import Samples
from hotline.telephony.phone.phone import Phone
from hotline.telephony.phone.states import CallRefused, CallStateError, State
from hotline.telephony.phone.transactions import Timers

QUICK = Timers(t1_seconds=0.05, t2_seconds=0.2)
DEADLINE_SECONDS = 5.0


@dataclass(frozen=True)
class Pair:
    """A caller whose SIP server is the callee."""

    caller: Phone
    callee: Phone

    async def talk(self) -> tuple[Call, Call]:
        """An answered call, seen from both ends."""
        outgoing = await self.caller.call("12345")
        incoming = await self.callee.next_call()
        incoming.ring()
        await incoming.answer()
        await outgoing.wait_answered()
        return outgoing, incoming


@asynccontextmanager
async def phones(
    *, callee_codecs: tuple[str, ...] = ("PCMA", "PCMU"), caller_codecs: tuple[str, ...] = ("PCMA", "PCMU")
) -> AsyncIterator[Pair]:
    async with Phone("1001", codecs=callee_codecs, timers=QUICK, display_name="坐席") as callee:
        server = ("127.0.0.1", callee.port)
        async with Phone(
            "13800000001", server=server, codecs=caller_codecs, timers=QUICK, max_calls=3
        ) as caller:
            async with asyncio.timeout(DEADLINE_SECONDS):
                yield Pair(caller, callee)


def tone(seconds: float, hertz: float = 440.0) -> Samples:
    time = np.arange(round(seconds * 8000)) / 8000
    return (8000 * np.sin(2 * np.pi * hertz * time)).astype(np.int16)


def strength(samples: Samples, hertz: float) -> float:
    """Amplitude of one frequency in the samples."""
    time = np.arange(len(samples)) / 8000
    return float(abs(np.mean(samples * np.exp(-2j * np.pi * hertz * time))) * 2)


async def test_both_sides_hear_what_the_other_plays() -> None:
    """Sound crosses an answered call in both directions at once, whole and on the right side."""
    async with phones() as pair:
        outgoing, incoming = await pair.talk()
        first, second = outgoing.play(tone(0.5, 440)), incoming.play(tone(0.5, 1000))
        await first.done()
        await second.done()
        await outgoing.hangup()
        assert (await incoming.wait_ended()).by is EndedBy.THEM
        heard_by_callee, heard_by_caller = incoming.heard.samples(), outgoing.heard.samples()
    speech = heard_by_callee[np.abs(heard_by_callee) > 100]
    assert 3600 <= len(speech) <= 4000
    assert strength(heard_by_callee, 440) > 20 * strength(heard_by_callee, 1000)
    assert strength(heard_by_caller, 1000) > 20 * strength(heard_by_caller, 440)


async def test_caller_sees_ringing_before_the_answer() -> None:
    """A phone that rings is told apart from one that has answered, and names are shown as sent."""
    async with phones() as pair:
        outgoing = await pair.caller.call("12345")
        incoming = await pair.callee.next_call()
        assert incoming.number == "13800000001"
        incoming.ring()
        await outgoing.wait_ringing()
        seen = [outgoing.state]
        await incoming.answer()
        await outgoing.wait_answered()
        seen.append(outgoing.state)
        assert seen == [State.RINGING, State.UP]


async def test_keys_arrive_once_each_and_in_order() -> None:
    """DTMF pressed by one side is heard by the other, repeated keys included."""
    async with phones() as pair:
        outgoing, incoming = await pair.talk()
        await outgoing.send_dtmf("1100#")
        assert await incoming.wait_digits(5) == "1100#"


async def test_sound_waits_while_a_key_is_pressed_and_loses_nothing() -> None:
    """A clip played beside key presses is delayed, not cut."""
    async with phones() as pair:
        outgoing, incoming = await pair.talk()
        clip = outgoing.play(tone(0.4))
        await outgoing.send_dtmf("5")
        await clip.done()
        await outgoing.hangup()
        await incoming.wait_ended()
        heard = incoming.heard.samples()
    assert np.count_nonzero(np.abs(heard) > 100) > 0.4 * 8000 * 0.9


async def test_callee_that_hangs_up_ends_the_call_for_the_caller() -> None:
    """BYE from the called side reaches the caller and is confirmed."""
    async with phones() as pair:
        outgoing, incoming = await pair.talk()
        assert (await incoming.hangup()).by is EndedBy.US
        assert (await outgoing.wait_ended()).by is EndedBy.THEM
        assert pair.caller.calls == [] and pair.callee.calls == []


async def test_rejected_call_says_why() -> None:
    """A refusal reaches the caller with its status."""
    async with phones() as pair:
        outgoing = await pair.caller.call("12345")
        (await pair.callee.next_call()).reject(603)
        with pytest.raises(CallRefused) as refusal:
            await outgoing.wait_answered()
        assert refusal.value.status == 603


async def test_second_caller_hears_busy() -> None:
    """A phone with all the calls it may have refuses the next with 486 and keeps the first."""
    async with phones() as pair:
        outgoing, _ = await pair.talk()
        with pytest.raises(CallRefused) as refusal:
            await (await pair.caller.call("12345")).wait_answered()
        assert refusal.value.status == 486
        assert outgoing.state is State.UP


async def test_caller_who_gives_up_stops_the_ringing() -> None:
    """CANCEL ends an unanswered call on both sides; answering it afterwards is refused."""
    async with phones() as pair:
        outgoing = await pair.caller.call("12345")
        incoming = await pair.callee.next_call()
        incoming.ring()
        await outgoing.wait_ringing()
        end = await outgoing.hangup()
        assert (end.by, end.status) == (EndedBy.US, 487)
        assert (await incoming.wait_ended()).by is EndedBy.THEM
        with pytest.raises(CallStateError):
            await incoming.answer()


async def test_hanging_up_at_once_cancels_as_soon_as_that_is_allowed() -> None:
    """A caller who gives up before any answer came leaves no call behind on the other side."""
    async with phones() as pair:
        outgoing = await pair.caller.call("12345")
        end = await outgoing.hangup()
        incoming = await pair.callee.next_call()
        await incoming.wait_ended()
        assert end.status == 487
        assert pair.callee.calls == []


async def test_no_codec_in_common_is_refused() -> None:
    """A caller who speaks only another codec gets 488, nobody's phone rings."""
    async with phones(caller_codecs=("PCMU",), callee_codecs=("PCMA",)) as pair:
        with pytest.raises(CallRefused) as refusal:
            await (await pair.caller.call("12345")).wait_answered()
        assert refusal.value.status == 488


async def test_mu_law_is_spoken_when_it_is_all_the_other_knows() -> None:
    """The codec is the one that both know."""
    async with phones(callee_codecs=("PCMU",)) as pair:
        outgoing, incoming = await pair.talk()
        await outgoing.play(tone(0.3)).done()
        await outgoing.hangup()
        await incoming.wait_ended()
        assert strength(incoming.heard.samples(), 440) > 500


async def test_server_that_is_not_there_ends_the_call() -> None:
    """With nobody listening the call fails with 408 once the transaction has timed out."""
    async with Phone("1001", server=("127.0.0.1", 9), timers=Timers(t1_seconds=0.005)) as phone:
        call = await phone.call("12345")
        async with asyncio.timeout(DEADLINE_SECONDS):
            with pytest.raises(CallRefused) as refusal:
                await call.wait_answered()
        assert refusal.value.status == 408
        assert phone.counts["retransmitted"] >= 5


async def test_silence_is_sent_from_the_answer_on() -> None:
    """A phone that says nothing still sends a frame every 20 ms, in time."""
    async with phones() as pair:
        _, incoming = await pair.talk()
        start, before = asyncio.get_running_loop().time(), incoming.heard.packets
        while incoming.heard.packets < before + 50:
            await incoming.heard.wait_packet()
        elapsed = asyncio.get_running_loop().time() - start
        assert 0.9 < elapsed < 1.3
        assert incoming.heard.first_sound_at is None


async def test_a_phone_that_suppresses_silence_sends_what_is_said_and_nothing_else() -> None:
    """Two clips with a pause between them are 2 x 10 frames and no more; the time between them is kept."""
    async with phones() as pair:
        outgoing, incoming = await pair.talk()
        outgoing.suppress_silence()
        before = incoming.heard.packets
        clips = []
        for _ in range(2):
            clips.append(outgoing.play(tone(0.2)))
            await clips[-1].done()
            await asyncio.sleep(0.3)  # the pause
        assert 20 <= incoming.heard.packets - before <= 21  # one may have been on its way
        spoken = [clip.sent_at(0.0) for clip in clips]
        assert spoken[0] is not None and spoken[1] is not None
        loud = np.flatnonzero(np.abs(incoming.heard.samples()) > 100) / 8000
        assert loud[-1] - loud[0] == pytest.approx(spoken[1] + 0.2 - spoken[0], abs=0.05)


async def test_first_sound_is_noticed_when_it_comes() -> None:
    """`wait_sound` returns within a few frames of the moment at which the other side spoke."""
    async with phones() as pair:
        outgoing, incoming = await pair.talk()
        clip = outgoing.play(tone(0.2))
        heard_at = await incoming.heard.wait_sound()
        await clip.done()
        spoken_at = clip.sent_at(0.0)
        assert spoken_at is not None
        assert 0 <= heard_at - spoken_at < 0.1


async def test_closing_a_phone_ends_its_calls_and_wakes_who_waits() -> None:
    """Closing hangs up; the other side sees the end; whoever waits for a call is told."""
    async with phones() as pair:
        outgoing, incoming = await pair.talk()
        waiting = asyncio.create_task(pair.callee.next_call())
        await pair.callee.aclose()
        assert (await outgoing.wait_ended()).by is EndedBy.THEM
        assert incoming.end is not None
        with pytest.raises(PeerError):
            await waiting
        await pair.callee.aclose()
        with pytest.raises(UsageError):
            await pair.callee.call("12345")


async def test_closing_while_the_other_side_is_dead_takes_bounded_time() -> None:
    """A peer that is gone cannot keep a phone from closing."""
    async with phones() as pair:
        outgoing, _ = await pair.talk()
        pair.callee._release()  # the peer's process dies: no BYE, no sockets
        start = asyncio.get_running_loop().time()
        await pair.caller.aclose()
        assert asyncio.get_running_loop().time() - start < 3.0
        assert outgoing.end is not None and outgoing.end.by is EndedBy.FAULT


async def test_nothing_is_left_running_after_the_phones_are_closed() -> None:
    """No task survives."""
    before = asyncio.all_tasks()
    async with phones() as pair:
        await pair.talk()
    assert asyncio.all_tasks() == before


@pytest.mark.parametrize("number", ["", "12 345", "12345\r\nEvil: 1", "a@b", "<1>", "1" * 65])
async def test_numbers_that_could_forge_a_message_are_not_dialled(number: str) -> None:
    """Line breaks, brackets and blanks never reach the wire."""
    async with Phone("1001") as phone:
        with pytest.raises(UsageError):
            await phone.call(number)
