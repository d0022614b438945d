"""Agents on a real Asterisk through the real server: states, wrap-up, breaks, and what a kill leaves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hotline.core.errors import PeerError
from hotline.telephony.phone.call import Call
from tests.real.serving import Seat, ServerProcess, Watcher, citizen, serving, write_site

pytestmark = pytest.mark.timeout(120)

QUEUE, FUND, URGENT = "12333", "12329", "12350"


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[ServerProcess]:
    """Two queues without menus and two agents, of one level in the first queue and of two in the second.

    The first has a wrap-up of 10 s (at most 12), the second of 3 s, and widens its circle after 4 s; a second
    line of it comes first.
    """
    queues = [
        {
            "name": QUEUE, "title": "劳动社保", "ring_seconds": 5, "no_answer_pause_after": 2,
            "wrap_up_seconds": 10, "wrap_up_max_seconds": 12,
        },
        {"name": FUND, "title": "公积金", "wrap_up_seconds": 3, "widen_after_seconds": [4]},
    ]  # fmt: skip
    agents = [
        {"id": name, "name": name, "extension": name, "skills": {QUEUE: 1, FUND: level}}
        for name, level in (("1005", 1), ("1006", 2))
    ]
    lines = [
        {"id": QUEUE, "name": "劳动社保", "number": QUEUE, "dids": [QUEUE]},
        {"id": FUND, "name": "公积金", "number": FUND, "dids": [FUND]},
        {"id": URGENT, "name": "安全生产", "number": URGENT, "dids": [URGENT], "queue": FUND, "priority": 10},
    ]
    shift = {"name": "全天", "agents": ["1005", "1006"], "starts": "00:00", "ends": "24:00"}
    file = write_site(
        tmp_path,
        shifts=[shift],
        lines=lines,
        queues=queues,
        agents=agents,
        menus=[],
        prompts=[],
        asr={"enabled": False},
        alerts={"clear_seconds": 0},
    )
    async with serving(file) as running:
        await running.add_user("chief", role="supervisor")
        for agent in ("1005", "1006"):
            await running.add_user(agent, agent=agent)
        yield running


@asynccontextmanager
async def calling(
    server: ServerProcess, number: str = "13800001111", did: str = QUEUE
) -> AsyncIterator[Call]:
    """A citizen who waits in the queue of the line that was dialled."""
    async with citizen(server.site, number) as phone:
        call = await phone.call(did)
        await call.wait_answered()
        yield call


def no_answer_alerts(page: Watcher) -> list[tuple[str, str]]:
    """What the page was told of agents who do not answer: event and agent."""
    told = [(event["name"], event.get("alert", event)) for event in page.events]
    return [(name, alert["subject"]) for name, alert in told if alert.get("kind") == "no_answer"]


async def talk_once(server: ServerProcess, seat: Seat, page: Watcher, number: str, did: str = QUEUE) -> float:
    """A short talk from the caller's dialling to the end; seconds from the call to its ring."""
    clock = asyncio.get_running_loop()
    began = clock.time()
    async with calling(server, number, did) as call:
        talk = await asyncio.wait_for(seat.next_call(), 20)
        rang = clock.time() - began
        talk.ring()
        await talk.answer()
        await state(page, seat.agent, "talking")
        await call.hangup()
        await talk.wait_ended()
    return rang


def seat_of(page: Watcher, agent: str) -> dict[str, Any]:
    """An agent's newest state event."""
    events = [one for one in page.events if one["name"] == "agent_state_changed" and one["agent"] == agent]
    return events[-1] if events else {"state": None}


async def state(page: Watcher, agent: str, wanted: str, within_seconds: float = 20) -> dict[str, Any]:
    """Wait until the agent is in this state."""
    await page.until(lambda: seat_of(page, agent)["state"] == wanted, within_seconds)
    return seat_of(page, agent)


async def pause_written(server: ServerProcess) -> None:
    """Wait until Asterisk has the pause of a wrap-up: a kill before that leaves none."""
    log = server.site.data_dir / "asterisk" / "log" / "queue_log"
    deadline = asyncio.get_running_loop().time() + 10
    while "PAUSEALL|wrap-up" not in log.read_text(encoding="utf-8"):
        assert asyncio.get_running_loop().time() < deadline, "no pause was asked for"
        await asyncio.sleep(0.02)  # a file tells nobody that it grew


async def test_states_and_a_wrap_up_ended_early(server: ServerProcess) -> None:
    """Reserved before the phone says it rings; an ended wrap-up brings the waiting caller at once."""
    async with Watcher(server) as page, Seat(server, "1005") as seat:
        async with calling(server) as call:
            talk = await asyncio.wait_for(seat.next_call(), 20)
            await state(page, "1005", "reserved")
            talk.ring()
            await state(page, "1005", "ringing")
            await talk.answer()
            await state(page, "1005", "talking")
            await talk.hold()
            await state(page, "1005", "held")
            await talk.resume()
            await state(page, "1005", "talking")
            here, missing = (await page.console.get("/api/shift"))["rows"]
            assert (here["agent"], here["due"], here["present"]) == ("1005", True, True)
            assert 0 <= here["adherence"] < 1 and here["late_seconds"] > 0, "the day began before the test"
            assert (missing["due"], missing["present"], missing["adherence"]) == (True, False, 0)
            await call.hangup()
        wrapping = await state(page, "1005", "wrap_up")
        left = datetime.fromisoformat(wrapping["wrap_up_until"]) - datetime.fromisoformat(wrapping["at"])
        assert left.total_seconds() == 10
        async with calling(server, "13800002222"):
            await page.event("caller_queued", caller_number="138****2222")
            with pytest.raises(TimeoutError):  # longer than app_queue's own two seconds
                await asyncio.wait_for(seat.next_call(), 4)
            began = asyncio.get_running_loop().time()
            view = await seat.console.post("/api/agent/wrap-up/end")
            assert view["state"] in ("ready", "reserved")
            await asyncio.wait_for(seat.next_call(), 5)
            assert asyncio.get_running_loop().time() - began < 2.5, "the next call did not come at once"
        ended = await page.event("wrap_up_ended")
        (row,) = [row for row in await server.rows() if row.outcome == "answered"]
        assert ended["entry_id"] == row.entry_id and 4 <= ended["seconds"] < 10


async def test_a_call_handed_on_is_a_talk_and_a_wrap_up_of_whoever_takes_it(server: ServerProcess) -> None:
    """The second agent rings and talks although no queue sent the call; both have their wrap-up."""
    async with Watcher(server) as page, Seat(server, "1005") as first, Seat(server, "1006") as second:
        await second.console.agent("pause", {"reason": "小休"})
        async with calling(server) as call:
            talk = await asyncio.wait_for(first.next_call(), 20)
            await talk.answer()
            await state(page, "1005", "talking")
            handing = asyncio.create_task(talk.transfer("1006"))
            handed = await asyncio.wait_for(second.next_call(), 20)
            handed.ring()
            ringing = await state(page, "1006", "ringing")
            assert ringing["pending_reason"] == "小休"
            await handed.answer()
            await handing
            talking = await state(page, "1006", "talking")
            assert talking["call_id"] == (await page.event("call_answered"))["call_id"]
            await state(page, "1005", "wrap_up")
            await call.hangup()
        await state(page, "1006", "wrap_up")
        await second.console.post("/api/agent/wrap-up/end")
        assert (await state(page, "1006", "paused"))["reason"] == "小休"
        assert (await page.event("wrap_up_ended", agent="1006"))["entry_id"] is None


async def test_an_extended_wrap_up_holds_the_next_call_and_a_break_follows_it(server: ServerProcess) -> None:
    """Up to the cap, told by the view; the break asked for meanwhile begins when it ends."""
    async with Watcher(server) as page, Seat(server, "1005") as seat:
        await talk_once(server, seat, page, "13800001111")
        await state(page, "1005", "wrap_up")
        view = await seat.console.post("/api/agent/wrap-up/extend", {"seconds": 60})
        until = datetime.fromisoformat(view["wrap_up_until"])
        assert (until - datetime.fromisoformat(view["since"])).total_seconds() == 12
        with pytest.raises(PeerError, match="wrap_up_longest"):
            await seat.console.post("/api/agent/wrap-up/extend", {"seconds": 60})
        view = await seat.console.agent("pause", {"reason": "小休"})
        assert (view["state"], view["pending_reason"]) == ("wrap_up", "小休")
        async with calling(server, "13800002222"):
            paused = await state(page, "1005", "paused", 30)
            assert paused["reason"] == "小休"
            assert datetime.fromisoformat(paused["at"]) >= until
            view = await seat.console.agent("resume")
            assert view["state"] in ("ready", "reserved")
            await asyncio.wait_for(seat.next_call(), 15)


async def test_a_server_killed_in_a_talk_and_in_its_wrap_up_ends_both_when_it_is_back(
    server: ServerProcess,
) -> None:
    """A talk taken over has its wrap-up; a wrap-up goes on where it was and then brings calls again."""
    async with Seat(server, "1005") as seat:
        async with calling(server) as call:
            async with Watcher(server) as page:
                talk = await asyncio.wait_for(seat.next_call(), 20)
                await talk.answer()
                await state(page, "1005", "talking")
            await server.kill()
            await server.start()
            async with Watcher(server) as page:
                await call.hangup()
                wrapping = await state(page, "1005", "wrap_up")
                await pause_written(server)
        await server.kill()
        await server.start()
        async with Watcher(server) as page:
            (view,) = [one for one in page.live["agents"] if one["agent"] == "1005"]
            if view["state"] == "wrap_up":  # on a slow machine it may be over by now
                assert view["wrap_up_until"] == wrapping["wrap_up_until"]
                begun = [datetime.fromisoformat(moment) for moment in (view["since"], wrapping["at"])]
                # killed before the row was saved, queue_log tells it, in whole seconds
                assert timedelta() <= begun[1] - begun[0] < timedelta(seconds=1), "one wrap-up, not two"
            await page.until(lambda: any(
                one["agent"] == "1005" and one["state"] == "ready" for one in page.live["agents"]
            ), 30)  # fmt: skip
            assert await talk_once(server, seat, page, "13800002222") < 5


async def test_calls_left_ringing_pause_the_agent_who_can_resume(server: ServerProcess) -> None:
    """Two rings in vain: paused with the reason, the supervisor is warned; a forced ready brings calls."""
    async with Watcher(server) as page, Seat(server, "1005") as seat, calling(server):
        for _ in range(2):
            talk = await asyncio.wait_for(seat.next_call(), 20)
            talk.reject()
        alarm = await page.event("agent_auto_paused", agent="1005")
        assert alarm["rings"] == 2
        assert (await state(page, "1005", "paused"))["reason"] == "无应答"
        await page.until(lambda: ("alert_raised", "1005") in no_answer_alerts(page))
        view = await page.console.post("/api/agents/1005/force", {"state": "ready"})
        assert view["state"] in ("ready", "reserved", "ringing")
        await asyncio.wait_for(seat.next_call(), 10)
        await page.event("agent_forced", agent="1005", by="chief", state="ready")
        await page.until(lambda: ("alert_cleared", "1005") in no_answer_alerts(page))


async def test_a_phone_that_goes_away_is_unreachable_and_comes_back(server: ServerProcess) -> None:
    """Unregistering is seen; registering again makes the agent ready without a new sign-in."""
    async with Watcher(server) as page, Seat(server, "1005") as seat:
        await seat.phone.aclose()
        await state(page, "1005", "unreachable")
        async with Seat(server, "1005", sign_in=False):
            await state(page, "1005", "ready")


async def test_the_second_level_rings_only_after_a_while_and_an_urgent_line_comes_first(
    server: ServerProcess,
) -> None:
    """Although free, and the only one there, for four seconds; the line with priority is answered before."""
    clock = asyncio.get_running_loop()
    async with Watcher(server) as page, Seat(server, "1006", sign_in=False) as second:
        view = await second.console.agent("sign-in", {"queues": [FUND]})
        assert (view["state"], view["queues"]) == ("ready", [FUND])
        with pytest.raises(PeerError, match="foreign_queue"):
            await second.console.agent("sign-in", {"queues": ["nosuch"]})
        began = clock.time()
        async with calling(server, "13800001111", FUND):
            await page.event("caller_queued", line=FUND)
            async with calling(server, "13800002222", URGENT):
                talk = await asyncio.wait_for(second.next_call(), 20)
                assert 4 <= clock.time() - began < 9
                await talk.answer()
                assert (await page.event("call_answered"))["line"] == URGENT
        async with Seat(server, "1005") as first, calling(server, "13800003333", FUND):
            began = clock.time()
            await asyncio.wait_for(first.next_call(), 3)


async def test_a_caller_ends_the_wrap_up_that_a_dead_server_left(server: ServerProcess) -> None:
    """Nobody stays paused for ever: ten seconds after its end the next caller rings the agent."""
    async with Seat(server, "1005") as seat:
        async with Watcher(server) as page:
            await talk_once(server, seat, page, "13800001111", FUND)
            await state(page, "1005", "wrap_up")
            wrapping = seat_of(page, "1005")
            await pause_written(server)
        await server.kill()
        until = datetime.fromisoformat(wrapping["wrap_up_until"])
        async with calling(server, "13800002222", FUND):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(seat.next_call(), 3)
        await asyncio.sleep((until - datetime.now(UTC)).total_seconds() + 12)  # the time it takes, no event
        async with calling(server, "13800003333", FUND):
            await asyncio.wait_for(seat.next_call(), 5)
