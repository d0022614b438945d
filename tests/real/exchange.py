"""A running Asterisk as tests see it: its site, its console, and what it wrote."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from hotline.config.menus import Choice, Menu, Prompt
from hotline.config.schema import (
    Agent,
    AmiSection,
    AsrSection,
    AsteriskSection,
    AudioSocketSection,
    FastAgiSection,
    Line,
    MetricsSection,
    Queue,
    Site,
    WebSection,
)
from hotline.telephony.local_asterisk import LocalAsterisk
from tests.fixtures.ports import free_port

RTP_PORTS_PER_SITE = 200
HARMLESS = ("CDR logging disabled", "indications.c", "modules will be loaded", "built by")


def secret_of(name: str) -> str:
    """The secrets of test sites: one for each name, with a character that Asterisk's files must escape."""
    return f"{name};secret"


@dataclass(frozen=True, slots=True)
class Exchange:
    """A running Asterisk and the site it serves."""

    site: Site
    local: LocalAsterisk
    secret: Callable[[str], str] = secret_of

    async def rx(self, command: str) -> str:
        """What Asterisk's console says."""
        return await self.local.rx(command)

    def messages(self) -> list[str]:
        """Its warnings and errors (and notices that are not about starting) so far."""
        lines = self.local.log_file.read_text(encoding="utf-8", errors="replace").splitlines()
        return [line for line in lines if line and not any(words in line for words in HARMLESS)]

    def queue_log(self) -> list[str]:
        """The lines of its queue_log so far."""
        path = self.local.places.log_dir / "queue_log"
        return path.read_text(encoding="utf-8").splitlines() if path.exists() else []

    async def logged(self, event: str, queue: str, *, within_seconds: float = 10.0) -> list[str]:
        """The fields of the first line of queue_log with this event in this queue, once it is there."""
        deadline = time.monotonic() + within_seconds
        while time.monotonic() < deadline:
            for line in self.queue_log():
                fields = line.split("|")
                if fields[4:5] == [event] and fields[2] == queue:
                    return fields
            await asyncio.sleep(0.02)  # a file tells nobody that it grew
        raise AssertionError(f"no {event} in queue {queue} within {within_seconds} s: {self.queue_log()}")

    async def quiet(self, *, within_seconds: float = 10.0) -> None:
        """Return once no channel is left."""
        deadline = time.monotonic() + within_seconds
        while time.monotonic() < deadline:
            if "0 active channels" in await self.rx("core show channels count"):
                return
        raise AssertionError(f"channels are left: {await self.rx('core show channels concise')}")


StartAsterisk = Callable[[Site], Awaitable[Exchange]]


def site_on_free_ports(folder: Path) -> Site:
    """Three lines, three agents and a menu; its data lies below ``folder``."""
    rtp = random.randrange(12000, 31000, RTP_PORTS_PER_SITE)
    return Site(
        data_dir=folder / "data",
        asterisk=AsteriskSection(
            sip_port=free_port(),
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
