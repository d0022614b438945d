"""The console's WebSocket: who sees what, and nothing lost or told twice over a break."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from websockets.exceptions import InvalidStatus

from hotline.agent_console import hub as hub_module
from hotline.agent_console import sockets as sockets_module
from hotline.agent_console.sockets import SOCKETS_PER_USER
from hotline.core.clock import ManualClock
from hotline.core.events import AgentState, AgentStateChanged, CallStarted, LinkChanged
from hotline.store.accounts import AccountStore
from hotline.store.database import sessions_of
from tests.fixtures.console import (
    AT,
    ConsoleUnderTest,
    answered,
    ringing,
    running_console,
    says,
    site_with,
)


@pytest.fixture
async def console(tmp_path: Path) -> AsyncIterator[ConsoleUnderTest]:
    async with running_console(tmp_path) as running:
        yield running


async def test_a_new_page_gets_a_snapshot_and_then_what_happens(console: ConsoleUnderTest) -> None:
    """Welcome, the own call with its text, then the events after it."""
    console.picture.talk("c1", "a1")
    console.picture.talk("c2", "a2")
    console.transcripts.add("c1", "您好")
    console.transcripts.add("c2", "不该看到")
    console.publish(answered("c1", "a1"), answered("c2", "a2"))
    async with console.page(await console.user("zhang", agent="a1")) as page:
        await page.hello("agent")
        welcome = await page.frame()
        assert welcome == {"type": "welcome", "boot_id": console.bus.boot_id, "seq": 2, "resumed": False}
        snapshot = await page.frame()
        assert (snapshot["type"], snapshot["seq"], snapshot["figures"]) == ("snapshot", 2, None)
        assert [one["call_id"] for one in snapshot["live"]["calls"]] == ["c1"]
        assert [one["text"] for one in snapshot["segments"]] == ["您好"]
        console.publish(says("c2", "别人的话"), says("c1", "自己的话", 2))
        assert await page.texts(1) == [(4, "自己的话")]


async def test_an_agent_never_hears_of_a_colleagues_call(console: ConsoleUnderTest) -> None:
    """All events of a colleague's call pass by; the next own event is the first thing that comes."""
    async with console.page(await console.user("zhang", agent="a1")) as page:
        await page.hello("agent", "board")
        await page.until("snapshot")
        console.publish(
            CallStarted("c2", AT, "12345", "12345", "13812341234", ""),
            ringing("c2", "a2"),
            answered("c2", "a2"),
            says("c2", "秘密"),
            AgentStateChanged("a2", AT, AgentState.TALKING, "", "c2"),
            AgentStateChanged("a1", AT, AgentState.PAUSED, "小休", None),
        )
        frame = await page.until("event")
        assert (frame["seq"], frame["name"], frame["data"]["agent"]) == (6, "agent_state_changed", "a1")
        live = await page.until("live")
        assert live["data"]["calls"] == [] and len(live["data"]["agents"]) == 1


async def test_a_ringing_call_pops_up_with_what_came_before(console: ConsoleUnderTest) -> None:
    """With the ringing comes the call itself: line, masked number, menu path."""
    async with console.page(await console.user("zhang", agent="a1")) as page:
        await page.hello("agent")
        await page.until("snapshot")
        console.picture.talk("c1", "a1")
        console.publish(ringing("c1", "a1"))
        assert (await page.frame())["name"] == "agent_ringing"
        popped = await page.frame()
        assert popped["type"] == "call"
        assert (popped["data"]["menu_path"], popped["data"]["caller_number"]) == (["消费维权"], "138****1234")


async def test_a_supervisor_hears_every_call(console: ConsoleUnderTest) -> None:
    """The topic ``calls`` brings all text, and a snapshot the text of all talks."""
    console.picture.talk("c1", "a1")
    console.picture.talk("c2", "a2")
    console.transcripts.add("c1", "甲")
    console.transcripts.add("c2", "乙")
    async with console.page(await console.user("chief", "supervisor")) as page:
        await page.hello("calls")
        snapshot = await page.until("snapshot")
        assert {one["text"] for one in snapshot["segments"]} == {"甲", "乙"}
        console.publish(says("c1", "一", 2), says("c2", "二", 2))
        assert [text for _, text in await page.texts(2)] == ["一", "二"]


async def test_calls_are_not_a_topic_for_agents(console: ConsoleUnderTest) -> None:
    """An agent who asks for every call is turned away."""
    async with console.page(await console.user("zhang", agent="a1")) as page:
        await page.hello("agent", "calls")
        assert await page.close_code() == 4403


async def test_after_a_break_every_event_comes_once_and_in_order(console: ConsoleUnderTest) -> None:
    """What was said while the page was away follows on its return; what it had does not come again."""
    zhang = await console.user("zhang", agent="a1")
    console.publish(answered("c1", "a1"))
    got: list[tuple[int, str]] = []
    last_seq: int | None = None
    for round_number in range(4):
        async with console.page(zhang) as page:
            boot_id = console.bus.boot_id if last_seq is not None else None
            await page.hello("agent", boot_id=boot_id, last_seq=last_seq)
            welcome = await page.frame()
            assert welcome["resumed"] is (last_seq is not None)
            console.publish(*(says("c1", f"{round_number} 在线 {n}") for n in range(5)))
            expected = 5 if last_seq is None else 10
            got += await page.texts(expected)
            last_seq = got[-1][0]
        console.publish(*(says("c1", f"{round_number} 离线 {n}") for n in range(3)))
        console.publish(says("c2", "别人"), *(says("c1", f"{round_number} 离线 {n}") for n in (3, 4)))
    said = [text for r in range(4) for text in (
        *(f"{r} 在线 {n}" for n in range(5)), *(f"{r} 离线 {n}" for n in range(5)))]  # fmt: skip
    assert [text for _, text in got] == said[:35]
    assert [seq for seq, _ in got] == sorted({seq for seq, _ in got})


async def test_a_page_joining_amid_a_flood_misses_nothing(console: ConsoleUnderTest) -> None:
    """Pages that come and go while text pours in put together the whole text, each piece once."""
    zhang = await console.user("zhang", agent="a1")
    console.publish(answered("c1", "a1"))
    total = 600

    async def pour() -> None:
        for number in range(total):
            console.publish(says("c1", str(number)))
            if number % 7 == 0:
                await asyncio.sleep(0)

    got: list[int] = []
    async with console.page(zhang) as page:
        await page.hello("agent")
        snapshot = await page.until("snapshot")
        last_seq = snapshot["seq"]
    pouring = asyncio.create_task(pour())
    while not got or got[-1] != total - 1:
        async with console.page(zhang, max_queue=None) as page:  # reads on while it closes
            await page.hello("agent", boot_id=console.bus.boot_id, last_seq=last_seq)
            assert (await page.frame())["resumed"]
            for seq, text in await page.texts(min(97, total - len(got))):
                last_seq = seq
                got.append(int(text))
    await pouring
    assert got == list(range(total))


async def test_a_page_of_another_server_start_gets_a_snapshot(console: ConsoleUnderTest) -> None:
    """Numbers of an earlier start mean nothing; nor do numbers that are yet to come."""
    zhang = await console.user("zhang", agent="a1")
    for boot_id, last_seq in (("earlier", 0), (console.bus.boot_id, 999), (console.bus.boot_id, None)):
        async with console.page(zhang) as page:
            await page.hello("agent", boot_id=boot_id, last_seq=last_seq)
            assert (await page.frame())["resumed"] is False
            assert (await page.frame())["type"] == "snapshot"


async def test_a_break_longer_than_the_memory_ends_in_a_snapshot(tmp_path: Path) -> None:
    """When events were forgotten the page is not given a text with holes."""
    async with running_console(tmp_path, history=50) as console:
        console.publish(*(says("c1", str(n)) for n in range(100)))
        async with console.page(await console.user("zhang", agent="a1")) as page:
            await page.hello("agent", boot_id=console.bus.boot_id, last_seq=10)
            assert (await page.frame())["resumed"] is False


async def test_more_missed_events_than_sensible_end_in_a_snapshot(
    console: ConsoleUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond the bound of a resume the page starts anew."""
    monkeypatch.setattr(hub_module, "RESUME_LIMIT", 10)
    console.publish(answered("c1", "a1"), *(says("c1", str(n)) for n in range(11)))
    zhang = await console.user("zhang", agent="a1")
    for last_seq, resumed in ((0, False), (2, True)):
        async with console.page(zhang) as page:
            await page.hello("agent", boot_id=console.bus.boot_id, last_seq=last_seq)
            assert (await page.frame())["resumed"] is resumed


async def test_the_board_follows_figures_and_the_exchange(console: ConsoleUnderTest) -> None:
    """A change shows on the board; a flood of events costs one picture, not one each."""
    async with console.page(await console.user("wall", "supervisor")) as page:
        await page.hello("board")
        snapshot = await page.until("snapshot")
        assert snapshot["figures"]["total"]["answered"] == 0
        console.figures.answered = 3
        asked = console.figures.asked
        for number in range(200):
            console.publish(CallStarted(f"c{number}", AT, "12345", "12345", "", ""))
        figures = await page.until("figures")
        assert figures["data"]["total"]["answered"] == 3
        assert console.figures.asked - asked <= 3
        console.publish(LinkChanged(AT, False, "closed"))
        assert (await page.until("event"))["name"] == "link_changed"


async def test_a_figure_written_late_still_reaches_the_board(console: ConsoleUnderTest) -> None:
    """The row behind an event may come a moment after it: the board looks a second time."""
    async with console.page(await console.user("wall", "supervisor")) as page:
        await page.hello("board")
        await page.until("snapshot")
        console.publish(CallStarted("c1", AT, "12345", "12345", "", ""))
        await page.until("live")
        console.figures.answered = 1
        while (await page.until("figures"))["data"]["total"]["answered"] != 1:
            pass


async def test_failing_figures_do_not_stop_the_text(console: ConsoleUnderTest) -> None:
    """A fault in the figures leaves transcripts flowing, and the board recovers."""
    async with console.page(await console.user("chief", "supervisor")) as page:
        await page.hello("board", "calls")
        await page.until("snapshot")
        console.figures.fails = RuntimeError("no such table")
        console.publish(CallStarted("c1", AT, "12345", "12345", "", ""), says("c1", "继续"))
        assert await page.texts(1) == [(2, "继续")]
        await page.until("live")
        console.figures.fails, console.figures.answered = None, 4
        assert (await page.until("figures"))["data"]["total"]["answered"] == 4


async def test_a_quiet_line_says_that_it_is_alive(
    console: ConsoleUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page without news still learns the number it is up to."""
    monkeypatch.setattr(sockets_module, "ALIVE_SECONDS", 0.05)
    async with console.page(await console.user("zhang", agent="a1")) as page:
        await page.hello("agent")
        await page.until("snapshot")
        console.publish(says("c2", "别人"))
        while (await page.until("alive"))["seq"] != 1:
            pass


@pytest.mark.parametrize("origin", ["http://evil.example", "null"])
async def test_a_foreign_page_cannot_open_a_socket(console: ConsoleUnderTest, origin: str) -> None:
    """The handshake is refused with 403 although the cookie is right."""
    zhang = await console.user("zhang", agent="a1")
    with pytest.raises(InvalidStatus) as caught:
        async with console.page(zhang, origin=origin):
            pass
    assert caught.value.response.status_code == 403


async def test_own_and_allowed_origins_may_open_a_socket(tmp_path: Path) -> None:
    """The address of the site itself, and one named in web.allowed_origins."""
    site = site_with(allowed_origins=("https://pages.example",))
    async with running_console(tmp_path, site=site) as console:
        zhang = await console.user("zhang", agent="a1")
        for origin in (console.base, "https://pages.example"):
            async with console.page(zhang, origin=origin) as page:
                await page.hello("agent")
                await page.until("snapshot")


async def test_without_a_session_the_socket_closes_with_4401(console: ConsoleUnderTest) -> None:
    """So that the page can tell a missing sign-in from a broken line."""
    async with console.page(None) as page:
        assert await page.close_code() == 4401


@pytest.fixture
async def console_that_never_rechecks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[ConsoleUnderTest]:
    monkeypatch.setattr(sockets_module, "RECHECK_SECONDS", 3600)
    async with running_console(tmp_path) as running:
        yield running


async def test_disabling_a_user_ends_the_open_pages(console_that_never_rechecks: ConsoleUnderTest) -> None:
    """The socket closes with 4401 at once; a colleague's stays."""
    console = console_that_never_rechecks
    zhang, li = await console.user("zhang", agent="a1"), await console.user("li", agent="a2")
    async with console.page(zhang) as page, console.page(li) as other:
        await page.hello("agent")
        await other.hello("agent")
        await page.until("snapshot")
        await other.until("snapshot")
        await console.accounts.disable("zhang", by="test")
        assert await page.close_code() == 4401
        console.publish(LinkChanged(AT, False, ""))
        assert (await other.until("event"))["name"] == "link_changed"


async def test_a_user_disabled_by_another_program_loses_the_open_pages(
    console: ConsoleUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``hotline user disable`` writes to the database only; the server notices."""
    monkeypatch.setattr(sockets_module, "RECHECK_SECONDS", 0.05)
    async with console.page(await console.user("zhang", agent="a1")) as page:
        await page.hello("agent")
        await page.until("snapshot")
        await AccountStore(sessions_of(console.engine)).set_disabled("zhang", True)
        assert await page.close_code() == 4401


async def test_an_expired_session_loses_the_open_pages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The end of web.session_hours reaches open sockets too."""
    monkeypatch.setattr(sockets_module, "RECHECK_SECONDS", 0.05)
    clock = ManualClock()
    async with running_console(tmp_path, clock=clock) as console:
        async with console.page(await console.user("zhang", agent="a1")) as page:
            await page.hello("agent")
            await page.until("snapshot")
            clock.advance(12 * 3600 + 1)
            assert await page.close_code() == 4401


async def test_signing_out_ends_this_browsers_pages_only(
    console_that_never_rechecks: ConsoleUnderTest,
) -> None:
    """Two browsers of one user: the one that signs out is cut at once, the other stays."""
    console = console_that_never_rechecks
    first = await console.user("zhang", agent="a1")
    second = console.client()
    await second.post("/api/session", json={"user": "zhang", "password": "correct horse"})
    async with console.page(first) as page, console.page(second) as other:
        await page.hello("agent")
        await other.hello("agent")
        await page.until("snapshot")
        await other.until("snapshot")
        await first.delete("/api/session")
        assert await page.close_code() == 4401
        console.publish(LinkChanged(AT, False, ""))
        assert (await other.until("event"))["name"] == "link_changed"


async def test_a_user_has_eight_sockets_and_no_more(console: ConsoleUnderTest) -> None:
    """The ninth is told so; one that closes makes room."""
    zhang = await console.user("zhang", agent="a1")
    async with AsyncExitStack() as eight:
        for _ in range(SOCKETS_PER_USER):
            page = await eight.enter_async_context(console.page(zhang))
            await page.hello("agent")
            await page.until("snapshot")
        async with console.page(zhang) as ninth:
            assert await ninth.close_code() == 4429
    async with console.page(zhang) as again:  # the eight have said goodbye and been answered
        await again.hello("agent")
        await again.until("snapshot")


async def test_a_stopping_server_sends_pages_away_with_1012(tmp_path: Path) -> None:
    """So that they come back after the restart instead of reporting an error."""
    async with running_console(tmp_path) as console:
        async with console.page(await console.user("zhang", agent="a1")) as page:
            await page.hello("agent")
            await page.until("snapshot")
            _, code = await asyncio.gather(console.server.aclose(), page.close_code())
            assert code == 1012
