"""The clock of a leg: whatever the network does, a word keeps the time at which it was said."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotline.asr.leg import (
    GAP_SECONDS,
    MAX_BACKLOG_SECONDS,
    MAX_FILL_SECONDS,
    STALL_SECONDS,
    LegAudio,
    Pace,
)

RATE_HZ = 8_000
FRAME = b"\x01\x00" * 160  # 20 ms
ANSWERED = 1000.0


def leg(chunk_seconds: float = 0.06) -> LegAudio:
    return LegAudio(RATE_HZ, ANSWERED, chunk_seconds)


def drain(audio: LegAudio) -> float:
    """Hand everything over; return how many seconds of audio that was."""
    seconds = 0.0
    while (chunk := audio.take(0.4)) is not None:
        seconds += len(chunk.pcm) / 2 / RATE_HZ
    return seconds


def test_times_count_from_the_answer() -> None:
    """Audio that begins two seconds after the answer has its first sample at two seconds."""
    audio = leg()
    for number in range(50):
        audio.audio(FRAME, ANSWERED + 2.0 + (number + 1) * 0.02)
    drain(audio)
    assert audio.call_seconds(0.0) == pytest.approx(2.0)
    assert audio.call_seconds(0.5) == pytest.approx(2.5)


def test_a_party_that_sends_nothing_is_filled_with_silence() -> None:
    """Without RTP the pause is filled by the clock, and what is said afterwards keeps its time."""
    audio = leg()
    audio.audio(FRAME, ANSWERED + 0.02)
    now = ANSWERED + 0.02
    while now < ANSWERED + 2.0:
        now += 0.04
        audio.tick(now)
    audio.audio(FRAME, ANSWERED + 2.02)
    heard = drain(audio)
    assert audio.filled_seconds == pytest.approx(2.0, abs=0.11)
    assert heard == pytest.approx(2.04, abs=0.11)
    last_frame = heard - 0.02
    assert audio.call_seconds(last_frame) == pytest.approx(2.0, abs=0.001)


def test_a_short_stall_is_not_filled() -> None:
    """A pause of 300 ms of the network puts nothing into the middle of a word."""
    audio = leg()
    audio.audio(FRAME, ANSWERED + 0.02)
    for tick in range(8):
        audio.tick(ANSWERED + 0.02 + tick * 0.04)
    assert audio.filled_seconds == 0.0
    assert GAP_SECONDS > 0.3


def test_a_long_pause_costs_no_recognition() -> None:
    """After the longest wait of any endpoint no more silence is made, and the times still hold."""
    audio = leg()
    audio.audio(FRAME, ANSWERED + 0.02)
    for tick in range(1, 2000):
        audio.tick(ANSWERED + tick * 0.04)
    audio.audio(FRAME, ANSWERED + 80.02)
    heard = drain(audio)
    assert audio.filled_seconds == pytest.approx(MAX_FILL_SECONDS)
    assert audio.call_seconds(heard - 0.02) == pytest.approx(80.0, abs=0.001)


def test_a_stall_that_delivers_late_keeps_the_times_of_speaking() -> None:
    """Two seconds of speech that arrive at once are placed where they were said, not where they arrived."""
    audio = leg()
    for number in range(50):
        audio.audio(FRAME, ANSWERED + (number + 1) * 0.02)
    for tick in range(50):  # nothing comes for two seconds
        audio.tick(ANSWERED + 1.0 + tick * 0.04)
    before = audio.filled_seconds
    for _ in range(100):
        audio.audio(FRAME, ANSWERED + 3.0)
    drain(audio)
    burst_begins = 1.0 + before
    assert audio.call_seconds(burst_begins) == pytest.approx(1.0, abs=0.03)
    assert audio.call_seconds(burst_begins + 1.0) == pytest.approx(2.0, abs=0.03)
    assert audio.call_seconds(burst_begins + 1.99) == pytest.approx(3.0, abs=0.03)


def test_lost_frames_do_not_make_the_clock_drift() -> None:
    """One frame in twenty lost for five minutes: the last word is off by less than the tolerance."""
    audio = leg()
    heard = 0.0
    for number in range(15_000):
        if number % 20:
            audio.audio(FRAME, ANSWERED + (number + 1) * 0.02)
            heard += drain(audio)
    assert heard == pytest.approx(285.0)
    assert audio.call_seconds(heard) == pytest.approx(300.0, abs=0.35)
    assert audio.filled_seconds == 0.0


def test_a_first_frame_that_came_late_is_put_right_by_the_next() -> None:
    """The network can delay the first frame; the ones that come on time say when it really was."""
    audio = leg()
    audio.audio(FRAME, ANSWERED + 0.52)  # half a second late
    for number in range(1, 100):
        audio.audio(FRAME, ANSWERED + max(0.52, (number + 1) * 0.02))
    drain(audio)
    assert audio.call_seconds(0.0) == pytest.approx(0.0, abs=0.001)
    assert audio.call_seconds(1.9) == pytest.approx(1.9, abs=0.001)


def test_recognition_that_falls_behind_loses_the_oldest_audio_and_counts_it() -> None:
    """The backlog is bounded, and what remains keeps its times."""
    audio = leg()
    for number in range(1500):  # 30 s
        audio.audio(FRAME, ANSWERED + (number + 1) * 0.02)
    assert audio.backlog_seconds <= MAX_BACKLOG_SECONDS
    assert audio.dropped_seconds == pytest.approx(30 - MAX_BACKLOG_SECONDS)
    drain(audio)
    assert audio.call_seconds(0.0) == pytest.approx(30 - MAX_BACKLOG_SECONDS)


def test_frames_of_a_few_samples_cannot_fill_memory() -> None:
    """A peer that sends single samples is bounded in pieces, not only in seconds."""
    audio = leg()
    for number in range(20_000):
        audio.audio(b"\x00\x00", ANSWERED + number * 0.001)
    pieces = 0
    while audio.take(0.0) is not None:
        pieces += 1
    assert pieces <= 4096


@given(st.lists(st.tuples(st.floats(0.0, 1.0), st.integers(1, 5)), max_size=60))
def test_times_never_lie_in_the_future(pattern: list[tuple[float, int]]) -> None:
    """However frames arrive and the clock ticks, speech is placed in the past of its arrival."""
    audio = leg()
    now = ANSWERED + 5.0
    for pause, burst in pattern:
        now += pause
        audio.tick(now)
        for _ in range(burst):
            now += 0.02
            audio.audio(FRAME, now)
    heard = drain(audio)
    assert audio.call_seconds(heard) <= now - ANSWERED + 1e-6


def test_a_telephone_is_never_ahead_of_the_clock_and_a_flood_is() -> None:
    """A stall's burst is believed; audio at ten times real time is not."""
    pace = Pace(16_000, 0.0)
    for second in range(1, 61):
        assert pace.received(16_000, float(second)) <= 1.0
    assert pace.received(16_000 * 100, 160.0) <= 1.0  # 100 s late, at once
    for second in range(161, 171):
        ahead = pace.received(160_000, float(second))
    assert ahead > 80
    assert pace.received(0, 1000.0) == -STALL_SECONDS
