"""The real recogniser on the packaged model: from telephone frames to the right words at the right time."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from array import array
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest

from hotline.asr.models import SMALL_MODEL
from hotline.asr.vosk_engine import VoskEngine
from hotline.core.events import LegTapped, Side, TranscriptSegment
from hotline.speech.resample import resample
from hotline.speech.voice import Speech, Voice
from hotline.speech.wav import write_wav
from hotline.telephony.audiosocket import pack_audio
from tests.fixtures.asr import FRAME_BYTES, RATE_HZ, FakeTap, Room, hearing_room

CALLER_SAYS = "您好，我想咨询社保卡怎么办理"
CALLER_WORDS = "您好我想咨询社保卡怎么办理"
AGENT_SAYS = "请问您贵姓"
SECOND = "谢谢再见"


def speech(text: str, variant: str = "f3") -> Speech:
    return Voice(variant).say(text).at_rate(RATE_HZ)


def wire(samples: np.ndarray, rate_hz: int = RATE_HZ) -> Iterator[bytes]:
    """20 ms frames, the last one filled up."""
    data = samples.astype("<i2").tobytes()
    size = FRAME_BYTES * rate_hz // RATE_HZ
    for first in range(0, len(data), size):
        yield pack_audio(data[first : first + size].ljust(size, b"\x00"), rate_hz)


def silence(seconds: float) -> np.ndarray:
    return np.zeros(round(seconds * RATE_HZ), np.int16)


async def finals(room: Room, side: Side, count: int) -> list[TranscriptSegment]:
    found = await room.heard.wait(
        lambda e: isinstance(e, TranscriptSegment) and e.final and e.side is side, count
    )
    return [event for event in found if isinstance(event, TranscriptSegment)]


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    async with hearing_room(tmp_path, engine=None, chunk_milliseconds=60) as room:
        yield room


async def taps(room: Room) -> tuple[FakeTap, FakeTap]:
    room.answer()
    pair = await room.exchange.tap("call1-caller.1"), await room.exchange.tap("agent.1")
    await room.heard.wait(lambda e: isinstance(e, LegTapped), 2)
    return pair


async def test_both_sides_word_for_word_in_real_time(room: Room) -> None:
    """Two people speak at once; each side's text is right, grows while they speak, and has its times."""
    caller, agent = await taps(room)
    said = speech(CALLER_SAYS)
    began_at = room.clock.now()
    await asyncio.gather(
        caller.play(wire(np.concatenate([said.samples, silence(1.2)]))),
        agent.play(wire(np.concatenate([speech(AGENT_SAYS, "m3").samples, silence(1.2)]))),
    )
    (of_caller,) = await finals(room, Side.CALLER, 1)
    (of_agent,) = await finals(room, Side.AGENT, 1)
    assert of_caller.text == CALLER_WORDS
    assert of_agent.text == AGENT_SAYS
    assert of_caller.confidence is not None
    assert 0.5 < of_caller.confidence <= 1
    event = room.heard.of(LegTapped)[0]
    zero_seconds = (began_at - event.at).total_seconds()
    last_word_seconds = zero_seconds + said.words[-1].end_sample / RATE_HZ
    assert of_caller.end_seconds == pytest.approx(last_word_seconds, abs=0.5)
    partials = [
        e
        for e in room.heard.of(TranscriptSegment)
        if isinstance(e, TranscriptSegment) and not e.final and e.side is Side.CALLER
    ]
    assert len(partials) >= 5
    assert partials[0].at < of_caller.at
    assert psutil.Process(room.hearing.pool.pids[0]).memory_info().rss < 120e6


async def test_silence_suppression_loses_nothing(room: Room) -> None:
    """A party that sends frames only while it speaks is heard word for word, at the right times."""
    caller, _ = await taps(room)
    first, second = speech(CALLER_SAYS), speech(SECOND)
    await caller.play(wire(first.samples))
    (one,) = await finals(room, Side.CALLER, 1)  # ended by the clock: no frame of silence came
    again_at = room.clock.now()
    await caller.play(wire(second.samples))
    _, two = await finals(room, Side.CALLER, 2)
    assert (one.text, two.text) == (CALLER_WORDS, SECOND)
    answered_at = min(e.at for e in room.heard.of(LegTapped))
    started = (again_at - answered_at).total_seconds() + second.words[0].start_sample / RATE_HZ
    assert two.start_seconds == pytest.approx(started, abs=0.4)


async def test_stalls_of_the_network_lose_nothing(room: Room) -> None:
    """Every second the network holds frames back for 300 ms: the words are the same."""
    caller, _ = await taps(room)
    loop = asyncio.get_running_loop()
    due = loop.time()
    frames = list(wire(np.concatenate([speech(CALLER_SAYS).samples, silence(1.2)])))
    for number, frame in enumerate(frames):
        due += 0.02
        caller.writer.write(frame)
        if number % 50 >= 35:  # 15 frames, 300 ms, arrive together with the next one
            continue
        await asyncio.sleep(max(0.0, due - loop.time()))
    (one,) = await finals(room, Side.CALLER, 1)
    assert one.text == CALLER_WORDS


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 48_000])
def test_every_rate_of_audiosocket_is_understood(rate_hz: int) -> None:
    """The engine takes the audio's true rate and gives the same words."""
    engine = VoskEngine(SMALL_MODEL)
    stream = engine.open(rate_hz)
    samples = resample(np.concatenate([speech(CALLER_SAYS).samples, silence(1.0)]), RATE_HZ, rate_hz)
    heard = [*stream.push(samples.tobytes()), *stream.end()]
    assert [one.text for one in heard if type(one).__name__ == "Final"] == [CALLER_WORDS]
    assert stream.end() == []


def test_a_model_of_a_higher_rate_hears_telephone_audio(tmp_path: Path) -> None:
    """Audio below the model's rate is raised to it; given as it is, Vosk would refuse it."""
    engine = VoskEngine(SMALL_MODEL)
    object.__setattr__(engine._info, "sample_rate_hz", 16_000)  # as if it were made for 16 kHz
    stream = engine.open(8_000)
    samples = resample(np.concatenate([speech(CALLER_SAYS).samples, silence(1.0)]), RATE_HZ, 8_000)
    data = samples.tobytes()
    heard = [one for first in range(0, len(data), 960) for one in stream.push(data[first : first + 960])]
    heard += stream.end()
    (final,) = [one for one in heard if type(one).__name__ == "Final"]
    assert final.text == CALLER_WORDS
    assert final.start_seconds < 0.5


def test_silence_says_nothing() -> None:
    """A minute of nothing, of noise and of a ringing tone makes no text."""
    stream = VoskEngine(SMALL_MODEL).open(8_000)
    ring = array("h", (round(6000 * np.sin(2 * np.pi * 450 * n / 8000)) for n in range(8000)))
    heard = [one for _ in range(20) for one in (*stream.push(bytes(16_000)), *stream.push(ring.tobytes()))]
    assert [one for one in (*heard, *stream.end()) if type(one).__name__ == "Final" and one.text] == []


def run_cli(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "hotline.asr.cli", *arguments], capture_output=True, text=True, check=False
    )


def test_transcribe_prints_segments_as_json(tmp_path: Path) -> None:
    """Start, end, text and confidence of each utterance of a recording."""
    recording = np.concatenate(
        [silence(0.5), speech(CALLER_SAYS).samples, silence(1.5), speech(SECOND).samples, silence(0.2)]
    )
    write_wav(tmp_path / "call.wav", recording, RATE_HZ)
    done = run_cli("transcribe", str(tmp_path / "call.wav"), "--format", "json")
    assert done.returncode == 0, done.stderr
    segments = json.loads(done.stdout)["segments"]
    assert [segment["text"] for segment in segments] == [CALLER_WORDS, SECOND]
    assert all(segment["written"].startswith(segment["text"][:2]) for segment in segments)
    assert all(segment["written"][-1] in "。？" for segment in segments)
    assert all({"start", "end", "text", "confidence"} <= set(segment) for segment in segments)
    assert 0.3 < segments[0]["start"] < segments[0]["end"] < segments[1]["start"] < segments[1]["end"]


@pytest.mark.parametrize("kind", ["absent", "text", "stereo", "empty"])
def test_transcribe_refuses_what_is_no_recording_in_one_line(tmp_path: Path, kind: str) -> None:
    """Wrong files end with exit code 2 and one line that names the file."""
    file = tmp_path / "wrong.wav"
    if kind == "text":
        file.write_text("您好")
    elif kind == "stereo":
        import wave

        with wave.open(str(file), "wb") as stereo:
            stereo.setnchannels(2)
            stereo.setsampwidth(2)
            stereo.setframerate(8000)
            stereo.writeframes(bytes(800))
    elif kind == "empty":
        file.write_bytes(b"")
    done = run_cli("transcribe", str(file))
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1
    assert str(file) in done.stderr


def test_models_are_listed_with_their_licence() -> None:
    """The packaged model is there: rate, size, licence, place."""
    done = run_cli("models", "--format", "json")
    assert done.returncode == 0, done.stderr
    (row,) = [row for row in json.loads(done.stdout) if row["name"] == "hotline-small-cn"]
    assert (row["sample_rate_hz"], row["licence"], row["problem"]) == (8000, "Apache-2.0", "")
    assert Path(row["path"]) == SMALL_MODEL.resolve()


def test_a_wrong_model_folder_is_refused_in_one_line(tmp_path: Path) -> None:
    """Naming a folder that is no model ends with 1 and what to do."""
    write_wav(tmp_path / "a.wav", silence(0.5), RATE_HZ)
    done = run_cli("transcribe", str(tmp_path / "a.wav"), "--model", str(tmp_path))
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "is no Vosk model" in done.stderr


def test_bench_says_how_many_calls_the_machine_hears(tmp_path: Path) -> None:
    """Measured, not constants: what audio costs, and how late it is heard with so many voices at once."""
    done = run_cli("bench", "--seconds", "1", "--cores", "1", "--format", "json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["audio_seconds"] > 1
    assert 0 < result["real_time_factor"] < 1
    assert 0 <= result["late_p50_seconds"] <= result["late_p95_seconds"]
    assert result["kept_up"] == (result["late_p95_seconds"] <= 0.3)
    assert result["streams_per_core"] >= 1 and 20 < result["memory_megabytes"] < 500
    assert (
        result["callers"] == result["streams_per_core"] * result["kept_up"]
    )  # none, if this machine is busy
    assert result["calls"] == result["callers"] // 2
