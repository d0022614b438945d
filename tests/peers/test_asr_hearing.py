"""The hearing with real worker processes, a scripted engine and an exchange that really connects."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from uuid import uuid4

import pytest

from hotline.asr.admission import OVERLOAD_BACKLOG_SECONDS
from hotline.asr.messages import Message, Release
from hotline.asr.worker_process import WorkerProcess
from hotline.config.schema import WhenFull
from hotline.config.wording import Correction
from hotline.core.errors import SetupError
from hotline.core.events import (
    CallAnswered,
    Event,
    LegLost,
    LegTapped,
    PartyJoined,
    PartyLeft,
    RecordingChanged,
    RecordingState,
    Side,
    TranscriptSegment,
)
from hotline.core.views import Segment
from tests.fixtures.asr import (
    BROKEN_ENGINE,
    LABOURING_ENGINE,
    ROOT,
    Room,
    connect_tap,
    eventually,
    final_text,
    frames,
    hearing_room,
)

CALLER = "call1-caller.1"


@pytest.fixture(autouse=True)
def workers_find_the_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker processes import the scripted engine from here."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    async with hearing_room(tmp_path) as room:
        yield room


def lost(event: Event) -> bool:
    return isinstance(event, LegLost)


def tapped(event: Event) -> bool:
    return isinstance(event, LegTapped)


@asynccontextmanager
async def talking(room: Room, call: str) -> AsyncIterator[None]:
    """A call on which both sides send sound."""
    room.answer(call)
    taps = [await room.exchange.tap(f"{call}-caller.1"), await room.exchange.tap("agent.1")]
    sound = asyncio.gather(*(tap.play(frames(0, 60)) for tap in taps))
    try:
        yield
    finally:
        sound.cancel()
        await asyncio.gather(sound, return_exceptions=True)


async def test_both_sides_are_heard_while_they_speak(room: Room) -> None:
    """Partial texts grow, the final one replaces them under the same number, and the sides are not mixed."""
    room.answer()
    caller, agent = await room.exchange.tap(CALLER), await room.exchange.tap("agent.1")
    await asyncio.gather(caller.say(1, 2, 3), agent.say(7, 8))
    await room.heard.wait(final_text(Side.CALLER, "一二三"))
    await room.heard.wait(final_text(Side.AGENT, "七八"))
    texts = [e for e in room.heard.of(TranscriptSegment) if isinstance(e, TranscriptSegment)]
    of_caller = [e for e in texts if e.side is Side.CALLER]
    assert [e.revision for e in of_caller] == list(range(1, len(of_caller) + 1))
    assert {e.utterance for e in of_caller} == {1}
    assert [e.final for e in of_caller] == [False] * (len(of_caller) - 1) + [True]
    assert len(of_caller) >= 3
    assert {e.text[0] for e in texts if e.side is Side.AGENT} == {"七"}
    for event in texts:
        assert timedelta(0) <= event.at - event.audio_at < timedelta(seconds=0.5)


async def test_the_exchange_is_asked_for_exactly_the_right_tap(room: Room) -> None:
    """One AudioSocket channel a side at 16 kHz, spying on that channel alone by its unique id."""
    room.answer()
    await room.exchange.tap(CALLER)
    await room.exchange.tap("agent.1")
    address = room.hearing.pool.addresses[0]
    for channel, application, data in room.exchange.orders:
        assert channel.startswith(f"AudioSocket/{address}/")
        assert channel.endswith("/c(slin16)")
        assert application == "ChanSpy"
        assert data in (f"{CALLER},uqoES", "agent.1,uqoES")
    assert len(room.exchange.orders) == 2


async def test_times_count_from_the_answer_of_the_call(room: Room) -> None:
    """What is said 0.6 s after the tap came is placed there, counted from the answer."""
    event = room.answer()
    tap = await room.exchange.tap(CALLER)
    await tap.play(frames(0, 0.6))
    said_after = (room.clock.now() - event.at).total_seconds()
    await tap.say(5)
    (final,) = await room.heard.wait(final_text(Side.CALLER, "五"))
    assert isinstance(final, TranscriptSegment)
    assert final.start_seconds == pytest.approx(said_after, abs=0.15)
    assert final.confidence == pytest.approx(0.9)


async def test_a_call_told_as_answered_twice_is_tapped_once(room: Room) -> None:
    """The queue room tells live calls anew after it lost sight of the exchange."""
    event = room.answer()
    tap = await room.exchange.tap(CALLER)
    await room.exchange.tap("agent.1")
    room.bus.publish(event)
    await tap.say(4)
    await room.heard.wait(final_text(Side.CALLER, "四"))
    assert len(room.exchange.orders) == 2
    assert len(room.heard.of(LegTapped)) == 2


async def test_the_last_words_are_kept_when_the_talk_ends(room: Room) -> None:
    """Words not yet followed by silence become final text, the taps close, and no leg is said to be lost."""
    room.answer()
    tap = await room.exchange.tap(CALLER)
    await tap.play(frames(6, 0.1))
    await room.heard.wait(lambda e: isinstance(e, TranscriptSegment) and e.text == "六")
    room.talk_ends()
    room.call_ends()
    await tap.closed()
    await (await room.exchange.tap("agent.1")).closed()
    await room.heard.wait(final_text(Side.CALLER, "六"))
    assert room.heard.of(LegLost) == []
    assert room.hearing.stats.legs_live == {Side.CALLER: 0, Side.AGENT: 0}


async def test_a_tap_that_ends_with_the_call_is_not_a_loss(room: Room) -> None:
    """Asterisk hangs the tap up a moment before its events tell of the call's end."""
    room.answer()
    for uniqueid in (CALLER, "agent.1"):
        (await room.exchange.tap(uniqueid)).hang_up()
    room.talk_ends()
    room.call_ends()
    await room.heard.wait(lambda e: type(e).__name__ == "CallEnded")
    await room.hearing.aclose()
    assert room.heard.of(LegLost) == []
    assert len(room.exchange.orders) == 2


async def test_a_tap_that_ends_during_the_call_is_made_again(room: Room) -> None:
    """The gap is told, then the side is heard again and its utterances go on counting."""
    room.answer()
    tap = await room.exchange.tap(CALLER)
    await tap.say(1)
    await room.heard.wait(final_text(Side.CALLER, "一"))
    tap.hang_up()
    again = await room.exchange.tap(CALLER, 2)
    await again.say(2)
    (final,) = await room.heard.wait(final_text(Side.CALLER, "二"))
    assert isinstance(final, TranscriptSegment)
    assert final.utterance == 2
    story = [type(e).__name__ for e in room.heard.of(LegTapped, LegLost) if e.side is Side.CALLER]  # type: ignore[union-attr]
    assert story == ["LegTapped", "LegLost", "LegTapped"]


async def test_a_refused_tap_is_told_once_and_tried_until_it_works(room: Room) -> None:
    """One LegLost for the whole gap, with its reason; the call itself is not touched."""
    room.exchange.refuse = True
    room.answer()
    await room.exchange.ordered(6)
    room.exchange.refuse = False
    await room.heard.wait(tapped, 2)
    reasons = [e.reason for e in room.heard.of(LegLost)]  # type: ignore[union-attr]
    assert reasons == ["refused", "refused"]


async def test_an_exchange_out_of_reach_is_a_gap_that_ends_with_it(room: Room) -> None:
    """While the manager interface is down nothing is heard; when it is back, all is."""
    room.exchange.down = True
    room.answer()
    await room.heard.wait(lambda e: isinstance(e, LegLost) and e.reason == "exchange_unreachable", 2)
    room.exchange.down = False
    await room.heard.wait(tapped, 2)


async def test_a_full_house_tells_so_and_hears_the_next_when_there_is_room(tmp_path: Path) -> None:
    """Beyond the workers' capacity a call goes on unheard until another one ends."""
    async with hearing_room(tmp_path, legs_per_worker=2) as room:
        room.answer("call1")
        await room.heard.wait(tapped, 2)
        room.answer("call2", entry="e2", agent="agent.2")
        await room.heard.wait(lambda e: isinstance(e, LegLost) and e.reason == "no_capacity", 2)
        room.talk_ends("call1")
        await room.heard.wait(lambda e: isinstance(e, LegTapped) and e.call_id == "call2", 2)


async def test_what_a_recogniser_manages_is_measured(tmp_path: Path) -> None:
    """Two voices fill it, whatever it may have at most: a third waits until one of them is gone."""
    async with hearing_room(tmp_path, engine=LABOURING_ENGINE) as room, talking(room, "call1"):
        await eventually(lambda: room.hearing.stats.leg_price > 0.3)
        room.answer("call2", entry="e2", agent="agent.2")
        await room.heard.wait(lambda e: isinstance(e, LegLost) and e.reason == "no_capacity", 2)
        assert {getattr(e, "call_id", "") for e in room.heard.of(LegTapped)} == {"call1"}
        room.talk_ends("call1")
        room.call_ends("call1")
        await room.heard.wait(lambda e: isinstance(e, LegTapped) and e.call_id == "call2")


async def test_where_callers_come_first_an_agents_voice_gives_way(tmp_path: Path) -> None:
    """The new caller is heard and so is the first; the agent of the first call is said not to be."""
    async with (
        hearing_room(tmp_path, engine=LABOURING_ENGINE, when_full=WhenFull.CALLERS_FIRST) as room,
        talking(room, "call1"),
    ):
        await eventually(lambda: room.hearing.stats.leg_price > 0.3)
        room.answer("call2", entry="e2", agent="agent.2")
        (gone,) = await room.heard.wait(lambda e: isinstance(e, LegLost) and e.reason == "gave_way")
        assert isinstance(gone, LegLost)
        assert (gone.call_id, gone.side) == ("call1", Side.AGENT)
        await (await room.exchange.tap("call2-caller.1")).say(7)
        await room.heard.wait(final_text(Side.CALLER, "七"))


async def test_agents_give_way_one_a_second_where_recognition_falls_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Six voices are three too many, as it turns out: the newest agents go first, no caller ever does."""
    orders: list[tuple[float, str]] = []
    send = WorkerProcess.send

    def noted(process: WorkerProcess, message: Message) -> None:
        if isinstance(message, Release):
            orders.append((asyncio.get_running_loop().time(), message.leg))
        send(process, message)

    monkeypatch.setattr(WorkerProcess, "send", noted)
    async with hearing_room(tmp_path, engine=LABOURING_ENGINE, when_full=WhenFull.CALLERS_FIRST) as room:
        for number in (1, 2, 3):  # at once, before it is known what a voice costs
            room.answer(f"call{number}", entry=f"e{number}", agent=f"agent.{number}")
        agents = [await room.exchange.tap(f"agent.{number}") for number in (1, 2, 3)]
        callers = [await room.exchange.tap(f"call{number}-caller.1") for number in (1, 2, 3)]
        sound = asyncio.gather(*(tap.play(frames(0, 60)) for tap in (*agents, *callers)))
        stats = room.hearing.stats
        try:
            await eventually(lambda: len(orders) == 3)
            worked = stats.busy_seconds
            await eventually(lambda: stats.busy_seconds > worked + 1.3)  # longer than from one to the next
        finally:
            sound.cancel()
            await asyncio.gather(sound, return_exceptions=True)
        assert stats.backlog_seconds > 6 * OVERLOAD_BACKLOG_SECONDS  # it is still behind
        assert [leg for _, leg in orders] == [tap.uuid for tap in reversed(agents)]
        moments = [moment for moment, _ in orders]
        assert all(later - earlier > 1.0 for earlier, later in pairwise(moments))
        assert Side.CALLER not in {getattr(event, "side", None) for event in room.heard.of(LegLost)}


async def test_a_site_without_recognition_says_why_there_is_no_text(tmp_path: Path) -> None:
    """No process is started, no tap is made, each side is told as not heard."""
    async with hearing_room(tmp_path, enabled=False) as room:
        room.answer()
        lost_legs = await room.heard.wait(lost, 2)
        assert {e.reason for e in lost_legs} == {"disabled"}  # type: ignore[union-attr]
        assert room.exchange.orders == []
        assert room.hearing.pool.pids == ()


async def test_legs_are_shared_out_among_the_workers(tmp_path: Path) -> None:
    """Each process listens on a port of its own and gets its share."""
    async with hearing_room(tmp_path, workers=2) as room:
        assert len(set(room.hearing.pool.addresses)) == 2
        room.answer("call1")
        room.answer("call2", entry="e2", agent="agent.2")
        await room.heard.wait(tapped, 4)
        used = [channel.split("/")[1] for channel, _, _ in room.exchange.orders]
        assert sorted(used.count(address) for address in room.hearing.pool.addresses) == [2, 2]


async def test_numbers_go_on_after_a_restart_of_the_server(tmp_path: Path) -> None:
    """A call that outlived the server keeps counting its utterances, and its earlier text is still there."""
    async with hearing_room(tmp_path) as room:
        event = room.answer()
        tap = await room.exchange.tap(CALLER)
        await tap.say(1)
        await tap.say(2)
        await room.heard.wait(final_text(Side.CALLER, "二"))
    async with hearing_room(tmp_path) as room:
        room.bus.publish(event)
        tap = await room.exchange.tap(CALLER)
        await tap.say(3)
        (final,) = await room.heard.wait(final_text(Side.CALLER, "三"))
        assert isinstance(final, TranscriptSegment)
        assert final.utterance == 3
        texts = [segment.text for segment in await room.hearing.transcripts.of_call("call1")]
        assert texts == ["一", "二", "三"]


async def test_the_second_agent_of_a_call_is_heard_and_the_first_no_more(room: Room) -> None:
    """A call answered again in another queue has its old taps closed and new ones made."""
    room.answer()
    caller, first = await room.exchange.tap(CALLER), await room.exchange.tap("agent.1")
    room.talk_ends()
    room.answer(entry="e2", agent="agent.2")
    await caller.closed()
    await first.closed()
    await (await room.exchange.tap("agent.2")).say(9)
    await room.heard.wait(final_text(Side.AGENT, "九"))
    await (await room.exchange.tap(CALLER, 2)).say(8)
    await room.heard.wait(final_text(Side.CALLER, "八"))


async def test_all_three_of_a_three_way_talk_are_heard_each_by_name(room: Room) -> None:
    """Both parties beside the caller have a tap and a name; who leaves is heard no more, the others go on."""
    room.answer()
    caller, first = await room.exchange.tap(CALLER), await room.exchange.tap("agent.1")
    now = room.clock.now()
    room.bus.publish(PartyJoined("call1", now, None, "110", "agent.2", CALLER))
    second = await room.exchange.tap("agent.2")
    await first.say(7)
    await room.heard.wait(final_text(Side.AGENT, "七", "1001"))
    await second.say(9)
    await room.heard.wait(final_text(Side.AGENT, "九", "110"))
    room.bus.publish(PartyLeft("call1", now, "1001", "1001", "agent.1"))
    await first.closed()
    await second.say(4)
    await room.heard.wait(final_text(Side.AGENT, "四", "110"))
    await caller.say(8)
    await room.heard.wait(final_text(Side.CALLER, "八", ""))
    texts = await room.hearing.transcripts.of_call("call1")
    assert sorted((one.party, one.text) for one in texts) == [
        ("", "八"), ("1001", "七"), ("110", "九"), ("110", "四"),
    ]  # fmt: skip


async def test_a_call_is_heard_on_when_somebody_else_takes_it_over(room: Room) -> None:
    """The caller all the while it is talked on; both anew when it is taken up again after an end."""
    room.answer()
    caller, first = await room.exchange.tap(CALLER), await room.exchange.tap("agent.1")
    now = room.clock.now()
    room.bus.publish(PartyJoined("call1", now, "1002", "1002", "agent.2", CALLER))
    await room.exchange.tap("agent.2")
    room.talk_ends()
    await first.closed()
    await caller.say(8)
    await room.heard.wait(final_text(Side.CALLER, "八"))
    room.bus.publish(PartyLeft("call1", now, "1002", "1002", "agent.2"))
    await caller.closed()
    room.bus.publish(PartyJoined("call1", now, None, "110", "agent.3", CALLER))
    await (await room.exchange.tap("agent.3")).say(6)
    await room.heard.wait(final_text(Side.AGENT, "六", "110"))
    await (await room.exchange.tap(CALLER, 2)).say(5)
    await room.heard.wait(final_text(Side.CALLER, "五"))


async def test_a_channel_name_that_would_add_options_is_not_dialled(room: Room) -> None:
    """A unique id comes from outside: one with a comma makes no tap."""
    room.answer(agent="agent.1,B(whisper)")
    await room.heard.wait(lambda e: isinstance(e, LegLost) and e.side is Side.AGENT)
    await room.exchange.tap(CALLER)
    assert [data for _, _, data in room.exchange.orders] == [f"{CALLER},uqoES"]


async def test_a_stranger_is_turned_away_and_counted(room: Room) -> None:
    """A connection that nobody expects, and a second one under a name in use, are closed."""
    room.answer()
    tap = await room.exchange.tap(CALLER)
    await room.heard.wait(tapped, 2)
    address = room.hearing.pool.addresses[0]
    for uuid in (str(uuid4()), tap.uuid):
        stranger = await connect_tap(address, uuid)
        await stranger.closed()
        stranger.writer.close()
    await tap.say(2)
    await room.heard.wait(final_text(Side.CALLER, "二"))
    await eventually(lambda: room.hearing.stats.counts["duplicate_uuid"] == 1)
    assert room.hearing.stats.counts["unknown_uuid"] == 1


async def test_a_party_without_rtp_still_gets_its_final_text(room: Room) -> None:
    """Frames stop in the middle of the talk; the utterance ends, and later words keep their time."""
    event = room.answer()
    tap = await room.exchange.tap(CALLER)
    await tap.play(frames(1, 0.1))
    await room.heard.wait(final_text(Side.CALLER, "一"))
    await asyncio.sleep(0.5)  # the party's silence: it is what is tested
    said_after = (room.clock.now() - event.at).total_seconds()
    await tap.play(frames(2, 0.1))
    (final,) = await room.heard.wait(final_text(Side.CALLER, "二"))
    assert isinstance(final, TranscriptSegment)
    assert final.start_seconds == pytest.approx(said_after, abs=0.15)


async def test_a_taken_port_ends_the_start_in_one_line(tmp_path: Path) -> None:
    """The error names the port and what to change, and nothing is left running."""
    from hotline.config.schema import AudioSocketSection

    server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    with pytest.raises(SetupError, match=f"127.0.0.1:{port} cannot be opened.*asr.audiosocket"):
        async with hearing_room(tmp_path, audiosocket=AudioSocketSection(port=port)):
            pass
    server.close()
    await server.wait_closed()


async def test_an_engine_that_does_not_load_ends_the_start(tmp_path: Path) -> None:
    """The start fails with what to do, instead of a server that never hears."""
    with pytest.raises(SetupError, match="ended before it was ready"):
        async with hearing_room(tmp_path, engine=BROKEN_ENGINE, workers=2):
            pass


async def test_live_text_can_be_asked_for_at_any_moment(room: Room) -> None:
    """The Transcripts port gives final segments and the newest partial one, by their start."""
    room.answer()
    caller, agent = await room.exchange.tap(CALLER), await room.exchange.tap("agent.1")
    await caller.say(1)
    await room.heard.wait(final_text(Side.CALLER, "一"))
    await agent.play(frames(2, 0.1))
    await room.heard.wait(lambda e: isinstance(e, TranscriptSegment) and e.text == "二")
    segments = await room.hearing.transcripts.of_call("call1")
    assert [(s.side, s.text, s.final) for s in segments] == [
        (Side.CALLER, "一", True),
        (Side.AGENT, "二", False),
    ]
    assert all(isinstance(segment, Segment) for segment in segments)
    assert await room.hearing.transcripts.of_call("nobody") == []


async def test_stopping_twice_and_in_the_middle_of_a_call_is_clean(room: Room) -> None:
    """The stop ends taps and processes and keeps the last words; a second stop does nothing."""
    assert isinstance(room.answer(), CallAnswered)
    tap = await room.exchange.tap(CALLER)
    await tap.play(frames(3, 0.1))
    await room.heard.wait(lambda e: isinstance(e, TranscriptSegment) and e.text == "三")
    await room.hearing.aclose()
    await room.hearing.aclose()
    await tap.closed()
    assert [segment.text for segment in await room.store.of_call("call1")] == ["三"]


async def test_what_is_said_while_the_recording_is_paused_is_not_written_down(room: Room) -> None:
    """Neither shown nor kept, though the words before and after it are."""
    room.answer()
    caller = await room.exchange.tap(CALLER)
    await caller.say(1)
    await room.heard.wait(final_text(Side.CALLER, "一"))
    room.bus.publish(RecordingChanged("call1", room.clock.now(), RecordingState.PAUSED))
    await caller.say(2, 3)
    await room.heard.wait(final_text(Side.CALLER, ""))
    room.bus.publish(RecordingChanged("call1", room.clock.now(), RecordingState.ON))
    await caller.play(frames(0, 0.3))  # an utterance that touches the pause would be hidden
    await caller.say(4)
    await room.heard.wait(final_text(Side.CALLER, "四"))
    texts = [event for event in room.heard.of(TranscriptSegment) if isinstance(event, TranscriptSegment)]
    assert {event.text for event in texts if event.utterance == 2} == {""}
    assert {event.written for event in texts if event.utterance == 2} == {""}
    assert [segment.text for segment in await room.hearing.transcripts.of_call("call1")] == ["一", "四"]


async def test_final_texts_are_written_as_people_write_them(tmp_path: Path) -> None:
    """Both forms on the bus and in the database; the site's corrections hold; partial texts are as heard."""
    corrections = (Correction(heard="词12", meant="热线"),)
    async with hearing_room(tmp_path, corrections=corrections) as room:
        room.answer()
        caller = await room.exchange.tap(CALLER)
        await caller.say(1, 2, 3, 4, 5, 12)
        heard = "一二三四五词12"
        (final,) = await room.heard.wait(final_text(Side.CALLER, heard))
        assert isinstance(final, TranscriptSegment)
        assert final.written == "12345热线。"
        texts = [event for event in room.heard.of(TranscriptSegment) if isinstance(event, TranscriptSegment)]
        assert [event.written for event in texts[:-1]] == [event.text for event in texts[:-1]]
        await room.hearing.aclose()
        stored = await room.store.of_call("call1")
        assert [(one.text, one.written) for one in stored] == [(heard, "12345热线。")]
