"""What the console does with live calls, on the real Asterisk: who hears whom, and what the ledger says."""

from __future__ import annotations

import asyncio
import wave
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hotline.core.errors import PeerError
from hotline.telephony.phone.call import Call
from hotline.telephony.phone.phone import Phone
from tests.fixtures.ports import free_port
from tests.real.serving import Seat, ServerProcess, Watcher, citizen, serving, write_site
from tests.real.tones import hears, tone

pytestmark = pytest.mark.timeout(180)

CALLER, AGENT, OTHER, CHIEF, MUSIC = 600.0, 900.0, 1100.0, 1300.0, 1500.0
ALL = (CALLER, AGENT, OTHER, CHIEF, MUSIC)
HUM_SECONDS = 60


@dataclass
class Room:
    """A supervisor's page, three agents' seats (the supervisor's among them), and a citizen."""

    server: ServerProcess
    page: Watcher
    agent: Seat
    other: Seat
    chief: Seat
    caller: Phone
    outside: Phone
    stack: AsyncExitStack

    async def talk(self) -> Talk:
        """The citizen rings 12333 and the agent answers; both hum."""
        call = await self.caller.call("12333")
        leg = await asyncio.wait_for(self.agent.next_call(), 20)
        await leg.answer()
        await call.wait_answered()
        answered = await self.page.event("call_answered", agent=self.agent.agent)
        self.page.events.remove(answered)
        call_id = answered["call_id"]
        hum(call, CALLER)
        hum(leg, AGENT)
        await hears(call, AGENT, of=ALL)
        await hears(leg, CALLER, of=ALL)
        return Talk(self, call_id, call, leg)


@dataclass
class Talk:
    """One call, and what may be done with it."""

    room: Room
    call_id: str
    call: Call
    leg: Call

    async def do(self, action: str, body: dict[str, Any] | None = None, *, by: Seat | None = None) -> Any:
        """Ask the console for something about this call."""
        return await (by or self.room.agent).console.post(f"/api/call/{self.call_id}/{action}", body)

    async def supervise(self, action: str) -> Any:
        """Ask the console for something as the supervisor."""
        return await self.room.chief.console.post(f"/api/supervise/{self.call_id}/{action}")

    async def over(self) -> None:
        """The caller hangs up; nothing of the call is left."""
        await self.call.hangup()
        await self.room.page.event("call_ended", call_id=self.call_id)
        await self.room.page.until(lambda: not self.room.page.live["calls"])


def hum(call: Call, pitch: float) -> None:
    """Hum from now on."""
    call.play(tone(HUM_SECONDS, pitch))


async def picked_up(phone: Phone, pitch: float) -> Call:
    """The next call of this phone, answered and hummed into."""
    call = await asyncio.wait_for(phone.next_call(), 20)
    await call.answer()
    hum(call, pitch)
    return call


@asynccontextmanager
async def open_room(folder: Path, **changes: Any) -> AsyncIterator[Room]:
    """A server with everybody at work; hearing is off, since nobody says words."""
    port = free_port()
    file = write_site(
        folder,
        asr={"enabled": False},
        transfer={
            "trunk": f"PJSIP/trunk/sip:{{number}}@127.0.0.1:{port}",
            "numbers": [{"name": "公安报警", "number": 110, "emergency": True}],
        },
        **changes,
    )
    _hold_music(folder)
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(serving(file))
        await server.add_user("chief", role="supervisor", agent="2001")
        for agent in ("1005", "1006", "1003"):
            await server.add_user(agent, agent=agent)
        page = await stack.enter_async_context(Watcher(server))
        seat = await stack.enter_async_context(Seat(server, "1005"))
        other = await stack.enter_async_context(Seat(server, "1003", sign_in=False))
        chief = await stack.enter_async_context(Seat(server, "2001", sign_in=False, user="chief"))
        caller = await stack.enter_async_context(citizen(server.site, "13800001234"))
        outside = Phone(
            "110", server=(server.site.asterisk.host, server.site.asterisk.sip_port), local_port=port
        )
        await stack.enter_async_context(outside)
        yield Room(server, page, seat, other, chief, caller, outside, stack)


def _hold_music(folder: Path) -> None:
    """The music is a pitch too."""
    music = folder / "data/asterisk/data/moh"
    music.mkdir(parents=True)
    with wave.open(str(music / "hum.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(tone(30, MUSIC).tobytes())


async def refused(work: Any, status: int, code: str) -> None:
    """The console says no, in these words."""
    with pytest.raises(PeerError, match=f"{status} {code}"):
        await work


async def test_hold_mute_and_hang_up_from_the_page(tmp_path: Path) -> None:
    """On hold the caller hears music and the agent nothing; muted the caller hears nothing; both end."""
    async with open_room(tmp_path) as room:
        talk = await room.talk()
        assert (await talk.do("hold"))["held"] is True
        assert (await talk.do("hold"))["held"] is True, "a second click does no harm"
        await hears(talk.call, MUSIC, of=ALL)
        await hears(talk.leg, of=ALL)
        await room.page.event("call_changed", held=True)
        assert (await talk.do("unhold"))["held"] is False
        await hears(talk.call, AGENT, of=ALL)
        assert (await talk.do("mute"))["muted"] is True
        await hears(talk.call, of=ALL)
        await hears(talk.leg, CALLER, of=ALL)
        await talk.do("hold")
        await room.server.kill()
        await room.server.start()
        async with Watcher(room.server) as page:
            (view,) = page.live["calls"]
            assert (view["held"], view["muted"]) == (True, True), (
                "a new server does not know how the call stands"
            )
            await talk.do("unmute")
            await talk.do("unhold")
            await hears(talk.call, AGENT, of=ALL)
            await refused(talk.do("hold", by=room.other), 404, "not_found")
            await refused(talk.do("three-way"), 409, "illegal_now")
            await talk.do("hangup")
            await talk.call.wait_ended()
            await page.event("entry_closed", outcome="answered")
    (row,) = await room.server.rows()
    assert (row.outcome, row.agent, row.ended_by) == ("answered", "1005", "agent")
    assert row.hold_ms > 500, "the hold is not in the books"


async def test_an_enquiry_a_three_way_talk_and_transfers(tmp_path: Path) -> None:
    """Ask and go back, ask and join, hand over after asking, hand over at once: who hears whom each time."""
    async with open_room(tmp_path) as room:
        talk = await room.talk()
        other = {"target": {"agent": "1003"}}
        assert (await talk.do("consult", other))["consult"]["target"] == "1003"
        await refused(talk.do("transfer", other), 409, "illegal_now")
        asked = await picked_up(room.other.phone, OTHER)
        await hears(talk.leg, OTHER, of=ALL)
        await hears(asked, AGENT, of=ALL)
        await hears(talk.call, MUSIC, of=ALL)
        assert (await talk.do("three-way"))["consult"]["state"] == "three_way"
        await hears(talk.call, AGENT, OTHER, of=ALL)
        await hears(asked, AGENT, CALLER, of=ALL)
        await hears(talk.leg, OTHER, CALLER, of=ALL)
        await asked.hangup()
        await room.page.event("party_left", agent="1003")
        await hears(talk.call, AGENT, of=ALL)

        await talk.do("consult", other)
        asked = await picked_up(room.other.phone, OTHER)
        await hears(asked, AGENT, of=ALL)
        assert (await talk.do("consult/cancel"))["consult"] is None
        await asked.wait_ended()
        await hears(talk.call, AGENT, of=ALL)

        await talk.do("consult", other)
        asked = await picked_up(room.other.phone, OTHER)
        await hears(asked, AGENT, of=ALL)
        assert (await talk.do("consult/complete"))["agent"] == "1003"
        await talk.leg.wait_ended()
        await hears(talk.call, OTHER, of=ALL)
        await hears(asked, CALLER, of=ALL)
        await refused(talk.do("hold"), 404, "not_found")
        await talk.do("hold", by=room.other)
        await hears(talk.call, MUSIC, of=ALL)

        await talk.do("transfer", {"target": {"agent": "2001"}}, by=room.other)
        last = await picked_up(room.chief.phone, CHIEF)
        await hears(talk.call, CHIEF, of=ALL)
        await hears(last, CALLER, of=ALL)
        await asked.wait_ended()
        await room.page.until(lambda: room.page.live["calls"][0]["agent"] == "2001")
        await talk.over()
    rows = await room.server.rows()
    assert [(row.outcome, row.agent) for row in rows] == [("answered", "1005")]


async def test_an_emergency_is_joined_by_itself_and_the_agent_may_leave(tmp_path: Path) -> None:
    """One request: the service is called, joined when it answers, and stays with the caller."""
    async with open_room(tmp_path) as room:
        talk = await room.talk()
        assert (await talk.do("emergency", {"service": "110"}))["consult"]["target"] == "110"
        await hears(talk.call, MUSIC, of=ALL)
        service = await picked_up(room.outside, OTHER)
        await hears(talk.call, AGENT, OTHER, of=ALL)
        await hears(service, AGENT, CALLER, of=ALL)
        await room.page.event("party_joined", party="110", agent=None)
        await talk.do("hangup")
        await hears(talk.call, OTHER, of=ALL)
        await hears(service, CALLER, of=ALL)
        await refused(talk.do("emergency", {"service": "999"}, by=room.chief), 404, "not_found")
        await service.hangup()
        await talk.call.wait_ended()


async def test_a_supervisor_listens_whispers_barges_takes_over_and_releases(tmp_path: Path) -> None:
    """The caller never hears a listener or a whisper; the agent hears the whisper; then it is handed over."""
    async with open_room(tmp_path) as room:
        talk = await room.talk()
        await refused(room.agent.console.post(f"/api/supervise/{talk.call_id}/listen"), 403, "forbidden")
        await talk.supervise("listen")
        await talk.supervise("listen")
        chief = await picked_up(room.chief.phone, CHIEF)
        await hears(chief, CALLER, AGENT, of=ALL)
        await hears(talk.call, AGENT, of=ALL)
        await hears(talk.leg, CALLER, of=ALL)
        await talk.supervise("whisper")
        await hears(talk.leg, CALLER, CHIEF, of=ALL)
        await hears(talk.call, AGENT, of=ALL)
        await talk.supervise("barge")
        await hears(talk.call, AGENT, CHIEF, of=ALL)
        await talk.supervise("listen")
        await hears(talk.call, AGENT, of=ALL)
        await talk.supervise("take-over")
        await chief.wait_ended()
        taken = await picked_up(room.chief.phone, CHIEF)
        await talk.leg.wait_ended()
        await hears(talk.call, CHIEF, of=ALL)
        await hears(taken, CALLER, of=ALL)
        await talk.supervise("release")
        await talk.call.wait_ended()
        await taken.wait_ended()


async def test_a_waiting_caller_is_moved_to_the_front_and_to_another_queue(tmp_path: Path) -> None:
    """The second caller is answered first; the first one is answered by another queue's agent."""
    async with open_room(tmp_path) as room:
        await room.agent.console.agent("pause", {"reason": "小休"})
        waiting = []
        later = await room.stack.enter_async_context(citizen(room.server.site, "13900001111"))
        for phone in (room.caller, later):
            call = await phone.call("12333")
            queued = await room.page.event("caller_queued", queue="12333")
            room.page.events.remove(queued)
            waiting.append((call, queued["call_id"]))
        (first, first_id), (second, second_id) = waiting
        chief = room.chief.console
        for _ in range(2):
            await chief.post(f"/api/waiting/{second_id}/front")
        await room.agent.console.agent("resume")
        leg = await asyncio.wait_for(room.agent.next_call(), 20)
        await leg.answer()
        answered = await room.page.event("call_answered", agent="1005")
        assert answered["call_id"] == second_id
        await refused(chief.post(f"/api/waiting/{second_id}/front"), 404, "not_found")
        await refused(chief.post(f"/api/waiting/{first_id}/queue", {"queue": "none"}), 404, "not_found")
        await chief.post(f"/api/waiting/{first_id}/queue", {"queue": "12315"})
        await room.page.event("caller_queued", queue="12315", call_id=first_id)
        await room.other.console.agent("sign-in")
        other = await asyncio.wait_for(room.other.next_call(), 20)
        await other.answer()
        await room.page.event("call_answered", agent="1003", call_id=first_id)
        for call in (first, second):
            await call.hangup()
        await room.page.until(lambda: not room.page.live["calls"])
    rows = {(row.uniqueid, row.queue): row.outcome for row in await room.server.rows()}
    assert rows == {
        (first_id, "12333"): "transferred",
        (first_id, "12315"): "answered",
        (second_id, "12333"): "answered",
    }
