"""A shift in a real Chromium: an agent controls the call by keys, a supervisor moves who waits."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from hotline.telephony.phone.call import Call
from tests.real.browsing import SECONDS, chromium, pytestmark, signed_in
from tests.real.serving import Seat, ServerProcess, citizen, serving, write_site

__all__ = ["chromium", "pytestmark"]

LINE, OTHER_LINE = "12333", "12315"
WRAP_UP_SECONDS = 60


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[ServerProcess]:
    """Two queues without menus, a long wrap-up, an agent for each; nobody listens in."""
    file = write_site(
        tmp_path,
        lines=[
            {"id": number, "name": name, "number": number, "dids": [number]}
            for number, name in ((LINE, "劳动社保"), (OTHER_LINE, "市场监管"))
        ],
        queues=[
            {"name": number, "title": f"{number}坐席", "wrap_up_seconds": WRAP_UP_SECONDS}
            for number in (LINE, OTHER_LINE)
        ],
        agents=[
            {"id": agent, "name": f"坐席{agent}", "extension": agent, "skills": {queue: 1}}
            for agent, queue in (("1005", LINE), ("1006", OTHER_LINE))
        ],
        menus=[],
        prompts=[],
        asr={"enabled": False},
    )
    async with serving(file) as running:
        await running.add_user("chief", role="supervisor")
        for agent in ("1005", "1006"):
            await running.add_user(agent, agent=agent)
        yield running


async def talking(page: Page, seat: Seat, call: Call) -> Call:
    """The agent's phone rings and is picked up; the page knows."""
    talk = await asyncio.wait_for(seat.next_call(), 20)
    talk.ring()
    await expect(page.get_by_test_id("control-answer")).to_have_attribute(
        "aria-disabled", "false", timeout=SECONDS
    )
    await expect(page.get_by_test_id("control-hold")).to_have_attribute("aria-disabled", "true")
    await talk.answer()
    await call.wait_answered()
    await expect(page.get_by_test_id("control-hold")).to_have_attribute(
        "aria-disabled", "false", timeout=SECONDS
    )
    return talk


async def test_a_call_is_controlled_and_handed_on_by_keys_and_the_wrap_up_ended_early(
    server: ServerProcess, chromium: Browser
) -> None:
    """Hold and mute are seen; a colleague gets call, note, draft; a wrap-up ended brings the next caller."""
    async with (
        Seat(server, "1005") as seat,
        Seat(server, "1006") as colleague,
        citizen(server.site, "13800001234") as phone,
        citizen(server.site, "13800004321") as next_phone,
    ):
        page, faults = await signed_in(chromium, server, "1005", "/agent")
        other, other_faults = await signed_in(chromium, server, "1006", "/agent")
        call = await phone.call(LINE)
        talk = await talking(page, seat, call)

        await page.keyboard.press("Alt+H")
        await expect(page.get_by_test_id("notice-held")).to_be_visible(timeout=SECONDS)
        await expect(page.get_by_test_id("state")).to_contain_text("保持", timeout=SECONDS)
        await page.get_by_test_id("control-unhold").click()
        await expect(page.get_by_test_id("notice-held")).to_have_count(0, timeout=SECONDS)
        await expect(page.get_by_test_id("state")).to_contain_text("通话", timeout=SECONDS)
        await page.get_by_test_id("control-mute").click()
        await expect(page.get_by_test_id("notice-muted")).to_be_visible(timeout=SECONDS)
        await page.keyboard.press("Alt+N")
        await page.keyboard.type("社保卡补办，已告知社区窗口")

        await page.keyboard.press("Alt+O")
        for words in ("王芳", "ArrowDown", "0757-83215678", "1", "人民路260号"):  # sex and type are chosen
            await (page.keyboard.press if words == "ArrowDown" else page.keyboard.type)(words)
            await page.keyboard.press("Tab")
        await page.keyboard.type("社保卡补办")
        await expect(page.get_by_test_id("draft-status")).to_contain_text("已保存", timeout=SECONDS)

        await page.keyboard.press("Alt+T")
        await page.get_by_test_id("target-search").fill("1006")
        await expect(page.get_by_test_id("target")).to_contain_text("坐席1006", timeout=SECONDS)
        await page.keyboard.press("Enter")
        taken = await asyncio.wait_for(colleague.next_call(), 20)
        await talk.wait_ended()
        await expect(other.get_by_test_id("note")).to_contain_text("社保卡补办", timeout=SECONDS)
        await expect(other.get_by_test_id("call-line")).to_contain_text("劳动社保")
        for field, value in (
            ("name", "王芳"), ("phone", "0757-83215678"), ("type", "enquiry"), ("title", "社保卡补办"),
        ):  # fmt: skip
            await expect(other.get_by_test_id(f"draft-{field}")).to_have_value(value, timeout=SECONDS)
        await expect(other.get_by_test_id("draft-female")).to_be_checked()
        await taken.answer()
        await expect(other.get_by_test_id("control-hangup")).to_have_attribute(
            "aria-disabled", "false", timeout=SECONDS
        )
        await other.get_by_test_id("draft-unit").fill("人社局")
        await page.get_by_test_id("draft-content").fill("来电人的身份证在手边")  # in the wrap-up
        for field, value in (("content", "来电人的身份证在手边"), ("unit", "人社局")):
            await expect(other.get_by_test_id(f"draft-{field}")).to_have_value(value, timeout=SECONDS)
        await other.keyboard.press("Alt+X")
        await asyncio.wait_for(call.wait_ended(), 20)

        left = page.get_by_test_id("wrap-up-left")
        await expect(left).to_have_text(re.compile(r"0:[2-5]\d"), timeout=SECONDS)
        ringing = asyncio.create_task(seat.next_call())
        waiting = await next_phone.call(LINE)
        await expect(page.get_by_test_id("waiting-count")).to_have_text("1", timeout=SECONDS)
        assert not ringing.done(), "nobody rings in the wrap-up"
        await page.keyboard.press("Alt+W")
        await asyncio.wait_for(ringing, 20)
        await waiting.hangup()
        assert [line for line in faults + other_faults if "409" not in line] == [], "409: both wrote at once"


def cell(page: Page, queue: str) -> Locator:
    """How many wait in a queue, on the supervisor's page."""
    return page.locator(f"[data-testid=floor-queue][data-id='{queue}'] [data-column=waiting]")


async def test_a_supervisor_sees_who_waits_and_moves_the_caller(
    server: ServerProcess, chromium: Browser
) -> None:
    """Nobody serves the caller's queue; sent by keys to another one, the caller rings there."""
    async with Seat(server, "1006") as seat, citizen(server.site, "13800001234") as phone:
        page, faults = await signed_in(chromium, server, "chief", "/board")
        call = await phone.call(LINE)
        await expect(cell(page, LINE)).to_have_text("1", timeout=SECONDS)
        await expect(page.get_by_test_id("floor-call")).to_contain_text("排队")
        await page.get_by_test_id("floor-call").focus()
        await page.keyboard.press("Enter")
        await page.get_by_test_id("menu-item").filter(has_text="市场监管").click()
        talk = await asyncio.wait_for(seat.next_call(), 20)
        await talk.answer()
        await expect(page.get_by_test_id("floor-call")).to_contain_text("坐席1006", timeout=SECONDS)
        await expect(cell(page, LINE)).to_have_text("0", timeout=SECONDS)
        agent = page.locator("[data-testid=floor-agent][data-id='1006']")
        await expect(agent).to_contain_text("通话", timeout=SECONDS)

        await page.get_by_test_id("floor-act").first.click()
        await page.locator("[data-item=release]").click()
        await page.locator("dialog[open]").get_by_test_id("confirm-yes").click()
        await call.wait_ended()
        await expect(page.get_by_test_id("floor-call")).to_have_count(0, timeout=SECONDS)
        assert faults == []
