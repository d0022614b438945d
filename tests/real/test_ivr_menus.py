"""Menus on the real Asterisk: real prompts, real keys, and a caller who is never lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from hotline.config import samples
from hotline.config.loading import load_site
from hotline.config.schema import Site
from hotline.core.bus import MemoryBus
from hotline.core.clock import SystemClock
from hotline.core.events import MenuEntered, MenuFinished, MenuOutcome
from hotline.core.ports import Feed
from hotline.ivr.prompts import PromptFiles
from hotline.ivr.service import MenuService
from hotline.telephony.asterisk_config.places import sounds_dir_of
from hotline.telephony.phone.call import Call
from hotline.telephony.phone.phone import Phone
from tests.real.exchange import Exchange, StartAsterisk

WITHIN_SECONDS = 30.0


@pytest.fixture
def site(site: Site) -> Site:
    """The demo's lines and menus on this test's ports; no notice, so that menus begin at once.

    Whoever presses 1 speaks Cantonese from there on, whoever presses 2 English.
    """
    demo = load_site(samples.path("demo"), {})
    spoken = {"1": "yue", "2": "en"}
    choices = [one.model_copy(update={"language": spoken.get(one.key)}) for one in demo.menu("main").choices]
    main = demo.menu("main").model_copy(update={"choices": tuple(choices)})
    menus = tuple(main if menu.name == "main" else menu for menu in demo.menus)
    demo = demo.model_copy(update={"menus": menus})
    taken = {name: getattr(demo, name) for name in ("lines", "queues", "agents", "menus", "prompts")}
    return site.model_copy(update=taken)


@dataclass(frozen=True, slots=True)
class Menus:
    """An exchange whose menus are served."""

    exchange: Exchange
    service: MenuService
    feed: Feed

    async def entered(self) -> MenuEntered:
        """The next caller to enter a menu."""
        async with asyncio.timeout(WITHIN_SECONDS):
            async for envelope in self.feed:
                if isinstance(envelope.event, MenuEntered):
                    return envelope.event
        raise AssertionError("the bus ended")

    async def finished(self) -> MenuFinished:
        """The next caller to leave the menus."""
        async with asyncio.timeout(WITHIN_SECONDS):
            async for envelope in self.feed:
                if isinstance(envelope.event, MenuFinished):
                    return envelope.event
        raise AssertionError("the bus ended")

    def rows(self) -> list[str]:
        """What the dialplan wrote down of callers who went to a queue."""
        return [row for row in self.exchange.queue_log() if "|HOTLINE|" in row]

    async def waits_in(self) -> list[str]:
        """Queue, line, number, path and language of the first caller to wait, as queue_log tells them."""
        async with asyncio.timeout(WITHIN_SECONDS):
            while not self.rows():  # noqa: ASYNC110 - a file: nothing to wait on
                await asyncio.sleep(0.02)
        fields = self.rows()[0].split("|")
        return [fields[2], fields[5], fields[6], fields[8], fields[9]]


@pytest.fixture
async def menus(site: Site, start_asterisk: StartAsterisk) -> AsyncIterator[Menus]:
    """The demo's menus, with their true prompts, on a real Asterisk."""
    files = PromptFiles(site, sounds_dir_of(site))
    await files.prepare_off_loop()
    exchange = await start_asterisk(site)
    bus = MemoryBus()
    service = MenuService(site, bus, files, SystemClock())
    service.start()
    with bus.subscribe("test") as feed:
        yield Menus(exchange, service, feed)
    await service.stop(drain_seconds=0)


@asynccontextmanager
async def caller(site: Site, number: str) -> AsyncIterator[Call]:
    """A citizen whose call to ``number`` was answered."""
    async with Phone("13800001234", server=(site.asterisk.host, site.asterisk.sip_port)) as phone:
        call = await phone.call(number)
        await call.wait_answered()
        yield call


async def test_keys_pressed_ahead_lead_through_two_menus_to_the_queue(menus: Menus, site: Site) -> None:
    """Both keys at once, while the first prompt still speaks: no waiting, the right queue, line and path."""
    async with caller(site, "12345") as call:
        entered = await menus.entered()
        await call.send_dtmf("12")
        finished = await menus.finished()
        assert await menus.waits_in() == ["12315", "12358", "12345", "main.1.2", "yue"]
    assert (entered.menu, entered.call_id) == ("main", finished.call_id)
    assert finished.path == ("消费投诉", "价格收费")
    assert finished.menu_seconds < 5, "prompts of 18 and 16 seconds were cut short"
    assert menus.exchange.messages() == []


async def test_the_menu_is_heard_and_zero_brings_a_person(menus: Menus, site: Site) -> None:
    """The caller hears the prompt, presses 0, and waits in the queue of the line dialled."""
    async with caller(site, "12315") as call:
        await menus.entered()
        async with asyncio.timeout(WITHIN_SECONDS):
            await call.heard.wait_sound()
        await call.send_dtmf("0")
        finished = await menus.finished()
        assert finished.outcome is MenuOutcome.OPERATOR
        assert await menus.waits_in() == ["12315", "12315", "12315", "consumer.0", "zh-CN"]


async def test_hanging_up_in_the_middle_of_a_prompt_is_told_at_once(menus: Menus, site: Site) -> None:
    """A caller who leaves while the menu speaks is recorded as leaving, and waits nowhere."""
    async with caller(site, "12345") as call:
        await menus.entered()
        await call.hangup()
        finished = await menus.finished()
    assert (finished.outcome, finished.queue) == (MenuOutcome.HANGUP, None)
    assert finished.menu_seconds < 5
    assert menus.rows() == []


async def test_a_server_that_stops_in_the_middle_of_a_menu_loses_nobody(menus: Menus, site: Site) -> None:
    """The session is cut while the prompt speaks; the fallback takes a digit and brings the caller there."""
    async with caller(site, "12345") as call:
        await menus.entered()
        await menus.service.stop(drain_seconds=0)
        assert (await menus.finished()).outcome is MenuOutcome.FAULT
        await call.send_dtmf("2")
        assert await menus.waits_in() == ["12333", "12333", "12345", "main.2", "en"]


async def test_wrong_keys_bring_a_person(menus: Menus, site: Site) -> None:
    """Two keys that the menu does not have: a person, who is announced, and no hang-up."""
    async with caller(site, "12315") as call:
        await menus.entered()
        await call.send_dtmf("8")
        await call.send_dtmf("8")
        finished = await menus.finished()
        assert finished.outcome is MenuOutcome.OPERATOR
        assert await menus.waits_in() == ["12315", "12315", "12315", "consumer", "zh-CN"]
