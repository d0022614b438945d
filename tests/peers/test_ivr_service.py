"""Menus over FastAGI, against a peer that speaks Asterisk's side of a real socket."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from hotline.config import samples
from hotline.config.loading import load_site
from hotline.config.schema import Site
from hotline.core.bus import MemoryBus
from hotline.core.clock import ManualClock
from hotline.core.events import Event, MenuEntered, MenuFinished, MenuOutcome
from hotline.ivr.service import MenuService
from tests.fixtures.ports import free_port

DEADLINE_SECONDS = 10
HANG_UP = "hang up"
DROP = "drop"
GARBAGE = "garbage"


class NoPrompts:
    """Prompts that take no time."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds = seconds

    def duration_seconds(self, name: str) -> float:
        return self.seconds


@dataclass
class Caller:
    """Asterisk's side of one session: answers commands, pressing ``keys`` in order.

    Attributes:
        played: prompts, by the file names asked for.
        variables: what was set on the channel, in order.
    """

    keys: Iterable[str] = ()
    query: str = "menu?line=12345&menu=main"
    clock: ManualClock | None = None
    missing: frozenset[str] = frozenset()
    played: list[str] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)

    async def call(self, port: int) -> Caller:
        """Run the session until the server ends it or the script does."""
        self._left = iter(self.keys)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            async with asyncio.timeout(DEADLINE_SECONDS):
                writer.write(self._header().encode())
                await self._talk(reader, writer)
        except ConnectionError:
            pass  # the server closed first
        finally:
            writer.close()
            try:
                await writer.wait_closed()
            except ConnectionError:
                pass
        return self

    def _header(self) -> str:
        lines = {
            "network": "yes",
            "network_script": self.query,
            "request": f"agi://127.0.0.1/{self.query}",
            "channel": "PJSIP/trunk-00000001",
            "language": "zh",
            "uniqueid": "demo-1700000000.1",
            "callerid": "13800000000",
            "calleridname": "unknown",
            "dnid": "12345",
            "context": "hotline-line-12345",
            "extension": "s",
            "priority": "9",
        }
        return "".join(f"agi_{name}: {value}\n" for name, value in lines.items()) + "\n"

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := (await reader.readline()).decode().rstrip("\n"):
            reply = self._reply(line)
            if reply == DROP:
                return
            writer.write(reply.encode())
            if reply == "HANGUP\n":
                return

    def _reply(self, line: str) -> str:
        if line.startswith("GET FULL VARIABLE"):
            return "200 result=1 (demo-1700000000.0)\n"
        if match := re.fullmatch(r'SET VARIABLE "?(\w+)"? "(.*)"', line):
            self.variables[match[1]] = match[2]
            return "200 result=1\n"
        if match := re.match(r'(?:GET OPTION|STREAM FILE) "(\S+)"', line):
            return self._say(match[1], line)
        if line.startswith("WAIT FOR DIGIT"):
            return self._press("200 result={}\n")
        return "510 Invalid or unknown command\n"

    def _say(self, file: str, line: str) -> str:
        name = file.removeprefix("hotline/")
        if name in self.missing:
            return "200 result=-1 endpos=0\n"
        self.played.append(name)
        if line.startswith("STREAM FILE") and line.split('"')[2].strip() in ("", '""'):
            return "200 result=0 endpos=8000\n"  # no key ends it
        if line.endswith('"') or name == "invalid-key":
            return "200 result=0 endpos=8000\n"
        return self._press("200 result={} endpos=8000\n")

    def _press(self, reply: str) -> str:
        key = next(self._left, "-")
        if self.clock is not None:
            self.clock.advance(10)
        if key == HANG_UP:
            return "HANGUP\n"
        if key == DROP:
            return DROP
        if key == GARBAGE:
            return "\x00\xff nonsense\n"
        return reply.format(0 if key == "-" else ord(key))


@pytest.fixture
def site() -> Site:
    demo = load_site(samples.path("demo"), {})
    return demo.model_copy(update={"fastagi": demo.fastagi.model_copy(update={"port": free_port()})})


@asynccontextmanager
async def serving(
    site: Site, *, clock: ManualClock | None = None, prompt_seconds: float = 0.0
) -> AsyncIterator[tuple[MenuService, MemoryBus]]:
    bus = MemoryBus()
    service = MenuService(site, bus, NoPrompts(prompt_seconds), clock or ManualClock())
    service.start()
    try:
        yield service, bus
    finally:
        await service.stop(drain_seconds=0)


async def call_and_watch(site: Site, caller: Caller) -> list[Event]:
    """Make one call and return the events it left, until MenuFinished."""
    async with serving(site, clock=caller.clock) as (service, bus):
        feed = bus.subscribe("test")
        await caller.call(service.port)
        events: list[Event] = []
        async with asyncio.timeout(DEADLINE_SECONDS):
            async for envelope in feed:
                events.append(envelope.event)
                if isinstance(envelope.event, MenuFinished):
                    break
        feed.close()
        return events


def finished(events: list[Event]) -> MenuFinished:
    assert isinstance(events[0], MenuEntered)
    assert isinstance(events[-1], MenuFinished)
    assert [type(event) for event in events] == [MenuEntered, MenuFinished]
    return events[-1]


async def test_keys_lead_to_a_line_and_the_dialplan_learns_it(site: Site) -> None:
    """Two keys through two menus set line, queue, path and result, and the event tells the titles."""
    caller = Caller(keys="12")
    event = finished(await call_and_watch(site, caller))
    assert caller.played == ["main", "consumer"]
    assert list(caller.variables.items()) == [
        ("HOTLINE_LINE", "12358"),
        ("HOTLINE_QUEUE", "12315"),
        ("HOTLINE_PATH", "main.1.2"),
        ("HOTLINE_LANGUAGE", "zh-CN"),
        ("HOTLINE_RESULT", "queue"),  # the last: without it the dialplan falls back
    ]
    assert event.call_id == "demo-1700000000.0"
    assert (event.outcome, event.line, event.queue) == (MenuOutcome.QUEUE, "12358", "12315")
    assert event.path == ("消费投诉", "价格收费")


async def test_zero_is_a_person_of_the_dialled_line(site: Site) -> None:
    """0 in a lower menu gives the queue of the line that was dialled."""
    caller = Caller(keys="10")
    event = finished(await call_and_watch(site, caller))
    assert caller.variables["HOTLINE_RESULT"] == "operator"
    assert caller.variables["HOTLINE_QUEUE"] == "12345"
    assert event.path == ("消费投诉", "人工服务")


async def test_silence_twice_reaches_a_person_who_is_announced(site: Site) -> None:
    """A caller who presses nothing hears the menu twice, then that a person follows."""
    caller = Caller()
    event = finished(await call_and_watch(site, caller))
    assert caller.played == ["main", "main", "to-person"]
    assert caller.variables["HOTLINE_RESULT"] == "operator"
    assert event.outcome is MenuOutcome.OPERATOR


async def test_wrong_keys_are_told_and_lead_to_a_person(site: Site) -> None:
    """A wrong key is answered, a second one brings a person."""
    caller = Caller(keys="88")
    finished(await call_and_watch(site, caller))
    assert caller.played == ["main", "invalid-key", "main", "to-person"]
    assert caller.variables["HOTLINE_RESULT"] == "operator"


async def test_an_announcement_is_played_and_the_menu_again(site: Site) -> None:
    """Self-service information, then the menu, then a choice."""
    caller = Caller(keys=["3", "-", "2"])
    event = finished(await call_and_watch(site, caller))
    assert caller.played == ["main", "progress", "main"]
    assert event.line == "12333"


async def test_hanging_up_in_the_middle_of_a_prompt(site: Site) -> None:
    """A caller who leaves is recorded as leaving, with where they were, and nothing is set."""
    caller = Caller(keys=["1", HANG_UP])
    event = finished(await call_and_watch(site, caller))
    assert caller.variables == {}
    assert (event.outcome, event.queue) == (MenuOutcome.HANGUP, None)
    assert event.path == ("消费投诉",)


async def test_hanging_up_after_an_announcement_was_served_by_the_machine(site: Site) -> None:
    """A caller who heard the announcement and left counts as self-service."""
    caller = Caller(keys=["3", "-", HANG_UP])
    event = finished(await call_and_watch(site, caller))
    assert event.outcome is MenuOutcome.SELF_SERVICE
    assert event.path == ("进度查询",)


async def test_garbage_from_the_peer_leaves_the_result_unset(site: Site) -> None:
    """A session that breaks sets no result, so that the dialplan's fallback takes the call."""
    caller = Caller(keys=["1", GARBAGE])
    event = finished(await call_and_watch(site, caller))
    assert "HOTLINE_RESULT" not in caller.variables
    assert (event.outcome, event.queue) == (MenuOutcome.FAULT, None)


async def test_missing_prompts_do_not_lose_the_caller(site: Site) -> None:
    """A menu whose sounds are gone still hears keys."""
    caller = Caller(keys="2", missing=frozenset({"main"}))
    finished(await call_and_watch(site, caller))
    assert caller.variables["HOTLINE_QUEUE"] == "12333"


async def test_a_visit_that_grows_too_long_ends_at_a_person_in_time(site: Site) -> None:
    """Whoever asks for the menu again and again gets a person before Asterisk's timeout ends the menu."""
    clock = ManualClock()
    caller = Caller(keys="#" * 50, clock=clock)  # every prompt takes 10 seconds
    event = finished(await call_and_watch(site, caller))
    assert caller.variables["HOTLINE_RESULT"] == "operator"
    assert caller.played[-1] == "to-person"
    assert event.menu_seconds < site.fastagi.absolute_timeout_seconds


@pytest.mark.parametrize(
    "query",
    [
        "menu?line=12345&menu=nothing",
        "menu?line=nothing&menu=main",
        "menu",
        "survey?line=12345&menu=main",
        "menu?line=%0d%0a&menu=%00",
    ],
)
async def test_a_menu_that_does_not_exist_is_left_to_the_dialplan(site: Site, query: str) -> None:
    """An address that names nothing of this site sets no result and tells no event."""
    async with serving(site) as (service, bus):
        caller = await Caller(query=query).call(service.port)
        assert caller.variables == {}
        assert caller.played == []
        assert bus.last_seq == 0


async def test_many_callers_at_once_each_reach_their_own_line(site: Site) -> None:
    """Forty callers in the menus together do not mix."""
    async with serving(site) as (service, bus):
        feed = bus.subscribe("test")
        callers = [Caller(keys="11"), Caller(keys="12"), Caller(keys="2"), Caller(keys="0")] * 10
        callers = [Caller(keys=caller.keys) for caller in callers]
        await asyncio.gather(*(caller.call(service.port) for caller in callers))
        lines = [caller.variables["HOTLINE_LINE"] for caller in callers]
        assert lines == ["12315", "12358", "12333", "12345"] * 10
        async with asyncio.timeout(DEADLINE_SECONDS):
            async for envelope in feed:
                if envelope.seq == 2 * len(callers):
                    break
        feed.close()
        assert service.counters.failures == 0
