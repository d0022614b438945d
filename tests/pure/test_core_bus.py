"""The bus: in order, once, and nobody waits for the slowest."""

from __future__ import annotations

import asyncio
import itertools
import random
from datetime import UTC, datetime

import pytest

from hotline.core.backoff import backoff
from hotline.core.bus import MemoryBus, follow
from hotline.core.errors import SlowConsumer
from hotline.core.events import CallEnded

NOW = datetime(2026, 11, 2, 1, 0, tzinfo=UTC)


def events(bus: MemoryBus, count: int) -> None:
    for number in range(count):
        bus.publish(CallEnded(f"c{number}", NOW))


async def test_every_subscriber_gets_every_event_in_order() -> None:
    """From its subscription on, with numbers that rise by one."""
    bus = MemoryBus()
    events(bus, 3)
    with bus.subscribe("a") as first, bus.subscribe("b") as second:
        events(bus, 5)
        for feed in (first, second):
            assert [(await anext(feed)).seq for _ in range(5)] == [4, 5, 6, 7, 8]


async def test_a_slow_subscriber_is_cut_off_and_the_others_go_on() -> None:
    """It is told what it last had, so that it can come back."""
    bus = MemoryBus()
    with bus.subscribe("slow", limit=3) as slow, bus.subscribe("quick", limit=100) as quick:
        events(bus, 1)
        assert (await anext(slow)).seq == 1
        events(bus, 10)
        with pytest.raises(SlowConsumer) as caught:
            await anext(slow)
        assert caught.value.last_seq == 1 and bus.cut_off == 1
        assert [(await anext(quick)).seq for _ in range(11)] == list(range(1, 12))


async def test_what_was_missed_is_replayed_or_known_to_be_gone() -> None:
    """The history is bounded: within it nothing is missing, beyond it None says so."""
    bus = MemoryBus(history=5)
    events(bus, 8)
    assert [one.seq for one in bus.since(3) or []] == [4, 5, 6, 7, 8]
    assert bus.since(8) == []
    assert bus.since(2) is None, "event 3 is gone"
    assert bus.since(9) is None, "a number of another start"


async def test_a_room_that_fell_behind_catches_up_without_a_gap() -> None:
    """follow() hides the cut: every event arrives once and in order."""
    bus = MemoryBus()
    seen: list[int] = []

    async def read() -> None:
        async for envelope in follow(bus, bus.subscribe("room", limit=4), "room", limit=4):
            seen.append(envelope.seq)
            if envelope.seq == 1:
                events(bus, 50)  # while it is busy with one event, fifty come
            if envelope.seq == 51:
                return

    task = asyncio.create_task(read())
    await asyncio.sleep(0)
    events(bus, 1)
    await asyncio.wait_for(task, 5)
    assert seen == list(range(1, 52))


async def test_closing_a_subscription_ends_its_iteration() -> None:
    """What is queued is still read first."""
    bus = MemoryBus()
    feed = bus.subscribe("a")
    events(bus, 2)
    feed.close()
    events(bus, 1)
    assert [envelope.seq async for envelope in feed] == [1, 2]


def test_waiting_times_grow_to_their_ceiling_and_never_come_in_step() -> None:
    """Each lies in the upper half of its step."""
    delays = list(
        itertools.islice(backoff(initial_seconds=1, factor=2, max_seconds=8, rng=random.Random(1)), 8)
    )
    for delay, ceiling in zip(delays, (1, 2, 4, 8, 8, 8, 8, 8), strict=True):
        assert ceiling / 2 <= delay <= ceiling
    assert len(set(delays)) == len(delays)


@pytest.mark.parametrize("bounds", [(0, 2, 5), (1, 0.5, 5), (6, 2, 5)])
def test_bounds_that_make_no_sense_are_refused(bounds: tuple[float, float, float]) -> None:
    """Before anything waits."""
    initial, factor, ceiling = bounds
    with pytest.raises(ValueError, match="backoff wants"):
        next(backoff(initial_seconds=initial, factor=factor, max_seconds=ceiling))
