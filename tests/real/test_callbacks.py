"""Citizens called back on the real Asterisk: calls like others on the page, in every row and after a kill."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from hotline.store.models import Call as CallRow
from hotline.store.models import TalkRow
from hotline.telephony.phone.call import Call
from tests.real.books import Party, near
from tests.real.room import ALL, MUSIC, OTHER, Room, Talk, hum, open_room
from tests.real.serving import Watcher
from tests.real.speaking import say
from tests.real.tones import hears

pytestmark = pytest.mark.timeout(180)

BUSY_MS = 400  # that the rows of another process may differ more from the phones than this process's own
SECONDS_MS = 1500  # queue_log's whole seconds, and both ends of a span


@dataclass
class Back:
    """A call by which the agent calls back: the agent's side, and the citizen's phone, which rings."""

    call_id: str
    agent: Party
    ringing: Call

    @classmethod
    async def begin(cls, room: Room, first: str, page: Watcher) -> Back:
        """The agent asks for it and picks up; the citizen's phone rings."""
        page.events.clear()
        await room.agent.console.post("/api/callback", {"call_id": first})
        leg = await asyncio.wait_for(room.agent.next_call(), 20)
        await leg.answer()
        agent = await Party.of(leg)
        ringing = await asyncio.wait_for(room.outside.next_call(), 20)
        ringing.ring()
        started = await page.event("call_started", callback_of=first)
        return cls(started["call_id"], agent, ringing)

    async def answered(self) -> Party:
        """The citizen picks up."""
        await self.ringing.answer()
        return await Party.of(self.ringing)


async def first_call(room: Room) -> str:
    """The citizen's own call, which is over, with its wrap-up."""
    talk = await room.talk()
    await talk.over()
    await room.page.until(lambda: room.state("1005") == "ready")
    return talk.call_id


async def call_row(room: Room, call_id: str) -> CallRow:
    """The call's row once its end is there."""
    for _ in range(100):
        rows = {row.call_id: row for row in await room.server.calls()}
        if call_id in rows and rows[call_id].ended_at is not None:
            return rows[call_id]
        await asyncio.sleep(0.05)  # a database tells nobody that a row has changed
    raise AssertionError(f"no end of {call_id}: {rows}")


def same(moment: datetime | None, other: datetime | None, more_ms: float = BUSY_MS) -> bool:
    return near(moment, other, more_ms=more_ms)


async def test_a_callback_is_shown_held_written_down_recorded_and_wrapped_up(tmp_path: Path) -> None:
    """On the page, by control, in text and sound, in the history of the call it answers."""
    async with open_room(tmp_path, words=True, notice="notice") as room:
        first = await first_call(room)
        back = await Back.begin(room, first, room.page)
        talk = Talk(room, back.call_id, back.ringing, back.agent.call)
        own = await room.agent.console.get("/api/live")
        assert [(one["call_id"], one["callback_of"], one["answered_at"]) for one in own["calls"]] == [
            (back.call_id, first, None)
        ]
        await back.answered()
        await room.page.event("party_joined", agent="1005", call_id=back.call_id)
        await room.page.event("recording_changed", state="on", call_id=back.call_id)
        for side in ("caller", "agent"):
            await room.page.event("leg_tapped", side=side, call_id=back.call_id)
        await say(back.ringing, "我要投诉，健身房关门了。", "m1")
        await say(back.agent.call, "您好，请讲。", "f1")
        await room.page.until(lambda: "健身房" in room.page.text("caller"))
        await room.page.until(lambda: "请讲" in room.page.text("agent"))
        hum(back.agent.call, OTHER)
        assert (await talk.do("hold"))["held"] is True
        await hears(back.ringing, MUSIC, of=ALL)
        await room.page.until(lambda: room.state("1005") == "held")
        assert (await talk.do("unhold"))["held"] is False
        await hears(back.ringing, OTHER, of=ALL)
        await room.agent.console.post(f"/api/calls/{back.call_id}/note", {"text": "已答复"})
        await talk.do("mute")
        await talk.do("hangup")
        await back.ringing.wait_ended()
        await room.page.until(lambda: room.state("1005") == "wrap_up")
        past = await _history(room, back.call_id)
    assert (past["call"]["callback_of"], past["call"]["callback_outcome"]) == (first, "answered")
    assert (past["call"]["agent"], past["call"]["outcome"]) == ("1005", None)
    assert past["call"]["talk_seconds"] > 1 and past["call"]["line"] == "12333"
    words = {side: _words(past, side) for side in ("caller", "agent")}
    assert "健身房" in words["caller"] and "请讲" in words["agent"] and "请讲" not in words["caller"]
    assert [note["text"] for note in past["notes"]] == ["已答复"]
    assert max(past["about"]["levels"]["caller"]) > 150 < max(past["about"]["levels"]["agent"])
    assert abs(past["about"]["transcript_offset_seconds"]) < 0.5, "text and sound have different clocks"
    assert [one["call_id"] for one in past["first"]["callbacks"]] == [back.call_id]
    assert past["listed"][0] == back.call_id, "the agent's own history does not have it"


async def _history(room: Room, call_id: str) -> dict[str, Any]:
    """The call as the history shows it once its recording is there; with its earlier call, and the list."""
    console = room.page.console
    async with asyncio.timeout(20):
        while not (past := await console.get(f"/api/calls/{call_id}"))["call"]["has_recording"]:  # noqa: ASYNC110
            await asyncio.sleep(0.1)  # a recording is made after the call, and nobody is told
    past["about"] = await console.get(f"/api/calls/{call_id}/recording/about")
    past["first"] = await console.get(f"/api/calls/{past['call']['callback_of']}")
    calls = (await room.agent.console.get("/api/calls"))["calls"]
    return {**past, "listed": [one["call_id"] for one in calls]}


def _words(past: dict[str, Any], side: str) -> str:
    return "".join(one["text"] for one in past["segments"] if one["side"] == side)


async def test_the_rows_of_callbacks_are_what_the_phones_did(tmp_path: Path) -> None:
    """Reached, busy, given up, handed on; then the server is killed before the answer and in the talk."""
    async with open_room(tmp_path) as room:
        first = await first_call(room)
        await _reached(room, first)
        await _in_vain(room, first)
        await _handed_on(room, first)
        await _answered_while_the_server_is_away(room, first)
        await _over_while_the_server_is_away(room, first)
        offered = await room.server.rows()
    assert [row.call_id for row in offered] == [first], "a callback counts as offered"


async def _reached(room: Room, first: str) -> None:
    back = await Back.begin(room, first, room.page)
    citizen = await back.answered()
    await room.page.event("party_joined", call_id=back.call_id)
    talk = Talk(room, back.call_id, back.ringing, back.agent.call)
    await talk.do("hold")
    await asyncio.sleep(0.6)
    await talk.do("unhold")
    await citizen.hangup()
    await back.agent.ended()
    row, (spoke,) = await call_row(room, back.call_id), await room.server.talks(back.call_id)
    assert (row.callback_of, row.callback_agent, row.callback_outcome) == (first, "1005", "answered")
    assert (row.caller_number, row.line) == ("13800001234", "12333")
    assert same(row.started_at, back.agent.answered_at) and same(row.ended_at, citizen.ended_at)
    was(spoke, "callback", citizen.answered_at, citizen.ended_at)
    assert (spoke.agent, spoke.party, spoke.ended_by) == ("1005", "1005", "caller")
    assert 600 <= spoke.hold_ms < spoke.talk_ms
    await room.page.until(lambda: room.state("1005") == "wrap_up")


def was(talk: TalkRow, kind: str, begin: datetime | None, end: datetime | None, more_ms: float = 400) -> None:
    assert talk.kind == kind
    assert same(talk.answered_at, begin, more_ms) and same(talk.ended_at, end, more_ms), (begin, end)


async def _in_vain(room: Room, first: str) -> None:
    """Busy, then given up by the agent: no talk, no wrap-up."""
    for outcome in ("busy", "cancelled"):
        await room.page.until(lambda: room.state("1005") == "ready")
        back = await Back.begin(room, first, room.page)
        if outcome == "busy":
            back.ringing.reject()
            await back.agent.ended()
        else:
            await back.agent.hangup()
            await back.ringing.wait_ended()
        row = await call_row(room, back.call_id)
        assert (row.callback_outcome, await room.server.talks(back.call_id)) == (outcome, [])
        assert same(row.ended_at, back.agent.ended_at)
        await room.page.event("agent_state_changed", agent="1005", state="ready")


async def _handed_on(room: Room, first: str) -> None:
    back = await Back.begin(room, first, room.page)
    citizen = await back.answered()
    await room.page.event("party_joined", agent="1005", call_id=back.call_id)
    talk = Talk(room, back.call_id, back.ringing, back.agent.call)
    await talk.do("transfer", {"target": {"agent": "1003"}})
    leg = await asyncio.wait_for(room.other.next_call(), 20)
    await leg.answer()
    other = await Party.of(leg)
    await room.page.event("party_joined", agent="1003", call_id=back.call_id)
    await citizen.hangup()
    await other.ended()
    row = await call_row(room, back.call_id)
    called, taken = await room.server.talks(back.call_id)
    was(called, "callback", citizen.answered_at, back.agent.ended_at)
    was(taken, "transfer", other.answered_at, other.ended_at)
    assert (called.ended_by, taken.agent, row.callback_outcome) == ("transfer", "1003", "answered")


async def _answered_while_the_server_is_away(room: Room, first: str) -> None:
    await room.page.until(lambda: room.state("1005") == "ready")
    back = await Back.begin(room, first, room.page)
    await room.server.kill()
    citizen = await back.answered()
    await asyncio.sleep(1.1)  # a second of queue_log must pass
    await room.server.start()
    async with Watcher(room.server) as page:
        (view,) = page.live["calls"]
        assert (view["call_id"], view["agent"], view["callback_of"]) == (back.call_id, "1005", first)
        await citizen.hangup()
        await page.event("call_ended", call_id=back.call_id)
        await page.event("agent_state_changed", agent="1005", state="wrap_up")
        await page.event("agent_state_changed", agent="1005", state="ready")
    row, (spoke,) = await call_row(room, back.call_id), await room.server.talks(back.call_id)
    was(spoke, "callback", citizen.answered_at, citizen.ended_at, SECONDS_MS)
    assert same(spoke.ended_at, citizen.ended_at) and row.callback_outcome == "answered"


async def _over_while_the_server_is_away(room: Room, first: str) -> None:
    async with Watcher(room.server) as page:
        back = await Back.begin(room, first, page)
        citizen = await back.answered()
        await page.event("talk_started", call_id=back.call_id)
    await asyncio.sleep(0.3)  # the row is written
    await room.server.kill()
    await back.agent.hangup()
    await citizen.ended()
    await room.server.start()
    row, (spoke,) = await call_row(room, back.call_id), await room.server.talks(back.call_id)
    was(spoke, "callback", citizen.answered_at, citizen.ended_at, SECONDS_MS)
    assert (spoke.ended_by, spoke.source, row.callback_outcome) == ("agent", "queue_log", "answered")
