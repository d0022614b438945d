"""The real Asterisk for tests: one of its own for each test, on free ports, booted in under a second."""

from __future__ import annotations

import wave
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from hotline.config.schema import Site
from hotline.core.errors import SetupError
from hotline.telephony.asterisk_config.places import run_dir_of, sounds_dir_of
from hotline.telephony.asterisk_config.prompts import static_prompts
from hotline.telephony.asterisk_config.write import managed_files
from hotline.telephony.asterisk_ports import ports_of
from hotline.telephony.asterisk_program import AsteriskProgram, find_asterisk
from hotline.telephony.local_asterisk import LocalAsterisk
from hotline.telephony.phone.phone import Phone
from tests.real.exchange import Exchange, StartAsterisk, secret_of, site_on_free_ports
from tests.real.following import AGENTS, Following, following


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A small site on free ports; a test module or class may define its own fixture of this name."""
    return site_on_free_ports(tmp_path)


@pytest.fixture(scope="session")
def asterisk_program() -> AsteriskProgram:
    """The Asterisk of this machine; without one these tests fail, they are not skipped."""
    try:
        return find_asterisk()
    except SetupError as error:
        pytest.fail(str(error), pytrace=False)


@pytest.fixture
async def start_asterisk(asterisk_program: AsteriskProgram) -> AsyncIterator[StartAsterisk]:
    """Start an Asterisk for a site, as often as the test wants; all are stopped after it."""
    started: list[LocalAsterisk] = []

    async def start(site: Site) -> Exchange:
        _write_short_prompts(site)
        local = LocalAsterisk(
            asterisk_program,
            run_dir_of(site),
            lambda places: managed_files(site, secret_of, places),
            ports_of(site),
        )
        started.append(local)
        await local.start()
        return Exchange(site, local)

    yield start
    for local in started:
        await local.stop()


@pytest.fixture
async def followed(asterisk: Exchange) -> AsyncIterator[Following]:
    """A queue room beside the Asterisk; the site has ``direct_lines(AGENTS)``."""
    async with following(asterisk) as running:
        yield running


@pytest.fixture
async def seats(followed: Following) -> AsyncIterator[dict[str, Phone]]:
    """Every agent of ``AGENTS`` signed in, by line."""
    async with AsyncExitStack() as stack:
        yield {line: await followed.sign_in(stack, agent) for line, agent in AGENTS.items()}


@pytest.fixture
async def asterisk(start_asterisk: StartAsterisk, site: Site) -> Exchange:
    """A running Asterisk for ``site``."""
    return await start_asterisk(site)


def _write_short_prompts(site: Site) -> None:
    """A fifth of a second of silence for each prompt that is not there: tests need not wait for words."""
    names = [*static_prompts(site), *(f"hotline/{prompt.name}" for prompt in site.prompts)]
    for name in names:
        path = sounds_dir_of(site) / "zh" / f"{name}.wav"
        if path.exists():
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        with wave.open(str(path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(8000)
            file.writeframes(bytes(3200))  # 8000 Hz x 0.2 s x 2 bytes
