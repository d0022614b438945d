"""Three in a talk, phones that are not there, supervisors who change their mind, on the real Asterisk."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.real.room import AGENT, ALL, CALLER, CHIEF, OTHER, open_room, picked_up, refused
from tests.real.tones import hears

pytestmark = pytest.mark.timeout(180)


async def test_a_third_party_comes_and_goes_and_an_emergency_comes_on_top(tmp_path: Path) -> None:
    """Each mutes the own phone; the third is dropped; the caller is not alone while the service is called."""
    async with open_room(tmp_path) as room:
        talk = await room.talk()
        other = {"target": {"agent": "1003"}}
        await refused(talk.do("three-way/drop"), 409, "not_three_way")
        await talk.do("mute")
        assert (await talk.do("consult", other))["muted_agents"] == ["1005"]
        asked = await picked_up(room.other.phone, OTHER)
        await hears(asked, of=ALL)
        assert (await talk.do("unmute"))["muted_agents"] == []
        await hears(asked, AGENT, of=ALL)
        await talk.do("three-way")
        await hears(talk.call, AGENT, OTHER, of=ALL)
        for verb in ("consult/complete", "consult/cancel", "hold"):
            await refused(talk.do(verb), 409, "three_way")
        await refused(talk.do("three-way/drop", by=room.other), 409, "third_party")
        assert (await talk.do("mute", by=room.other))["muted_agents"] == ["1003"]
        await hears(talk.call, AGENT, of=ALL)
        await talk.do("unmute", by=room.other)
        await hears(talk.call, AGENT, OTHER, of=ALL)
        view = await talk.do("three-way/drop")
        assert (view["agent"], view["consult"], view["parties"]) == ("1005", None, [])
        await asked.wait_ended()
        await hears(talk.call, AGENT, of=ALL)

        await talk.do("consult", other)
        asked = await picked_up(room.other.phone, OTHER)
        await hears(asked, AGENT, of=ALL)
        await talk.do("three-way")
        await hears(talk.call, AGENT, OTHER, of=ALL)
        assert (await talk.do("emergency", {"service": "110"}))["consult"]["target"] == "110"
        await hears(talk.call, OTHER, of=ALL)
        service = await picked_up(room.outside, CHIEF)
        await hears(talk.call, AGENT, OTHER, CHIEF, of=ALL)
        await hears(service, AGENT, CALLER, OTHER, of=ALL)

        await talk.do("hangup")
        await talk.leg.wait_ended()
        await hears(talk.call, OTHER, CHIEF, of=ALL)
        await room.page.until(lambda: room.page.live["calls"][0]["agent"] == "1003")
        await refused(talk.do("hold"), 404, "not_found")
        await talk.do("hangup", by=room.other)
        await hears(talk.call, CHIEF, of=ALL)
        await service.hangup()
        await talk.call.wait_ended()
    rows = await room.server.rows()
    assert [(row.outcome, row.agent, row.ended_by) for row in rows] == [("answered", "1005", "agent")]


async def test_no_talk_is_lost_on_a_phone_that_is_not_there(tmp_path: Path) -> None:
    """Transfer, enquiry and take-over say so, and the talk goes on; also when nobody takes an enquiry."""
    async with open_room(tmp_path) as room:
        talk = await room.talk()
        busy = {"target": {"agent": "2001"}}
        for action in ("transfer", "consult"):
            await refused(talk.do(action, {"target": {"agent": "1006"}}), 409, "phone_unreachable")
        await talk.supervise("listen")
        chief = await picked_up(room.chief.phone, CHIEF)
        await hears(chief, CALLER, AGENT, of=ALL)
        for action in ("transfer", "consult"):
            await refused(talk.do(action, busy), 409, "phone_busy")
        await room.chief.phone.aclose()
        await chief.wait_ended()
        await refused(talk.supervise("take-over"), 409, "phone_unreachable")
        await hears(talk.call, AGENT, of=ALL)
        await hears(talk.leg, CALLER, of=ALL)

        await talk.do("consult", {"target": {"agent": "1003"}})
        ringing = await room.other.next_call()
        ringing.reject(486)
        await hears(talk.call, AGENT, of=ALL)
        await room.page.until(lambda: room.page.live["calls"][0]["consult"] is None)

        await talk.do("consult", {"target": {"agent": "1003"}})
        asked = await picked_up(room.other.phone, OTHER)
        await hears(asked, AGENT, of=ALL)
        await talk.do("three-way")
        await hears(talk.call, AGENT, OTHER, of=ALL)
        await talk.do("emergency", {"service": "110"}, by=room.other)
        await hears(talk.call, AGENT, of=ALL)
        (await room.outside.next_call()).reject(486)
        await hears(talk.call, AGENT, OTHER, of=ALL)
        await hears(talk.leg, CALLER, OTHER, of=ALL)
        await talk.over()


async def test_who_means_to_listen_is_not_heard_whatever_they_asked_for_before(tmp_path: Path) -> None:
    """Barge in, then listen before picking up: the phone rings anew, and the caller hears nobody else."""
    async with open_room(tmp_path) as room:
        talk = await room.talk()
        await talk.supervise("barge")
        first = await room.chief.next_call()
        await talk.supervise("listen")
        await first.wait_ended()
        chief = await picked_up(room.chief.phone, CHIEF)
        await hears(chief, CALLER, AGENT, of=ALL)
        await hears(talk.call, AGENT, of=ALL)
        await talk.supervise("listen")
        await talk.supervise("barge")
        await hears(talk.call, AGENT, CHIEF, of=ALL)
        await talk.over()
        await chief.wait_ended()
