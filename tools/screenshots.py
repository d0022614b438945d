"""Pictures of the pages for the READMEs, taken from the running demo in a real Chromium.

.venv/bin/python tools/screenshots.py [FOLDER]      default docs/images
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import sys
import tempfile
from pathlib import Path

from playwright.async_api import Browser, Page, async_playwright

ROOT = Path(__file__).resolve().parent.parent
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--force-color-profile=srgb"]
SEGMENTS = "[data-testid=segment]"


async def main(folder: Path) -> None:
    """Run the demo, sign in as an agent and as the supervisor, and wait until there is something to see."""
    with tempfile.TemporaryDirectory(prefix="hotline-pictures-") as data_dir:
        demo = await asyncio.create_subprocess_exec(
            str(ROOT / ".venv" / "bin" / "hotline"), "demo", "--seed", "5", "--at-once", "6",
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
            env={**os.environ, "HOTLINE_DATA_DIR": data_dir, "COLUMNS": "200"},
        )  # fmt: skip
        try:
            url, password = await _sign_in_of(demo)
            drain = asyncio.create_task(_drain(demo))
            async with async_playwright() as playwright:
                browser = await playwright.chromium.launch(
                    executable_path=shutil.which("chromium"), args=FLAGS
                )
                await asyncio.gather(
                    *(_agent(browser, url, f"100{n}", password, folder, n) for n in (1, 3)),
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


async def _page(
    browser: Browser, url: str, user: str, password: str, path: str, size: tuple[int, int], folder: Path
) -> Page:
    context = await browser.new_context(viewport={"width": size[0], "height": size[1]}, locale="zh-CN")
    page = await context.new_page()
    await page.goto(f"{url}{path}")
    await page.get_by_test_id("login-user").fill(user)
    await page.get_by_test_id("login-password").fill(password)
    if user == "2001":
        await page.screenshot(path=folder / "login.png")
    await page.get_by_test_id("login-submit").click()
    await page.wait_for_url(f"**{path}")
    return page


async def _agent(browser: Browser, url: str, user: str, password: str, folder: Path, number: int) -> None:
    """The agent's page in the middle of a call, while somebody speaks, with a past call in the history."""
    page = await _page(browser, url, user, password, "/agent", (1440, 900), folder)
    await page.get_by_test_id("history-item").first.wait_for(state="attached", timeout=180_000)
    await page.get_by_test_id("state").filter(has_text="通话").wait_for(timeout=180_000)
    live = page.get_by_test_id("transcript")
    await live.locator(f"{SEGMENTS}[data-side=caller]").nth(2).wait_for(timeout=180_000)
    await live.locator(f"{SEGMENTS}[data-side=caller][data-final=false]").first.wait_for(timeout=60_000)
    await page.wait_for_timeout(400)  # a word or two more
    name = "agent.png" if number == 1 else f"agent-{number}.png"
    await page.screenshot(path=folder / name)


async def _supervisor(browser: Browser, url: str, password: str, folder: Path) -> None:
    """The shift board and the wallboard after a few calls, and a past call with its recording."""
    page = await _page(browser, url, "2001", password, "/board", (1440, 900), folder)
    await page.wait_for_timeout(110_000)  # some calls must have been answered for figures to be worth seeing
    await page.screenshot(path=folder / "board.png")
    await page.set_viewport_size({"width": 1920, "height": 1080})
    await page.goto(f"{url}/wallboard")
    await page.wait_for_timeout(6_000)
    await page.screenshot(path=folder / "wallboard.png")
    await page.goto(f"{url}/wallboard/calls")
    await page.get_by_test_id("call-item").first.click()
    await page.wait_for_timeout(6_000)
    await page.screenshot(path=folder / "calls.png")


if __name__ == "__main__":
    pictures = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "images"
    pictures.mkdir(parents=True, exist_ok=True)
    asyncio.run(main(pictures))
