"""Desk work in a real Chromium: a test call is dialled and marked, then found again as figures."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import openpyxl
import pytest
from playwright.async_api import Browser, Page, expect

from tests.real.browsing import SECONDS, chromium, pytestmark, signed_in
from tests.real.serving import Seat, ServerProcess, serving, write_site

__all__ = ["chromium", "pytestmark"]

UNIT = "湘乡市"
MARKS = {"menu": "8.75", "answering": "10", "manner": "37.5", "knowledge": "24.75", "call_back": "10"}


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[ServerProcess]:
    """One line that leads straight to one agent; nobody listens in."""
    file = write_site(
        tmp_path,
        lines=[{"id": "12315", "name": "市场监管", "number": "12315", "dids": ["12315"]}],
        queues=[{"name": "12315", "title": "12315坐席"}],
        agents=[{"id": "1005", "name": "坐席1005", "extension": "1005", "skills": {"12315": 1}}],
        menus=[],
        prompts=[],
        asr={"enabled": False},
        test_dialling={"transcribe": False},
    )
    async with serving(file) as running:
        await running.add_user("chief", role="supervisor")
        await running.add_user("1005", agent="1005")
        yield running


async def test_a_test_call_is_dialled_marked_and_found_again_in_the_figures(
    server: ServerProcess, chromium: Browser
) -> None:
    """Its marks stay; a cell of the heat map leads to it; files and a view kept of it hold its figure."""
    async with Seat(server, "1005") as seat:
        page, faults = await signed_in(chromium, server, "chief", "/test-calls")
        await dial(page, seat)
        await mark(page)
    (row,) = await server.rows()
    zone = ZoneInfo(server.site.site.timezone)
    joined = row.joined_at.astimezone(zone)
    await drill_down(page, joined, row.call_id)
    today = f"{joined:%Y-%m-%d}"
    await page.goto(f"{server.url}/figures?measure=offered&by=line&from={today}&to={today}&chart=bar")
    await expect(page.get_by_test_id("figures-total")).to_have_text("1", timeout=SECONDS)
    await open_files(page)
    await keep_view(page, server.url)
    assert faults == []


async def dial(page: Page, seat: Seat) -> None:
    """A number is dialled from the page; the agent answers and hangs up, and the page lists the call."""
    ringing = asyncio.create_task(seat.next_call())
    await page.get_by_test_id("trial-number").fill("12315")
    await page.get_by_test_id("trial-unit").fill(UNIT)
    await page.get_by_test_id("trial-dial").click()
    await expect(page.get_by_test_id("trial-dialling")).to_contain_text("12315", timeout=SECONDS)
    await expect(page.get_by_test_id("trial-dial")).to_be_disabled()
    talk = await asyncio.wait_for(ringing, 30)
    await talk.answer()
    await talk.hangup()
    await expect(page.locator("[data-testid=trial][data-result=answered]")).to_have_count(1, timeout=SECONDS)
    await expect(page.get_by_test_id("trial-dial")).to_be_enabled()


async def mark(page: Page) -> None:
    """The sheet says who answered; it is filled in, kept, and there again when the page is opened anew."""
    await page.get_by_test_id("trial").click()
    await expect(page.get_by_test_id("trial-sheet")).to_contain_text("坐席1005")
    await page.get_by_test_id("mark-manner").fill("41")  # of 40 at the most
    await expect(page.get_by_test_id("mark-manner")).to_have_attribute("aria-invalid", "true")
    await expect(page.get_by_test_id("mark-save")).to_be_disabled()
    for part, points in MARKS.items():
        await page.get_by_test_id(f"mark-{part}").fill(points)
    await page.get_by_test_id("mark-note").fill("主动核对地点")
    await expect(page.get_by_test_id("mark-total")).to_contain_text("91")
    await page.get_by_test_id("mark-save").click()
    unit = page.locator(f'[data-testid=trial-sum][data-key="{UNIT}"] [data-column=points]')
    await expect(unit).to_have_text("91.00", timeout=SECONDS)
    await page.reload()
    await page.get_by_test_id("trial").click(timeout=SECONDS)
    for part, points in MARKS.items():
        await expect(page.get_by_test_id(f"mark-{part}")).to_have_value(points)
    await expect(page.get_by_test_id("mark-note")).to_have_value("主动核对地点")


async def drill_down(page: Page, joined: datetime, call_id: str) -> None:
    """The cell of the call's weekday and hour in two weeks: its hours, the rows of one, the call itself."""
    first = joined - timedelta(days=13)
    await page.get_by_role("link", name="历史统计").click()
    await page.get_by_test_id("figures-show-heat").click()
    await page.get_by_test_id("figures-from").fill(f"{first:%Y-%m-%d}")
    await page.get_by_test_id("figures-to").fill(f"{joined:%Y-%m-%d}")
    cell = page.get_by_test_id("heat-cell").nth(joined.weekday() * 24 + joined.hour)
    await expect(cell).to_have_text("0.5", timeout=SECONDS)
    await cell.click()
    hours = page.get_by_test_id("heat-hours").get_by_test_id("figure")
    await expect(hours).to_have_count(2)
    await expect(hours.first.locator("strong")).to_have_text("0")
    await hours.last.click()
    await expect(page.get_by_test_id("explain-figure")).to_have_text("1", timeout=SECONDS)
    await expect(page.get_by_test_id("explain-row")).to_have_count(1)
    async with page.expect_popup() as coming:
        await page.get_by_test_id("explain-call").click()
    call = await coming.value
    await expect(call.get_by_test_id("history-call")).to_contain_text("市场监管", timeout=SECONDS)
    assert call_id in call.url.replace("%3A", ":")
    await call.close()
    await page.get_by_test_id("explain-close").click()


async def open_files(page: Page) -> None:
    """Both files open, and hold the line's figure and the formula."""
    content = {}
    for kind in ("csv", "xlsx"):
        async with page.expect_download() as coming:
            await page.get_by_test_id(f"figures-{kind}").click()
        download = await coming.value
        assert download.suggested_filename.startswith("呼入排队量-")
        content[kind] = await asyncio.to_thread(Path(await download.path()).read_bytes)
    table = list(csv.reader(io.StringIO(content["csv"].decode("utf-8-sig"))))
    whole = {row[3]: row[4] for row in table if row[0] == "全期"}
    assert whole == {"合计": "1", "市场监管": "1"}
    book = openpyxl.load_workbook(io.BytesIO(content["xlsx"]))
    rows = [list(row) for row in book["figures"].iter_rows(values_only=True)]
    assert {row[3]: row[4] for row in rows if row[0] == "全期"} == {"合计": 1, "市场监管": 1}
    assert len(rows) == len(table)
    assert book.sheetnames[1] == "说明"


async def keep_view(page: Page, url: str) -> None:
    """What is looked at is kept under a name, opened again from elsewhere, and forgotten."""
    await page.get_by_test_id("view-keep").click()
    await page.get_by_test_id("view-name").fill("今日各线")
    await page.get_by_test_id("view-save").click()
    await expect(page.get_by_test_id("views")).to_have_value("今日各线", timeout=SECONDS)
    await page.goto(f"{url}/figures")
    await expect(page.get_by_test_id("figures-measure")).to_have_value("answer_rate", timeout=SECONDS)
    await page.get_by_test_id("views").select_option("今日各线")
    await expect(page.get_by_test_id("figures-measure")).to_have_value("offered")
    await expect(page.get_by_test_id("figures-by")).to_have_value("line")
    await expect(page.get_by_test_id("figures-chart-bar")).to_have_attribute("aria-pressed", "true")
    await expect(page.get_by_test_id("figures-total")).to_have_text("1", timeout=SECONDS)
    await page.get_by_test_id("view-forget").click()
    await expect(page.get_by_test_id("view-keep")).to_be_visible(timeout=SECONDS)
    await expect(page.get_by_test_id("views")).to_have_count(0)
