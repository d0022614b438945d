"""Menus when our side or the connection fails: the caller always stays with the dialplan."""

from __future__ import annotations

import asyncio
import socket

import pytest

from hotline.config import samples
from hotline.config.loading import load_site
from hotline.config.schema import Site
from hotline.core.bus import MemoryBus
from hotline.core.clock import ManualClock
from hotline.core.errors import SetupError
from hotline.core.events import Event, MenuFinished, MenuOutcome
from hotline.ivr.service import MenuService
from tests.fixtures.ports import free_port

DEADLINE_SECONDS = 10
HEADER = (
    b"agi_network_script: menu?line=12345&menu=main\nagi_request: agi://h/menu?line=12345&menu=main\n"
    b"agi_channel: PJSIP/trunk-1\nagi_uniqueid: demo-1.1\n\n"
)


class BrokenDurations:
    """Prompts whose lengths cannot be had."""

    def duration_seconds(self, name: str) -> float:
        raise RuntimeError("a fault of ours")


class NoPrompts:
    def duration_seconds(self, name: str) -> float:
        return 0.0


@pytest.fixture
def site() -> Site:
    demo = load_site(samples.path("demo"), {})
    return demo.model_copy(update={"fastagi": demo.fastagi.model_copy(update={"port": free_port()})})


async def enter(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter, bytes]:
    """Begin a session and answer until the menu is being said; return the command that says it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(HEADER)
    while not (line := await reader.readline()).startswith((b"GET OPTION", b"STREAM FILE")):
        assert line, "the server ended the session"
        writer.write(b"200 result=1 (demo-1.0)\n")
    return reader, writer, line


async def leave(writer: asyncio.StreamWriter) -> None:
    writer.close()
    try:
        await writer.wait_closed()
    except ConnectionError:
        pass


async def next_finished(bus: MemoryBus, seq: int = 0) -> MenuFinished:
    events: list[Event] = [envelope.event for envelope in bus.since(seq) or []]
    with bus.subscribe("test") as feed:
        while not (events and isinstance(events[-1], MenuFinished)):
            events.append((await anext(feed)).event)
    last = events[-1]
    assert isinstance(last, MenuFinished)
    return last


async def test_a_stop_in_the_middle_of_a_menu_leaves_the_caller_to_the_dialplan(
    site: Site,
) -> None:
    """A stop cuts the session off with no result set; the record says fault, not that the caller left."""
    bus = MemoryBus()
    service = MenuService(site, bus, NoPrompts(), ManualClock())
    service.start()
    async with asyncio.timeout(DEADLINE_SECONDS):
        reader, writer, _ = await enter(service.port)
        await service.stop(drain_seconds=0)
        assert await reader.read() == b""  # nothing more is set on the channel
        assert (await next_finished(bus)).outcome is MenuOutcome.FAULT
        await leave(writer)
        await service.stop()  # a second stop does nothing


async def test_a_stop_lets_callers_finish_who_choose_in_time(site: Site) -> None:
    """While the server drains, a caller inside still reaches the line chosen."""
    bus = MemoryBus()
    service = MenuService(site, bus, NoPrompts(), ManualClock())
    service.start()
    async with asyncio.timeout(DEADLINE_SECONDS):
        reader, writer, _ = await enter(service.port)
        stopping = asyncio.create_task(service.stop(drain_seconds=DEADLINE_SECONDS))
        writer.write(b"200 result=50 endpos=1\n")  # key 2
        told = b""
        while line := await reader.readline():
            told += line
            writer.write(b"200 result=1\n")
        assert b'HOTLINE_QUEUE" "12333"' in told.replace(b"HOTLINE_QUEUE ", b'HOTLINE_QUEUE" ')
        await stopping
        await leave(writer)


async def test_a_connection_that_drops_is_the_caller_leaving(site: Site) -> None:
    """Asterisk closes the session of a caller who hangs up: recorded so, and the next is served."""
    bus = MemoryBus()
    service = MenuService(site, bus, NoPrompts(), ManualClock())
    service.start()
    try:
        async with asyncio.timeout(DEADLINE_SECONDS):
            _, writer, _ = await enter(service.port)
            await leave(writer)
            assert (await next_finished(bus)).outcome is MenuOutcome.HANGUP
            _, writer, said = await enter(service.port)
            assert b"hotline/main" in said
            await leave(writer)
            await next_finished(bus, seq=3)
    finally:
        await service.stop(drain_seconds=0)


async def test_a_fault_of_ours_sets_no_result_and_is_recorded(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    """An error in our own code ends the session without a result; the next caller gets the same chance."""
    bus = MemoryBus()
    service = MenuService(site, bus, BrokenDurations(), ManualClock())
    service.start()
    try:
        async with asyncio.timeout(DEADLINE_SECONDS):
            reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
            writer.write(HEADER)
            said = b""
            while line := await reader.readline():
                said += line
                writer.write(b"200 result=1 (demo-1.0)\n")
            assert b"HOTLINE_RESULT" not in said
            assert (await next_finished(bus)).outcome is MenuOutcome.FAULT
            await leave(writer)
        assert service.counters.failures == 1
    finally:
        await service.stop(drain_seconds=0)


async def test_callers_are_served_even_when_nobody_can_be_told(site: Site) -> None:
    """With the events' loop gone, a caller still reaches the line chosen."""
    gone = asyncio.new_event_loop()
    gone.close()
    service = MenuService(site, MemoryBus(), NoPrompts(), ManualClock(), loop=gone)
    service.start()
    try:
        async with asyncio.timeout(DEADLINE_SECONDS):
            reader, writer, _ = await enter(service.port)
            writer.write(b"200 result=50 endpos=1\n")
            told = b""
            while line := await reader.readline():
                told += line
                writer.write(b"200 result=1\n")
            assert b"HOTLINE_RESULT" in told
            await leave(writer)
    finally:
        await service.stop(drain_seconds=0)


async def test_a_taken_port_is_told_at_the_start(site: Site) -> None:
    """Starting on a port in use says which, in one line."""
    with socket.socket() as taken:
        taken.bind((site.fastagi.host, site.fastagi.port))
        taken.listen()
        service = MenuService(site, MemoryBus(), NoPrompts(), ManualClock())
        with pytest.raises(SetupError) as raised:
            service.start()
        assert str(site.fastagi.port) in str(raised.value)
        assert "\n" not in str(raised.value)
        await service.stop(drain_seconds=0)
