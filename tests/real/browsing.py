"""A real Chromium, and pages in it after the sign-in form; tests import what they use of it."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page, async_playwright

from tests.real.serving import PASSWORD, ServerProcess

SECONDS = 20_000  # playwright counts milliseconds
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]


pytestmark = [
    pytest.mark.timeout(180),
    # playwright's driver leaves its pipes to the garbage collector
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
]


@pytest.fixture
async def chromium() -> AsyncIterator[Browser]:
    """Debian's Chromium; without it these tests fail, they are not skipped."""
    program = shutil.which("chromium")
    assert program, "no chromium: make test installs it"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        await browser.close()


async def signed_in(browser: Browser, server: ServerProcess, user: str, path: str) -> tuple[Page, list[str]]:
    """A page of its own after the sign-in form, and the faults that its console tells."""
    context = await browser.new_context(viewport={"width": 1440, "height": 900}, locale="zh-CN")
    page = await context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda line: faults.append(line.text) if line.type == "error" else None)
    await page.goto(f"{server.url}{path}")
    await page.get_by_test_id("login-user").fill(user)
    await page.get_by_test_id("login-password").fill(PASSWORD)
    await page.get_by_test_id("login-submit").click()
    await page.wait_for_url(f"**{path}", timeout=SECONDS)
    faults.clear()  # "not signed in" was told before the form, as it should be
    return page, faults
