"""Test calls and reports in a real Chromium: a supervisor marks one, and makes the other final."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from hotline.config.samples import path as sample
from hotline.config.secrets import Secrets
from hotline.core.clock import SystemClock
from hotline.core.trials import TrialCall, TrialOrder, TrialResult
from hotline.server.paths import database_url
from hotline.store.database import open_engine, sessions_of
from hotline.store.trials import TrialStore
from tests.real.browsing import SECONDS, chromium, pytestmark, signed_in
from tests.real.serving import ServerProcess, serving, write_site

__all__ = ["chromium", "pytestmark"]

UNIT = "湘乡市"


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[ServerProcess]:
    """A server that has made one test call to another exchange, which cannot say when a person answered."""
    file = write_site(
        tmp_path,
        lines=[{"id": "12315", "name": "市场监管", "number": "12315", "dids": ["12315"]}],
        queues=[{"name": "12315", "title": "12315坐席"}],
        agents=[{"id": "1005", "name": "坐席1005", "extension": "1005", "skills": {"12315": 1}}],
        menus=[],
        prompts=[],
        asr={"enabled": False},
    )
    async with serving(file) as running:
        await running.add_user("chief", role="supervisor")
        began_at = SystemClock().now() - timedelta(minutes=5)
        trial = TrialCall(
            f"{began_at:%Y%m%d%H%M%S}-00000000", TrialOrder("12315", unit=UNIT), began_at,
            TrialResult.ANSWERED, 200, answer_seconds=3.0, spoken_seconds=40.0, text="您好",
        )  # fmt: skip
        engine = open_engine(database_url(running.site, Secrets(running.site.data_dir)))
        await TrialStore(sessions_of(engine)).save(trial)
        await engine.dispose()
        yield running


async def test_a_supervisor_marks_a_test_call_and_makes_a_report_final(
    server: ServerProcess, chromium: Browser
) -> None:
    """Marks and the listener's moment reach the unit's means; an edited report is final and is fetched so."""
    page, faults = await signed_in(chromium, server, "chief", "/test-calls")
    await page.get_by_test_id("trials-period").select_option("this_year")
    await page.get_by_test_id("trial").click(timeout=SECONDS)
    for part, points in {
        "menu": "8.75", "answering": "10", "manner": "37.5", "knowledge": "24.75", "call_back": "10",
        "person": "9.5",
    }.items():  # fmt: skip
        await page.get_by_test_id(f"mark-{part}").fill(points)
    await page.get_by_test_id("mark-save").click()
    unit = page.locator(f'[data-testid=trial-sum][data-key="{UNIT}"]')
    await expect(unit.locator("[data-column=points]")).to_have_text("91.00", timeout=SECONDS)
    await expect(page.get_by_test_id("trial-reached")).to_contain_text("12.5")

    await page.get_by_role("link", name="通报").click()
    await page.get_by_test_id("report-kind-day").click()
    await page.get_by_test_id("report-scores").set_input_files(sample("demo").with_name("score.yaml"))
    await page.get_by_test_id("report-start").click()
    await expect(page.get_by_test_id("report-state")).to_contain_text("未定稿", timeout=2 * SECONDS)
    await expect(page.get_by_test_id("report-agrees")).to_be_visible(timeout=SECONDS)
    await expect(page.get_by_test_id("report-table-t.scores")).to_contain_text("87.27")
    text = page.get_by_test_id("report-text-h.1")
    await text.fill("一、电话与接听")
    await page.get_by_test_id("report-remark-n.manner").fill("口径同上月")
    await page.get_by_test_id("report-save").click()
    await expect(page.get_by_test_id("report-restore-h.1")).to_be_visible(timeout=SECONDS)
    await page.get_by_test_id("report-finish").click()
    await page.locator("[open] [data-testid=confirm-yes]").click()
    await expect(page.get_by_test_id("report-state")).to_contain_text("定稿", timeout=SECONDS)
    await expect(page.get_by_test_id("report-state")).to_contain_text("chief", timeout=SECONDS)
    async with page.expect_download(timeout=2 * SECONDS) as coming:
        await page.get_by_test_id("report-html").click()
    file = await (await coming.value).path()
    content = await asyncio.to_thread(file.read_text, encoding="utf-8")
    assert "一、电话与接听" in content and "定稿" in content and "说明：口径同上月" in content
    assert faults == []
