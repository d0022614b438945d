"""A recording in a real Chromium: found among the past calls, played, followed in the text, jumped in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from tests.real.browsing import SECONDS, chromium, pytestmark, signed_in
from tests.real.serving import Seat, ServerProcess, Watcher, citizen, serving, write_site
from tests.real.speaking import say
from tests.real.test_end_to_end import AGENT_SAYS, CALLER_SAYS
from tests.real.test_recordings import kept, put_through

__all__ = ["chromium", "pytestmark"]


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[ServerProcess]:
    async with serving(write_site(tmp_path, recording={"lines": "on", "encrypt": True})) as running:
        await running.add_user("chief", role="supervisor")
        await running.add_user("1005", agent="1005")
        yield running


async def position(page: Page) -> float:
    """Where the sound is, in seconds."""
    return float(await page.get_by_test_id("recording-sound").evaluate("sound => sound.currentTime"))


async def test_a_recording_is_played_with_its_text(server: ServerProcess, chromium: Browser) -> None:
    """The chief plays a past call: the text goes along, and a click on a time plays from there."""
    async with (
        Watcher(server) as page,
        Seat(server, "1005") as seat,
        citizen(server.site, "13800001234") as phone,
    ):
        call, talk, call_id = await put_through(page, phone, seat)
        await page.event("leg_tapped", side="agent")
        await page.event("leg_tapped", side="caller")
        await say(talk, AGENT_SAYS, "f1")
        await page.event("transcript_segment", side="agent", final=True)
        await say(call, CALLER_SAYS, "m1")
        last = await page.event("transcript_segment", side="caller", final=True)
        await call.hangup()
        row = await kept(server, call_id)
    screen, faults = await signed_in(chromium, server, "chief", "/wallboard/calls")
    await screen.get_by_test_id("calls-past").click()
    await screen.get_by_test_id("history-item").first.click()
    await expect(screen.get_by_test_id("recording")).to_be_visible(timeout=SECONDS)
    total = f"{row.duration_ms // 60_000}:{row.duration_ms // 1000 % 60:02d}"
    await expect(screen.get_by_test_id("recording-time")).to_have_text(f"0:00 / {total}")

    await screen.get_by_test_id("recording-play").click()
    await expect(screen.locator(".spoken")).to_have_count(1, timeout=SECONDS)
    assert await position(screen) > 0
    caller = screen.locator(".turn.caller")
    await caller.get_by_test_id("segment-jump").first.click()
    await expect(screen.locator(".turn.caller.spoken")).to_have_count(1, timeout=SECONDS)
    assert last["start_seconds"] - 0.1 < await position(screen) < last["end_seconds"] + 0.5

    await screen.get_by_test_id("recording-track").focus()
    await screen.keyboard.press("Space")
    await expect(screen.get_by_test_id("recording-play")).to_have_attribute("aria-label", "播放")
    before = await position(screen)
    await screen.keyboard.press("ArrowLeft")
    assert await position(screen) == pytest.approx(max(0.0, before - 5), abs=0.1)
    await screen.get_by_test_id("recording-rate").click()
    assert await screen.get_by_test_id("recording-sound").evaluate("sound => sound.playbackRate") == 1.25
    assert faults == []
