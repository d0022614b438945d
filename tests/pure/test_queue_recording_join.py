"""Raw voices into one two-channel sound: every sample in its place, whoever spoke when."""

from __future__ import annotations

import struct
from datetime import UTC, datetime, timedelta

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hotline.core.events import Side
from hotline.queue.recording.join import HEADER_BYTES, LEVEL_COLUMNS, RATE_HZ, Voice, join
from hotline.speech.g711 import alaw_encode
from tests.fixtures.sounds import channels, heard, tone

ANSWERED = datetime(2026, 11, 2, 1, 0, 0, 123_000, tzinfo=UTC)


def voice(side: Side, after_seconds: float, sound: bytes) -> Voice:
    began_at = ANSWERED + timedelta(seconds=after_seconds)
    return Voice(side, began_at, len(sound), lambda first, count: sound[first : first + count])


def wav_of(*voices: Voice) -> bytes:
    joined = join(voices)
    assert joined is not None
    wav = b"".join(joined.pieces())
    assert len(wav) == joined.size_bytes
    return wav


def test_the_clock_begins_with_the_answer() -> None:
    """The caller's seven seconds of waiting fall away; the talk of both lies where it was."""
    waited = alaw_encode(tone(300, 7))
    said = alaw_encode(np.concatenate([np.zeros(8000, np.int16), tone(500, 1)]))
    left, right = channels(
        wav_of(
            voice(Side.CALLER, -7, waited + said),
            voice(Side.AGENT, 0, alaw_encode(tone(1100, 0.5))),
        )
    )
    assert heard(left, 300) == []
    assert heard(left, 500) == [(1.0, 2.0)]
    assert heard(right, 1100) == [(0.0, 0.5)]


def test_the_clock_of_a_callback_begins_with_the_citizens_answer() -> None:
    """What the agent said while the citizen's phone rang falls away."""
    rang = alaw_encode(np.concatenate([tone(700, 4), tone(1100, 1)]))
    left, right = channels(
        wav_of(voice(Side.AGENT, -4, rang), voice(Side.CALLER, 0, alaw_encode(tone(500, 2))))
    )
    assert heard(left, 500) == [(0.0, 2.0)]
    assert heard(right, 700) == [] and heard(right, 1100) == [(0.0, 1.0)]


def test_a_second_agent_follows_in_the_same_channel() -> None:
    """After a transfer the right channel is quiet while the second phone rings, then it is the second's."""
    _, right = channels(
        wav_of(
            voice(Side.CALLER, -1, alaw_encode(np.zeros(8 * RATE_HZ, np.int16))),
            voice(Side.AGENT, 0, alaw_encode(tone(1100, 2))),
            voice(Side.AGENT, 4.5, alaw_encode(tone(1700, 1))),
        )
    )
    assert heard(right, 1100) == [(0.0, 2.0)]
    assert heard(right, 1700) == [(4.5, 5.5)]


def test_a_three_way_talk_holds_both_answering_voices() -> None:
    """Two who speak at once are both in the right channel."""
    _, right = channels(
        wav_of(
            voice(Side.AGENT, 0, alaw_encode(tone(1000, 1) // 2)),
            voice(Side.AGENT, 0, alaw_encode(tone(2000, 1) // 2)),
        )
    )
    spectrum = np.abs(np.fft.rfft(right[:RATE_HZ].astype(np.float64)))
    assert sorted(np.argsort(spectrum)[-2:].tolist()) == [1000, 2000]


def test_a_caller_nobody_answered_has_no_recording() -> None:
    """What somebody said while waiting in vain is not kept."""
    assert join([voice(Side.CALLER, -20, alaw_encode(tone(500, 20)))]) is None


@given(st.binary(min_size=1, max_size=40_000))
def test_one_voice_passes_unchanged(sound: bytes) -> None:
    """What came over the telephone is what is kept: not a bit of a lone voice changes."""
    wav = wav_of(voice(Side.AGENT, 0, sound))
    assert wav[HEADER_BYTES + 1 :: 2] == sound
    assert len(wav[HEADER_BYTES::2]) == len(sound)


def test_the_header_says_what_follows() -> None:
    """RIFF and data sizes fit, and the format is A-law, two channels, 8000 Hz (RFC 2361)."""
    wav = wav_of(voice(Side.AGENT, 0, bytes(1234)))
    assert wav[:4] == b"RIFF" and wav[8:16] == b"WAVEfmt "
    assert struct.unpack("<I", wav[4:8]) == (len(wav) - 8,)
    assert struct.unpack("<HHII", wav[20:32]) == (6, 2, 8000, 16000)
    assert wav[HEADER_BYTES - 8 : HEADER_BYTES] == b"data" + struct.pack("<I", 2468)


def test_the_picture_shows_who_spoke_when() -> None:
    """Levels are high where a side spoke, zero where not, and never more columns than fit a page."""
    joined = join(
        [
            voice(Side.CALLER, 0, alaw_encode(np.zeros(100 * RATE_HZ, np.int16))),
            voice(Side.AGENT, 0, alaw_encode(np.zeros(10, np.int16))),
            voice(Side.AGENT, 50, alaw_encode(tone(1000, 50))),
        ]
    )
    assert joined is not None
    for _ in joined.pieces():
        pass
    caller, agent = joined.levels()[Side.CALLER], joined.levels()[Side.AGENT]
    assert len(caller) == len(agent) == LEVEL_COLUMNS
    assert max(caller) == max(agent[:199]) == 0
    assert min(agent[201:]) > 150
