"""Pictures of the pages for the READMEs, taken from the running demo in a real Chromium.

The demo goes on after weeks of made-up calls (``past_weeks.py``), all counted by the product itself.

.venv/bin/python tools/screenshots.py [FOLDER]      default docs/images
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from past_weeks import make_up
from playwright.async_api import Browser, Page, async_playwright

from hotline.config.loading import DATA_DIR_VARIABLE, load_site
from hotline.config.samples import path as sample
from hotline.config.secrets import Secrets
from hotline.server.paths import database_url

ROOT = Path(__file__).resolve().parent.parent
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--force-color-profile=srgb"]
AGREES_OR_NOT = "[data-testid=report-agrees], [data-testid=report-disagreements]"
TALKING = "[data-testid=floor-agent] .state[data-state=talking]"
SEGMENTS = "[data-testid=segment]"


async def main(folder: Path) -> None:
    """Run the demo, sign in as an agent and as the supervisor, and wait until there is something to see."""
    with tempfile.TemporaryDirectory(prefix="hotline-pictures-") as data_dir:
        site = load_site(sample("demo"), {DATA_DIR_VARIABLE: data_dir})
        await make_up(site, database_url(site, Secrets(site.data_dir)), datetime.now(UTC))
        demo = await asyncio.create_subprocess_exec(
            str(ROOT / ".venv" / "bin" / "hotline"), "demo", "--seed", "5", "--at-once", "6",
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
            env={**os.environ, DATA_DIR_VARIABLE: data_dir, "COLUMNS": "200"},
        )  # fmt: skip
        try:
            url, password = await _sign_in_of(demo)
            drain = asyncio.create_task(_drain(demo))
            async with async_playwright() as playwright:
                browser = await playwright.chromium.launch(
                    executable_path=shutil.which("chromium"), args=FLAGS
                )
                await asyncio.gather(
                    _agent(browser, url, password, folder),
                    _supervisor(browser, url, password, folder),
                )
                await browser.close()
            drain.cancel()
        finally:
            if demo.returncode is None:
                demo.terminate()
            await demo.wait()


async def _sign_in_of(demo: asyncio.subprocess.Process) -> tuple[str, str]:
    """The address and the password that the demo prints."""
    url = password = ""
    assert demo.stdout is not None
    async for raw in demo.stdout:
        line = raw.decode()
        if found := re.search(r"http://\S+", line):
            url = found.group().rstrip("/")
        if found := re.search(r"password (\S+)", line):
            password = found.group(1)
        if url and "signed in" in line:
            return url, password
    raise SystemExit("the demo ended before it was ready")


async def _drain(demo: asyncio.subprocess.Process) -> None:
    assert demo.stdout is not None
    async for raw in demo.stdout:
        print(raw.decode(), end="")


async def _page(browser: Browser, url: str, user: str, password: str, path: str) -> Page:
    context = await browser.new_context(viewport={"width": 1440, "height": 900}, locale="zh-CN")
    page = await context.new_page()
    await page.goto(f"{url}{path}")
    await page.get_by_test_id("login-user").fill(user)
    await page.get_by_test_id("login-password").fill(password)
    await page.get_by_test_id("login-submit").click()
    await page.wait_for_url(f"**{path}")
    return page


async def _agent(browser: Browser, url: str, password: str, folder: Path) -> None:
    """The agent's page in the middle of a call, while somebody speaks, with a past call in the history."""
    page = await _page(browser, url, "1001", password, "/agent")
    await page.get_by_test_id("history-item").first.wait_for(state="attached", timeout=180_000)
    await page.get_by_test_id("state").filter(has_text="通话").wait_for(timeout=180_000)
    live = page.get_by_test_id("transcript")
    await live.locator(f"{SEGMENTS}[data-side=caller]").nth(2).wait_for(timeout=180_000)
    await live.locator(f"{SEGMENTS}[data-side=caller][data-final=false]").first.wait_for(timeout=60_000)
    await page.wait_for_timeout(400)  # a word or two more
    await page.screenshot(path=folder / "agent.png")


async def _supervisor(browser: Browser, url: str, password: str, folder: Path) -> None:
    """The shift board and the wallboard in mid-shift; what came of the weeks before."""
    page = await _page(browser, url, "2001", password, "/board")
    await page.get_by_test_id("floor-call").nth(4).wait_for(timeout=180_000)
    await page.locator(TALKING).nth(3).wait_for(timeout=180_000)
    await page.screenshot(path=folder / "board.png")
    await page.set_viewport_size({"width": 1920, "height": 1080})
    await page.goto(f"{url}/wallboard")
    await page.get_by_test_id("trend").nth(3).wait_for()
    await page.wait_for_timeout(1_000)  # the first figures have come in
    await page.screenshot(path=folder / "wallboard.png")
    await page.set_viewport_size({"width": 1440, "height": 900})
    await _figures(page, url, folder)


async def _figures(page: Page, url: str, folder: Path) -> None:
    """Last month by line, what its figure rests on, the week's hours with a cell opened, the report."""
    await page.goto(f"{url}/figures?measure=answer_rate&by=line&period=last_month&compare=before")
    await page.locator("[data-testid=chart][data-drawn=true]").wait_for()
    await page.wait_for_timeout(1_000)  # the chart has moved in
    await page.get_by_test_id("figures-total").click()
    await page.get_by_test_id("explain-row").first.wait_for()
    await page.screenshot(path=folder / "explained.png")
    await page.goto(f"{url}/figures?show=heat&measure=offered&period=last_month")
    await page.get_by_test_id("heat-cell").nth(9).click()
    await page.get_by_test_id("heat-hours").wait_for()
    await page.screenshot(path=folder / "heat.png")
    await page.goto(f"{url}/reports")
    await page.get_by_test_id("report-kind-month").click()
    await page.get_by_test_id("report-start").click()
    await page.locator(AGREES_OR_NOT).first.wait_for(timeout=60_000)
    await page.locator(".el-message").first.wait_for(state="hidden")
    await page.screenshot(path=folder / "report.png")


if __name__ == "__main__":
    pictures = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "images"
    pictures.mkdir(parents=True, exist_ok=True)
    asyncio.run(main(pictures))
