"""Pausing the recording of a live call: what Asterisk is told, what is written down, what others see."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from hotline.core.bus import MemoryBus
from hotline.core.errors import ExchangeUnreachable, IllegalState
from hotline.core.events import CallAnswered, CallEnded, PartyJoined, RecordingChanged, RecordingState
from hotline.queue.recording import desk as recording_desk
from hotline.queue.recording.desk import LiveRecordings
from hotline.telephony.ami.answers import AmiResponse
from hotline.telephony.ami.errors import AmiDisconnected, AmiRefused
from tests.fixtures.recordings import ANSWERED, CALL, Archive, LiveCalls, archive_in

ANSWER = CallAnswered(CALL, ANSWERED, "e", "12345", "12345", "a1", 3.0, CALL, "u2")


class Switch(LiveCalls):
    """A manager that remembers what it was told to mute."""

    def __init__(self) -> None:
        super().__init__({CALL})
        self.recorded = True
        self.told: list[str] = []
        self.unknown: set[str] = set()  # channels that the dialplan does not record
        self.fails_after: int | None = None  # mutes told; then the link is gone for one more
        self.begun: list[tuple[str, ...]] = []

    async def action(self, name: str, fields: Mapping[str, str | Sequence[str]]) -> AmiResponse:
        if self.call_ids is None:
            raise AmiDisconnected("away")
        if name == "Getvar":
            known = self.recorded and fields["Channel"] not in self.unknown
            return AmiResponse("Success", "", {"Value": CALL if known else ""}, ())
        if name in ("MixMonitor", "Setvar"):
            self.begun.append((name, *(str(value) for value in fields.values())))
            return AmiResponse("Success", "", {}, ())
        if not self.recorded:
            raise AmiRefused(name, "Cannot set mute flag")
        assert name == "MixMonitorMute" and fields["Direction"] == "both"
        if self.fails_after is not None and len(self.told) >= self.fails_after:
            self.fails_after = None
            raise AmiDisconnected("gone")
        self.told.append(str(fields["State"]))
        return AmiResponse("Success", "", {}, ())


class World:
    """A desk at work over a real database."""

    def __init__(self, archive: Archive) -> None:
        self.archive, self.bus, self.manager = archive, MemoryBus(), Switch()
        self.desk = LiveRecordings(
            archive.site, archive.raw_dir, self.manager, self.bus, archive.store, archive.audit, archive.clock
        )
        archive.record()
        self._feed = self.bus.subscribe("test")

    async def changed(self) -> RecordingChanged:
        """The next change that is told."""
        async with asyncio.timeout(10):
            async for envelope in self._feed:
                if isinstance(envelope.event, RecordingChanged):
                    return envelope.event
        raise AssertionError

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.desk.run())
        async with asyncio.timeout(10):
            while len(self.bus._subscribers) < 2:  # noqa: ASYNC110 - a bus tells nobody who listens
                await asyncio.sleep(0)
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait({task})


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with archive_in(tmp_path, pause_max_seconds=30) as archive:
        yield World(archive)


async def test_a_pause_is_told_shown_and_written_down(world: World) -> None:
    """Asterisk records silence and sound again; the gap is a row; who did it is in the audit log."""
    async with world.running():
        world.bus.publish(ANSWER)
        assert (await world.changed()).state is RecordingState.ON
        await world.desk.pause(CALL, "zhang")
        assert (await world.changed()).state is world.desk.state(CALL) is RecordingState.PAUSED
        with pytest.raises(IllegalState, match="paused already"):
            await world.desk.pause(CALL, "zhang")
        world.archive.clock.advance(4)
        await world.desk.resume(CALL, "zhang")
        assert (await world.changed()).state is RecordingState.ON
    (gap,) = await world.archive.store.pauses(CALL)
    assert gap.until is not None
    assert ((gap.until - gap.since).total_seconds(), gap.user) == (4.0, "zhang")
    assert world.manager.told == ["1", "0"]
    assert [row.action for row in await world.archive.audit.recent()] == [
        "recording_resume",
        "recording_pause",
    ]


async def test_a_forgotten_pause_ends_by_itself(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the site's longest pause the recording goes on without anybody, also if a first try failed."""
    monkeypatch.setattr(recording_desk, "TICK_SECONDS", 0.01)
    async with world.running():
        world.bus.publish(ANSWER)
        await world.changed()
        await world.desk.pause(CALL, "zhang")
        await world.changed()
        world.manager.call_ids = None
        world.archive.clock.advance(31)
        await asyncio.sleep(0.05)  # a few ticks without a link
        assert world.desk.state(CALL) is RecordingState.PAUSED
        world.manager.call_ids = {CALL}
        assert (await world.changed()).state is RecordingState.ON
        async with asyncio.timeout(10):
            while (await world.archive.audit.recent())[0].user != "server":  # noqa: ASYNC110 - a database
                await asyncio.sleep(0.01)


async def test_a_restart_in_a_pause_goes_on_with_it(world: World) -> None:
    """A new run finds the pause, keeps whoever answers silent, and ends it in time."""
    await world.archive.store.begin_pause(CALL, ANSWERED, "zhang")
    async with world.running():
        world.bus.publish(ANSWER)
        change = await world.changed()
        assert (change.state, change.at) == (RecordingState.PAUSED, ANSWERED)
        assert world.manager.told == ["1"]
        assert (await world.changed()).state is RecordingState.ON
    assert world.manager.told == ["1", "0"]


async def test_whom_a_phone_brings_in_by_itself_is_recorded(world: World) -> None:
    """A channel that no dialplan of ours dialled for this call is recorded from its joining on, once."""
    world.manager.unknown = {"u9"}
    async with world.running():
        world.bus.publish(ANSWER)
        await world.changed()
        for uniqueid in ("u8", "u9"):
            world.bus.publish(PartyJoined(CALL, ANSWERED, "a2", "8002", uniqueid, CALL))
        async with asyncio.timeout(10):
            while len(world.manager.begun) < 2:  # noqa: ASYNC110 - a list tells nobody
                await asyncio.sleep(0.01)
    now = round(world.archive.clock.now().timestamp() * 1000)
    assert world.manager.begun == [
        ("MixMonitor", "u9", f"r(hotline/{CALL}-agent-{now}.alaw)"),
        ("Setvar", "u9", "HOTLINE_RECORDING", CALL),
    ]


async def test_who_joins_in_a_pause_is_silent_too(world: World) -> None:
    """A colleague brought in while the number is spoken is not recorded before the pause is over."""
    async with world.running():
        world.bus.publish(ANSWER)
        await world.changed()
        await world.desk.pause(CALL, "zhang")
        world.bus.publish(PartyJoined(CALL, ANSWERED, "a2", "8002", "u8", CALL))
        async with asyncio.timeout(10):
            while len(world.manager.told) < 2:  # noqa: ASYNC110 - a list tells nobody
                await asyncio.sleep(0.01)
    assert world.manager.told == ["1", "1"]


async def test_the_end_of_the_call_ends_its_pause(world: World) -> None:
    """A caller who hangs up in a pause leaves no pause open."""
    async with world.running():
        world.bus.publish(ANSWER)
        await world.changed()
        await world.desk.pause(CALL, "zhang")
        world.bus.publish(CallEnded(CALL, world.archive.clock.now()))
        async with asyncio.timeout(10):
            while await world.archive.store.pauses():  # noqa: ASYNC110 - a database tells nobody
                await asyncio.sleep(0.01)
    assert world.desk.state(CALL) is RecordingState.OFF


async def test_a_call_whose_file_is_missing_is_not_said_to_be_recorded(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """Asterisk cannot write: the agent sees "off", the metrics count it, the log says where."""
    for path in world.archive.raw_dir.iterdir():
        path.unlink()
    async with world.running():
        world.bus.publish(ANSWER)
        async with asyncio.timeout(10):
            while not world.desk.unwritten:  # noqa: ASYNC110 - a counter has no event
                await asyncio.sleep(0.01)
        assert world.desk.state(CALL) is RecordingState.OFF
    assert f"call {CALL} is not recorded: no file of it is in {world.archive.raw_dir}" in caplog.text


@pytest.mark.parametrize("why", ["off", "unknown"])
async def test_a_call_that_is_not_recorded_cannot_be_paused(world: World, why: str) -> None:
    """The agent is told so, and nothing is written down."""
    world.manager.recorded = why != "off"
    async with world.running():
        if why == "off":
            world.bus.publish(ANSWER)
        with pytest.raises(IllegalState, match="not recorded"):
            await world.desk.pause(CALL, "zhang")
    assert await world.archive.store.pauses() == []


async def test_an_exchange_that_is_away_pauses_nothing(world: World) -> None:
    """The agent must know that the number would be recorded."""
    async with world.running():
        world.bus.publish(ANSWER)
        await world.changed()
        world.manager.call_ids = None
        with pytest.raises(ExchangeUnreachable):
            await world.desk.pause(CALL, "zhang")
        assert world.desk.state(CALL) is RecordingState.ON
    assert await world.archive.store.pauses() == []


async def test_a_pause_that_fails_half_way_is_taken_back(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The agent is told that it failed; the channel that was silent is recorded again by itself."""
    monkeypatch.setattr(recording_desk, "TICK_SECONDS", 0.01)
    world.manager.call_ids = {CALL}
    world.manager.phones = ["u2"]
    async with world.running():
        world.bus.publish(ANSWER)
        await world.changed()
        world.manager.fails_after = 1
        with pytest.raises(ExchangeUnreachable):
            await world.desk.pause(CALL, "zhang")
        assert world.desk.state(CALL) is RecordingState.ON
        async with asyncio.timeout(10):
            while await world.archive.store.pauses():  # noqa: ASYNC110 - a database tells nobody
                await asyncio.sleep(0.01)
        assert world.manager.told == ["1", "0", "0"]
        (gap,) = await world.archive.store.pauses(CALL)
        assert gap.until is not None, "what may be missing is not marked"
        await world.desk.pause(CALL, "zhang")
        assert (await world.changed()).state is RecordingState.PAUSED
    assert world.manager.told == ["1", "0", "0", "1", "1"]


async def test_a_pause_waits_for_no_database(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is silent although that cannot be written down, which is told."""

    async def locked(*_: object) -> None:
        raise OperationalError("INSERT", {}, Exception("database is locked"))

    async with world.running():
        world.bus.publish(ANSWER)
        await world.changed()
        monkeypatch.setattr(world.archive.store, "begin_pause", locked)
        with pytest.raises(OperationalError):
            await world.desk.pause(CALL, "zhang")
        assert world.desk.state(CALL) is RecordingState.PAUSED and world.manager.told == ["1"]


async def test_a_restart_that_fails_in_a_pause_ends_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new run that cannot silence all channels goes on recording instead of leaving some silent."""
    monkeypatch.setattr(recording_desk, "TICK_SECONDS", 0.01)
    await world.archive.store.begin_pause(CALL, world.archive.clock.now(), "zhang")
    world.manager.fails_after = 0
    async with world.running():
        world.bus.publish(ANSWER)
        async with asyncio.timeout(10):
            while await world.archive.store.pauses():  # noqa: ASYNC110 - a database tells nobody
                await asyncio.sleep(0.01)
    assert world.manager.told == ["0"]
