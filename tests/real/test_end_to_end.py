"""Real calls on a real Asterisk through the real server: what callers, agents and supervisors get."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hotline.telephony.phone.call import Call
from hotline.telephony.phone.phone import Phone
from tests.real.serving import Seat, ServerProcess, Watcher, citizen, serving, write_site
from tests.real.speaking import say

pytestmark = pytest.mark.timeout(180)

CALLER_SAYS = "我要投诉，健身房关门了，会员卡不退钱。"
AGENT_SAYS = "您好，请讲。"


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[ServerProcess]:
    """A server with a supervisor and two agents who have accounts."""
    file = write_site(tmp_path)
    async with serving(file) as running:
        await running.add_user("chief", role="supervisor")
        await running.add_user("1003", agent="1003")
        await running.add_user("1004", agent="1004")
        yield running


async def put_through(page: Watcher, phone: Phone, seat: Seat) -> tuple[Call, Call]:
    """A caller of 12315 presses 1 and the agent answers: the call at either end."""
    ringing = asyncio.create_task(seat.next_call())
    call = await phone.call("12315")
    await call.wait_answered()
    await page.event("menu_entered")
    await call.send_dtmf("1")
    talk = await asyncio.wait_for(ringing, 20)
    await talk.answer()
    await page.event("call_answered", agent=seat.agent)
    return call, talk


def bare(text: str) -> str:
    """Only what is spoken."""
    return "".join(character for character in text if character.isalnum())


async def test_a_menu_by_dtmf_an_agent_and_both_texts_word_for_word(server: ServerProcess) -> None:
    """The caller chooses, the agent answers, the page shows by which way and what both say, exactly."""
    phone = citizen(server.site, "13800001234", "李\u2028四😀")
    async with Watcher(server) as page, Seat(server, "1003") as seat, phone:
        ringing = asyncio.create_task(seat.next_call())
        call = await phone.call("12345")
        await call.wait_answered()
        await page.event("menu_entered")
        await call.send_dtmf("11")
        talk = await asyncio.wait_for(ringing, 20)
        await talk.answer()
        answered = await page.event("call_answered", line="12315", agent="1003")
        assert answered["wait_seconds"] < 10
        queued = await page.event("caller_queued")
        assert queued["menu_path"] == ["消费投诉", "商品和服务"]
        assert queued["caller_number"] == "138****1234"
        await page.event("leg_tapped", side="caller")
        await page.event("leg_tapped", side="agent")
        await say(talk, AGENT_SAYS, "f1")
        await page.until(lambda: bare(page.text("agent")) == bare(AGENT_SAYS))
        await say(call, CALLER_SAYS, "m1")
        await page.until(lambda: bare(page.text("caller")) == bare(CALLER_SAYS))
        assert bare(page.text("agent")) == bare(AGENT_SAYS)
        partials = [one for one in page.events if one["name"] == "transcript_segment" and not one["final"]]
        assert partials, "the words came only when they were over"
        await call.hangup()
        await page.event("call_ended")
        about = await page.event(  # once the last words are final
            "call_understood", ended=True, request_type="complaint", topic="消费维权"
        )
        told = (await seat.console.get(f"/api/calls/{about['call_id']}/points"))["points"]["points"]
        summary = next(one for one in told if one["kind"] == "summary")
        assert "健身房" in summary["value"] and summary["cites"] == [{"side": "caller", "utterance": 1}]
        await page.until(lambda: page.figures.get("total", {}).get("answered") == 1)
        past = await seat.console.get(f"/api/calls/{answered['call_id']}")
        assert past["segments"][0]["side"] == "agent"
    (row,) = await server.rows()
    assert (row.outcome, row.line, row.agent, row.ended_by) == ("answered", "12315", "1003", "caller")


async def test_a_caller_who_hangs_up_waiting_is_an_abandoned_row(server: ServerProcess) -> None:
    """Nobody is signed in: the caller waits, gives up after six seconds, and the figures say so."""
    async with Watcher(server) as page, citizen(server.site, "13800002222") as phone:
        call = await phone.call("12333")
        await page.event("caller_queued", line="12333")
        await page.until(lambda: len(page.live["waiting"]) == 1)
        await asyncio.sleep(6)  # this caller's patience, not a wait for an event
        await call.hangup()
        await page.event("entry_closed", outcome="abandoned")
        await page.until(lambda: page.figures["total"]["outcomes"]["abandoned"] == 1)
        assert page.figures["total"]["answer_rate"] == 0
    (row,) = await server.rows()
    assert row.outcome == "abandoned" and 5_500 < row.wait_ms < 7_500


async def test_an_agent_who_does_not_answer_costs_the_caller_a_ring_not_the_place(
    server: ServerProcess,
) -> None:
    """The first phone refuses, the caller stays first in the queue and the second agent gets the call."""
    async with (
        Watcher(server) as page,
        Seat(server, "1003") as first,
        citizen(server.site, "13800003333") as phone,
    ):
        refusing = asyncio.create_task(first.next_call())
        call = await phone.call("12315")
        await call.wait_answered()
        await page.event("menu_entered")
        await call.send_dtmf("1")
        (await asyncio.wait_for(refusing, 20)).reject()
        await page.event("agent_no_answer", agent="1003")
        async with Seat(server, "1004") as second:
            answering = asyncio.create_task(second.next_call())
            await first.console.agent("pause", {"reason": "小休"})
            await (await asyncio.wait_for(answering, 20)).answer()
            await page.event("call_answered", agent="1004")
            await call.hangup()
            await page.event("entry_closed", outcome="answered")
    (row,) = await server.rows()
    assert (row.outcome, row.agent) == ("answered", "1004") and row.unanswered_rings >= 1


async def test_a_server_killed_in_the_menu_costs_the_caller_one_prompt(server: ServerProcess) -> None:
    """SIGKILL while the caller listens: the dialplan leads on to a person, and the restart writes it down."""
    async with Seat(server, "1003") as seat, citizen(server.site, "13800004444") as phone:
        ringing = asyncio.create_task(seat.next_call())
        async with Watcher(server) as page:
            call = await phone.call("12315")
            await call.wait_answered()
            await page.event("menu_entered")
            await server.kill()
        talk = await asyncio.wait_for(ringing, 60)
        await talk.answer()
        await server.start()
        async with Watcher(server) as page:
            assert page.live["calls"][0]["agent"] == "1003"
            assert call.end is None, "the call did not live through it"
            await call.hangup()
            await page.event("entry_closed", outcome="answered")
    (row,) = await server.rows()
    assert (row.outcome, row.line, row.agent) == ("answered", "12315", "1003")


async def test_a_server_killed_in_mid_call_leaves_the_call_and_finds_its_row(server: ServerProcess) -> None:
    """SIGKILL while they talk: they talk on, hang up unseen, and the restarted server has the whole row."""
    async with Seat(server, "1003") as seat, citizen(server.site, "13800005555") as phone:
        async with Watcher(server) as page:
            call, talk = await put_through(page, phone, seat)
            await server.kill()
        await say(call, "您好", "m1")
        assert call.end is None and talk.end is None, "the talk did not go on"
        await talk.hangup()
        await call.wait_ended()
        await server.start()
        async with Watcher(server) as page:
            await page.until(lambda: page.figures["total"]["answered"] == 1)
            assert page.live["calls"] == []
    (row,) = await server.rows()
    assert (row.outcome, row.agent, row.ended_by, row.source) == ("answered", "1003", "agent", "queue_log")
    assert row.closed_at is not None


async def test_a_call_that_outlives_a_kill_is_heard_again(server: ServerProcess) -> None:
    """After the restart both sides of the same call appear as text once more."""
    async with Seat(server, "1003") as seat, citizen(server.site, "13800006666") as phone:
        async with Watcher(server) as page:
            call, _ = await put_through(page, phone, seat)
            await page.event("leg_tapped", side="caller")
            await server.kill()
        await server.start()
        async with Watcher(server) as page:
            await page.until(lambda: len(page.live["calls"]) == 1)
            await say(call, CALLER_SAYS, "m1")
            await page.until(lambda: bare(CALLER_SAYS) in bare(page.text("caller")))
            await call.hangup()
            await page.event("entry_closed", outcome="answered")


async def test_an_orderly_restart_in_mid_call_is_not_noticed_by_the_call(server: ServerProcess) -> None:
    """SIGTERM while they talk: Asterisk stays for the call's sake, the next start finds it and the call."""
    async with Seat(server, "1003") as seat, citizen(server.site, "13800007777") as phone:
        async with Watcher(server) as page:
            call, talk = await put_through(page, phone, seat)
        assert await server.stop() == 0
        await say(call, "您好", "m1")
        assert call.end is None and talk.end is None, "the call went with the server"
        await server.start()
        async with Watcher(server) as page:
            assert [one["agent"] for one in page.live["calls"]] == ["1003"]
            await call.hangup()
            await page.event("entry_closed", outcome="answered")
    (row,) = await server.rows()
    assert (row.outcome, row.agent, row.source) == ("answered", "1003", "live")
