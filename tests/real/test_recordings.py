"""Recordings of real calls: who is in which channel, when, and what is kept when the server is killed."""

from __future__ import annotations

import asyncio
import secrets
from pathlib import Path

import pytest

from hotline.config.secrets import Secrets
from hotline.server.paths import database_url, recording_key
from hotline.store.database import open_engine, sessions_of
from hotline.store.recording_file import RecordingReader
from hotline.store.recordings import RecordingRecord, RecordingStore
from hotline.telephony.asterisk_config.places import raw_recordings_of
from hotline.telephony.asterisk_config.secrets import secrets_of
from hotline.telephony.phone.call import Call
from hotline.telephony.phone.media import Playback
from hotline.telephony.phone.phone import Phone
from tests.fixtures.sounds import Samples, channels, heard, tone
from tests.real.serving import Seat, ServerProcess, Watcher, citizen, serving, write_site

CALLER_HZ, AGENT_HZ, SECOND_HZ = 500, 1100, 1700
CLOSE_SECONDS = 0.1
SILENT_SECONDS = 6.0


async def put_through(page: Watcher, phone: Phone, seat: Seat) -> tuple[Call, Call, str]:
    """A caller of 12333, which has no menu, and the agent who answers; and the call's id."""
    ringing = asyncio.create_task(seat.next_call())
    call = await phone.call("12333")
    await call.wait_answered()
    talk = await asyncio.wait_for(ringing, 20)
    await talk.answer()
    answered = await page.event("call_answered", agent=seat.agent)
    return call, talk, str(answered["call_id"])


async def kept(server: ServerProcess, call_id: str, *, within_seconds: float = 20) -> RecordingRecord:
    """The row of a call's recording, once it is there."""
    engine = open_engine(database_url(server.site, Secrets(server.site.data_dir)))
    store = RecordingStore(sessions_of(engine))
    try:
        async with asyncio.timeout(within_seconds):
            while (row := await store.one(call_id)) is None:  # noqa: ASYNC110 - a database tells nobody
                await asyncio.sleep(0.1)
        return row
    finally:
        await engine.dispose()


def sound_of(server: ServerProcess, row: RecordingRecord) -> tuple[Samples, Samples]:
    """Both channels of a kept recording."""
    site = server.site
    key = recording_key(site, Secrets(site.data_dir)) if row.encrypted else None
    with RecordingReader(site.data_dir / row.path, key) as reader:
        return channels(reader.read(0, reader.size_bytes))


def only(spans: list[tuple[float, float]]) -> tuple[float, float]:
    assert len(spans) == 1, spans
    return spans[0]


@pytest.fixture
def site_file(tmp_path: Path) -> Path:
    """The demo site, every line recorded and sealed."""
    return write_site(tmp_path, recording={"lines": "on", "encrypt": True})


async def test_the_caller_is_left_the_agent_right_and_the_clock_is_the_calls(site_file: Path) -> None:
    """Each tone is in its own channel alone, where it was said after the answer, to a tenth of a second."""
    async with serving(site_file) as server:
        await server.add_user("chief", role="supervisor")
        await server.add_user("1005", agent="1005")
        async with (
            Watcher(server) as page,
            Seat(server, "1005") as seat,
            citizen(server.site, "13800001234") as phone,
        ):
            call, talk, call_id = await put_through(page, phone, seat)
            loop, answered = asyncio.get_running_loop(), talk.answered_at
            assert answered is not None
            said = call.play(tone(CALLER_HZ, 1.0))
            await said.done()
            replied = talk.play(tone(AGENT_HZ, 1.5))
            await replied.done()
            past = await page.console.get(f"/api/calls/{call_id}")
            assert past["call"]["has_recording"] is False, "a call that goes on has no recording to hear"
            raw = raw_recordings_of(server.site)
            modes = {path.stat().st_mode & 0o777 for path in raw.iterdir()}
            assert (raw.stat().st_mode & 0o777, modes) == (0o700, {0o600}), "others may read raw voices"
            await call.hangup()
            ended = loop.time() - answered
            row = await kept(server, call_id)
            past = await page.console.get(f"/api/calls/{call_id}")
            about = await page.console.get(f"/api/calls/{call_id}/recording/about")
        assert past["call"]["has_recording"] is True
        assert abs(about["transcript_offset_seconds"]) < CLOSE_SECONDS, "text and sound have different clocks"
        assert max(about["levels"]["caller"]) > 150 < max(about["levels"]["agent"])
        left, right = sound_of(server, row)
        for channel, hertz, clip, seconds in (
            (left, CALLER_HZ, said, 1.0),
            (right, AGENT_HZ, replied, 1.5),
        ):
            began, over = clip.sent_at(0), clip.sent_at(seconds)
            assert began is not None and over is not None
            spans = heard(channel, hertz)  # one, unless the machine was too busy to speak without a break
            assert spans[0][0] == pytest.approx(began - answered, abs=CLOSE_SECONDS)
            assert spans[-1][1] == pytest.approx(over - answered, abs=CLOSE_SECONDS)
        assert heard(left, AGENT_HZ) == heard(right, CALLER_HZ) == []
        assert row.duration_ms / 1000 == pytest.approx(ended, abs=0.3)
        assert (row.line, row.encrypted) == ("12333", True)
        assert b"RIFF" not in (server.site.data_dir / row.path).read_bytes()
        assert list(raw_recordings_of(server.site).iterdir()) == [], "raw voices are left lying about"


async def test_a_server_killed_in_the_talk_costs_nothing_of_its_recording(site_file: Path) -> None:
    """Asterisk records on; the next start makes of it one recording with what was said before and after."""
    async with serving(site_file) as server:
        await server.add_user("chief", role="supervisor")
        await server.add_user("1005", agent="1005")
        async with Seat(server, "1005") as seat, citizen(server.site, "13800001234") as phone:
            async with Watcher(server) as page:
                call, talk, call_id = await put_through(page, phone, seat)
            await talk.play(tone(AGENT_HZ, 0.5)).done()
            await server.kill()
            await talk.play(tone(SECOND_HZ, 0.5)).done()
            await call.hangup()
            await server.start()
            row = await kept(server, call_id)
        _, right = sound_of(server, row)
        before, after = only(heard(right, AGENT_HZ)), only(heard(right, SECOND_HZ))
        assert before[1] <= after[0]
        assert before[1] - before[0] == pytest.approx(0.5, abs=CLOSE_SECONDS)
        assert after[1] - after[0] == pytest.approx(0.5, abs=CLOSE_SECONDS)


async def test_a_pause_is_silence_and_a_second_agent_is_heard(
    site_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What both say in a pause is not there; after a transfer the second agent is in the right channel.

    The second phone's RTP numbers lie below the first one's: so Asterisk drops what that phone says from a
    recording of what is sent to the caller, which is why we make none.
    """
    numbers, bits = iter((50_000, 40_000, 30_000)), secrets.randbits
    monkeypatch.setattr(secrets, "randbits", lambda wanted: next(numbers) if wanted == 16 else bits(wanted))
    async with serving(site_file) as server:
        await server.add_user("chief", role="supervisor")
        for agent in ("1005", "1006"):
            await server.add_user(agent, agent=agent)
        async with (
            Watcher(server) as page,
            Seat(server, "1005") as seat,
            Seat(server, "1006", sign_in=False) as second,
            citizen(server.site, "13800001234") as phone,
        ):
            call, talk, call_id = await put_through(page, phone, seat)
            await page.event("recording_changed", state="on")
            await call.play(tone(CALLER_HZ, 0.5)).done()
            view = await seat.console.post(f"/api/call/{call_id}/recording/pause")
            assert view["recording"] == "paused"
            both = (call.play(tone(CALLER_HZ, 1.0)), talk.play(tone(AGENT_HZ, 1.0)))
            await asyncio.gather(*(clip.done() for clip in both))
            view = await seat.console.post(f"/api/call/{call_id}/recording/resume")
            assert view["recording"] == "on"
            await talk.play(tone(AGENT_HZ, 0.5)).done()
            ringing = asyncio.create_task(second.next_call())
            handing_on = asyncio.create_task(talk.transfer("1006"))
            onward = await asyncio.wait_for(ringing, 20)
            await onward.answer()
            await handing_on
            await onward.play(tone(SECOND_HZ, 0.5)).done()
            await call.hangup()
            row = await kept(server, call_id)
            about = await page.console.get(f"/api/calls/{call_id}/recording/about")
        left, right = sound_of(server, row)
        spoken, after, second_after = (
            only(heard(channel, hertz))
            for channel, hertz in ((left, CALLER_HZ), (right, AGENT_HZ), (right, SECOND_HZ))
        )
        ((since, until),) = about["pauses"]
        assert spoken[1] - spoken[0] == pytest.approx(0.5, abs=CLOSE_SECONDS)
        assert spoken[1] - CLOSE_SECONDS < since < until < after[0] + CLOSE_SECONDS
        assert until - since > 1.0 - CLOSE_SECONDS
        assert after[1] <= second_after[0], "the two agents are heard at once"
        assert second_after[1] - second_after[0] == pytest.approx(0.5, abs=CLOSE_SECONDS)


async def test_phones_that_suppress_silence_cost_only_the_silence(site_file: Path) -> None:
    """What both say before and after keeps its place beside the other's; how much is missing is told."""
    async with serving(site_file) as server:
        await server.add_user("chief", role="supervisor")
        await server.add_user("1005", agent="1005")
        async with (
            Watcher(server) as page,
            Seat(server, "1005") as seat,
            citizen(server.site, "13800001234") as phone,
        ):
            call, talk, call_id = await put_through(page, phone, seat)
            said: list[Playback] = []
            for party, pitch in ((call, CALLER_HZ), (talk, AGENT_HZ), (call, CALLER_HZ), (talk, AGENT_HZ)):
                party.suppress_silence()
                if len(said) == 2:
                    await asyncio.sleep(SILENT_SECONDS)
                said.append(party.play(tone(pitch, 0.5)))
                await said[-1].done()
            await call.hangup()
            row = await kept(server, call_id)
        left, right = sound_of(server, row)
        spans = sorted(heard(left, CALLER_HZ) + heard(right, AGENT_HZ))
        began = [clip.sent_at(0) for clip in said]
        lost = (0.0, 0.0, SILENT_SECONDS, SILENT_SECONDS)
        for (since, until), spoken, missing in zip(spans, began, lost, strict=True):
            assert spoken is not None and began[0] is not None
            assert until - since == pytest.approx(0.5, abs=CLOSE_SECONDS)
            assert since - spans[0][0] == pytest.approx(spoken - began[0] - missing, abs=CLOSE_SECONDS)
        assert any(f"call {call_id}: 6 s of its recording are missing" in line for line in server.log)


async def test_what_a_supervisor_says_to_the_caller_is_recorded_and_a_whisper_is_not(site_file: Path) -> None:
    """Listening, whispering, barging in, a pause of the recording, and whispering again."""
    async with serving(site_file) as server:
        await server.add_user("chief", role="supervisor", agent="2001")
        await server.add_user("1005", agent="1005")
        async with (
            Watcher(server) as page,
            Seat(server, "1005") as seat,
            Seat(server, "2001", sign_in=False, user="chief") as chief,
            citizen(server.site, "13800001234") as phone,
        ):
            call, talk, call_id = await put_through(page, phone, seat)
            answered = talk.answered_at
            assert answered is not None
            spied = asyncio.create_task(chief.next_call())
            await chief.console.post(f"/api/supervise/{call_id}/whisper")
            spy = await asyncio.wait_for(spied, 20)
            await spy.answer()
            await talk.heard.wait_packet()
            clips = [spy.play(tone(SECOND_HZ, 0.5))]
            await clips[0].done()
            await chief.console.post(f"/api/supervise/{call_id}/barge")
            clips.append(spy.play(tone(SECOND_HZ, 0.7)))
            await clips[1].done()
            await seat.console.post(f"/api/call/{call_id}/recording/pause")
            await spy.play(tone(SECOND_HZ, 0.5)).done()
            await chief.console.post(f"/api/supervise/{call_id}/listen")
            await chief.console.post(f"/api/supervise/{call_id}/barge")
            await spy.play(tone(SECOND_HZ, 0.5)).done()
            await seat.console.post(f"/api/call/{call_id}/recording/resume")
            clips.append(spy.play(tone(SECOND_HZ, 0.7)))
            await clips[2].done()
            await chief.console.post(f"/api/supervise/{call_id}/whisper")
            await spy.play(tone(SECOND_HZ, 0.5)).done()
            await call.hangup()
            row = await kept(server, call_id)
        assert list(raw_recordings_of(server.site).iterdir()) == [], (
            "a supervisor's raw voice is left lying about"
        )
        left, right = sound_of(server, row)
        assert heard(left, SECOND_HZ) == []
        spans = [span for span in heard(right, SECOND_HZ) if span[1] - span[0] > CLOSE_SECONDS]
        assert len(spans) == 2, spans  # who barges in during a pause is silenced within that time
        for span, clip in zip(spans, clips[1:], strict=True):
            began = clip.sent_at(0)
            assert began is not None
            assert span == pytest.approx((began - answered, began - answered + 0.7), abs=CLOSE_SECONDS)


async def test_hold_keeps_time_and_a_colleague_brought_by_the_phone_is_heard(site_file: Path) -> None:
    """The agent holds, asks a colleague by the phone's second call, hands over by its button: without us."""
    async with serving(site_file) as server:
        await server.add_user("chief", role="supervisor")
        for agent in ("1005", "1006"):
            await server.add_user(agent, agent=agent)
        seat = Seat(server, "1005")
        secret = secrets_of(server.site)("agent-1005")
        seat.phone = Phone("1005", secret, server=seat.phone.server, max_calls=2)
        async with (
            Watcher(server) as page,
            seat,
            Seat(server, "1006", sign_in=False) as second,
            citizen(server.site, "13800001234") as phone,
        ):
            call, talk, call_id = await put_through(page, phone, seat)
            answered = talk.answered_at
            assert answered is not None
            await talk.hold()
            await server.kill()
            ringing = asyncio.create_task(second.next_call())
            enquiry = await seat.phone.call("1006")
            colleague = await asyncio.wait_for(ringing, 20)
            await colleague.answer()
            await enquiry.wait_answered()
            await asyncio.sleep(1)  # what they have to say to each other
            await talk.transfer_to(enquiry)
            clip = colleague.play(tone(SECOND_HZ, 1.0))
            await clip.done()
            await call.hangup()
            await server.start()
            row = await kept(server, call_id)
        _, right = sound_of(server, row)
        began = clip.sent_at(0)
        assert began is not None
        span = only(heard(right, SECOND_HZ))
        assert span == pytest.approx((began - answered, began - answered + 1.0), abs=CLOSE_SECONDS)
