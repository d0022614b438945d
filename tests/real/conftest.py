"""The real Asterisk for tests: one of its own for each test, on free ports, booted in under a second."""

from __future__ import annotations

import random
import socket
import wave
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hotline.config.schema import (
    Agent,
    AmiSection,
    AsrSection,
    AsteriskSection,
    AudioSocketSection,
    Choice,
    FastAgiSection,
    Line,
    Menu,
    MetricsSection,
    Prompt,
    Queue,
    Site,
    WebSection,
)
from hotline.core.errors import SetupError
from hotline.telephony.asterisk_config.places import run_dir_of, sounds_dir_of
from hotline.telephony.asterisk_config.prompts import static_prompts
from hotline.telephony.asterisk_config.write import managed_files
from hotline.telephony.asterisk_program import AsteriskProgram, find_asterisk
from hotline.telephony.local_asterisk import LocalAsterisk, ports_of
from tests.real.exchange import Exchange, StartAsterisk, free_port, secret_of

RTP_PORTS_PER_SITE = 200


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A small site on free ports; a test module or class may define its own fixture of this name."""
    rtp = random.randrange(12000, 31000, RTP_PORTS_PER_SITE)
    return Site(
        data_dir=tmp_path / "data",
        asterisk=AsteriskSection(
            sip_port=free_port(socket.SOCK_DGRAM),
            http_port=free_port(),
            rtp_first_port=rtp,
            rtp_last_port=rtp + RTP_PORTS_PER_SITE - 1,
            ami=AmiSection(port=free_port()),
        ),
        fastagi=FastAgiSection(port=free_port()),
        asr=AsrSection(audiosocket=AudioSocketSection(port=free_port())),
        web=WebSection(port=free_port()),
        metrics=MetricsSection(port=free_port()),
        lines=(
            Line(id="12345", name="政务服务便民热线", number="12345", dids=("12345",)),
            Line(id="12315", name="市场监管", number="12315", dids=("12315",), menu="main", priority=5),
            Line(id="12333", name="人力资源社会保障", number="12333", dids=("12333",), menu="main"),
        ),
        queues=(
            Queue(name="12345", title="综合"),
            Queue(name="12315", title="市场监管"),
            Queue(name="12333", title="人社"),
        ),
        agents=(
            Agent(id="zhang", name="张敏", extension="8001", skills={"12345": 1, "12315": 2, "12333": 2}),
            Agent(id="li", name="李强", extension="8002", skills={"12345": 1, "12315": 1}),
            Agent(id="wang", name="王芳", extension="8003", role="supervisor", skills={"12333": 1}),
        ),
        menus=(
            Menu(
                name="main",
                prompt="main",
                timeout_seconds=2,
                choices=(
                    Choice(key="1", title="消费维权", line="12315"),
                    Choice(key="2", title="社会保险", line="12333"),
                    Choice(key="3", title="其他诉求", queue="12345"),
                ),
            ),
        ),
        prompts=(
            Prompt(name="main", text="消费维权请按一，社会保险请按二，其他诉求请按三，人工服务请按零。"),
        ),
    )


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
