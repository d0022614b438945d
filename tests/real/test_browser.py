"""The pages in a real Chromium: what an agent and a chief see while a real call goes on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from tests.real.browsing import SECONDS, chromium, pytestmark, signed_in
from tests.real.serving import Seat, ServerProcess, citizen, serving, write_site
from tests.real.speaking import say
from tests.real.test_end_to_end import AGENT_SAYS, CALLER_SAYS, bare

__all__ = ["chromium", "pytestmark"]


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[ServerProcess]:
    async with serving(write_site(tmp_path)) as running:
        await running.add_user("chief", role="supervisor")
        await running.add_user("1003", agent="1003")
        yield running


async def test_words_appear_on_the_page_and_the_wallboard_counts(
    server: ServerProcess, chromium: Browser
) -> None:
    """The agent signs in by the page, sees who calls and what both say; the chief sees the rate move."""
    async with Seat(server, "1003", sign_in=False) as seat, citizen(server.site, "13800001234") as phone:
        page, faults = await signed_in(chromium, server, "1003", "/agent")
        board, board_faults = await signed_in(chromium, server, "chief", "/wallboard")
        await expect(board.get_by_test_id("answer-rate")).to_contain_text("—", timeout=SECONDS)

        await page.get_by_test_id("sign-in").click()
        await expect(page.get_by_test_id("state")).to_contain_text("示闲", timeout=SECONDS)
        ringing = asyncio.create_task(seat.next_call())
        call = await phone.call("12315")
        await call.wait_answered()
        await call.send_dtmf("1")
        talk = await asyncio.wait_for(ringing, 30)
        await expect(page.get_by_test_id("call-line")).to_contain_text("市场监管", timeout=SECONDS)
        await expect(page.get_by_test_id("call-path")).to_contain_text("商品和服务")
        await talk.answer()

        await say(talk, AGENT_SAYS, "f1")
        agent_side = page.locator("[data-testid=segment][data-side=agent][data-final=true]")
        await expect(agent_side.first).to_be_visible(timeout=SECONDS)
        await say(call, CALLER_SAYS, "m1")
        caller_side = page.locator("[data-testid=segment][data-side=caller][data-final=true]")
        await expect(caller_side.first).to_be_visible(timeout=SECONDS)
        shown = "".join(await caller_side.all_inner_texts())
        assert bare(CALLER_SAYS[-6:]) in bare(shown), shown
        kind = page.locator("[data-testid=point][data-kind=request_type]")
        await expect(kind).to_have_text("投诉", timeout=SECONDS)
        await kind.click()
        await expect(page.locator(".turn.caller.chosen")).to_be_visible()
        assert await page.get_by_test_id("draft-type").input_value() == "", "filled in by itself"
        await page.locator("[data-testid=proposal][data-field=request_type]").click()
        await expect(page.get_by_test_id("draft-type")).to_have_value("complaint")

        await expect(board.get_by_test_id("answer-rate")).to_contain_text("100", timeout=SECONDS)
        await expect(board.get_by_test_id("trend").first).to_be_visible(timeout=SECONDS)
        await board.get_by_test_id("answer-rate").click()
        await expect(board.get_by_test_id("explain-figure")).to_contain_text("100.00", timeout=SECONDS)
        await expect(board.get_by_test_id("explain-row")).to_have_count(1)
        await board.goto(f"{server.url}/figures?period=today&by=line")
        await expect(board.locator("[data-testid=chart][data-drawn=true]")).to_be_visible(timeout=SECONDS)
        await expect(board.get_by_test_id("figures-total")).to_contain_text("100.00")
        await call.hangup()
        await page.get_by_test_id("aside-more").click()
        await expect(page.get_by_test_id("history-item").first).to_be_visible(timeout=SECONDS)
        assert faults == [] and board_faults == []


async def test_a_page_that_was_cut_off_shows_what_it_missed(server: ServerProcess, chromium: Browser) -> None:
    """The network goes away in mid-call and comes back: the words spoken meanwhile are there, once."""
    async with Seat(server, "1003") as seat, citizen(server.site, "13800001234") as phone:
        page, _ = await signed_in(chromium, server, "1003", "/agent")
        ringing = asyncio.create_task(seat.next_call())
        call = await phone.call("12315")
        await call.wait_answered()
        await call.send_dtmf("1")
        talk = await asyncio.wait_for(ringing, 30)
        await talk.answer()
        await say(talk, AGENT_SAYS, "f1")
        agent_side = page.locator("[data-testid=segment][data-side=agent][data-final=true]")
        await expect(agent_side).to_have_count(1, timeout=SECONDS)
        async with asyncio.timeout(5):
            while not await server.texts():  # noqa: ASYNC110 - on the disk a moment after it is on the page
                await asyncio.sleep(0.05)
        await server.kill()
        await expect(page.get_by_test_id("reconnecting").first).to_be_visible(timeout=SECONDS)
        await server.start()
        await expect(page.get_by_test_id("reconnecting")).to_have_count(0, timeout=SECONDS)
        await expect(agent_side).to_have_count(1, timeout=SECONDS)
        await say(call, CALLER_SAYS, "m1")
        caller_side = page.locator("[data-testid=segment][data-side=caller][data-final=true]")
        await expect(caller_side.first).to_be_visible(timeout=SECONDS)
        await call.hangup()
