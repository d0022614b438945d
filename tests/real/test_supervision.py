"""Supervisors on other people's calls, on the real Asterisk: who hears whom, and what the pages are told."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path

import pytest

from hotline.telephony.phone.call import Call
from hotline.telephony.phone.states import CallStateError
from tests.real.room import AGENT, ALL, CALLER, CHIEF, MUSIC, OTHER, Room, Talk, hum, open_room, picked_up
from tests.real.serving import Seat, Watcher, citizen
from tests.real.tones import hears

pytestmark = pytest.mark.timeout(240)

SECOND_CALLER, DEPUTY = 700.0, 1700.0
EVERYBODY = (*ALL, SECOND_CALLER, DEPUTY)


async def test_supervisors_go_from_call_to_call_and_every_page_knows(tmp_path: Path) -> None:
    """One exchange, one case after the other; after each of them nothing of it is left."""
    async with open_room(tmp_path) as room:
        await _from_one_call_to_another(room)
        await _two_supervisors_and_a_take_over(room)
        await _the_agent_hands_the_call_on(room)
        await _an_emergency_in_the_middle_of_an_enquiry(room)
        await _the_caller_hangs_up_in_the_middle_of_an_enquiry(room)
        await _a_new_server_knows_who_listens(room)
    rows = await room.server.rows()
    assert {row.outcome for row in rows} == {"answered"}


async def present(seat: Seat) -> tuple[str, str] | None:
    """The call that a supervisor's phone is on, and what it does there, as the server says."""
    found = await seat.console.get("/api/supervise")
    return (found["call_id"], found["verb"]) if found else None


async def told(page: Watcher, seat: Seat, call_id: str, verb: str | None) -> None:
    """The newest that the supervisors' page hears of this phone."""

    def newest() -> tuple[object, object] | None:
        heard = [one for one in page.events if one["name"] == "supervision_changed"]
        return next(
            ((one["call_id"], one["verb"]) for one in reversed(heard) if one["agent"] == seat.agent), None
        )

    await page.until(lambda: newest() == (call_id, verb))


async def over(room: Room, *talks: Talk) -> None:
    """All hang up; nobody is busy any more."""
    for talk in talks:
        await talk.call.hangup()
        await room.page.event("call_ended", call_id=talk.call_id)
    await room.page.until(lambda: not room.page.live["calls"])
    for seat in (room.agent, room.other):
        if room.state(seat.agent) == "wrap_up":
            await seat.console.agent("wrap-up/end")


async def _from_one_call_to_another(room: Room) -> None:
    """The phone leaves the one and rings for the other, also back at once; the talks notice nothing."""
    async with (
        Seat(room.server, "1006", sign_in=False) as second,
        citizen(room.server.site, "13900002222") as phone,
    ):
        first = await room.talk()
        await second.console.agent("sign-in")
        other = await room.talk(second, phone, SECOND_CALLER, OTHER)
        assert await present(room.chief) is None
        await first.supervise("listen")
        assert await present(room.chief) == (first.call_id, "listen"), "not known while it rings"
        chief = await picked_up(room.chief.phone, CHIEF)
        await told(room.page, room.chief, first.call_id, "listen")
        await hears(chief, CALLER, AGENT, of=EVERYBODY)
        await chief.send_dtmf("5")
        await told(room.page, room.chief, first.call_id, "whisper")
        assert await present(room.chief) == (first.call_id, "whisper"), "a key of the phone is not seen"
        await hears(first.leg, CALLER, CHIEF, of=EVERYBODY)
        await hears(first.call, AGENT, of=EVERYBODY)
        await other.supervise("listen")
        await chief.wait_ended()
        chief = await picked_up(room.chief.phone, CHIEF)
        await hears(chief, SECOND_CALLER, OTHER, of=EVERYBODY)
        assert await present(room.chief) == (other.call_id, "listen")
        await hears(first.leg, CALLER, of=EVERYBODY)
        await first.supervise("listen")
        await other.supervise("whisper")
        await first.supervise("listen")
        chief = await _last_ringing(room.chief)
        await hears(chief, CALLER, AGENT, of=EVERYBODY)
        await chief.hangup()
        await told(room.page, room.chief, first.call_id, None)
        assert await present(room.chief) is None
        await hears(first.call, AGENT, of=EVERYBODY)
        await first.supervise("listen")
        chief = await picked_up(room.chief.phone, CHIEF)
        await room.chief.console.post("/api/supervise/stop")
        await chief.wait_ended()
        assert await present(room.chief) is None
        await over(room, first, other)
        await second.console.agent("sign-out")


async def _last_ringing(seat: Seat) -> Call:
    """The last of the calls that rang at a phone, answered; those before it were given up."""
    while True:
        call = await asyncio.wait_for(seat.next_call(), 20)
        with suppress(CallStateError):
            await call.answer()
            hum(call, CHIEF)
            return call


async def _two_supervisors_and_a_take_over(room: Room) -> None:
    """Both hear; one barges in; the other takes over, and the one who barged in is out of the call."""
    await room.server.add_user("deputy", role="supervisor", agent="1004")
    async with Seat(room.server, "1004", sign_in=False, user="deputy") as deputy_seat:
        talk = await room.talk()
        await talk.supervise("listen")
        chief = await picked_up(room.chief.phone, CHIEF)
        await hears(chief, CALLER, AGENT, of=EVERYBODY)
        await talk.supervise("barge", by=deputy_seat)
        deputy = await picked_up(deputy_seat.phone, DEPUTY)
        await hears(talk.call, AGENT, DEPUTY, of=EVERYBODY)
        await hears(talk.leg, CALLER, DEPUTY, of=EVERYBODY)
        assert await present(room.chief) == (talk.call_id, "listen")
        assert await present(deputy_seat) == (talk.call_id, "barge")
        await talk.supervise("take-over")
        taken = await picked_up(room.chief.phone, CHIEF)
        await asyncio.gather(chief.wait_ended(), deputy.wait_ended(), talk.leg.wait_ended())
        await hears(talk.call, CHIEF, of=EVERYBODY)
        await hears(taken, CALLER, of=EVERYBODY)
        assert await present(room.chief) is None
        assert await present(deputy_seat) is None
        await over(room, talk)
        await taken.wait_ended()


async def _the_agent_hands_the_call_on(room: Room) -> None:
    """Listening ends with the agent's part in the call; to the next agent one listens anew."""
    talk = await room.talk()
    await talk.supervise("listen")
    chief = await picked_up(room.chief.phone, CHIEF)
    await hears(chief, CALLER, AGENT, of=EVERYBODY)
    await talk.do("transfer", {"target": {"agent": "1003"}})
    taken = await picked_up(room.other.phone, OTHER)
    await chief.wait_ended()
    await told(room.page, room.chief, talk.call_id, None)
    await hears(talk.call, OTHER, of=EVERYBODY)
    await talk.supervise("listen")
    chief = await picked_up(room.chief.phone, CHIEF)
    await hears(chief, CALLER, OTHER, of=EVERYBODY)
    await over(room, talk)
    await asyncio.gather(taken.wait_ended(), chief.wait_ended())


async def _an_emergency_in_the_middle_of_an_enquiry(room: Room) -> None:
    """Whom the agent asks is let go, while it rings and when they talk; the service is joined."""
    for answers in (False, True):
        talk = await room.talk()
        await talk.do("consult", {"target": {"agent": "1003"}})
        asked = await asyncio.wait_for(room.other.next_call(), 20)
        if answers:
            await asked.answer()
            hum(asked, OTHER)
            await hears(talk.leg, OTHER, of=EVERYBODY)
        else:
            asked.ring()
        view = await talk.do("emergency", {"service": "110"})
        assert view["consult"]["target"] == "110"
        await asked.wait_ended()
        await hears(talk.call, MUSIC, of=EVERYBODY)
        service = await picked_up(room.outside, DEPUTY)
        await hears(talk.call, AGENT, DEPUTY, of=EVERYBODY)
        await hears(service, AGENT, CALLER, of=EVERYBODY)
        await service.hangup()
        await over(room, talk)


async def _the_caller_hangs_up_in_the_middle_of_an_enquiry(room: Room) -> None:
    """The two who are left may end their talk; then nobody stays behind with music, and the agent is free."""
    talk = await room.talk()
    await talk.do("consult", {"target": {"agent": "1003"}})
    asked = await picked_up(room.other.phone, OTHER)
    await hears(talk.leg, OTHER, of=EVERYBODY)
    await talk.call.hangup()
    await hears(talk.leg, OTHER, of=EVERYBODY)
    await hears(asked, AGENT, of=EVERYBODY)
    await talk.leg.hangup()
    await asked.wait_ended()
    await over(room, talk)


async def _a_new_server_knows_who_listens(room: Room) -> None:
    """Killed and started again, the server says the same, changes over without a ring, sees the end."""
    talk = await room.talk()
    await talk.supervise("listen")
    chief = await picked_up(room.chief.phone, CHIEF)
    await hears(chief, CALLER, AGENT, of=EVERYBODY)
    await chief.send_dtmf("5")
    await told(room.page, room.chief, talk.call_id, "whisper")
    before = await room.chief.console.get("/api/supervise")
    await room.server.kill()
    await room.server.start()
    async with Watcher(room.server) as page:
        async with asyncio.timeout(10):  # of the exchange it is asked after the start
            while await room.chief.console.get("/api/supervise") != before:  # noqa: ASYNC110 - no event tells
                await asyncio.sleep(0.05)
        await talk.supervise("barge")
        await hears(talk.call, AGENT, CHIEF, of=EVERYBODY)
        await chief.hangup()
        await told(page, room.chief, talk.call_id, None)
        assert await present(room.chief) is None
        await talk.call.hangup()
        await page.event("call_ended", call_id=talk.call_id)
