"""What the console does with live calls, on the real Asterisk: who hears whom, and what the ledger says."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from hotline.telephony.phone.call import Call
from tests.real.room import (
    AGENT,
    ALL,
    CALLER,
    CHIEF,
    MUSIC,
    OTHER,
    Room,
    Talk,
    hum,
    open_room,
    picked_up,
    refused,
)
from tests.real.serving import Seat, Watcher, citizen
from tests.real.speaking import say
from tests.real.tones import hears

pytestmark = pytest.mark.timeout(180)


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
        assert (await talk.do("mute"))["muted_agents"] == ["1005"]
        await hears(talk.call, of=ALL)
        await hears(talk.leg, CALLER, of=ALL)
        await talk.do("hold")
        await room.server.kill()
        await room.server.start()
        async with Watcher(room.server) as page:
            (view,) = page.live["calls"]
            assert (view["held"], view["muted_agents"]) == (True, ["1005"]), (
                "a new server does not know how the call stands"
            )
            await talk.do("unmute")
            await talk.do("unhold")
            await hears(talk.call, AGENT, of=ALL)
            await refused(talk.do("hold", by=room.other), 404, "not_found")
            await refused(talk.do("three-way"), 409, "no_enquiry")
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
        await refused(talk.do("transfer", other), 409, "enquiry_under_way")
        asked = await picked_up(room.other.phone, OTHER)
        await hears(talk.leg, OTHER, of=ALL)
        await hears(asked, AGENT, of=ALL)
        await hears(talk.call, MUSIC, of=ALL)
        assert (await talk.do("three-way"))["consult"]["state"] == "three_way"
        await hears(talk.call, AGENT, OTHER, of=ALL)
        await hears(asked, AGENT, CALLER, of=ALL)
        await hears(talk.leg, OTHER, CALLER, of=ALL)
        await room.page.until(lambda: room.state("1005") == "talking")
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
        await room.page.until(lambda: room.waiting() == [second_id, first_id])
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


async def test_a_desk_phone_is_answered_and_held_by_its_own_buttons_and_a_caller_called_back(
    tmp_path: Path,
) -> None:
    """NOTIFY answers, holds and resumes; then the console rings the agent and the citizen together."""
    async with open_room(tmp_path, buttons=True) as room:
        call = await room.caller.call("12333")
        queued = await room.page.event("caller_queued")
        leg = await asyncio.wait_for(room.agent.next_call(), 20)
        leg.ring()
        talk = Talk(room, queued["call_id"], call, leg)
        await refused(talk.do("hold"), 409, "not_talking")
        assert (await talk.do("answer"))["agent"] == "1005"
        await call.wait_answered()
        hum(call, CALLER)
        hum(leg, AGENT)
        await hears(call, AGENT, of=ALL)
        assert (await talk.do("hold"))["held"] is True
        await hears(call, MUSIC, of=ALL)
        assert (await talk.do("unhold"))["held"] is False
        await hears(call, AGENT, of=ALL)
        await talk.over()
        await leg.wait_ended()

        await room.agent.console.post("/api/callback", {"call_id": talk.call_id})
        back = await picked_up(room.agent.phone, AGENT)
        citizen_phone = await picked_up(room.outside, OTHER)
        await hears(citizen_phone, AGENT, of=ALL)
        await hears(back, OTHER, of=ALL)
        await back.hangup()
        await citizen_phone.wait_ended()


async def test_what_is_known_of_a_call_goes_along_to_whoever_gets_it(tmp_path: Path) -> None:
    """Text, note, draft, language and line are there while it rings at the new agent's; the text goes on."""
    async with open_room(tmp_path, words=True) as room:
        frames: list[dict[str, Any]] = []
        page = asyncio.create_task(_collect(room.other, frames))
        call = await room.caller.call("12333")
        leg = await asyncio.wait_for(room.agent.next_call(), 20)
        await leg.answer()
        call_id = (await room.page.event("call_answered"))["call_id"]
        await room.page.event("leg_tapped", side="caller")
        await say(call, "我要投诉，健身房关门了。", "m1")
        await room.page.until(lambda: "健身房" in room.page.text("caller"))
        await room.agent.console.post(f"/api/calls/{call_id}/note", {"text": "会员卡五年"})
        order = {"title": "预付卡不退", "phone": "13955501234", "sex": "female"}
        draft = f"/api/calls/{call_id}/draft"
        await room.agent.console.put(draft, {"revision": 0, "fields": order})
        await refused(room.other.console.get(f"/api/calls/{call_id}"), 404, "not_found")
        await room.agent.console.post(f"/api/call/{call_id}/transfer", {"target": {"agent": "1003"}})
        ringing = await asyncio.wait_for(room.other.next_call(), 20)
        ringing.ring()
        await room.page.event("party_ringing", agent="1003")
        known = await room.other.console.get(f"/api/calls/{call_id}")
        assert "健身房" in "".join(segment["text"] for segment in known["segments"])
        assert [(note["user"], note["text"]) for note in known["notes"]] == [("1005", "会员卡五年")]
        assert (known["draft"]["updated_by"], known["draft"]["revision"]) == ("1005", 1)
        assert {key: known["draft"]["fields"][key] for key in order} == order
        shown = [frame["data"] for frame in frames if frame["type"] == "call"]
        assert [(one["call_id"], one["line"], one["language"]) for one in shown] == [
            (call_id, "12333", "yue")
        ]
        assert known["call"]["language"] == "yue"
        await ringing.answer()
        await room.page.event("party_joined", agent="1003")
        await room.other.console.put(draft, {"revision": 1, "fields": order | {"unit": "市场监管局"}})
        await refused(room.agent.console.put(draft, {"revision": 1, "fields": order}), 409, "stale")
        assert (await room.page.event("draft_changed", revision=2))["by"] == "1003"
        await room.page.until(lambda: sum(e["name"] == "leg_tapped" for e in room.page.events) >= 4)
        await say(ringing, "您好，请讲。", "f1")
        await room.page.until(lambda: "请讲" in room.page.text("agent"))
        assert any("请讲" in frame["data"].get("text", "") for frame in frames if frame["type"] == "event")
        page.cancel()
        await asyncio.wait({page})
        await call.hangup()
        await room.page.event("call_ended")


async def test_all_three_of_a_three_way_talk_are_written_down_each_by_name(tmp_path: Path) -> None:
    """Three voices, three names; who stays after the first has left says the next words in the own name."""
    async with open_room(tmp_path, words=True) as room:
        call = await room.caller.call("12333")
        leg = await asyncio.wait_for(room.agent.next_call(), 20)
        await leg.answer()
        call_id = (await room.page.event("call_answered"))["call_id"]
        talk = Talk(room, call_id, call, leg)
        await talk.do("consult", {"target": {"agent": "1003"}})
        asked = await asyncio.wait_for(room.other.next_call(), 20)
        await asked.answer()
        await room.page.event("call_changed", consult_state="talking")
        assert (await talk.do("three-way"))["consult"]["state"] == "three_way"
        for party in ("", "1005", "1003"):
            await room.page.event("leg_tapped", call_id=call_id, party=party)
        await speak(room, call, "我要投诉，健身房关门了。", "m1", heard="健身房", party="")
        await speak(room, leg, "您好，请讲。", "f1", heard="请讲", party="1005")
        await speak(room, asked, "请问您的电话号码是多少？", "f2", heard="电话", party="1003")
        await talk.do("hangup")
        await room.page.event("party_left", agent="1005")
        await speak(room, asked, "您好，请讲。", "f2", heard="请讲", party="1003")
        await talk.over()
        said = (await room.page.console.get(f"/api/calls/{call_id}"))["segments"]
    stored = {(one["side"], one["party"]) for one in said}
    assert stored == {("caller", ""), ("agent", "1005"), ("agent", "1003")}
    first = "".join(one["text"] for one in said if one["party"] == "1005")
    assert "请讲" in first and "电话" not in first and "健身房" not in first
    assert "健身房" not in words(room, "1003") and "电话" not in words(room, "")


async def speak(room: Room, phone: Call, text: str, variant: str, *, heard: str, party: str) -> None:
    """Say it until the words are on the page: a busy machine's phone stutters."""
    for _ in range(4):
        await say(phone, text, variant)
        with suppress(AssertionError):
            await room.page.until(lambda: heard in words(room, party), within_seconds=8)
            return
    raise AssertionError(f"{heard} is not heard of {party or 'the caller'}: {words(room, party)}")


def words(room: Room, party: str) -> str:
    """The final words of one voice so far, as the supervisor's page has them."""
    heard = [one for one in room.page.events if one["name"] == "transcript_segment" and one["final"]]
    return "".join(one["text"] for one in heard if one["party"] == party)


async def _collect(seat: Seat, frames: list[dict[str, Any]]) -> None:
    """Everything that the agent's own page is told."""
    async for frame in seat.console.frames(["agent"]):
        frames.append(frame)
