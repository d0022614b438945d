"""The hub between the bus and the outboxes: each event once, however pages come and go."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest

from hotline.agent_console.hub import Console, Hub
from hotline.agent_console.ownership import Topic, Viewer
from hotline.core.bus import MemoryBus
from hotline.core.clock import SystemClock
from tests.fixtures.console import FakeFigures, FakePicture, answered, says

CHIEF = Viewer("chief", True, None, frozenset({Topic.CALLS}))
ZHANG = Viewer("zhang", False, "a1", frozenset({Topic.AGENT}))


class Running:
    """A hub that runs."""

    def __init__(self) -> None:
        self.bus = MemoryBus()
        self.picture = FakePicture()
        self.hub = Hub(self.bus, self.picture, FakeFigures(), SystemClock())

    def join(self, viewer: Viewer, last_seq: int | None = None) -> tuple[Console, list[int] | None]:
        """A page, and the numbers it missed."""
        console = Console(viewer, "session")
        joined = self.hub.join(console, self.bus.boot_id, last_seq)
        return console, None if joined.missed is None else [json.loads(one)["seq"] for one in joined.missed]


@pytest.fixture
async def running() -> AsyncIterator[Running]:
    running = Running()
    task = asyncio.create_task(running.hub.run())
    await asyncio.sleep(0)
    yield running
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def numbers(console: Console, up_to: int) -> list[int]:
    """The numbers of the events in the outbox, until that one has come."""
    found: list[int] = []
    async with asyncio.timeout(5):
        while up_to not in found:
            text = console.outbox.take()
            if text is None:
                console.wake.clear()
                await console.wake.wait()
            elif (frame := json.loads(text))["type"] == "event":
                found.append(frame["seq"])
    return found


async def test_a_page_that_joins_between_event_and_push_doubles_nothing(running: Running) -> None:
    """The joining page's catching up and the pump's own reading meet on the same events."""
    first, _ = running.join(CHIEF)
    for number in range(3):
        running.bus.publish(says("c1", str(number)))
    second, missed = running.join(CHIEF, last_seq=1)
    assert missed == [2, 3]
    running.bus.publish(says("c1", "3"))
    assert await numbers(first, 4) == [1, 2, 3, 4]
    assert await numbers(second, 4) == [4]


async def test_a_page_that_joins_is_told_nothing_that_its_snapshot_holds(running: Running) -> None:
    """A snapshot is as new as the bus, although the pump has not been its turn yet."""
    for number in range(3):
        running.bus.publish(says("c1", str(number)))
    console = Console(CHIEF, "session")
    assert running.hub.join(console, None, None).seq == 3
    running.bus.publish(says("c1", "3"))
    assert await numbers(console, 4) == [4]


async def test_calls_under_way_before_the_start_belong_to_their_seats(running: Running) -> None:
    """Nothing told of the answer; the picture does, and the text reaches the seat."""
    running.picture.talk("c1", "a1")
    console, _ = running.join(ZHANG)
    running.bus.publish(says("c1", "继续说"))
    running.bus.publish(answered("c2", "a2"))
    running.bus.publish(says("c1", "完了"))
    assert await numbers(console, 3) == [1, 3]


async def test_pages_that_left_are_forgotten(running: Running) -> None:
    """Leaving twice is no error, and no index keeps the page."""
    console, _ = running.join(ZHANG)
    running.hub.leave(console)
    running.hub.leave(console)
    assert not running.hub.consoles and not running.hub._at_seat
    running.bus.publish(answered("c1", "a1"))
    running.hub.advance()
    assert console.outbox.take() is None
