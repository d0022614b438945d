"""Recogniser processes that die or freeze, and peers that misbehave: calls go on and are heard again."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import random
import signal
import struct
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID, uuid4

import psutil
import pytest

from hotline.core.events import LegLost, LegTapped, Side, TranscriptSegment
from hotline.telephony.audiosocket import pack_audio, pack_identity
from tests.fixtures.asr import (
    ABORT,
    GIVE_UP,
    RATE_HZ,
    ROOT,
    SLEEP,
    SPIN,
    TOILING_ENGINE,
    FakeTap,
    Room,
    eventually,
    final_text,
    frames,
    hearing_room,
)

CALLER, AGENT = "call1-caller.1", "agent.1"


@pytest.fixture(autouse=True)
def workers_find_the_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker processes import the scripted engine from here."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    """Two workers: the caller's leg on the first, the agent's on the second."""
    async with hearing_room(tmp_path, workers=2) as room:
        yield room


async def both_taps(room: Room) -> tuple[FakeTap, FakeTap]:
    room.answer()
    caller, agent = await room.exchange.tap(CALLER), await room.exchange.tap(AGENT)
    await room.heard.wait(lambda event: isinstance(event, LegTapped), 2)
    return caller, agent


def worker_of(room: Room, tap: FakeTap) -> int:
    """The process that hears a tap."""
    port = tap.writer.get_extra_info("peername")[1]
    (pid,) = [
        pid
        for address, pid in zip(room.hearing.pool.addresses, room.hearing.pool.pids, strict=True)
        if address.endswith(f":{port}") and pid is not None
    ]
    return pid


def story(room: Room, side: Side) -> list[str]:
    """Tapped and lost, in order, of one side."""
    return [
        event.reason if isinstance(event, LegLost) else "tapped"
        for event in room.heard.of(LegTapped, LegLost)
        if isinstance(event, LegTapped | LegLost) and event.side is side
    ]


def gap_seconds(room: Room, side: Side) -> float:
    """From the loss of a side to its being heard again."""
    events = [
        event
        for event in room.heard.of(LegTapped, LegLost)
        if isinstance(event, LegTapped | LegLost) and event.side is side
    ]
    return (events[-1].at - events[-2].at).total_seconds()


async def test_a_killed_worker_costs_its_legs_less_than_a_second(room: Room) -> None:
    """SIGKILL: the gap is told, the leg is tapped on the other worker, the other leg notices nothing."""
    caller, agent = await both_taps(room)
    await caller.play(frames(1, 0.1))
    await room.heard.wait(lambda e: isinstance(e, TranscriptSegment) and e.text == "一")
    os.kill(worker_of(room, caller), signal.SIGKILL)
    again = await room.exchange.tap(CALLER, 2)
    assert again.writer.get_extra_info("peername") == agent.writer.get_extra_info("peername")
    await asyncio.gather(again.say(2), agent.say(3))
    await room.heard.wait(final_text(Side.CALLER, "二"))
    await room.heard.wait(final_text(Side.AGENT, "三"))
    assert story(room, Side.CALLER) == ["tapped", "worker_died", "tapped"]
    assert story(room, Side.AGENT) == ["tapped"]
    assert gap_seconds(room, Side.CALLER) < 1.0
    texts = [s.text for s in await room.hearing.transcripts.of_call("call1") if s.side is Side.CALLER]
    assert texts == ["一", "二"]  # what was heard before the loss is kept
    await eventually(lambda: room.hearing.stats.workers_ready == 2)
    assert room.hearing.stats.worker_restarts == 1


async def test_the_only_worker_killed_is_started_again_and_hears_on(tmp_path: Path) -> None:
    """With one process the gap is as long as its start; its port stays open meanwhile."""
    async with hearing_room(tmp_path, workers=1) as room:
        caller, _ = await both_taps(room)
        os.kill(worker_of(room, caller), signal.SIGKILL)
        again = await room.exchange.tap(CALLER, 2)
        await again.say(5)
        await room.heard.wait(final_text(Side.CALLER, "五"))
        assert story(room, Side.CALLER) == ["tapped", "worker_died", "tapped"]


async def test_a_stopped_worker_is_noticed_ended_and_replaced(room: Room) -> None:
    """SIGSTOP: the process neither dies nor answers; its leg is heard elsewhere, soon."""
    caller, _ = await both_taps(room)
    stopped = psutil.Process(worker_of(room, caller))
    loop = asyncio.get_running_loop()
    began = loop.time()
    stopped.suspend()
    await room.heard.wait(lambda e: isinstance(e, LegTapped) and e.side is Side.CALLER, 2)
    assert loop.time() - began < 2.0
    await (await room.exchange.tap(CALLER, 2)).say(4)
    await room.heard.wait(final_text(Side.CALLER, "四"))
    assert story(room, Side.CALLER) == ["tapped", "worker_frozen", "tapped"]
    await eventually(lambda: not stopped.is_running())
    assert room.hearing.stats.workers_frozen == 1


async def test_an_engine_that_aborts_takes_only_its_own_process(room: Room) -> None:
    """What an assert inside Kaldi does: the process is gone; everything else goes on."""
    caller, agent = await both_taps(room)
    await caller.play(frames(ABORT, 0.2))
    await room.exchange.tap(CALLER, 2)
    await agent.say(6)
    await room.heard.wait(final_text(Side.AGENT, "六"))
    assert story(room, Side.CALLER)[:2] == ["tapped", "worker_died"]


async def test_an_engine_that_hangs_is_ended(room: Room) -> None:
    """The process lives and its sockets answer, but recognition is stuck: that too is frozen."""
    caller, _ = await both_taps(room)
    await caller.play(frames(SLEEP, 0.1))
    again = await room.exchange.tap(CALLER, 2)
    await again.say(7)
    await room.heard.wait(final_text(Side.CALLER, "七"))
    assert story(room, Side.CALLER) == ["tapped", "worker_frozen", "tapped"]


async def test_an_engine_that_runs_in_circles_is_ended(room: Room) -> None:
    """Before it is known how long its work takes it gets more time; not for ever."""
    caller, _ = await both_taps(room)
    await caller.play(frames(SPIN, 0.1))
    await room.exchange.tap(CALLER, 2)
    assert story(room, Side.CALLER)[:2] == ["tapped", "worker_frozen"]


async def test_one_that_runs_in_circles_later_is_ended_within_a_second(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the processor time it takes, once it was seen how little it needs; its leg is heard elsewhere."""
    monkeypatch.setattr("hotline.asr.circles.TEXTS_SEEN", 2)
    caller, agent = await both_taps(room)
    await asyncio.gather(caller.say(1), agent.say(2))
    await room.heard.wait(final_text(Side.CALLER, "一"))
    await room.heard.wait(final_text(Side.AGENT, "二"))
    spinning = psutil.Process(worker_of(room, caller))
    busy, busy_seconds = sum(spinning.cpu_times()[:2]), 0.0
    await caller.play(frames(SPIN, 0.1))
    lost = asyncio.create_task(room.heard.wait(lambda e: isinstance(e, LegLost)))
    while not lost.done():
        with contextlib.suppress(psutil.NoSuchProcess):
            busy_seconds = sum(spinning.cpu_times()[:2]) - busy
        await asyncio.wait([lost], timeout=0.05)
    await lost
    assert (
        0.3 < busy_seconds < 1.5
    )  # of processor time: on a machine with nothing else to do, so long by the clock
    await (await room.exchange.tap(CALLER, 2)).say(3)
    await room.heard.wait(final_text(Side.CALLER, "三"))
    assert story(room, Side.CALLER) == ["tapped", "worker_frozen", "tapped"]
    assert gap_seconds(room, Side.CALLER) < 1.0


async def test_one_that_works_without_a_pause_is_not_taken_to_run_in_circles(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two voices where one is all it can bear: it falls behind, and answers whoever asks."""
    monkeypatch.setattr("hotline.asr.circles.TEXTS_SEEN", 1)
    async with hearing_room(tmp_path, engine=TOILING_ENGINE) as room:
        caller, agent = await both_taps(room)
        await caller.say(1)
        sound = asyncio.gather(*(tap.play(itertools.cycle(frames(0, 1))) for tap in (caller, agent)))
        await room.heard.wait(final_text(Side.CALLER, "一"))
        worked = room.hearing.stats.busy_seconds
        await eventually(lambda: room.hearing.stats.busy_seconds > worked + 3.0)
        sound.cancel()
        await asyncio.gather(sound, return_exceptions=True)
        assert room.hearing.stats.backlog_seconds > 1.0
        assert room.hearing.stats.worker_restarts == 0


async def test_taps_that_end_at_once_are_tried_ever_more_seldom(room: Room) -> None:
    """A channel that is no more answers each tap with a hang-up: that must not become a storm."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    room.answer()
    for number in range(1, 6):
        (await room.exchange.tap(CALLER, number)).hang_up()
    assert loop.time() - began > 2.5  # half a second each, and growing pauses
    assert story(room, Side.CALLER)[:4] == ["tapped", "hung_up", "tapped", "hung_up"]


async def test_an_engine_that_gives_up_a_stream_is_asked_for_another(room: Room) -> None:
    """The worker lives on; the leg is told as lost and tapped again."""
    caller, agent = await both_taps(room)
    pids = room.hearing.pool.pids
    await caller.play(frames(GIVE_UP, 0.1))
    again = await room.exchange.tap(CALLER, 2)
    await again.say(2)
    await room.heard.wait(final_text(Side.CALLER, "二"))
    assert story(room, Side.CALLER) == ["tapped", "engine_failed", "tapped"]
    assert room.hearing.pool.pids == pids
    agent.hang_up()


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x10\x00\x03abc",
        struct.pack(">BH", 0x12, 0xFFFF) + b"x",
        pack_identity(uuid4()),
        pack_audio(b"\x00\x00" * 160, 8_000),
    ],
    ids=["half a sample", "longer than any frame", "a second name", "another rate in the middle of a stream"],
)
async def test_garbage_ends_the_tap_and_not_the_worker(room: Room, garbage: bytes) -> None:
    """The connection is closed and counted; the side is tapped anew and heard."""
    caller, _ = await both_taps(room)
    pids = room.hearing.pool.pids
    await caller.play(frames(1, 0.1))
    caller.writer.write(garbage)
    await caller.closed()
    again = await room.exchange.tap(CALLER, 2)
    await again.say(2)
    await room.heard.wait(final_text(Side.CALLER, "二"))
    assert story(room, Side.CALLER) == ["tapped", "garbage", "tapped"]
    await eventually(lambda: room.hearing.stats.counts["garbage"] == 1)
    assert room.hearing.pool.pids == pids


async def test_random_bytes_at_the_door_are_turned_away(room: Room) -> None:
    """Fifty connections full of noise: none gets in, both workers live, calls are heard."""
    caller, _ = await both_taps(room)
    pids = room.hearing.pool.pids
    source = random.Random(12345)
    port = int(room.hearing.pool.addresses[0].rpartition(":")[2])
    for _ in range(50):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        noise = bytearray(source.randbytes(2000))
        noise[0] = source.choice([0x00, 0x02, 0x10, 0x55, 0xFE])
        writer.write(bytes(noise))
        await FakeTap("", "", reader, writer).closed()
        writer.close()
    await caller.say(3)
    await room.heard.wait(final_text(Side.CALLER, "三"))
    assert room.hearing.pool.pids == pids


async def test_a_peer_that_says_nothing_is_let_go(room: Room) -> None:
    """A connection without a name is closed within seconds and counted."""
    port = int(room.hearing.pool.addresses[0].rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    await FakeTap("", "", reader, writer).closed()
    await eventually(lambda: room.hearing.stats.counts["no_identity"] == 1)
    writer.close()


async def test_a_connection_cut_inside_a_frame_is_made_again(room: Room) -> None:
    """Half a frame and then the end: what was whole is kept, the side is tapped anew."""
    caller, _ = await both_taps(room)
    await caller.play(frames(1, 0.2))
    caller.writer.write(pack_audio(b"\x01\x00" * 320, RATE_HZ)[:100])
    caller.writer.close()
    await room.exchange.tap(CALLER, 2)
    await room.heard.wait(final_text(Side.CALLER, "一"))
    assert story(room, Side.CALLER)[:2] == ["tapped", "broken"]


async def test_a_flood_is_read_no_faster_than_speech(room: Room) -> None:
    """Minutes of audio at once: memory stays bounded, other legs are heard, the flood is counted."""
    caller, agent = await both_taps(room)
    pid = worker_of(room, caller)

    async def flood() -> None:
        for frame in frames(1, 300.0):
            caller.writer.write(frame)
            await caller.writer.drain()

    flooding = asyncio.create_task(flood())
    await agent.say(8)
    await room.heard.wait(final_text(Side.AGENT, "八"))
    await eventually(lambda: room.hearing.stats.counts["floods"] == 1)
    await asyncio.sleep(1.0)  # it would all be in memory by now
    assert psutil.Process(pid).memory_info().rss < 120e6
    assert not flooding.done()
    assert room.hearing.stats.counts["audio_ms"] < 60_000
    flooding.cancel()
    await asyncio.gather(flooding, return_exceptions=True)
    caller.writer.transport.abort()


async def test_a_tap_that_is_promised_and_never_comes_is_tried_again(room: Room) -> None:
    """Asterisk says yes and nothing connects: after some seconds the gap is told, then it works."""
    room.exchange.silent = True
    room.answer()
    await room.heard.wait(lambda e: isinstance(e, LegLost) and e.reason == "not_connected", 2)
    room.exchange.silent = False
    await room.heard.wait(lambda e: isinstance(e, LegTapped), 2)


async def test_a_worker_ends_with_its_server(tmp_path: Path) -> None:
    """A server that is killed leaves no recogniser behind, not even a stopped one."""
    code = (
        "import asyncio, sys, pathlib\n"
        "from tests.fixtures.asr import hearing_room\n"
        "async def main():\n"
        "    async with hearing_room(pathlib.Path(sys.argv[1]), workers=2) as room:\n"
        "        print(*room.hearing.pool.pids, flush=True)\n"
        "        await asyncio.sleep(600)\n"
        "asyncio.run(main())\n"
    )
    server = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, str(tmp_path), stdout=asyncio.subprocess.PIPE, cwd=ROOT
    )
    assert server.stdout is not None
    workers = [psutil.Process(int(pid)) for pid in (await server.stdout.readline()).split()]
    workers[0].suspend()
    server.kill()
    await server.wait()
    gone, alive = await asyncio.to_thread(psutil.wait_procs, workers, timeout=5)
    assert (len(gone), alive) == (2, [])


async def test_a_late_connection_of_an_earlier_server_is_not_let_in(room: Room) -> None:
    """After a restart a tap that was ordered before comes with a name nobody knows: it is ended."""
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", int(room.hearing.pool.addresses[0].rpartition(":")[2])
    )
    writer.write(pack_identity(UUID(int=7)))
    await FakeTap("", "", reader, writer).closed()
    writer.close()
    await eventually(lambda: room.hearing.stats.counts["unknown_uuid"] == 1)
